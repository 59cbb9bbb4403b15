"""Kamailio and its variants: each starts, does what its one line of configuration says, and leaves nothing behind.

What is right or wrong of it is for the suite to say; here it is only made sure that a variant is what it is called.
"""

from __future__ import annotations

import asyncio
import contextlib
import difflib
import os
import re
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from device_bench import listening, play, refusing, request, response, scene

from harness.device import Device, load_profile, load_profiles, options_ping
from harness.device.launch import Launch
from harness.device.ready import bound
from harness.net.address import Address

Lease = Callable[[], Address]
VARIANTS = [profile.name for profile in load_profiles("kamailio")]


def ringing(message: bytes) -> bytes | None:
    if message.startswith(b"INVITE"):
        return response(message, "180 Ringing")
    return response(message, "200 OK") if message.startswith(b"CANCEL") else None


def members(group: int) -> list[int]:
    """The processes of a process group."""
    found = []
    for pid in psutil.pids():
        with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
            if os.getpgid(pid) == group and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                found.append(pid)
    return found


@pytest.mark.parametrize("name", VARIANTS)
def test_starts_answers_and_leaves_nothing_behind(name: str, lease: Lease, tmp_path: Path) -> None:
    async def script() -> None:
        device = Device(load_profile(name), address=lease(), work=tmp_path)
        began = time.monotonic()
        await device.start()
        print(f"{name} {device.version}: ready in {time.monotonic() - began:.3f} s")
        assert re.fullmatch(r"5(\.\d+)+", device.identity()["version"])
        assert device._process
        assert await options_ping(device.address, None, 3.0) == "SIP/2.0 200 Keepalive"
        async with listening(user := lease(), refusing("603 Decline")) as heard, listening(own := lease()) as caller:
            assert caller._transport
            invite = request("INVITE", f"sip:7001@{user}", own, f"sip:7001@{user}")
            caller._transport.sendto(invite, (device.address.host, device.address.port))
            assert (await heard.next()).startswith(f"INVITE sip:7001@{user} SIP/2.0\r\n")
            assert (await heard.next()).startswith("ACK")
        group = device._process.pid or 0
        assert members(group)
        # Stopped with a transaction that waits for its ACK.
        began = time.monotonic()
        await device.stop()
        assert time.monotonic() - began < 10
        assert not bound(device.address)
        while members(group):  # those that had to be killed need a moment
            assert time.monotonic() - began < 15
            await asyncio.sleep(0.01)

    play(script)
    assert not list(tmp_path.iterdir())


def configuration(name: str, folder: Path) -> list[str]:
    profile = load_profile(name)
    assert profile.process
    Launch(profile, folder, "python", Address("127.0.0.1"), None, None).render(profile.process)
    return (folder / "kamailio.cfg").read_text().splitlines()


@pytest.mark.parametrize(
    ("one", "other", "lines"),
    [
        ("kamailio:recurses", "kamailio:recurses-unchecked", ['-\tif (t_check_status("6[0-9][0-9]")) exit; # variant']),
        ("kamailio:recurses", "kamailio:recurses-for-all", ["-\tif (!isflagset(OURS)) exit; # variant"]),
        (
            "kamailio:parallel",
            "kamailio:parallel-6xx-unblocked",
            [
                '-modparam("tm", "disable_6xx_block", 0) # variant',
                '+modparam("tm", "disable_6xx_block", 1) # variant',
            ],
        ),
        ("kamailio", "kamailio:parallel", ["-\tt_load_contacts(); # variant", "-\tt_next_contacts(); # variant"]),
    ],
)
def test_pairs_differ_in_nothing_else(one: str, other: str, lines: list[str], tmp_path: Path) -> None:
    difference = difflib.unified_diff(configuration(one, tmp_path), configuration(other, tmp_path), lineterm="", n=0)
    assert [line for line in difference if not line.startswith(("---", "+++", "@@"))] == lines


def test_relays_to_one_contact_after_the_other(lease: Lease) -> None:
    async def script() -> None:
        users = (";q=0.5", refusing("603 Decline")), (";q=1", refusing("486 Busy Here"))
        async with scene("kamailio", lease, *users) as on:
            await on.call("7001")
            second, first = on.users
            assert (await first.next()).startswith("INVITE sip:user1@")
            assert (await first.next()).startswith("ACK")
            assert (await second.next()).startswith("INVITE sip:user0@")
            await on.told("603")

    play(script)


def test_relays_to_contacts_of_equal_q_at_once(lease: Lease) -> None:
    async def script() -> None:
        async with scene("kamailio", lease, ("", ringing), ("", ringing)) as on:
            await on.call("7001")
            for user in on.users:
                assert (await user.next()).startswith("INVITE")

    play(script)


@pytest.mark.parametrize(("name", "cancels"), [("parallel", True), ("parallel-6xx-unblocked", False)])
def test_a_603_ends_the_other_branches_unless_told_otherwise(name: str, cancels: bool, lease: Lease) -> None:
    async def script() -> None:
        users = (";q=1", ringing), (";q=0.5", refusing("603 Decline"))
        async with scene(f"kamailio:{name}", lease, *users) as on:
            await on.call("7001")
            rings, refuses = on.users
            assert (await rings.next()).startswith("INVITE")
            assert (await refuses.next()).startswith("INVITE")
            assert (await refuses.next()).startswith("ACK")
            if cancels:
                assert (await rings.next()).startswith("CANCEL")
            else:
                with pytest.raises(TimeoutError):
                    await rings.next(0.3)

    play(script)


@pytest.mark.parametrize(
    ("name", "asked"),
    [("recurses", [1]), ("recurses-unchecked", [1, 2]), ("recurses-parallel", [1, 2])],
)
def test_follows_a_redirection(name: str, asked: list[int], lease: Lease) -> None:
    """The first Contact declines: whether the second is asked tells the variants apart."""

    async def script() -> None:
        first, second = lease(), lease()

        def redirecting(message: bytes) -> bytes | None:
            contacts = f"Contact: <sip:t1@{first}>;q=1, <sip:t2@{second}>;q=0.5"
            return refusing(f"302 Moved Temporarily\r\n{contacts}")(message)

        async with (
            scene(f"kamailio:{name}", lease, ("", redirecting)) as on,
            listening(first, refusing("603 Decline")) as one,
            listening(second, refusing("486 Busy Here")) as two,
        ):
            await on.call("7001")
            assert (await one.next()).startswith(f"INVITE sip:t1@{first}")
            if 2 in asked:
                assert (await two.next()).startswith(f"INVITE sip:t2@{second}")
            await on.told("486" if name == "recurses-unchecked" else "603")
            assert two.heard.empty() == (2 not in asked)

    play(script)


def test_redirects_to_what_is_registered(lease: Lease) -> None:
    async def script() -> None:
        users = (";q=0.5", refusing("486")), (";q=1", refusing("486"))
        async with scene("kamailio:redirect", lease, *users) as on:
            uri = f"sip:7001@{on.device.address}"
            on.send(request("INVITE", uri, on.own, uri))
            told = await on.told("302")
            assert told.index("<sip:user1@") < told.index("<sip:user0@")
            assert all(user.heard.empty() for user in on.users)

    play(script)
