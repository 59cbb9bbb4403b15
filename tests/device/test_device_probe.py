"""Signs of life by OPTIONS: any status counts, nothing but an answer does, and hundreds run side by side."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from device_bench import listening, response

from harness.device import Prober, options_ping
from harness.device.ready import bound
from harness.net.address import Address

Lease = Callable[[], Address]


def answering(status: str) -> Callable[[bytes], bytes]:
    return lambda request: response(request, status)


def test_any_status_is_a_sign_of_life(lease: Lease) -> None:
    async def run() -> None:
        for status in ("200 OK", "404 Not Found", "501 Not Implemented", "200 "):
            address = lease()
            async with listening(address, answering(status)) as device:
                assert await options_ping(address, None, 2.0) == f"SIP/2.0 {status}"
                request = await device.next()
        assert request.startswith(f"OPTIONS sip:{address} SIP/2.0\r\n")
        assert "\r\nMax-Forwards: 70\r\n" in request
        assert request.endswith("Content-Length: 0\r\n\r\n")

    asyncio.run(run())


def test_silence_noise_and_other_answers_are_none(lease: Lease) -> None:
    noise: list[Callable[[bytes], bytes | None]] = [
        lambda request: None,
        lambda request: b"\xff\xfe",
        lambda request: request,
        lambda request: response(request.replace(b"z9hG4bK-ping", b"z9hG4bK-pong"), "200 OK"),
    ]

    async def run() -> None:
        for answer in noise:
            address = lease()
            async with listening(address, answer):
                assert await options_ping(address, None, 0.15) is None
        began = time.monotonic()
        assert await options_ping(lease(), None, 0.15) is None  # nobody is there: an ICMP error is no answer
        assert time.monotonic() - began > 0.1

    asyncio.run(run())


def test_it_is_sent_again_until_it_is_answered(lease: Lease) -> None:
    copies: list[tuple[float, bytes]] = []

    def third(request: bytes) -> bytes | None:
        copies.append((time.monotonic(), request))
        return response(request, "200 OK") if len(copies) == 3 else None

    async def run() -> None:
        address = lease()
        async with listening(address, third):
            assert await options_ping(address, None, 5.0, 0.1) == "SIP/2.0 200 OK"

    asyncio.run(run())
    assert len({request for _, request in copies}) == 1
    assert copies[2][0] - copies[0][0] > 0.1  # 0.1 + 0.2, less what the machine lets the first one wait to be read


def test_hundreds_side_by_side_from_one_socket(lease: Lease) -> None:
    async def run() -> None:
        address, silent = lease(), lease()
        async with listening(address, lambda request: response(request, "200 OK")), listening(silent):
            async with await Prober.open(Address("127.0.0.1", 0)) as prober:
                answers = await asyncio.gather(
                    *(prober.ping(address, 60.0) for _ in range(300)),
                    *(prober.ping(silent, 0.2) for _ in range(100)),
                )
                assert not prober._waiting
            assert answers == ["SIP/2.0 200 OK"] * 300 + [None] * 100
            assert await prober.ping(address, 1.0) is None  # closed

    asyncio.run(run())


def test_closing_ends_what_is_under_way(lease: Lease) -> None:
    async def run() -> None:
        address = lease()
        async with listening(address) as device:
            prober = await Prober.open(Address("127.0.0.1", 0))
            ping = asyncio.ensure_future(prober.ping(address, 30.0))
            await device.next()
            prober.close()
            assert await asyncio.wait_for(ping, 10) is None

    asyncio.run(run())


def test_bound_sees_this_address_only(lease: Lease) -> None:
    async def run() -> None:
        address, other = lease(), lease()
        assert not bound(address)
        async with listening(address):
            assert bound(address)
            assert not bound(other)
            assert not bound(Address(address.host, address.port + 1))

    asyncio.run(run())
