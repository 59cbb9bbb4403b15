"""Drives in which a Contact has a name: the device asks the lab's resolver, and the flow keeps what it asked."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from harness.device import load_profile
from harness.device.spec import DeviceSpec
from harness.drive.bench import Bench
from harness.drive.station import Station
from harness.endpoints.sipp.binary import find_sipp
from harness.judge.attempts import tries
from harness.live.progress import Progress
from harness.model.flow import Flow
from harness.model.plan import Plan
from harness.model.windows import Window
from harness.model.zone import CANNOT_LISTEN
from harness.net.address import Address, Carrier
from harness.net.binding import is_free
from harness.store.codec import dump, load
from suites.plans import REDIRECT
from suites.uac.test_next_server import DECLINES, FAILS
from suites.uac.test_redirect_to_a_name import NOWHERE, NUMERIC, WITHOUT_PORT

WINDOW = Window("test", 2.0, "enough for a test")


def drive(folder: Path, *plans: Plan, resolver: str = "{lease}", over: str = "udp") -> list[Flow]:
    profile = load_profile("reference:base")
    profile = profile.model_copy(update={"lab": profile.lab.model_copy(update={"resolver": resolver})})
    carrier = Carrier.named(over)

    async def driven() -> list[Flow]:
        async with (
            Bench.open(folder, find_sipp()) as bench,
            Station(DeviceSpec("d", profile), bench, WINDOW, Progress(1, WINDOW), carrier=carrier) as station,
        ):
            return list(await asyncio.gather(*(station.drive(plan, "uac") for plan in plans)))

    flows = asyncio.run(driven())
    for flow in flows:
        print(*(f"{event.number} {event.direction} {event.seat} {event}" for event in flow.events), sep="\n")
        print(*flow.lookups, flow.troubles, sep="\n")
        assert load(Flow, dump(flow), "flow") == flow
    return flows


def asked(flow: Flow) -> list[tuple[str, str]]:
    """The names that were asked for, less the drive's own digits, and the kinds of record."""
    return [(lookup.name.replace(flow.places.domain, "D"), lookup.kind) for lookup in flow.lookups]


def invited(flow: Flow) -> list[str]:
    """Where INVITEs came to, copies aside."""
    return [attempt.seat for attempt in tries(flow)]


@pytest.mark.parametrize("over", ["udp", "tcp", "udp6"])
def test_a_device_is_led_to_the_servers_of_a_name(tmp_path: Path, over: str) -> None:
    number = 1 if over == "tcp" else 0
    best, next_one, numeric = drive(tmp_path, WITHOUT_PORT[number], FAILS[number], NUMERIC, over=over)
    service = f"_sip._{over.removesuffix('6')}.D"
    # It has both families, and asks for both kinds of address at once.
    assert asked(best)[:2] == [("D", "NAPTR"), (service, "SRV")]
    hosts = asked(best)[2:]
    assert sorted(hosts[:2]) == [("first.D", "A"), ("first.D", "AAAA")]
    assert sorted(hosts[2:]) == [("second.D", "A"), ("second.D", "AAAA")]
    assert invited(best) == ["callee", "first"]
    assert invited(next_one) == ["callee", "first", "second"]
    assert (numeric.lookups, invited(numeric)) == ((), ["callee", "target"])
    at, placed = best.lookups[0].at, best.select("INVITE", at="first", received=True)[0].time
    assert best.select(status=302)[0].time <= at <= placed
    assert {lookup.name.split(".")[-2] for flow in (best, next_one) for lookup in flow.lookups} == {
        flow.places.domain.removesuffix(".test") for flow in (best, next_one)
    }


def test_a_name_that_leads_nowhere_leaves_its_question_in_the_flow(tmp_path: Path) -> None:
    nowhere, unanswered = drive(tmp_path, *NOWHERE)
    assert {lookup.answer for lookup in nowhere.lookups} == {"NXDOMAIN"}
    assert {lookup.answer for lookup in unanswered.lookups} == {"never answered"}
    assert invited(nowhere) == invited(unanswered) == ["callee"]


def test_two_servers_share_the_calls(tmp_path: Path) -> None:
    flows = drive(tmp_path, *([replace(DECLINES[0], watched=False)] * 12))
    assert {invited(flow)[1] for flow in flows} == {"first", "second"}
    assert all(len(invited(flow)) == 2 for flow in flows)


def test_where_nobody_can_answer_the_rest_goes_on(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{other.getsockname()[1]}"
        named, plain = drive(tmp_path, FAILS[0], REDIRECT, resolver=place)
    assert [(trouble.blame, trouble.text) for trouble in named.troubles] == [
        ("harness", f"{CANNOT_LISTEN}another program has UDP {place} (ss -lptun) (see lab.resolver of the profile)")
    ]
    assert not plain.troubles
    assert invited(plain) == ["callee", "target"]


def test_devices_that_are_pointed_at_one_place_share_the_resolver(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        place = Address.of(free.getsockname())

    async def shared() -> None:
        async with Bench.open(tmp_path, find_sipp()) as bench:
            async with bench.resolver(place) as first:
                async with bench.resolver(place) as second:
                    assert first is second
                async with bench.resolver(place) as third:
                    assert first is third
            assert is_free(place)
            async with bench.resolver(place) as fresh:
                assert fresh is not first

    asyncio.run(shared())
