"""Whole drives through a device that a SIPp caller calls, as the run makes them: what the flow holds, and how long."""

from __future__ import annotations

import asyncio
import re
import time
from pathlib import Path

import pytest

from harness.device import load_profile
from harness.device.spec import DeviceSpec
from harness.drive.bench import SETTING_UP, Bench
from harness.drive.recorder import KEPT_OF_A_KIND
from harness.drive.station import Station
from harness.endpoints.sipp.binary import find_sipp
from harness.live.progress import Progress
from harness.model.flow import Event, Flow
from harness.model.plan import Answer, Call, Endpoint, Plan, Response
from harness.model.windows import Window
from harness.store.codec import dump, load

ODD_PROXY = Path(__file__).with_name("odd_proxy.py")
WINDOW = Window("test", 1.0, "enough for a test")
BOUND = ("<sip:{token}@{callee}>;q=1",)
OURS = Call("sip:{token}@{device}")


def callee(*responses: Response) -> Endpoint:
    return Endpoint("callee", "callee", (Answer(responses),))


def drive(
    folder: Path,
    oddity: str,
    *plans: Plan,
    role: str = "proxy",
    lab: str = "registrar = true",
    per_plan: bool = False,
) -> list[Flow]:
    """The flows of ``plans``, driven side by side through a device of this oddity."""
    profile = profile_of(folder, oddity, role, lab, per_plan)

    async def driven() -> list[Flow]:
        async with (
            Bench.open(folder, find_sipp()) as bench,
            Station(DeviceSpec("odd", load_profile(profile)), bench, WINDOW, Progress(1, WINDOW)) as station,
        ):
            return list(await asyncio.gather(*(station.drive(plan, role) for plan in plans)))

    flows = asyncio.run(driven())
    for flow in flows:
        print(*(f"{event.number} {event.direction} {event.seat} {event}" for event in flow.events), sep="\n")
        print(flow.troubles)
        assert load(Flow, dump(flow), "flow") == flow
        assert not [trouble for trouble in flow.troubles if trouble.blame == "harness"]
    return flows


def profile_of(
    folder: Path,
    oddity: str,
    role: str = "proxy",
    lab: str = "registrar = true",
    per_plan: bool = False,
    max_calls: int = 10,
) -> Path:
    folder.mkdir(exist_ok=True)
    profile = folder / "device.toml"
    profile.write_text(
        f"""
[device]
name = "odd"
roles = ["{role}"]
max_calls = {max_calls}
per_plan = {str(per_plan).lower()}
[lab]
{lab}
[process]
argv = ["{{python}}", "{ODD_PROXY}", "{oddity}", "{{address}}"{', "{peer}"' if per_plan else ""}]
[ready]
stdout = "READY"
[stimulus]
kind = "sipp"
"""
    )
    return profile


def at_caller(flow: Flow, *, received: bool = True) -> list[Event]:
    return [event for event in flow.select(at="caller", received=received) if event.cseq_method != "REGISTER"]


def watched_for(flow: Flow) -> float:
    return flow.watch.closed_at - (flow.watch.opened_at or flow.watch.closed_at)


def test_bindings_are_registered_once_and_both_calls_arrive(tmp_path: Path) -> None:
    [flow] = drive(tmp_path, "none", Plan((callee(Response(603)),), calls=(OURS, OURS), bindings=BOUND))
    assert len(flow.select("REGISTER")) == 1
    register = flow.events[0]
    assert register.method == "REGISTER"
    assert register.header("Contact") == f"<sip:{flow.places.token}@{flow.seat('callee').address}>;q=1"
    assert (register.seat, register.source) == ("callee", flow.seat("callee").address)
    order = [(event.seat, str(event).split()[0 if event.method else 1]) for event in flow.events[2:]]
    for caller in ("caller", "caller2"):
        assert [what for seat, what in order if seat == caller] == ["INVITE", "603", "ACK"]
    first, second = (order.index((caller, "INVITE")) for caller in ("caller", "caller2"))
    arrived = [place for place, one in enumerate(order) if one == ("callee", "INVITE")]
    assert first < arrived[0] < second < arrived[1]
    assert [call.uri for call in flow.calls] == [f"sip:{flow.places.token}@{flow.places.device}"] * 2
    assert watched_for(flow) >= WINDOW.seconds
    assert flow.life is not None


