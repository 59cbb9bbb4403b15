"""What a tap over TCP, TLS and a WebSocket costs: time added to a message, calls a second, CPU; TLS at the start.

A client in a process of its own calls a SIPp, over TCP and nothing between them, or over each transport through a tap
as a run has it.  All ways in turn, so that a change of the machine's speed meets all of them.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import ssl
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from pathlib import Path

import websockets.asyncio.client
from websockets.typing import Subprotocol

from harness.endpoints.sipp.binary import find_sipp
from harness.endpoints.sipp.process import SippProcess
from harness.endpoints.sipp.readiness import Readiness
from harness.endpoints.tap.port import UdpPort
from harness.endpoints.tap.tap import Listener, Tap
from harness.net.address import Address, Transport
from harness.net.authority import Authority, Showing
from harness.net.loopback import LoopbackPool

ANSWERER = """<?xml version="1.0" encoding="UTF-8"?>
<scenario name="answerer">
  <recv request="INVITE"/>
  <send><![CDATA[

    SIP/2.0 603 Decline
    [last_Via:]
    [last_From:]
    [last_To:];tag=[call_number]
    [last_Call-ID:]
    [last_CSeq:]
    Content-Length: 0

  ]]></send>
  <recv request="ACK"/>
</scenario>
"""
HEAD = (
    "{method} sip:b@{to} SIP/2.0\r\nVia: SIP/2.0/{via} {own};rport;branch=z9hG4bK{number}\r\n"
    "From: <sip:a@{own}>;tag=1\r\nTo: <sip:b@x>\r\nCall-ID: {number}\r\nCSeq: 1 {method}\r\n"
    "Max-Forwards: 70\r\nContact: <sip:a@{own}>\r\nContent-Length: 0\r\n\r\n"
)
WAYS: tuple[Transport, ...] = ("tcp", "tls", "ws", "wss")
DIRECT = "direct"
BATCH_S = 0.005
"""How long the calls of one batch take at the wanted rate."""


@dataclass
class Figures:
    """What one way has come to."""

    exchanges: list[float] = field(default_factory=list)
    """Seconds from an INVITE to its answer, one call at a time."""
    rates: list[tuple[int, int, float, float]] = field(default_factory=list)
    """Calls sent, calls answered, seconds, and the 99th percentile of their answers."""
    cpu: list[float] = field(default_factory=list)
    """Seconds of CPU for each message of a rate, in the process of the taps."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=500, help="one after the other, each way in each round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rate", type=int, default=1000, help="calls a second")
    parser.add_argument("--seconds", type=float, default=3.0, help="of that rate, each way in each round")
    options = parser.parse_args()
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(opening(Path(folder)))
        asyncio.run(compare(Path(folder), options))
    print(f"load average {os.getloadavg()[0]:.1f} at the end")


# --- opening


async def opening(folder: Path, times: int = 100) -> None:
    """The CPU of opening an endpoint's socket, with its certificate over TLS: each host once, as in a run."""
    spent: dict[Transport, list[float]] = {"tcp": [], "tls": []}
    pool, authority = LoopbackPool(), Authority(folder)
    authority.files_for("127.0.0.1")  # the authority itself is made once in a run
    for _ in range(times):
        for transport, all_of_it in spent.items():
            own = replace(pool.lease(), transport=transport)
            began = time.process_time()
            security = Showing(authority)
            if own.secure:
                security.server_context(own.host)
            tap = Tap("callee", own, Listener(_nothing, _nothing), otherwise=lambda _own: None, security=security)
            await asyncio.sleep(0)
            all_of_it.append(time.process_time() - began)
            tap.close()
    pool.close()
    tcp, tls = (statistics.median(all_of_it) * 1e3 for all_of_it in spent.values())
    print(f"CPU to open an endpoint: TCP {tcp:.2f} ms, TLS {tls:.2f} ms: {tls - tcp:.2f} ms more (median of {times})")


def _nothing(_: object) -> None: ...


# --- the two measurements


async def compare(folder: Path, options: argparse.Namespace) -> None:
    pool, authority = LoopbackPool(), Authority(folder)
    found, seen = {way: Figures() for way in (str(DIRECT), *WAYS)}, 0

    def on_event(_event: object) -> None:
        nonlocal seen
        seen += 1

    ours, theirs = multiprocessing.Pipe()
    client = multiprocessing.get_context("fork").Process(target=clients, args=(theirs,), daemon=True)
    client.start()
    async with (
        answerer(folder, replace(pool.lease(), transport="tcp")) as direct,
        answerer(folder, pool.lease()) as hidden,
    ):
        places: dict[str, Address] = {DIRECT: direct}
        taps: list[tuple[Tap, UdpPort]] = []
        for transport in WAYS:
            own = replace(pool.lease(), transport=transport)
            if own.secure:
                authority.server_context(own.host)
            taps.append(_tapped(own, hidden, Listener(on_event, _nothing), Showing(authority)))
            places[transport] = own
        for _ in range(options.rounds):
            for way, place in places.items():
                ours.send(("one by one", place, options.calls, 0))
                found[way].exchanges += await asyncio.to_thread(ours.recv)
            for way, place in places.items():
                before, cpu = seen, time.process_time()
                ours.send(("at a rate", place, int(options.rate * options.seconds), options.rate))
                found[way].rates.append(await asyncio.to_thread(ours.recv))
                if seen > before:
                    found[way].cpu.append((time.process_time() - cpu) / (seen - before))
        dropped = sum(inner.drops for _, inner in taps)
        for tap, inner in taps:
            tap.close()
            inner.close()
    client.kill()
    pool.close()
    _print(found)
    print(f"{dropped} messages of the SIPp behind the taps dropped on their way to them")


