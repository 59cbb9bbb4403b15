"""A device under test that is a bare UDP socket, and seats to talk to: what the tests of this folder share."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache, wraps
from pathlib import Path
from typing import Any

from harness.endpoints.host import CallOrder, SeatOrder
from harness.endpoints.sipp.binary import find_sipp
from harness.endpoints.sipp.host import SippHost, SippSeat
from harness.endpoints.sipp.process import SippProcess
from harness.endpoints.sipp.readiness import Readiness
from harness.endpoints.tap.loop import TapLoop
from harness.endpoints.tap.routes import Hop
from harness.endpoints.tap.tap import Listener
from harness.model.flow import Event, Unreadable
from harness.model.places import Places
from harness.model.plan import Answer, Call, Endpoint
from harness.net.address import Address
from harness.net.loopback import LoopbackPool
from harness.sip.message import SipMessage

_NUMBERS = itertools.count(1)


def address() -> Address:
    """An address that no other test, and no other run on this machine, has at the same time."""
    return _pool().lease()


@cache
def _pool() -> LoopbackPool:
    return LoopbackPool()


def run(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """An async test as pytest wants it."""

    @wraps(test)
    def body(*args: Any, **kwargs: Any) -> None:
        asyncio.run(test(*args, **kwargs))

    return body


class Device:
    """A socket that speaks SIP word by word."""

    def __init__(self, peer: Address, own: Address | None = None) -> None:
        self.own = own or address()
        self.peer = peer
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((self.own.host, self.own.port))
        self._socket.setblocking(False)
        self._seen: set[str] = set()

    def close(self) -> None:
        self._socket.close()

    def send(self, text: str) -> None:
        self._socket.sendto(text.encode("latin-1"), (self.peer.host, self.peer.port))

    def request(
        self,
        method: str,
        *,
        call: str,
        branch: str = "",
        cseq: int = 1,
        to: str = "",
        headers: tuple[str, ...] = (),
        uri: str = "",
    ) -> str:
        """Send a request; returns its branch."""
        branch = branch or f"z9hG4bK{next(_NUMBERS)}"
        uri = uri or f"sip:123@{self.peer}"
        lines = [
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/UDP {self.own};branch={branch}",
            *headers,
            "Max-Forwards: 70",
            f"From: <sip:dut@{self.own}>;tag=dut",
            f"To: {to or f'<sip:123@{self.peer}>'}",
            f"Call-ID: {call}",
            f"CSeq: {cseq} {method}",
        ]
        if not any(header.startswith("Contact") for header in headers):
            lines.append(f"Contact: <sip:dut@{self.own}>")
        self.send("\r\n".join([*lines, "Content-Length: 0", "", ""]))
        return branch

    def ack(self, invite_branch: str, response: SipMessage, **more: Any) -> None:
        """The ACK of a final response: the INVITE's branch, the response's To."""
        assert response.cseq_number
        self.request(
            "ACK",
            call=response.call_id,
            branch=invite_branch,
            cseq=response.cseq_number,
            to=response.header("To") or "",
            **more,
        )

    def respond(self, request: SipMessage, status: str, *headers: str, tag: str = ";tag=dut", body: str = "") -> None:
        lines = [f"SIP/2.0 {status}"]
        for name in ("Via", "From", "To", "Call-ID", "CSeq"):
            for value in request.headers(name):
                lines.append(f"{name}: {value}" + (tag if name == "To" and "tag=" not in value else ""))
        self.send("\r\n".join([*lines, *headers, f"Content-Length: {len(body)}", "", body]))

    async def get(self, seconds: float = 10.0) -> SipMessage:
        """The next new message: what was there before is passed over, for a busy machine makes SIPp repeat itself."""
        async with asyncio.timeout(seconds):
            while (message := await self.any()).raw in self._seen:
                pass
        self._seen.add(message.raw)
        return message

    async def copy(self, seconds: float = 10.0) -> SipMessage:
        """The next message, which must have been there before."""
        async with asyncio.timeout(seconds):
            message = await self.any()
        assert message.raw in self._seen
        return message

    async def any(self) -> SipMessage:
        data = await asyncio.get_running_loop().sock_recv(self._socket, 65536)
        return SipMessage(data.decode("latin-1"))

    async def hears_nothing(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                message = await self.any()
        except TimeoutError:
            return True
        print(f"heard {message.raw}")
        return False


@dataclass
class Record:
    """What a drive would hear of the taps that this listens to."""

    events: list[Event] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    device_at: list[float] = field(default_factory=list)
    """When anything of the device arrived."""
    _heard: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def listener(self) -> Listener:
        return Listener(self._hear, self.unreadable.append, self.device_at.append)

    def sent(self) -> list[Event]:
        return [event for event in self.events if not event.from_device]

    def received(self) -> list[Event]:
        return [event for event in self.events if event.from_device]

    async def until(self, condition: Callable[[], bool], seconds: float = 10.0) -> None:
        """Wait for events until ``condition`` holds."""
        async with asyncio.timeout(seconds):
            while not condition():
                self._heard.clear()
                await self._heard.wait()

    def _hear(self, event: Event) -> None:
        self.events.append(event)
        self._heard.set()


@dataclass
class Seated:
    """A seat, and what has crossed its tap."""

    seat: SippSeat
    record: Record

    @property
    def own(self) -> Address:
        return self.seat.own

    @property
    def events(self) -> list[Event]:
        return self.record.events


@asynccontextmanager
async def hosting(folder: Path) -> AsyncIterator[SippHost]:
    """A host of seats, whose SIPps write into ``folder``."""
    taps = TapLoop()
    try:
        yield SippHost(folder, find_sipp(), _pool(), taps)
    finally:
        taps.close()


def order(name: str, own: Address, places: Places, record: Record, device: Address, **more: Any) -> SeatOrder:
    """The order of a seat whose own requests go to ``device``."""
    kind = name if name in ("callee", "caller", "target", "guard") else "callee"
    return SeatOrder("test", name, kind, own, places, record.listener, lambda outlet: Hop(outlet, device), **more)


@asynccontextmanager
async def answering(
    folder: Path, *answers: Answer, methods: tuple[str, ...] = (), at_once: bool = True, **more: Any
) -> AsyncIterator[tuple[Device, Seated]]:
    """A device beside an endpoint that gives these answers, to calls of these methods as well."""
    own, record = address(), Record()
    endpoint = Endpoint("callee", "callee", answers, **more)
    places = Places("123", {"callee": own, "target": Address("127.0.40.1")})
    device = Device(own)
    try:
        async with hosting(folder) as host:
            ordered = order("callee", own, places, record, device.own, at_once=at_once)
            seat = await host.answer(endpoint, ordered, frozenset(methods))
            try:
                yield device, Seated(seat, record)
                assert not seat.trouble
            finally:
                await seat.stop()
    finally:
        device.close()


@asynccontextmanager
async def calling(
    folder: Path,
    call: Call,
    credentials: tuple[str, str] | None = None,
    *,
    hangs_up: bool = False,
    statuses: Iterable[int] = (),
) -> AsyncIterator[tuple[Device, Seated]]:
    """A device that is being called: ``sip:123@`` its address, unless the call says otherwise."""
    own, record = address(), Record()
    device = Device(own)
    if call.to == Call().to:
        call = dataclasses.replace(call, to="sip:{token}@{device}")
    made = CallOrder(call, hangs_up, frozenset(statuses), credentials)
    try:
        async with hosting(folder) as host:
            places = Places("123", {"callee": own}, device.own)
            seat = await host.call(made, order("caller", own, places, record, device.own))
            try:
                yield device, Seated(seat, record)
                assert not seat.trouble
            finally:
                await seat.stop()
    finally:
        device.close()


async def started(name: str, xml: str, own: Address, folder: Path, **more: Any) -> SippProcess:
    """A SIPp alone, with nothing in front of it."""
    process = SippProcess(name, xml, own, folder, sipp=find_sipp().path, **more)
    await process.start(Readiness())
    return process