def test_refused_registration_is_told_and_nothing_is_called(tmp_path: Path) -> None:
    [flow] = drive(tmp_path, "strict_registrar", Plan((callee(Response(603)),), calls=(OURS,), bindings=BOUND))
    assert [(trouble.blame, trouble.text) for trouble in flow.troubles] == [
        ("stimulus", "it answered the REGISTER of callee 403, so no call was made")
    ]
    assert not flow.select("INVITE")
    assert flow.watch.opened_at is None


def test_a_device_that_says_nothing_is_told(tmp_path: Path) -> None:
    began = time.monotonic()
    plans = (
        Plan((callee(Response(603)),)),
        Plan((), calls=(Call("sip:1@{device}", method="MESSAGE"),)),
        Plan((callee(Response(200)),), calls=(OURS,), bindings=BOUND),
    )
    flows = drive(tmp_path, "silent", *plans)
    assert time.monotonic() - began < 25
    assert [flow.troubles[0].blame for flow in flows] == ["device"] * 3
    assert "neither answered the INVITE of call 1 nor passed it on within 10 s" in flows[0].troubles[0].text
    assert len(flows[0].select("INVITE", at="caller")) > 3
    assert flows[0].watch.opened_at is None


def test_every_endpoint_registers_for_itself(tmp_path: Path) -> None:
    """What a registrar that calls back where the REGISTER came from reaches is whoever is meant."""
    second = Endpoint("second", "callee", (Answer((Response(603),)),))
    bindings = ("<sip:1@{second}>;q=1", '"B [x]" <sip:8{token}@{second.host};transport=udp>;q=0.5', *BOUND)
    plan = Plan((callee(Response(603)), second), (Call("sip:{token}@{device}", method="MESSAGE"),), bindings=bindings)
    [flow] = drive(tmp_path, "none", plan)
    asked = flow.select("REGISTER")
    assert [(one.seat, one.source, one.vias[0].host, one.vias[0].port) for one in asked] == [
        (name, address, address.host, address.port)
        for name in ("second", "callee")
        for address in [flow.seat(name).address]
    ]
    host, token = flow.seat("second").address.host, flow.places.token
    assert asked[0].headers("Contact") == (
        f"<sip:1@{host}:5060>;q=1",
        f'"B [x]" <sip:8{token}@{host};transport=udp>;q=0.5',
    )
    assert {one.to_uri for one in asked} == {one.from_uri for one in asked} == {f"sip:{token}@{flow.places.device}"}
    assert len({one.call_id for one in asked}) == 2


def test_a_registrar_that_calls_back_where_the_register_came_from(tmp_path: Path) -> None:
    [flow] = drive(tmp_path, "calls_back", Plan((callee(Response(180), Response(603)),), (OURS,), bindings=BOUND))
    assert [event.seat for event in flow.select("INVITE", received=True)] == ["callee"]
    assert [event.status for event in at_caller(flow)] == [180, 603]
    assert flow.life is not None
    assert not flow.troubles


def test_a_register_is_repeated_until_it_is_answered(tmp_path: Path) -> None:
    [flow] = drive(tmp_path, "slow_registrar", Plan((callee(Response(603)),), calls=(OURS,), bindings=BOUND))
    copies = flow.select("REGISTER")
    assert len(copies) > 1
    assert len({copy.raw for copy in copies}) == 1
    assert [event.status for event in at_caller(flow)] == [603]


def test_a_silent_registrar_is_told(tmp_path: Path) -> None:
    [flow] = drive(tmp_path, "silent_registrar", Plan((callee(Response(603)),), calls=(OURS,), bindings=BOUND))
    assert "did not answer the REGISTER" in flow.troubles[0].text


def test_a_proxy_that_loops_to_itself(tmp_path: Path) -> None:
    [flow] = drive(tmp_path, "loops", Plan((callee(Response(603)),)))
    assert at_caller(flow)[-1].status == 483
    assert len(at_caller(flow)[-1].vias) >= 1
    assert watched_for(flow) >= WINDOW.seconds