def _tapped(own: Address, hidden: Address, listener: Listener, security: Showing) -> tuple[Tap, UdpPort]:
    tap = Tap("callee", own, listener, otherwise=lambda _own: None, security=security)
    inner = UdpPort(Address(hidden.host, 0), lambda data, _source, _at: tap.emit(data))
    inner.only_from(hidden)
    tap.deliver_to(lambda data: inner.send(data, hidden) and None)
    return tap, inner


@asynccontextmanager
async def answerer(folder: Path, own: Address) -> AsyncIterator[Address]:  # a SIPp that declines every call
    process = SippProcess(f"answerer-{own.transport}", ANSWERER, own, folder, sipp=find_sipp().path)
    await process.start(Readiness())
    try:
        yield own
    finally:
        await process.stop()


def _print(found: dict[str, Figures]) -> None:
    direct = statistics.median(found[DIRECT].exchanges)
    for way, one in found.items():
        times = sorted(one.exchanges)
        median, p99 = statistics.median(times), times[int(len(times) * 0.99)]
        sent, answered = sum(rate[0] for rate in one.rates), sum(rate[1] for rate in one.rates)
        rate = statistics.median(calls / seconds for _, calls, seconds, _ in one.rates)
        late = statistics.median(rate[3] for rate in one.rates)
        added = "" if way == DIRECT else f", {(median - direct) / 2 * 1e3:+.3f} ms a message"
        cpu = f", {statistics.median(one.cpu) * 1e6:.0f} us of CPU a message" if one.cpu else ""
        print(
            f"{way:7} an INVITE and its answer: median {median * 1e3:.3f} ms, p99 {p99 * 1e3:.3f} ms{added}; "
            f"at a rate: {answered} of {sent} answered, {rate:.0f} calls/s, p99 {late * 1e3:.1f} ms{cpu}"
        )


# --- the client, in a process of its own


def clients(orders: Connection) -> None:
    asyncio.run(_clients(orders))


async def _clients(orders: Connection) -> None:
    number = os.getpid() * 1_000_000
    while True:
        what, to, calls, rate = await asyncio.to_thread(orders.recv)
        async with line_to(to) as line:
            measure = (
                one_by_one(line, to, calls, number)
                if what == "one by one"
                else at_a_rate(line, to, calls, rate, number)
            )
            orders.send(await measure)
        number += calls


@dataclass(frozen=True)
class Line:
    """A connection: messages in both directions."""

    send: Callable[[bytes], Awaitable[object]]
    receive: Callable[[], Awaitable[bytes]]
    own: str


@asynccontextmanager
async def line_to(to: Address) -> AsyncIterator[Line]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if to.transport in ("ws", "wss"):
        more = {"ssl": context} if to.secure else {}
        async with websockets.asyncio.client.connect(
            f"{to.transport}://{to}/", subprotocols=[Subprotocol("sip")], compression=None, **more
        ) as one:
            host, port = one.local_address[:2]

            async def send(data: bytes) -> None:
                await one.send(data.decode())

            async def receive() -> bytes:
                data = await one.recv()
                return data.encode() if isinstance(data, str) else data

            yield Line(send, receive, f"{host}:{port}")
        return
    reader, writer = await asyncio.open_connection(to.host, to.port, ssl=context if to.secure else None)

    async def write(data: bytes) -> None:
        writer.write(data)
        await writer.drain()

    host, port = writer.get_extra_info("sockname")[:2]
    yield Line(write, lambda: reader.readuntil(b"\r\n\r\n"), f"{host}:{port}")
    writer.close()


def message(method: str, to: Address, own: str, number: int) -> bytes:
    return HEAD.format(method=method, to=to, via=to.transport.upper(), own=own, number=number).encode()


async def one_by_one(line: Line, to: Address, calls: int, first: int) -> list[float]:
    """Seconds from each INVITE to its answer."""
    times = []
    for number in range(first, first + calls):
        began = time.perf_counter()
        await line.send(message("INVITE", to, line.own, number))
        await asyncio.wait_for(line.receive(), 5)
        times.append(time.perf_counter() - began)
        await line.send(message("ACK", to, line.own, number))
    return times


async def at_a_rate(line: Line, to: Address, calls: int, rate: int, first: int) -> tuple[int, int, float, float]:
    """See :attr:`Figures.rates`."""
    sent_at, took = dict[int, float](), list[float]()

    async def answers() -> None:
        while len(took) < calls:
            data = await line.receive()
            number = int(data.partition(b"Call-ID: ")[2].split(b"\r\n", 1)[0])
            took.append(time.perf_counter() - sent_at[number])
            await line.send(message("ACK", to, line.own, number))

    listening = asyncio.create_task(answers())
    began = time.perf_counter()
    for number in range(first, first + calls):
        due = began + (number - first) // max(1, int(rate * BATCH_S)) * BATCH_S
        if (early := due - time.perf_counter()) > 0:
            await asyncio.sleep(early)
        sent_at[number] = time.perf_counter()
        await line.send(message("INVITE", to, line.own, number))
    await asyncio.wait({listening}, timeout=5)
    listening.cancel()
    seconds = time.perf_counter() - began
    took.sort()
    return calls, len(took), seconds, took[int(len(took) * 0.99)] if took else 0.0


if __name__ == "__main__":
    main()
