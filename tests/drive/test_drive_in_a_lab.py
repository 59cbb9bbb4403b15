"""Whole drives where the profile says where the endpoints are, who asks whom for a password, and who registers."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from test_drive_through import OURS, WINDOW, callee, drive, profile_of

from harness.device import load_profile
from harness.device.spec import DeviceSpec
from harness.drive.bench import Bench
from harness.drive.station import Station
from harness.endpoints.sipp.binary import find_sipp
from harness.errors import SetupError, SipverdictError
from harness.judge.account.replay import account
from harness.judge.answers import asked
from harness.live.progress import Progress
from harness.model.flow import Flow
from harness.model.plan import Answer, Call, Endpoint, Plan, Response
from harness.net.loopback import LoopbackPool
from harness.net.pool import LabPool
from harness.report.ladder import text_ladder
from harness.store.codec import dump, load
from suites.invariants import test_targets

MOVED = Response(302, contacts=("<sip:{token}@{target}>",))
REDIRECTED = Plan(
    (
        Endpoint("callee", "callee", (Answer((MOVED,)),)),
        Endpoint("target", "target", (Answer((Response(200),)),)),
    )
)


@pytest.fixture
def host() -> Iterator[str]:
    """A loopback address that stands for the tester's own in a lab."""
    pool = LoopbackPool()
    yield pool.lease().host
    pool.close()


def test_a_device_that_asks_who_calls_is_told(tmp_path: Path) -> None:
    lab = 'credentials = { user = "200", password = "word" }'
    [flow] = drive(tmp_path, "asks", Plan((callee(Response(603)),)), lab=lab)
    assert not flow.troubles
    [one] = asked(flow)
    assert (one.status, one.request.cseq_number, len(one.acks)) == (603, 2, 1)
    assert len(flow.select(status=407, at="caller")) == 1
    # By that name an exchange looks for the account whose password it asks for.
    assert {event.from_uri.partition("@")[0] for event in flow.select("INVITE", at="caller")} == {"sip:200"}
    assert len(flow.select("INVITE", at="callee")) == 1


def test_calls_come_from_whom_the_profile_names(tmp_path: Path) -> None:
    lab = 'credentials = { user = "200", password = "word" }\n'
    lab += 'caller = { user = "1001", display = "Lobby [1]", asserted = "tel:+15550100" }'
    [flow] = drive(tmp_path, "asks", Plan((callee(Response(603)),)), lab=lab)
    assert not flow.troubles
    first, second = flow.select("INVITE", at="caller")
    for invite in (first, second):
        assert invite.from_uri.partition("@")[0] == "sip:1001"
        assert (invite.header("From") or "").startswith('"Lobby [1]" <sip:1001@')
        assert invite.header("P-Asserted-Identity") == "<tel:+15550100>"
    assert 'username="200"' in (second.header("Proxy-Authorization") or ""), "who calls is not who has the password"
    [ack, *_] = flow.select("ACK", at="caller")
    assert ack.header("P-Asserted-Identity") is None
    assert ack.header("From") == first.header("From")


def test_a_challenge_without_credentials_is_the_answer(tmp_path: Path) -> None:
    [flow] = drive(tmp_path, "asks", Plan((callee(Response(603)),)))
    [one] = asked(flow)
    assert one.status == 407


def test_endpoints_are_where_the_lab_says(tmp_path: Path, host: str) -> None:
    lab = f'registrar = true\ntester = "{host}"\nports = "20000-20019"'
    plan = Plan((callee(Response(603)),), calls=(OURS,), bindings=("<sip:{token}@{callee}>;q=1",))
    flows = drive(tmp_path, "none", *(plan,) * 12, lab=lab)
    assert not [flow.troubles for flow in flows if flow.troubles]
    seats = [seat.address for flow in flows for seat in flow.seats]
    assert {seat.host for seat in seats} == {host}
    assert all(20000 <= seat.port <= 20019 for seat in seats)
    assert all(flow.select(status=603, at="caller") and flow.life for flow in flows)


def test_devices_of_one_run_share_the_addresses_of_their_tester(tmp_path: Path, host: str) -> None:
    """The variants of a device have one [lab]: each but the first was told that another run has its addresses."""
    lab = f'registrar = true\ntester = "{host}"\nports = "20000-20017"'
    plan = Plan((callee(Response(603)),), calls=(OURS,), bindings=("<sip:{token}@{callee}>;q=1",))
    profiles = [load_profile(profile_of(tmp_path / name, "none", lab=lab)) for name in ("one", "two")]

    async def driven() -> list[Flow]:
        async with (
            Bench.open(tmp_path, find_sipp()) as bench,
            Station(DeviceSpec("one", profiles[0]), bench, WINDOW, Progress(1, WINDOW)) as one,
            Station(DeviceSpec("two", profiles[1]), bench, WINDOW, Progress(1, WINDOW)) as two,
        ):
            return await asyncio.gather(*(station.drive(plan, "proxy", "udp") for station in (one, two) * 6))

    flows = asyncio.run(driven())
    assert not [flow.troubles for flow in flows if flow.troubles]
    assert all(flow.select(status=603, at="caller") and flow.life for flow in flows)
    LabPool([host], range(20000, 20018)).close()


def test_a_lab_has_no_more_addresses_than_it_has(host: str) -> None:
    pool = LabPool([host], range(20000, 20003))
    leased = [pool.lease() for _ in range(3)]
    assert [address.port for address in leased] == [20000, 20001, 20002]
    with pytest.raises(SetupError, match=rf"all addresses of lab.tester {host}, lab.ports 20000-20002 are in use"):
        pool.lease()
    for address in leased[::-1]:
        pool.give_back(address)
    assert pool.lease() == leased[-1]  # the one that has been free for longest
    assert pool.beside(leased[-1]) == leased[1]
    with pytest.raises(SetupError, match=r"another run on this machine uses lab\.tester"):
        LabPool([host], range(20000, 20003))
    pool.close()
    LabPool([host], range(20000, 20003)).close()


