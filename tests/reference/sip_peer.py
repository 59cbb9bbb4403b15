"""A UDP peer that plays redirector, target and caller: it answers by a script and records what comes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

Address = tuple[str, int]
Script = Callable[["Message"], Sequence[str]]


@dataclass(frozen=True)
class Message:
    """A message as text, and who sent it when."""

    text: str
    source: Address
    time: float

    @property
    def method(self) -> str:
        return self.text.split(" ", 1)[0]

    @property
    def uri(self) -> str:
        return self.text.split(" ", 2)[1]

    @property
    def code(self) -> int:
        return int(self.text.split(" ", 2)[1]) if self.method == "SIP/2.0" else 0

    @property
    def body(self) -> str:
        return self.text.partition("\r\n\r\n")[2]

    def header(self, name: str) -> str:
        found = re.search(rf"^{name}: *(.*?)\r$", self.text, re.MULTILINE)
        return found[1] if found else ""

    @property
    def branch(self) -> str:
        return self.header("Via").partition("branch=")[2].partition(";")[0]


@dataclass
class Peer(asyncio.DatagramProtocol):
    """Bound to its own address; ``script`` maps each request to the responses it gets, as templates."""

    script: Script = lambda request: []
    heard: list[Message] = field(default_factory=list)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def address(self) -> Address:
        host, port = self.transport.get_extra_info("sockname")[:2]
        return host, port

    @property
    def uri(self) -> str:
        host, port = self.address
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def says(self, *responses: str, **names: str) -> None:
        """Answer every INVITE with these responses (``{target}`` is filled in), anything else with 200."""
        lines = [response.format(**names) for response in responses if response]
        self.script = lambda request: lines if request.method == "INVITE" else ["200 OK"]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def send(self, text: str, to: Address) -> None:
        self.transport.sendto(text.replace("\n", "\r\n").encode(), to)

    def answer(self, request: Message, template: str, change: Callable[[str], str] = str) -> None:
        self.send(change(respond(request, template, self.uri)), request.source)

    def datagram_received(self, data: bytes, addr: Address) -> None:
        message = Message(data.decode(), addr, asyncio.get_running_loop().time())
        self.heard.append(message)
        self._changed.set()
        if message.method not in ("SIP/2.0", "ACK"):
            for template in self.script(message):
                self.send(respond(message, template, self.uri), addr)

    async def until(self, method: str, count: int = 1) -> list[Message]:
        """Wait until so many messages of a method (or of a status code) have come."""
        await self.when(lambda: len(self.of(method)) >= count)
        return self.of(method)

    async def when(self, enough: Callable[[], bool]) -> None:
        """Wait until what has been heard is enough."""
        while not enough():
            self._changed.clear()
            await asyncio.wait_for(self._changed.wait(), 10)

    def of(self, method: str) -> list[Message]:
        return [message for message in self.heard if method in (message.method, str(message.code))]


def respond(request: Message, template: str, contact: str) -> str:
    """Complete ``CODE REASON`` and further header lines to a response."""
    status, *extra = template.split("\n")
    lines = [
        f"SIP/2.0 {status}",
        *(f"Via: {via}" for via in re.findall(r"^Via: *(.*?)\r$", request.text, re.MULTILINE)),
        f"From: {request.header('From')}",
        request_to(request),
        f"Call-ID: {request.header('Call-ID')}",
        f"CSeq: {request.header('CSeq')}",
        *extra,
    ]
    if not any(line.startswith("Contact") for line in extra) and status.startswith("2"):
        lines.append(f"Contact: <sip:{contact}>")
    return "\n".join([*lines, "Content-Length: 0", "", ""])


def request_to(request: Message) -> str:
    to = request.header("To")
    return f"To: {to}" if ";tag=" in to else f"To: {to};tag=peer"
