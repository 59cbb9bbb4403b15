"""Which transports and families a run tests: what the profile says, narrowed or widened by the command line."""

from __future__ import annotations

import dataclasses

import pytest

from harness.device import load_profile
from harness.device.spec import DeviceSpec
from harness.drive.carried import carried as as_carried
from harness.errors import SetupError
from harness.model.axes import CROSSINGS, TRANSPORTS
from harness.model.plan import Answer, Call, Endpoint, Plan, Response
from harness.model.weather import Weather
from harness.net.address import Carrier
from harness.run.carriers import Wanted, carried
from harness.run.specs import device_specs


def labels(wanted: Wanted, *devices: str) -> dict[str, list[str]]:
    specs = {name: DeviceSpec(name, load_profile(name)) for name in devices}
    return {name: [axes.label for axes in spec.axes] for name, spec in carried(specs, wanted).items()}


def test_without_options_the_profile_says_it() -> None:
    assert labels(Wanted.of(None, None, None), "reference:uas") == {"reference:uas": ["uas-udp"]}


def test_options_name_transports_and_families() -> None:
    assert labels(Wanted.of("tls, tcp", "6", None), "reference:uas") == {"reference:uas": ["uas-tcp6", "uas-tls6"]}
    assert labels(Wanted.of(None, "4,6", None), "reference:uas") == {"reference:uas": ["uas-udp", "uas-udp6"]}
    assert labels(Wanted.of("all", None, None), "reference:uas")["reference:uas"] == [
        *("uas-udp", "uas-tcp", "uas-tls", "uas-ws", "uas-wss")
    ]


def test_all_is_everything_that_the_profile_names() -> None:
    everything = [f"uas-{one}{family}" for one in TRANSPORTS for family in ("", "6")]
    assert labels(Wanted.of(None, None, "all"), "reference:uas") == {"reference:uas": everything}


def test_a_device_without_the_transport_is_left_out_and_a_run_without_any_is_refused() -> None:
    assert labels(Wanted.of("tcp", None, None), "reference:uas", "sippy-b2bua") == {"reference:uas": ["uas-tcp"]}
    with pytest.raises(SetupError, match=r"no device of this run is tested over tcp: sippy-b2bua has udp"):
        labels(Wanted.of("tcp", None, None), "sippy-b2bua")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("sctp", None, None), "--transport 'sctp': expected some of udp, tcp, tls"),
        (("", None, None), "--transport '': expected"),
        (("all,tcp", None, None), "or all"),
        ((None, "5", None), "--family '5': expected some of 4, 6"),
        (("tcp", None, "all"), "cannot be combined"),
    ],
)
def test_what_cannot_be_asked_for(options: tuple[str | None, str | None, str | None], said: str) -> None:
    with pytest.raises(SetupError, match=said):
        Wanted.of(*options)


def test_a_fault_that_udp_does_not_show_is_tested_where_it_shows() -> None:
    specs = device_specs(["reference:uas"], ["answers_on_new_connection"])
    assert [axes.label for spec in specs.values() for axes in spec.axes] == ["uas-tcp"]


def test_over_a_stream_nothing_of_a_plan_is_sent_twice() -> None:
    answer = Answer((Response(603),), copies=(0.5, 1.0))
    plan = Plan(
        (Endpoint("callee", "callee", (answer,)),),
        (Call(act="repeat", acks=3, ack_copy=2), Call(acks=0, act="cancel")),
        weather=Weather(loss=0.1),
    )
    assert as_carried(plan, Carrier()) == plan
    over = as_carried(plan, Carrier("tcp"))
    assert over.endpoints[0].answers == (dataclasses.replace(answer, copies=()),)
    assert over.calls == (Call(), Call(acks=0, act="cancel"))
    late = dataclasses.replace(plan, calls=(Call(act="repeat_late"),))
    assert as_carried(late, Carrier("tcp")).calls == (Call(),)
    assert not over.weather
    meant = dataclasses.replace(plan, over=("tcp",))
    assert as_carried(meant, Carrier("tcp")) == meant


def test_each_side_of_a_crossing_is_carried_by_itself() -> None:
    answer = Answer((Response(603),), copies=(0.5, 1.0))
    call = Call(act="repeat", acks=3, ack_copy=2)
    plan = Plan((Endpoint("callee", "callee", (answer,)),), (call,))
    onto_udp = as_carried(plan, Carrier.named("wss-to-udp"))
    assert onto_udp.endpoints == plan.endpoints
    assert onto_udp.calls == (Call(),)
    onto_tls = as_carried(plan, Carrier.named("udp-to-tls"))
    assert onto_tls.endpoints[0].answers[0].copies == ()
    assert onto_tls.calls == (call,)


def test_only_who_passes_calls_on_is_tested_from_one_transport_to_another() -> None:
    assert labels(Wanted.of("wss-to-udp", "4", None), "reference:base", "reference:proxy", "reference:uas") == {
        "reference:base": ["b2bua-wss-to-udp"],
        "reference:proxy": ["proxy-wss-to-udp"],
    }
    with pytest.raises(SetupError, match="no device of this run is tested over wss-to-udp over ipv4"):
        labels(Wanted.of("wss-to-udp", "4", None), "reference:uas")


def test_a_carrier_has_two_sides_or_one() -> None:
    crossing = Carrier.named("wss-to-udp6")
    assert crossing == Carrier("udp", "ipv6", "wss") == Carrier.of("wss-to-udp", "ipv6")
    assert (crossing.inbound, crossing.outbound) == crossing.sides == (Carrier("wss", "ipv6"), Carrier("udp", "ipv6"))
    assert (crossing.label, crossing.passage, str(crossing)) == (
        *("wss-to-udp6", "wss-to-udp"),
        "UDP over IPv6, called over WSS",
    )
    assert Carrier("tcp").sides == (Carrier("tcp"),)
    pairs = {f"{one}-to-{other}" for one in TRANSPORTS for other in TRANSPORTS if one != other}
    assert set(CROSSINGS) == pairs - {"ws-to-wss", "wss-to-ws"}
    with pytest.raises(ValueError, match=r"expected one of udp, .*, or two as in wss-to-udp; got 'wss-to-ws'"):
        Carrier.named("wss-to-ws")
