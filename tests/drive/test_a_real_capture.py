"""The packets that are made of a record, beside those that a socket of the kernel's own saw on the same interface."""

from __future__ import annotations

import asyncio
import socket
import statistics
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from test_drive_in_weather import CALLS, WINDOW
from test_drive_stimuli import DECLINED

from harness.device import load_profile
from harness.device.spec import DeviceSpec
from harness.drive.bench import Bench
from harness.drive.station import Station
from harness.endpoints.sipp.binary import find_sipp
from harness.live.progress import Progress
from harness.model.flow import Flow
from harness.model.plan import Answer, Endpoint, Plan, Response
from harness.report.pcap import compose
from tests.report.pcapng_reader import read

MOVED = Plan(
    (
        Endpoint("callee", "callee", (Answer((Response(180), Response(302, contacts=("<sip:9{token}@{target}>",)))),)),
        Endpoint("target", "target", (Answer((Response(603),)),)),
    )
)
_EVERY_PROTOCOL, _INCOMING, _UDP = 3, 0, 17
Packet = tuple[str, int, str, int, bytes]


@contextmanager
def captured() -> Iterator[list[tuple[float, Packet]]]:
    """Every UDP packet on loopback, with its time, for as long as the block lasts."""
    try:
        interface = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_EVERY_PROTOCOL))
    except PermissionError:
        pytest.skip("only root, or CAP_NET_RAW, may capture")
    interface.bind(("lo", _EVERY_PROTOCOL))
    interface.setsockopt(socket.SOL_SOCKET, 35, 1)  # SO_TIMESTAMPNS
    interface.setsockopt(socket.SOL_SOCKET, 33, 64 * 1024 * 1024)  # SO_RCVBUFFORCE: others talk on loopback as well
    interface.settimeout(0.2)
    seen: list[tuple[float, Packet]] = []
    over = threading.Event()

    def listen() -> None:
        while True:
            try:
                data, ancillary, _, place = interface.recvmsg(65_536, socket.CMSG_SPACE(16))
            except TimeoutError:
                if over.is_set():
                    return
                continue
            if place[2] == _INCOMING and data[0] >> 4 == 4 and data[9] == _UDP:
                head = 4 * (data[0] & 15)
                ports = struct.unpack("!HH", data[head : head + 4])
                ends = socket.inet_ntoa(data[12:16]), ports[0], socket.inet_ntoa(data[16:20]), ports[1]
                seconds, nanoseconds = struct.unpack("@ll", ancillary[0][2])
                seen.append((seconds + nanoseconds / 1e9, (*ends, data[head + 8 :])))

    thread = threading.Thread(target=listen)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()
        interface.close()


def driven(folder: Path, plan: Plan) -> Flow:
    path = folder / "device.toml"
    path.write_text(CALLS + "[pics]\nfollows_redirects = true\n")

    async def run() -> Flow:
        async with (
            Bench.open(folder, find_sipp()) as bench,
            Station(DeviceSpec("toy", load_profile(path)), bench, WINDOW, Progress(1, WINDOW)) as station,
            asyncio.timeout(60),
        ):
            return await station.drive(plan, "uac")

    return asyncio.run(run())


@pytest.mark.parametrize("plan", [DECLINED, MOVED], ids=["declined", "moved"])
def test_packets_order_and_addresses_are_those_of_a_capture(plan: Plan, tmp_path: Path) -> None:
    with captured() as seen:
        flow = driven(tmp_path, plan)
    ours = {(seat.address.host, seat.address.port) for seat in flow.seats}
    # In the order of their times, as a capture on two interfaces would be.
    wire = [packet for _, packet in sorted(seen) if {packet[:2], packet[2:4]} & ours]
    composed = [
        (packet.source, packet.ports[0], packet.destination, packet.ports[1], packet.payload)
        for packet in read(compose(flow))[1]
    ]
    assert len(composed) >= 3
    assert composed == wire


def test_times_are_those_of_the_kernel(tmp_path: Path) -> None:
    with captured() as seen:
        flow = driven(tmp_path, MOVED)
    # By their addresses as well: the same bytes cross loopback a second time, between a tap and its SIPp.
    times = {packet: at for at, packet in seen}
    off = []
    for event in flow.events:
        assert event.source
        assert event.destination
        ends = event.source.host, event.source.port, event.destination.host, event.destination.port
        off.append(event.time - times[*ends, event.raw.encode("latin-1")])
    # The median: until the kernel stamps every packet, the capture has the time at which its thread came to read one.
    assert abs(statistics.median(off)) < 0.002
    # A message of ours has the time just before it was handed over, and none has one after it was on the wire.
    assert max(off) < 0.002
    assert [event.time for event in flow.events] == sorted(event.time for event in flow.events)