@pytest.mark.parametrize("oddity", ["stray_fork", "loses_vias", "foreign_branch"])
def test_a_proxy_that_is_odd_about_it_still_leaves_a_whole_flow(tmp_path: Path, oddity: str) -> None:
    [flow] = drive(tmp_path, oddity, Plan((callee(Response(180), Response(603)),)))
    assert [event.status for event in at_caller(flow)] == [180, 603]
    assert [event.method for event in at_caller(flow, received=False)] == ["INVITE", "ACK"]
    assert watched_for(flow) >= WINDOW.seconds
    if oddity == "loses_vias":
        assert at_caller(flow)[-1].vias == ()
    if oddity == "foreign_branch":
        assert at_caller(flow)[-1].branch == "z9hG4bKof-nobody"


def test_a_proxy_that_answers_twice(tmp_path: Path) -> None:
    [flow] = drive(tmp_path, "two_answers", Plan((callee(Response(200)),)))
    assert {event.to_tag for event in at_caller(flow) if event.status == 200} >= {"two"}
    assert {event.to_tag for event in flow.between if event.method == "ACK"} >= {"two"}
    assert watched_for(flow) >= WINDOW.seconds


@pytest.mark.parametrize("forged", ["branch", "method", "no_via", "one_via"])
def test_forged_responses_hold_nothing_up(tmp_path: Path, forged: str) -> None:
    began = time.monotonic()
    plan = Plan((callee(Response(302, forged=forged), Response(603, after=0.2)),))  # type: ignore[arg-type]
    [flow] = drive(tmp_path, "none", plan)
    assert time.monotonic() - began < 15
    assert [event.status for event in flow.select(at="callee", received=False)][:2] == [302, 603]


def test_a_device_that_answers_itself_opens_the_window_with_its_first_final(tmp_path: Path) -> None:
    number = 'numbers = { declines = "sip:603{token}@{device}" }'
    call = Call("{declines}")
    plans = (Plan((), calls=(call,)), Plan((), calls=(Call("{declines}", acks=0),)))
    for flow in drive(tmp_path, "answers-603-0.4", *plans, role="uas", lab=number):
        assert flow.calls[0].uri == f"sip:603{flow.places.token}@{flow.places.device}"
        final = at_caller(flow)[-1]
        assert (final.status, flow.watch.opened_at) == (603, final.time)
        assert WINDOW.seconds <= watched_for(flow) < WINDOW.seconds + 2
        assert flow.life is not None
        assert not flow.troubles


def test_a_flow_says_what_it_has_no_room_for(tmp_path: Path) -> None:
    """10,000 provisional responses: each is kept, counted as cut, or counted as dropped by the kernel."""
    [flow] = drive(tmp_path, "rings-10000", Plan((), calls=(Call("sip:1@{device}"),)), role="uas", lab="")
    [trouble] = [trouble for trouble in flow.troubles if trouble.blame == "device"]
    said = re.fullmatch(
        rf"more came than a flow keeps \({KEPT_OF_A_KIND} of a kind\): "
        r"besides, (\d+) provisional responses to INVITE at caller",
        trouble.text,
    )
    assert said, trouble.text
    assert flow.left_out == {"provisional responses to INVITE": int(said[1])}
    assert len(flow.select(status=180, at="caller")) == KEPT_OF_A_KIND
    assert KEPT_OF_A_KIND + int(said[1]) + flow.seat("caller").drops == 10_000
    assert at_caller(flow)[-1].status == 603


def test_an_accepted_call_of_a_device_that_answers_itself_is_ended(tmp_path: Path) -> None:
    [flow] = drive(tmp_path, "answers-200-0", Plan((), calls=(Call("sip:1@{device}"),)), role="uas", lab="")
    assert [event.method for event in at_caller(flow, received=False)] == ["INVITE", "ACK", "BYE"]


def test_ringing_without_end_is_watched_from_its_last_message(tmp_path: Path) -> None:
    [flow] = drive(tmp_path, "none", Plan((callee(Response(180)),)))
    assert flow.watch.opened_at == at_caller(flow)[-1].time
    assert not flow.troubles


