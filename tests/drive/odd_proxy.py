"""A proxy of a hundred lines that misbehaves as its first argument says; the second one is where it listens.

It keeps no state: a request goes to the host of its Request-URI, a response to where the topmost Via but one says.
"""

from __future__ import annotations

import asyncio
import re
import sys
from typing import Any

HOST = re.compile(r"sips?:(?:[^@ >;]*@)?([0-9.]+)(?::(\d+))?")
VIA = re.compile(r"SIP/2\.0/UDP ([0-9.]+)(?::(\d+))?", re.IGNORECASE)


class OddProxy(asyncio.DatagramProtocol):
    def __init__(self, oddity: str, own: tuple[str, int]) -> None:
        self.oddity = oddity
        self.own = own
        self.bound: dict[str, list[str]] = {}
        self.came_from: dict[str, tuple[str, int]] = {}
        self.seen: set[str] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport
        print("READY", flush=True)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        text = data.decode("latin-1")
        if text.startswith("SIP/2.0"):
            self.response(text)
        else:
            self.request(text, addr)

    # --- requests

    def request(self, text: str, addr: tuple[str, int]) -> None:
        method, uri, _ = text.partition("\r\n")[0].split(" ")
        if method == "OPTIONS" and self.hosted(uri) == self.own and "@" not in uri:
            if self.oddity != "no_options":
                self.say(text, addr, "200 OK")
        elif method == "REGISTER":
            self.register(text, addr)
        elif self.oddity == "asks" and method == "INVITE" and "\r\nProxy-Authorization: Digest" not in text:
            asked = 'Proxy-Authenticate: Digest realm="lab", nonce="n", qop="auth"'
            self.say(text, addr, "407 Proxy Authentication Required", asked)
        elif self.oddity == "silent" or (method == "ACK" and "tag=odd" in text):
            return
        elif self.oddity.startswith("answers"):
            if method != "ACK":
                self.answer(text, addr)
        elif self.oddity.startswith("rings") and method == "INVITE":
            self.ring(text, addr)
        elif self.oddity == "loops" and method == "INVITE":
            self.loop(text, addr)
        else:
            self.forward(text, uri)

    def register(self, text: str, addr: tuple[str, int]) -> None:
        if self.oddity == "silent_registrar":
            return
        if self.oddity == "strict_registrar":
            self.say(text, addr, "403 Forbidden")
            return
        if self.oddity == "slow_registrar" and text not in self.seen:
            self.seen.add(text)
            return
        user = re.findall(r"\r\nTo: <sip:([^@]*)@", text)[0]
        self.came_from[user] = addr
        contacts = re.findall(r"\r\nContact: (.*)", text)
        self.bound[user] = [contact.strip() for contact in contacts]
        self.say(text, addr, "200 OK", *(f"Contact: {contact.strip()}" for contact in contacts))

    def answer(self, text: str, addr: tuple[str, int]) -> None:
        _, status, after = self.oddity.split("-")
        loop = asyncio.get_running_loop()
        if text.startswith("INVITE"):
            self.say(text, addr, "180 Ringing")
        loop.call_later(float(after), self.say, text, addr, f"{status} Answer", "Contact: <sip:1@192.0.2.1>")

    def ring(self, text: str, addr: tuple[str, int]) -> None:
        for _ in range(int(self.oddity.removeprefix("rings-"))):
            self.say(text, addr, "180 Ringing")
        asyncio.get_running_loop().call_later(1.0, self.say, text, addr, "603 Decline")

    def loop(self, text: str, addr: tuple[str, int]) -> None:
        hops = int(re.findall(r"Max-Forwards: (\d+)", text)[0])
        if hops:
            text = re.sub(r"Max-Forwards: \d+", f"Max-Forwards: {hops - 1}", text)
            self.transport.sendto(self.with_via(text, f"z9hG4bKloop{hops}").encode("latin-1"), self.own)
        else:
            self.say(text, addr, "483 Too Many Hops")

    def forward(self, text: str, uri: str) -> None:
        user = re.findall(r"sip:([^@]*)@", uri)
        if self.hosted(uri) == self.own and user and user[0] in self.bound:
            uri = re.findall(r"<([^>]*)>", self.bound[user[0]][0])[0]
            text = re.sub(r" \S+ SIP", f" {uri} SIP", text, count=1)
        if self.oddity == "unreachable":
            text = re.sub(r"\r\nContact: [^\r]*", "\r\nContact: <sip:1@127.0.0.77:5999>", text)
        branch = re.findall(r"branch=([^;,\s]*)", text)[0]
        if self.oddity == "records_route":
            routes = re.findall(r"\r\nRoute: [^\r]*", text)
            if routes:  # its own, for it is the only one
                text = text.replace(routes[0], "", 1)
            elif text.startswith("INVITE"):
                text = text.replace("\r\nTo:", "\r\nRecord-Route: <sip:{}:{};lr>\r\nTo:".format(*self.own), 1)
        data = self.with_via(text, f"z9hG4bKodd{branch[7:]}").encode("latin-1")
        back = self.came_from.get(user[0]) if user and self.oddity == "calls_back" else None
        self.transport.sendto(data, back or self.hosted(uri))
        if self.oddity == "stray_fork":
            self.transport.sendto(data, ("127.0.0.77", 5999))

    def with_via(self, text: str, branch: str) -> str:
        host, port = self.own
        return text.replace("\r\nVia:", f"\r\nVia: SIP/2.0/UDP {host}:{port};branch={branch}\r\nVia:", 1)

    # --- responses

    def response(self, text: str) -> None:
        text = re.sub(r"(?m)^(Via: [^,\r]*), *", r"\1\r\nVia: ", text)  # SIPp puts them into one line
        if len(vias := VIA.findall(text)) < 2:
            return
        host, port = vias[1]
        text = re.sub(r"Via:.*\r\n", "", text, count=1)
        to = (host, int(port or 5060))
        if self.oddity == "loses_vias":
            text = re.sub(r"Via:.*\r\n", "", text)
        elif self.oddity == "foreign_branch":
            text = re.sub(r"branch=[^;\r,]*", "branch=z9hG4bKof-nobody", text, count=1)
        self.transport.sendto(text.encode("latin-1"), to)
        if self.oddity == "two_answers" and text.startswith("SIP/2.0 200") and "INVITE" in text:
            self.transport.sendto(re.sub(r"\r\nTo: (.*);tag=[^\r]*", r"\r\nTo: \1;tag=two", text).encode("latin-1"), to)

    def say(self, request: str, addr: tuple[str, int], status: str, *headers: str) -> None:
        kept = re.findall(r"(?m)^(?:Via|From|Call-ID|CSeq):.*(?=\r)", request)
        to = re.findall(r"(?m)^To:.*(?=\r)", request)[0]
        lines = [f"SIP/2.0 {status}", *kept, to if "tag=" in to else f"{to};tag=odd", *headers, "Content-Length: 0"]
        self.transport.sendto("\r\n".join([*lines, "", ""]).encode("latin-1"), addr)

    @staticmethod
    def hosted(uri: str) -> tuple[str, int]:
        host, port = HOST.findall(uri)[0]
        return host, int(port or 5060)


async def main(oddity: str, listen: str) -> None:
    host, _, port = listen.rpartition(":")
    own = (host, int(port))
    await asyncio.get_running_loop().create_datagram_endpoint(lambda: OddProxy(oddity, own), local_addr=own)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:3]))
