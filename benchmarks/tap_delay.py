"""What a tap costs: delay of one exchange with and without it, CPU per message, messages that the kernel dropped.

A client and an answerer in processes of their own; between them nothing, or a tap as a run has it.  Both ways in turn,
so that a change of the machine's speed meets both.  ``--busy``: beside two programs that keep both cores busy.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import resource
import socket
import statistics
import subprocess
import sys
import time
from multiprocessing.connection import Connection

from harness.endpoints.tap.port import UdpPort
from harness.endpoints.tap.tap import Listener, Tap
from harness.net.address import Address
from harness.net.loopback import LoopbackPool

HEAD = (
    "{start}\r\nVia: SIP/2.0/UDP {own};rport;branch=z9hG4bK{number}\r\nFrom: <sip:a@{own}>;tag=1\r\nTo: <sip:b@x>\r\n"
    "Call-ID: {number}\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\nContact: <sip:a@{own}>\r\nContent-Length: 0\r\n\r\n"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=2000, help="exchanges one after the other, each way")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--busy", action="store_true")
    options = parser.parse_args()
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2 * options.busy)]
    try:
        asyncio.run(compare(options.calls, options.rounds))
    finally:
        for loop in loops:
            loop.kill()


async def compare(calls: int, rounds: int) -> None:
    pool = LoopbackPool()
    answerer, client, outer = pool.lease(), pool.lease(), pool.lease()
    inner: UdpPort
    seen = 0

    def on_event(_event: object) -> None:
        nonlocal seen
        seen += 1

    tap = Tap("callee", outer, Listener(on_event, lambda _unreadable: None), otherwise=lambda _own: None)
    inner = UdpPort(Address(answerer.host, 0), lambda data, _source, _at: tap.emit(data))
    inner.only_from(answerer)
    tap.deliver_to(lambda data: inner.send(data, answerer) and None)
    ours, theirs = multiprocessing.Pipe()
    processes = [
        multiprocessing.Process(target=answer, args=(answerer,), daemon=True),
        multiprocessing.Process(target=call, args=(client, theirs), daemon=True),
    ]
    for process in processes:
        process.start()
    await asyncio.to_thread(ours.recv)
    figures: dict[str, list[float]] = {"without": [], "with": []}
    cpu = 0.0
    for _ in range(rounds):
        for way, to in (("without", answerer), ("with", outer)):
            before = resource.getrusage(resource.RUSAGE_SELF)
            ours.send((to, calls))
            figures[way] += await asyncio.to_thread(ours.recv)
            after = resource.getrusage(resource.RUSAGE_SELF)
            if way == "with":
                cpu += after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    for process in processes:
        process.kill()
    drops = tap.port.drops + inner.drops
    tap.close()
    inner.close()
    pool.close()
    for way, times in figures.items():
        times.sort()
        print(
            f"{way:8} median {statistics.median(times) * 1e3:.3f} ms, p99 {times[int(len(times) * 0.99)] * 1e3:.3f} ms"
        )
    added = [statistics.median(figures["with"]) - statistics.median(figures["without"])]
    added.append(
        figures["with"][int(len(figures["with"]) * 0.99)] - figures["without"][int(len(figures["without"]) * 0.99)]
    )
    print(f"added to a request and its answer: median {added[0] * 1e3:.3f} ms, p99 {added[1] * 1e3:.3f} ms")
    print(f"CPU {cpu / max(seen, 1) * 1e6:.0f} us per message, {seen} messages, {drops} dropped")


def answer(own: Address) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as here:
        here.bind((own.host, own.port))
        while True:
            data, source = here.recvfrom(65_536)
            head = data.decode("latin-1").partition("\r\n")[2]
            here.sendto(f"SIP/2.0 486 Busy Here\r\n{head}".encode("latin-1"), source)


def call(own: Address, orders: Connection) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as here:
        here.bind((own.host, own.port))
        here.settimeout(1)
        orders.send("ready")
        number = 0
        while True:
            to, calls = orders.recv()
            times = []
            for _ in range(calls):
                number += 1
                message = HEAD.format(start=f"INVITE sip:b@{to} SIP/2.0", own=own, number=number).encode("latin-1")
                began = time.perf_counter()
                here.sendto(message, (to.host, to.port))
                try:
                    here.recv(65_536)
                except TimeoutError:
                    continue
                times.append(time.perf_counter() - began)
            orders.send(times)


if __name__ == "__main__":
    main()
