"""A device that is called over one transport and calls over another: each side is judged by its own transport."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.commands.replay import replay
from tests.run.suite import Finished, run_suite

_ASKED = "test_contact_is_called or test_decline_is_final or test_every_invite_without_response_is_repeated"
_OVER = ("--device", "reference:base", "--device", "reference:recursing", "--transport", "wss-to-udp")


@pytest.fixture(scope="module")
def crossing(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    out = tmp_path_factory.mktemp("runs")
    return run_suite(out, *_OVER, "--", "-k", f"{_ASKED} or test_invite_is_repeated_until_it_is_answered")


def test_calls_come_by_one_transport_and_go_by_the_other(crossing: Finished) -> None:
    assert crossing.status == 0, crossing.output
    assert {line["transport"] for line in crossing.records} == {"wss-to-udp"}
    assert {line["role"] for line in crossing.records} == {"b2bua", "proxy"}
    flows = [json.loads(path.read_text()) for path in crossing.folder.glob("flows/*.json")]
    seats = {(seat["kind"], seat["address"]["transport"]) for flow in flows for seat in flow["seats"]}
    assert {("caller", "wss"), ("callee", "udp"), ("target", "udp")} <= seats
    assert {transport for kind, transport in seats if kind != "caller"} == {"udp"}


def test_each_side_has_the_questions_of_its_transport(crossing: Finished) -> None:
    """An INVITE is repeated over UDP, however reliable the side of the caller is."""
    asked = {line["purpose"] for line in crossing.records if line["verdict"] == "pass"}
    assert "transaction/calling/invite_is_repeated_until_it_is_answered" in asked
    assert "invariants/requests_are_repeated/every_invite_without_response_is_repeated" in asked


def test_replay_reaches_the_same_verdicts(crossing: Finished, capsys: pytest.CaptureFixture[str]) -> None:
    assert replay(str(crossing.folder)) == 0, capsys.readouterr().out


@pytest.mark.parametrize(
    ("fault", "purpose"),
    [
        ("never_repeats_invite", "test_invite_is_repeated_until_it_is_answered"),
        ("contact_of_callers_side", "test_contact_is_called or test_contact_of_a_leg"),
        ("contact_of_trunk_side", "test_contact_is_called or test_contact_of_a_leg"),
    ],
)
def test_what_a_gateway_gets_wrong_on_one_side(tmp_path: Path, fault: str, purpose: str) -> None:
    run = run_suite(
        *(tmp_path, "--device", "reference:base", "--fault", fault, "--transport", "wss-to-udp"),
        *("--", "-k", f"({purpose}) and b2bua"),
    )
    verdicts = {line["verdict"] for line in run.records}
    assert verdicts & {"fail", "warn"}, run.output


def test_a_call_reaches_a_browser_by_the_websocket_over_which_it_has_registered(tmp_path: Path) -> None:
    """Nobody can open a connection to a browser."""
    asked = "test_decline_is_preferred_to_every_other_answer or test_what_rings_is_cancelled_after_a_decline"
    run = run_suite(tmp_path, "--device", "kamailio:parallel", "--transport", "udp-to-wss", "--", "-k", asked)
    assert {line["verdict"] for line in run.records} == {"pass"}, run.output
    stored = next(run.folder.glob("flows/*.json"))
    seats = {(seat["kind"], seat["address"]["transport"]) for seat in json.loads(stored.read_text())["seats"]}
    assert ("caller", "udp") in seats
    assert ("callee", "wss") in seats
    assert b"\nREGISTER sip:" in stored.with_suffix(".record").read_bytes()
