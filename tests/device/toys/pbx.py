"""The remote control of a PBX, as far as the tests need it: ``pbx.py ami|esl SIP_ADDRESS CONTROL_ADDRESS``.

This is neither Asterisk nor FreeSWITCH.  It speaks the few messages of their control protocols that the suite uses, as
their documentation describes them, and has a reference device (its child) place and end the calls; so a real INVITE
leaves.  Numbers that end in 0 are refused, as an endpoint that is not configured would be.
"""

from __future__ import annotations

import re
import socketserver
import subprocess
import sys
import uuid

KIND, SIP, CONTROL = sys.argv[1:4]
HOST, PORT = CONTROL.split(":")

phone = subprocess.Popen(
    [sys.executable, "-m", "harness.devices.reference", "--listen", SIP], stdin=subprocess.PIPE, stdout=subprocess.PIPE
)
assert phone.stdin
assert phone.stdout
assert phone.stdout.readline() == b"READY\n"
channels: dict[str, str] = {}


def order(text: str) -> None:
    assert phone.stdin
    phone.stdin.write(f"{text}\n".encode())
    phone.stdin.flush()


def originate(dialled: str, channel: str) -> bool:
    uri = dialled[dialled.index("sip:") :]
    if re.search(r"0@", uri):
        return False
    channels[channel] = uri
    order(f"call {uri}")
    return True


def hang_up(channel: str) -> bool:
    if channel not in channels:
        return False
    order(f"hangup {channels.pop(channel)}")
    return True


class Ami(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.wfile.write(b"Asterisk Call Manager/7.0.3\r\n")
        known = False
        while message := self.message():
            action = message.get("action", "")
            if action == "Login":
                known = (message.get("username"), message.get("secret")) == ("tester", "s3cret")
                self.say(message, known, "Authentication accepted" if known else "Authentication failed")
            elif not known:
                self.say(message, False, "Permission denied")
            elif action == "Originate":
                done = originate(message["channel"], message["channelid"])
                self.wfile.write(b"Event: Newchannel\r\nPrivilege: call,all\r\nChannel: PJSIP/x-1\r\n\r\n")
                self.say(message, done, "Originate successfully queued" if done else "Extension does not exist.")
            elif action == "Hangup":
                done = hang_up(message["channel"])
                self.say(message, done, "Channel Hungup" if done else "No such channel")

    def message(self) -> dict[str, str]:
        found: dict[str, str] = {}
        while line := self.rfile.readline().decode().strip():
            name, _, value = line.partition(":")
            found[name.lower()] = value.strip()
        return found

    def say(self, to: dict[str, str], done: bool, text: str) -> None:
        said = ["Response: " + ("Success" if done else "Error"), f"ActionID: {to['actionid']}", f"Message: {text}"]
        self.wfile.write("\r\n".join([*said, "", ""]).encode())


class Esl(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.wfile.write(b"Content-Type: auth/request\n\n")
        known = False
        while command := self.command():
            if command.startswith("auth "):
                known = command == "auth ClueCon-s3cret"
                self.reply("+OK accepted" if known else "-ERR invalid")
            elif not known:
                self.reply("-ERR command not found")
            elif found := re.match(r"bgapi originate \{(.*?)\}sofia/external/(\S+) &park\(\)$", command):
                variables = dict(one.split("=") for one in found[1].split(","))
                done = originate(found[2], variables["origination_uuid"])
                self.reply(f"+OK Job-UUID: {uuid.uuid4()}" if done else "-ERR GATEWAY_DOWN")
            elif command.startswith("api uuid_kill "):
                body = b"+OK\n" if hang_up(command.split()[2]) else b"-ERR No such channel!\n"
                self.wfile.write(b"Content-Type: api/response\nContent-Length: %d\n\n%b" % (len(body), body))
            else:
                self.reply("-ERR command not found")

    def command(self) -> str:
        lines = []
        while line := self.rfile.readline().decode().strip():
            lines.append(line)
        return "\n".join(lines)

    def reply(self, text: str) -> None:
        self.wfile.write(f"Content-Type: command/reply\nReply-Text: {text}\n\n".encode())


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


with Server((HOST, int(PORT)), Ami if KIND == "ami" else Esl) as server:
    server.serve_forever()