def test_every_method_reaches_the_endpoint(tmp_path: Path) -> None:
    methods = ("MESSAGE", "OPTIONS", "WHATEVER")
    flows = drive(tmp_path, "none", *(Plan((callee(Response(200)),), calls=(Call(method=m),)) for m in methods))
    for method, flow in zip(methods, flows, strict=True):
        assert [e.method for e in flow.select(at="callee", received=True) if e.method] == [method]
        assert [event.status for event in at_caller(flow)] == [200]
        assert watched_for(flow) >= WINDOW.seconds


def test_the_devices_address_is_known_to_calls_and_answers(tmp_path: Path) -> None:
    moved = Response(302, contacts=("<sip:{token}@{device};x=1>",))
    [flow] = drive(tmp_path, "none", Plan((callee(moved),), calls=(Call(headers=("X-Device: {device.host}",)),)))
    device = flow.places.device
    assert device is not None
    assert at_caller(flow)[-1].contact_uris == (f"sip:{flow.places.token}@{device};x=1",)
    assert flow.select("INVITE", at="callee")[0].header("X-Device") == device.host


def test_a_device_of_its_own_for_each_plan(tmp_path: Path) -> None:
    plans = (
        Plan((callee(Response(603)),), calls=(OURS,), bindings=BOUND),
        Plan((), calls=(Call("sip:1@{device}", max_forwards=0),)),
    )
    bound, alone = drive(tmp_path, "loops", *plans, per_plan=True)
    assert bound.places.device != alone.places.device
    assert [at_caller(flow)[-1].status for flow in (bound, alone)] == [483, 483]
    assert alone.seats[0].name == "caller"
    assert not bound.troubles + alone.troubles


def test_a_device_that_takes_one_call_at_a_time_keeps_no_other_device_waiting(tmp_path: Path) -> None:
    slow = Plan((callee(Response(180), Response(603, after=0.2)),), calls=(OURS,), bindings=BOUND, watched=False)
    quick = Plan((callee(Response(603)),), calls=(OURS,), bindings=BOUND, watched=False)
    serial = load_profile(profile_of(tmp_path / "serial", "none", max_calls=1))
    other = load_profile(profile_of(tmp_path / "other", "none"))

    async def driven() -> tuple[list[Flow], Flow]:
        async with (
            Bench.open(tmp_path, find_sipp()) as bench,
            Station(DeviceSpec("serial", serial), bench, WINDOW, Progress(1, WINDOW)) as first,
            Station(DeviceSpec("other", other), bench, WINDOW, Progress(1, WINDOW)) as second,
        ):
            all_of_first = asyncio.gather(*(first.drive(slow, "proxy") for _ in range(SETTING_UP + 4)))
            return await asyncio.gather(all_of_first, second.drive(quick, "proxy"))

    flows, flow = asyncio.run(driven())
    called = sorted(one.calls[0].placed_at for one in flows)
    assert called[1] - called[0] >= 0.2, "one at a time"
    assert flow.calls[0].placed_at < called[2]


def test_other_flows_rest_on_the_positive_controls_of_evidence_alone(tmp_path: Path) -> None:
    """A drive that was spoilt, and a plain call, leave none behind."""
    plan = Plan((callee(Response(603)),), (OURS,), bindings=BOUND)
    profile = load_profile(profile_of(tmp_path, "none", lab="registrar = true"))

    async def driven() -> list[Flow]:
        async with (
            Bench.open(tmp_path, find_sipp()) as bench,
            Station(DeviceSpec("odd", profile), bench, WINDOW, Progress(1, WINDOW)) as station,
        ):
            spoilt, sound = [await station.drive(plan, "proxy") for _ in range(2)]
            station.rely_on(sound)
            return [spoilt, sound, await station.drive(plan, "proxy")]

    flows = asyncio.run(driven())
    spoilt, sound, last = ({control.flow for control in flow.controls} for flow in flows)
    assert (spoilt, sound, last) == ({flows[0].id}, {flows[1].id}, {flows[1].id})
