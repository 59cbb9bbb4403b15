"""A real server over WebSockets: it opens none, relays to users that have registered by one, and is asked no more."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from harness.commands.replay import replay
from harness.paths import DEVICES
from tests.run.suite import Finished, left_behind, run_suite

ASKED = "decline_of_the_only_branch or redirection_of_a_foreign_user or device_agrees or refusal_is_sent_once"


@pytest.fixture(scope="module")
def kamailio(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    out: Path = tmp_path_factory.mktemp("runs")
    return run_suite(out, "--device", "kamailio:base", "--transport", "ws,wss", "--", "-k", ASKED)


def test_it_relays_to_users_and_is_not_asked_to_call_strangers(kamailio: Finished) -> None:
    found = Counter((line["purpose"].rpartition("/")[2], line["verdict"]) for line in kamailio.records)
    assert found == {
        ("decline_of_the_only_branch_goes_up_as_it_is", "pass"): 2,
        ("device_agrees_on_the_subprotocol", "pass"): 2,
        ("refusal_is_sent_once_over_a_stream", "pass"): 2,
        ("redirection_of_a_foreign_user_goes_to_the_caller", "not_tested"): 2,
    }, kamailio.output
    reasons = {line["reason"] for line in kamailio.records if line["verdict"] == "not_tested"}
    assert reasons == {
        f"kamailio opens no WebSockets (lab.opens_websockets): over {one} it reaches only who has registered"
        for one in ("ws", "wss")
    }


def test_replay_reaches_the_same_verdicts_and_nothing_is_left_behind(kamailio: Finished) -> None:
    assert replay(str(kamailio.folder)) == 0
    assert left_behind(kamailio.out) == []


def test_a_server_is_asked_for_the_path_of_its_profile(tmp_path: Path) -> None:
    written = (DEVICES / "reference" / "device.toml").read_text("utf-8")
    (tmp_path / "device.toml").write_text(written.replace("[lab]\n", '[lab]\nwebsocket_path = "/ws"\n', 1), "utf-8")
    asked = ("--device", f"{tmp_path}/device.toml:uas", "--transport", "ws", "--", "-k", "refusal_is_sent_once")
    run = run_suite(tmp_path / "runs", *asked)
    assert [line["verdict"] for line in run.records] == ["pass"], run.output
    flows = [json.loads(path.read_text()) for path in run.folder.glob("flows/*.json")]
    paths = [one["upgrade"]["path"] for flow in flows for seat in flow["seats"] for one in seat["connections"]]
    assert set(paths) == {"/ws"}
