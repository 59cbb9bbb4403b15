"""What does not apply was not asked, and for a reason: judging a run again works the reason out again."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from handmade import ACKED, CATALOGUE, CLAIMS, FINAL, PURPOSES, Maker

from harness.commands.replay import replay
from harness.evidence.rejudge import rejudge, unjudged
from harness.evidence.unasked import contradiction
from harness.model.finding import Finding, Ruled
from harness.model.outcome import Tally
from harness.model.verdict import Verdict
from harness.model.windows import QUICK, STANDARD
from harness.purposes.everywhere import NO_OCCASION
from harness.store.stored_run import StoredRun, read_run
from harness.store.verdict_lines import Declared, RequirementLine, VerdictLine

HUNG_UP = "uac/decline_is_final/hanging_up_after_a_decline_sends_nothing"
LATE_COPY = "transaction/copies/copy_after_31_seconds_is_acknowledged"
BEST = "proxy/best_response/redirection_is_preferred_to_a_failure"
UNFOLLOWED = "uac/without_following/redirection_is_a_failed_call"
ACROSS = "uac/redirect_to_another_family/contact_of_the_other_family_is_called"
FORWARDED = "uas/forwarding/call_that_is_over_is_not_merged"


def differences(run: StoredRun) -> list[str]:
    return [difference.why for difference in rejudge(run, CATALOGUE, PURPOSES).differences]


def changed(run: StoredRun, tmp_path: Path, at: int, **values: Any) -> StoredRun:
    """``run`` with these values in its record ``at``, counted again."""
    folder = tmp_path / "changed"
    shutil.copytree(run.folder, folder)
    entries = [json.loads(line) for line in (folder / "verdicts.jsonl").read_text().splitlines()]
    entries[1 + at] |= values
    tally = Tally.of((entry["verdict"] for entry in entries[1:-1]), entries[0]["planned"])
    entries[-1] |= {"executed": tally.executed, "counts": tally.counts, "verdict": str(tally.verdict)}
    (folder / "verdicts.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    return read_run(folder)


def skipped(reason: str, **more: Any) -> dict[str, Any]:
    return {"verdict": "not_applicable", "reason": reason, "evidence": [], "requirements": [], "drives": 0} | more


HANGUP = "the profile of phone has no stimulus to hangup"
REGISTRAR = "phone accepts no registrations: its profile lacks lab.registrar = true"
NUMBER = "the profile of phone lacks a number: lab.numbers.redirects"
SHORT = "needs a window of 40 s; this run's is 5 s (quick)"
UNDECLARED = "not applicable: the device does not declare not follows_redirects"
PHONE = Declared(
    "phone",
    ("uac", "uas", "proxy"),
    ("udp", "ws"),
    ("ipv4",),
    CLAIMS | {"forking_proxy": True, "stateful_proxy": True},
)
UNSEEN = asdict(
    RequirementLine.of(Ruled(Finding("RFC3261-21.6-01", "unseen", "not-seen"), "MUST", Verdict.INCONCLUSIVE, ""))
)


def why(
    name: str,
    reason: str,
    role: Any = "uac",
    window: Any = QUICK,
    verdict: Any = "not_tested",
    device: Declared = PHONE,
    **axes: Any,
) -> str:
    at = {"transport": "udp", "family": "ipv4"} | axes
    line = VerdictLine(name, "phone", role, *at.values(), verdict, reason, (), window.seconds, 0, ())
    return contradiction(line, PURPOSES[name], device, CATALOGUE, window)


@pytest.mark.parametrize(
    ("name", "role", "window", "reason"),
    [
        (HUNG_UP, "uac", QUICK, HANGUP),
        (LATE_COPY, "uac", QUICK, SHORT),
        (BEST, "proxy", QUICK, REGISTRAR),
        (FORWARDED, "uas", QUICK, SHORT),
        (FORWARDED, "uas", STANDARD, NUMBER),
        (UNFOLLOWED, "uac", QUICK, UNDECLARED),
    ],
)
def test_what_an_honest_run_says(name: str, role: str, window: Any, reason: str) -> None:
    kind, other_kind = ("not_tested", "not_applicable")[:: -1 if reason == UNDECLARED else 1]
    assert why(name, reason, role, window, kind) == ""
    assert f"stored {other_kind.replace('_', ' ')}, now {kind.replace('_', ' ')}" in (
        why(name, reason, role, window, other_kind)
    )
    for other in {HANGUP, SHORT, REGISTRAR, NUMBER, UNDECLARED, "it was raining"} - {reason}:
        assert why(name, other, role, window, kind) != "", other


def test_only_what_rests_on_flows_is_counted_as_judged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = Maker(tmp_path, purposes=(FINAL, ACKED, UNFOLLOWED)).make()
    assert replay(str(run.folder)) == 0
    assert f"2 records judged again from {run.folder} (1 not applicable): every verdict is the same" in (
        capsys.readouterr().out
    )
    unused = replace(run.records[0], verdict="inconclusive", evidence=())
    assert unjudged(replace(run, records=(unused, *run.records))) == " (1 not applicable, 1 without verdict)"
    untested = replace(run.records[0], verdict="not_tested", requirements=(), evidence=())
    assert unjudged(replace(run, records=(untested, *run.records))) == " (1 not tested, 1 not applicable)"


def test_only_who_has_to_be_called_over_a_websocket_was_not_reached() -> None:
    told = "phone opens no WebSockets (lab.opens_websockets): over ws it reaches only who has registered"
    assert why(HUNG_UP, told, transport="ws") == ""
    assert why(HUNG_UP, told) != ""
    assert why(FORWARDED, told, "uas", STANDARD, transport="ws") != ""
    assert why(HUNG_UP, told.replace("over ws", "over wss"), transport="ws") != ""


def test_only_who_would_change_the_family_lacks_the_other_one() -> None:
    claims = replace(PHONE, pics=PHONE.pics | {"both_families": True, "follows_redirects": True})
    for told in (
        "no endpoint can be reached over the other IP family: IPv6 loopback is no address of this machine",
        "the profile of phone names no address of this machine over IPv6: lab.tester in [over.udp6]",
    ):
        assert why(ACROSS, told, device=claims) == ""
        assert why(HUNG_UP, told, device=claims) != ""
        assert why(ACROSS, told) != ""
    assert why(ACROSS, told.replace("IPv6", "IPv4"), device=claims) != ""


def test_a_number_is_missing_only_where_one_is_called() -> None:
    assert why(FORWARDED, NUMBER.replace("redirects", "declines"), "uas", STANDARD) != ""
    assert why(HUNG_UP, NUMBER) != ""


def test_who_the_header_does_not_know_is_not_skipped() -> None:
    assert "among its roles" in why(LATE_COPY, SHORT, "b2bua")
    assert "among its transports" in why(LATE_COPY, SHORT, transport="tls")
    assert "among its families" in why(LATE_COPY, SHORT, family="ipv6")


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (skipped("not applicable: the device does not declare dns"), "stored not applicable (not applicable: the"),
        (skipped(HANGUP), "but RFC3261-21.6-01 applies to what the device declares"),
        (skipped(SHORT), "but RFC3261-21.6-01 applies to what the device declares"),
        (skipped(HANGUP, drives=1), "stored not applicable, but it has drives"),
        (skipped(NO_OCCASION, verdict="not_tested"), "stored not tested (no flow of this run gave an occasion), but"),
        ({"verdict": "not_applicable", "requirements": []}, "stored not applicable, but it has evidence and drives"),
        ({"evidence": []}, "stored pass, but it has no flow"),
        (
            skipped("it was raining", verdict="inconclusive") | {"requirements": [UNSEEN]},
            "stored inconclusive, but it has no flow",
        ),
    ],
)
def test_a_verdict_taken_out_is_found_out(values: dict[str, Any], told: str, run: StoredRun, tmp_path: Path) -> None:
    assert differences(run) == []
    found = differences(changed(run, tmp_path, 0, **values))
    assert len(found) == 1
    assert told in found[0]
