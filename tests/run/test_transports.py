"""The same plans over every transport and family: each verdict rests on what was seen there."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from harness.commands.replay import replay
from harness.model.axes import FAMILIES, TRANSPORTS
from tests.run.suite import Finished, run_suite

ASKED = "test_contact_is_called or test_decline_is_final or test_contact_names_the_transport"
PLACES = set(itertools.product((*TRANSPORTS, "wss-to-udp", "udp-to-tls"), FAMILIES))


@pytest.fixture(scope="module")
def everywhere(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    out = tmp_path_factory.mktemp("runs")
    return run_suite(out, "--device", "reference:base", "--transports", "all", "--", "-k", ASKED)


def flows(run: Finished) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in run.folder.glob("flows/*.json")]


def test_every_transport_and_family_has_its_verdicts(everywhere: Finished) -> None:
    seen = {(line["transport"], line["family"], line["verdict"]) for line in everywhere.records}
    assert seen == {(*place, "pass") for place in PLACES}, everywhere.output
    count = Counter((line["transport"], line["family"]) for line in everywhere.records if line["role"] == "b2bua")
    assert len(set(count.values())) == 1
    assert everywhere.status == 0


def test_a_flow_has_the_connections_and_handshakes_of_its_transport(everywhere: Finished) -> None:
    for flow in (one for one in flows(everywhere) if one["transport"] in TRANSPORTS):
        mixed = {endpoint["name"] for endpoint in flow["plan"]["endpoints"] if endpoint["by"] or endpoint["at"]}
        for seat in flow["seats"]:
            if seat["name"] in mixed:
                continue
            assert seat["address"]["transport"] == flow["transport"]
            assert (":" in seat["address"]["host"]) == (flow["family"] == "ipv6")
            established = [one for one in seat["connections"] if one["established_at"]]
            assert bool(established) == (flow["transport"] != "udp" and seat["kind"] != "backup")
            for one in established:
                assert (one["handshake"] is not None) == (flow["transport"] in ("tls", "wss"))
                assert (one["upgrade"] is not None) == (flow["transport"] in ("ws", "wss"))
                assert one["upgrade"] is None or one["upgrade"]["agreed"] == "sip"
                assert one["handshake"] is None or one["handshake"]["version"] == "TLSv1.3"


def test_the_keys_of_tls_are_kept_for_whoever_captured_it(everywhere: Finished) -> None:
    assert "CLIENT_TRAFFIC_SECRET_0 " in (everywhere.folder / "tls-keys.log").read_text()


def test_replay_reaches_the_same_verdicts(everywhere: Finished) -> None:
    assert replay(str(everywhere.folder)) == 0


def test_a_fault_of_websockets_is_caught_by_what_was_agreed_and_by_nothing_else(tmp_path: Path) -> None:
    asked = "test_contact_is_called or test_device_offers or test_device_agrees"
    run = run_suite(tmp_path, "--device", "reference:base", "--fault", "omits_subprotocol", "--", "-k", asked)
    seen = {(line["purpose"].rpartition("/")[2], line["role"], line["verdict"]) for line in run.records}
    assert seen == {
        ("device_offers_the_subprotocol", "uac", "fail"),
        ("device_offers_the_subprotocol", "b2bua", "fail"),
        ("device_agrees_on_the_subprotocol", "b2bua", "fail"),
        ("contact_is_called", "uac", "pass"),
        ("contact_is_called", "b2bua", "pass"),
    }


def test_a_fault_of_streams_is_caught_over_tcp(tmp_path: Path) -> None:
    asked = "test_refusal_is_sent_once_over_a_stream"
    run = run_suite(tmp_path, "--device", "reference:uas", "--fault", "repeats_refusal_over_streams", "--", "-k", asked)
    assert [(line["transport"], line["verdict"]) for line in run.records] == [("tcp", "fail")]
    assert "of them, the second after 0.5 s" in run.output
