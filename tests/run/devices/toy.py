"""A very small SIP phone that misbehaves in one way: ``toy.py ADDRESS WAY``.

It reads ``call URI`` from its standard input, sends one INVITE, acknowledges what refuses it, and answers OPTIONS.
"""

from __future__ import annotations

import re
import socket
import sys
import threading
import time

ADDRESS, WAY = sys.argv[1:3]
HOST, PORT = ADDRESS.split(":")
FLOOD = 600

wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
wire.bind((HOST, int(PORT)))
calls: dict[str, str] = {}
refused: dict[str, threading.Event] = {}
"""By Call-ID, whether the call was refused: copies for an earlier call say nothing of this one."""


def request(method: str, uri: str, call_id: str, to_tag: str = "") -> bytes:
    return (
        f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {ADDRESS};branch=z9hG4bK-{call_id}\r\nMax-Forwards: 70\r\n"
        f"From: <sip:toy@{ADDRESS}>;tag=f{call_id}\r\nTo: <{uri}>{to_tag}\r\nCall-ID: {call_id}\r\n"
        f"CSeq: 1 {method}\r\nContact: <sip:toy@{ADDRESS}>\r\nContent-Length: 0\r\n\r\n"
    ).encode()


def place(uri: str) -> None:
    host, _, port = uri.partition("@")[2].partition(":")
    there = (host, int(port or 5060))
    call_id = f"{time.time_ns()}"
    calls[call_id] = uri
    refused[call_id] = threading.Event()
    if WAY == "mute":
        return
    if WAY == "garbage":
        wire.sendto(b"\x00\x01\x02 this is no SIP\r\n", there)
        wire.sendto(b"GET / HTTP/1.1\r\n\r\n", there)
        time.sleep(0.1)
    wire.sendto(request("INVITE", uri, call_id), there)
    if WAY == "garbage":
        time.sleep(0.5)
        wire.sendto(b"INVITE nonsense\r\n: x\r\nCall-ID\r\n\r\n", there)
        wire.sendto(b"SIP/2.0 999 What\r\nCall-ID: what\r\n\xff\xfe\r\n\r\n", there)
        wire.sendto(b"\xff" * 1400, there)
    if WAY == "flood":
        # What comes before the refusal would be other calls, and no answer to it.
        refused[call_id].wait(30)
        for number in range(FLOOD):
            wire.sendto(request("INVITE", uri, f"{call_id}-{number}"), there)
            if number % 20 == 19:
                time.sleep(0.01)


def answer() -> None:
    while True:
        raw, there = wire.recvfrom(65535)
        text = raw.decode("latin-1")
        if text.startswith("OPTIONS "):
            kept = [line for line in text.split("\r\n") if re.match("Via|From|To|Call-ID|CSeq", line)]
            wire.sendto("\r\n".join(["SIP/2.0 200 OK", *kept, "Content-Length: 0", "", ""]).encode(), there)
        found = re.search(r"^Call-ID: *(\S+)", text, re.MULTILINE)
        final = re.match(r"SIP/2.0 [2-6]\d\d", text) and re.search(r"^CSeq: *1 INVITE", text, re.MULTILINE)
        if final and found:
            if found[1] in refused:
                refused[found[1]].set()
            tag = re.search(r"^To:[^;\r]*(;tag=[^\r]*)", text, re.MULTILINE)
            uri = calls.get(found[1].partition("-")[0], f"sip:{there[0]}:{there[1]}")
            wire.sendto(request("ACK", uri, found[1], tag[1] if tag else ""), there)
            if WAY == "dies":
                print("toy: segmentation fault, so to speak", flush=True)
                time.sleep(0.05)
                # The process, not only this thread.
                import os

                os._exit(3)


threading.Thread(target=answer, daemon=True).start()
if WAY != "never":
    print("READY", flush=True)
else:
    print("toy: waiting for the moon", flush=True)
for line in sys.stdin:
    verb, _, rest = line.strip().partition(" ")
    if verb == "call":
        threading.Thread(target=place, args=(rest,), daemon=True).start()
