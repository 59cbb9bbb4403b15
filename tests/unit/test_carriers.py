"""Which transports and families a run tests: what the profile says, narrowed or widened by the command line."""

from __future__ import annotations

import dataclasses

import pytest

from harness.device import load_profile
from harness.device.spec import DeviceSpec
from harness.drive.carried import carried as as_carried
from harness.errors import SetupError
from harness.model.axes import TRANSPORTS
from harness.model.plan import Answer, Call, Endpoint, Plan, Response
from harness.model.weather import Weather
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
    assert as_carried(plan, "udp") == plan
    over = as_carried(plan, "tcp")
    assert over.endpoints[0].answers == (dataclasses.replace(answer, copies=()),)
    assert over.calls == (Call(), Call(acks=0, act="cancel"))
    assert not over.weather
    meant = dataclasses.replace(plan, over=("tcp",))
    assert as_carried(meant, "tcp") == meant