def test_an_address_of_another_machine_is_told() -> None:
    with pytest.raises(SetupError, match=r"lab\.tester: 192\.0\.2\.1 is no address of this machine"):
        LabPool(["192.0.2.1"], range(20000, 20003))


def phone(folder: Path, **changes: str) -> Path:
    """The built-in phone with other words in its profile."""
    text = (Path(__file__).parents[2] / "harness/devices/reference-phone/device.toml").read_text()
    for old, new in changes.items():
        text = re.sub(old, new, text)
    path = folder / "phone.toml"
    path.write_text(text)
    return path


def driven(folder: Path, profile: Path, *plans: Plan, role: str = "uac") -> list[Flow]:
    async def all_of_them() -> list[Flow]:
        async with (
            Bench.open(folder, find_sipp()) as bench,
            Station(DeviceSpec("phone", load_profile(profile)), bench, WINDOW, Progress(1, WINDOW)) as station,
        ):
            return list(await asyncio.gather(*(station.drive(plan, role) for plan in plans)))

    return asyncio.run(all_of_them())


def test_a_phone_that_knows_its_registrar_alone_meets_every_plan(tmp_path: Path) -> None:
    declined = Plan((callee(Response(603)),))
    flows = driven(tmp_path, phone(tmp_path), REDIRECTED, declined, REDIRECTED)
    for flow in flows:
        print(*(f"{event.number} {event.direction} {event.seat} {event}" for event in flow.events), sep="\n")
        assert not flow.troubles
        assert load(Flow, dump(flow), "flow") == flow
    exchange = flows[0].seat("callee").address
    assert {flow.seat("callee").address for flow in flows} == {exchange}
    assert len({flow.seat("callee").behind for flow in flows}) == 3
    assert [len(flow.select("INVITE")) for flow in flows] == [2, 1, 2]
    assert flows[0].seat("target").behind is None
    first, second = flows[0].select("INVITE")
    assert first.request_uri == f"sip:{flows[0].places.token}@{exchange}"
    assert second.request_uri == f"sip:{flows[0].places.token}@{flows[0].seat('target').address}"


TWO_TRUNKS = {
    'exchange = "{lease}"': 'exchange = "{lease}"\\nfurther_exchanges = ["{lease}"]',
    '"--user", "100",': '"--backup", "{exchange_2}", "--user", "100",',
}


def test_a_phone_moves_a_call_that_failed_to_the_next_address_of_its_trunk(tmp_path: Path) -> None:
    failing = Plan((callee(Response(503)),))
    [flow] = driven(tmp_path, phone(tmp_path, **TWO_TRUNKS), failing)
    assert not flow.troubles
    seat = flow.seat("callee")
    assert len(seat.addresses) == 2
    assert [event.destination for event in flow.select("INVITE")] == list(seat.addresses)
    assert [event.destination for event in flow.select("ACK")] == list(seat.addresses)
    assert [event.source for event in flow.select(status=503)] == list(seat.addresses)
    assert load(Flow, dump(flow), "flow") == flow
    assert f"(at {seat.further[0]})" in text_ladder(flow)
    assert not list(account(flow).unexplained())
    assert {one.outcome for one in test_targets.test_each_target_is_tried_once(flow)} == {"satisfied"}
    # At one address it would be the same server that is asked once more.
    one_trunk = replace(flow, seats=(replace(seat, further=()), *flow.seats[1:]))
    assert "violated" in {one.outcome for one in test_targets.test_each_target_is_tried_once(one_trunk)}


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ('"--password", "other"', r"3 REGISTER refused: a wrong password|[12] REGISTER refused: a wrong password"),
        ('"--password", "other", "--user", "7"', "the user is '7', expected '100'"),
    ],
)
def test_a_phone_that_cannot_register_is_told(tmp_path: Path, said: str, why: str) -> None:
    words = {
        '"--user", "100", "--password", "a password of the lab"': said,
        'user = "100",': 'user = "100", within_s = 1.0,',
    }
    with pytest.raises(SipverdictError, match=why):
        driven(tmp_path, phone(tmp_path, **words), Plan((callee(Response(603)),)))


def test_a_number_that_is_dialled_for_nothing_is_no_call(tmp_path: Path) -> None:
    plan = Plan((callee(Response(603)),), calls=(Call("sip:12345@{callee}"),))
    [flow] = driven(tmp_path, phone(tmp_path), plan)
    assert "no INVITE arrived" in flow.troubles[0].text


def test_a_phone_is_called_where_it_is_registered(tmp_path: Path) -> None:
    words = {
        r'roles = \["uac"\]': 'roles = ["uas"]',
        r"(?s)\[pics\].*?\[lab\]": '[lab]\naddress = "{registered}"\nnumbers.declines = "sip:603{token}@{device}"',
        '"--listen"': '"--role", "uas", "--listen"',
        r"(?s)\[stimulus\].*": '[stimulus]\nkind = "sipp"',
    }
    plan = Plan((), calls=(Call("{declines}"),))
    flows = driven(tmp_path, phone(tmp_path, **words), plan, plan, role="uas")
    for flow in flows:
        assert not flow.troubles
        [one] = asked(flow)
        assert one.status == 603
        assert one.request.request_uri == f"sip:603{flow.places.token}@{flow.places.device}"
        assert len(one.acks) == 1
