"""The SIPp behind a tap: started when it has something to do, and handed what arrives as it can take it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from harness.endpoints.sipp.binary import SippBinary
from harness.endpoints.sipp.legible import legible
from harness.endpoints.sipp.pace import Pace
from harness.endpoints.sipp.process import SippProcess
from harness.endpoints.sipp.readiness import Readiness
from harness.endpoints.sipp.scenario import HANG_UP
from harness.endpoints.tap.loop import TapLoop
from harness.endpoints.tap.port import PortTaken, UdpPort
from harness.errors import SipverdictError
from harness.net.address import Address
from harness.net.pool import AddressPool
from harness.system.disk import disk_errors

CALLER_STEP_S, CALLER_STEPS_S = 0.01, 0.05
"""How long a caller's SIPp gets for a provisional response, and for anything else, before the next message.

It takes some milliseconds for each step of its scenario, and a message that comes between two steps makes it forget the
one before: a 487 just ahead of the 200 to the CANCEL got no ACK.
"""
MOST_WAITING = 200
"""The most datagrams that wait for a starting SIPp."""


@dataclass
class Means:
    """What every SIPp of a host is started with."""

    folder: Path
    """The folder for scenarios and SIPp's error logs."""
    sipp: SippBinary
    private: AddressPool
    """Private loopback addresses, which no device sees."""
    taps: TapLoop
    readiness: Readiness = field(default_factory=Readiness)


class Actor:
    """The SIPp of one seat.  Methods run in the driver's thread, unless marked for the taps' thread."""

    def __init__(
        self,
        name: str,
        means: Means,
        scenario: str,
        emit: Callable[[bytes], None],
        *,
        calls: bool,
        flow: str,
        shown: Address,
        credentials: tuple[str, str] | None,
        digest_uri: str,
    ) -> None:
        """In the taps' thread.  ``emit`` sends what it says; ``shown`` is the address that it has for others."""
        self._name = name
        self._means = means
        self._scenario = scenario
        self._send = emit
        self._calls = calls
        self._flow = flow
        self._shown = shown
        self._credentials = credentials
        self._digest_uri = digest_uri
        self._waiting: list[bytes] = []
        self._inner: UdpPort | None = None
        self._process: SippProcess | None = None
        self._ready = False
        self._acting: asyncio.Task[None] | None = None
        self._failed = ""
        self.stopped = False
        self._begin = means.taps.heard_by(self._start_late)

    @property
    def trouble(self) -> str:
        """A failure; "" without one."""
        if self._failed:
            return self._failed
        if self._ready and self._process is not None and self._process.lost_at is not None:
            return f"the SIPp at {self._name} ended unexpectedly (status {self._process.status})"
        return ""

    async def act(self) -> None:
        """Start the SIPp, and hand it the waiting datagrams; a second call waits for the first."""
        if self._acting is None:
            self._acting = asyncio.create_task(self._start())
        await asyncio.shield(self._acting)

    def hang_up(self, call_id: str) -> None:
        """Ask it to say BYE in ``call_id``: a request that only this side of the tap can make."""
        if self._process is None or self._inner is None:
            return
        own = self._process.own
        asks = (
            f"{HANG_UP} sip:{own} SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bKhangup\r\n"
            f"From: <sip:harness@{own}>;tag=1\r\nTo: <sip:{own}>\r\n"
            f"Call-ID: {call_id}\r\nCSeq: 1 {HANG_UP}\r\nContent-Length: 0\r\n\r\n"
        )
        self._inner.send(asks.encode("latin-1"), own)

    def rest(self) -> None:
        """Note that its calls are over: from now on it only listens."""
        if self._ready and self._process is not None:
            self._process.rest()

    def wake(self) -> None:
        """Note that there are calls again."""
        if self._ready and self._process is not None:
            self._process.wake()

    async def stop(self) -> None:
        """End it, or keep it from ever starting."""
        self.stopped = True
        if self._acting is not None and not self._acting.done():
            self._acting.cancel()
        if self._acting is not None:
            await asyncio.gather(self._acting, return_exceptions=True)
        if self._process is not None:
            await self._process.stop()

    # --- in the taps' thread

    def close(self) -> None:
        """Close the socket that it is spoken to from (in the taps' thread)."""
        if self._inner is not None:
            self._inner.close()

    def _flush(self) -> None:
        assert self._inner is not None
        assert self._process is not None
        send, own = self._inner.send, self._process.own
        step_s = self._means.sipp.step_s
        self._pace = Pace(lambda data: send(data, own), _caller_needs if self._calls else lambda _data: step_s)
        self._ready = True
        waiting, self._waiting = self._waiting, []
        for data in waiting:
            self.deliver(data)

    def deliver(self, data: bytes) -> None:
        """Hand one datagram to the SIPp, in a form that it can read; or keep it until the SIPp runs."""
        if self._ready and self._inner is not None and self._process is not None:
            if (readable := legible(data)) is not None:
                self._pace.hand_over(readable)
            return
        # A retransmission of a waiting datagram adds nothing.
        if data not in self._waiting and len(self._waiting) < MOST_WAITING:
            self._waiting.append(data)
            self._begin(None)

    def _emit(self, data: bytes) -> None:
        """Send what the SIPp says."""
        if self._ready:
            self._pace.said(self._means.sipp.step_s)
        self._send(data)

    # --- in the driver's loop

    def _start_late(self, _: None) -> None:
        if self._acting is None and not self.stopped:
            self._acting = asyncio.create_task(self._start())
            self._acting.add_done_callback(self._note_failure)

    def _note_failure(self, starting: asyncio.Task[None]) -> None:
        if not starting.cancelled() and (error := starting.exception()) is not None:
            cause = error.cause if isinstance(error, SipverdictError) else repr(error)
            self._failed = f"the endpoint {self._name} could not answer: {cause}"

    async def _start(self) -> None:
        while True:
            try:
                await self._start_at(self._means.private.lease())
            except PortTaken:
                continue
            break
        await self._means.taps.do(self._flush)

    async def _start_at(self, private: Address) -> None:
        inner = await self._means.taps.do(lambda: self._inner_port(private))
        process = SippProcess(
            f"{self._flow}-{self._name}",
            self._scenario,
            private,
            self._means.folder,
            sipp=self._means.sipp.path,
            peer=inner.address if self._calls else None,
            credentials=self._credentials,
            digest_uri=self._digest_uri,
            shown=self._shown,
            exact=self._means.sipp.step_s > 0,
        )
        self._inner, self._process = inner, process
        try:
            with disk_errors():
                await process.start(self._means.readiness)
        except BaseException:
            await self._means.taps.do(inner.close)
            raise

    def _inner_port(self, private: Address) -> UdpPort:
        inner = UdpPort(Address(private.host, 0), lambda data, _source, _at: self._emit(data))
        inner.only_from(private)
        return inner


def _caller_needs(data: bytes) -> float:
    return CALLER_STEP_S if data.startswith(b"SIP/2.0 1") else CALLER_STEPS_S
