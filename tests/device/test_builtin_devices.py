"""Every built-in device starts, is ready, calls or relays, and stops, by itself.  Missing ones: ``make devices``."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable

import pytest
from device_bench import listening, play, request, response, scene

from harness.device import Device, builtin_profiles, load_profile, load_profiles, options_ping
from harness.net.address import Address

Lease = Callable[[], Address]
PROFILES = [profile for name in builtin_profiles() for profile in load_profiles(name)]
CALLERS = [profile.name for profile in PROFILES if "uac" in profile.device.roles and not profile.lab.exchange]
RELAYS = [profile.name for profile in PROFILES if "b2bua" in profile.device.roles and profile.lab.exchange]
ANSWERING = [profile.name for profile in PROFILES if "declines" in profile.lab.numbers and not profile.lab.exchange]


def redirecting(target: Address, dialled: str) -> Callable[[bytes], bytes | None]:
    def answer(request: bytes) -> bytes | None:
        if not request.startswith(b"INVITE"):
            return None
        status = f"302 Moved Temporarily\r\nContact: <sip:{dialled}@{target}>"
        return response(request, status)

    return answer


def declining(request: bytes) -> bytes | None:
    return response(request, "603 Decline") if request.startswith(b"INVITE") else None


def test_there_are_devices_of_every_kind() -> None:
    assert {"reference", "baresip", "pjsua2"} <= set(CALLERS)
    assert RELAYS == ["sippy-b2bua", "sippy-b2bua:provider"]
    assert {"kamailio:uas", "pjsua2:uas"} <= set(ANSWERING)
    assert {"kamailio", "kamailio:redirect"} <= {profile.name for profile in PROFILES if profile.lab.registrar}


@pytest.mark.parametrize("name", CALLERS)
def test_a_caller_calls_follows_and_stops(name: str, lease: Lease) -> None:
    """Two calls at once: one is redirected to a target that declines, one is declined."""

    async def run() -> None:
        redirector, target, decliner = lease(), lease(), lease()
        device = Device(load_profile(name), address=lease(), backup=lease())
        async with (
            listening(redirector, redirecting(target, "moved")) as first,
            listening(target, declining) as second,
            listening(decliner, declining) as third,
        ):
            began = time.monotonic()
            async with device:
                print(f"{name} {device.version}: ready in {time.monotonic() - began:.3f} s")
                assert re.match(r"\d+(\.\d+)+", device.identity()["version"])
                assert await options_ping(device.address, None, 3.0)
                await asyncio.gather(device.call(f"sip:7001@{redirector}"), device.call(f"sip:7002@{decliner}"))
                for listener, uri in (
                    (first, f"7001@{redirector}"),
                    (second, f"moved@{target}"),
                    (third, f"7002@{decliner}"),
                ):
                    invite, ack = await listener.next(), await listener.next()
                    assert invite.startswith(f"INVITE sip:{uri} SIP/2.0\r\n")
                    assert ack.startswith(f"ACK sip:{uri} SIP/2.0\r\n")
                assert device.alive()
            assert first.heard.empty()
            assert second.heard.empty()
            assert third.heard.empty()

    asyncio.run(run())


@pytest.mark.parametrize("name", CALLERS)
def test_a_caller_gives_up_and_hangs_up(name: str, lease: Lease) -> None:
    def ringing_or_cancelled(request: bytes) -> bytes | None:
        if request.startswith(b"INVITE"):
            return response(request, "180 Ringing")
        return response(request, "200 OK") if request.startswith(b"CANCEL") else None

    async def run() -> None:
        callee = lease()
        device = Device(load_profile(name), address=lease(), backup=lease())
        async with listening(callee, ringing_or_cancelled) as heard, device:
            await device.call(f"sip:7001@{callee}")
            assert (await heard.next()).startswith("INVITE")
            # Asked again until it is done: whether the device has seen the 180 already, only it knows.
            for _ in range(40):
                await device.hangup(f"sip:7001@{callee}")
                try:
                    message = await heard.next(0.1)
                except TimeoutError:
                    continue
                assert message.startswith("CANCEL")
                return
            raise AssertionError("no CANCEL")

    asyncio.run(run())


@pytest.mark.parametrize("name", RELAYS)
def test_a_relay_passes_calls_on_to_its_peer(name: str, lease: Lease) -> None:
    async def run() -> None:
        peer, caller = lease(), lease()
        device = Device(load_profile(name), address=lease(), exchanges=[peer])
        async with listening(peer, declining) as callee, device, listening(caller) as back:
            assert re.fullmatch(r"\d+(\.\d+)+", device.identity()["version"])
            assert not device.supports
            transport = back._transport
            assert transport
            transport.sendto(invite(caller, device.address), (device.address.host, device.address.port))
            assert (await callee.next()).startswith("INVITE sip:7001@")
            answers = [(await back.next()).split("\r\n", 1)[0] for _ in range(2)]
            assert answers == ["SIP/2.0 100 Trying", "SIP/2.0 603 Decline"]

    asyncio.run(run())


def invite(caller: Address, device: Address) -> bytes:
    sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 6000 RTP/AVP 0\r\n"
    return (
        f"INVITE sip:7001@{device} SIP/2.0\r\nVia: SIP/2.0/UDP {caller};branch=z9hG4bK1\r\nMax-Forwards: 70\r\n"
        f"From: <sip:c@{caller}>;tag=1\r\nTo: <sip:7001@{device}>\r\nCall-ID: 1@{caller}\r\nCSeq: 1 INVITE\r\n"
        f"Contact: <sip:c@{caller}>\r\nContent-Type: application/sdp\r\nContent-Length: {len(sdp)}\r\n\r\n{sdp}"
    ).encode()


@pytest.mark.parametrize("name", ANSWERING)
@pytest.mark.parametrize(
    ("number", "statuses"),
    [
        ("redirects", ["302"]),
        ("declines", ["603"]),
        ("rings_then_redirects", ["180", "302"]),
        ("rings_then_declines", ["180", "603"]),
        ("unknown", ["404"]),
    ],
)
def test_an_answering_device_says_what_its_number_promises(
    name: str, number: str, statuses: list[str], lease: Lease
) -> None:
    async def script() -> None:
        async with scene(name, lease) as on:
            uri = dialled(name, number, on.device.address)
            on.send(request("INVITE", uri, on.own, uri, f"Contact: <sip:caller@{on.own}>"))
            told, began = await on.told(statuses[0]), time.monotonic()
            for status in statuses[1:]:
                told = await on.told(status)
                assert time.monotonic() - began > 0.1
            assert ("\r\nContact: <sip:" in told) == (statuses[-1] == "302")
            assert on.device.profile.claims("call_forwarding")

    play(script)


@pytest.mark.parametrize("name", ANSWERING)
def test_an_answering_device_rings_until_the_caller_gives_up(name: str, lease: Lease) -> None:
    async def script() -> None:
        async with scene(name, lease) as on:
            uri = dialled(name, "rings", on.device.address)
            invite = request("INVITE", uri, on.own, uri, f"Contact: <sip:caller@{on.own}>")
            on.send(invite)
            await on.told("180")
            on.send(invite.replace(b"INVITE sip", b"CANCEL sip").replace(b"1 INVITE", b"1 CANCEL"))
            answers = {(await on.caller.next()).split(" ", 2)[1] for _ in range(2)}
            assert answers == {"200", "487"}

    play(script)


def dialled(name: str, number: str, device: Address) -> str:
    template = load_profile(name).lab.numbers[number]
    return template.replace("{token}", "73560003").replace("{device}", str(device))
