"""Lawful habits of whole devices: no FAIL, no WARN, and nothing that was not seen (tests/run/devices/habits.py)."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from tests.run.suite import Finished, run_suite

DEVICES = Path(__file__).parent / "devices"
HABITS = DEVICES / "habits.toml"
SKIPPED = {"not_applicable", "not_tested"}
SOME = "redirected_request or redirect_is_followed or test_ack or decline_extras or messages or dialogs"


def verdicts(run: Finished) -> Counter[str]:
    return Counter(record["verdict"] for record in run.records)


@pytest.mark.parametrize("habit", ["inside", "trusts", "compact"])
def test_how_a_phone_writes_its_requests_is_its_own_affair(tmp_path: Path, habit: str) -> None:
    run = run_suite(tmp_path, "--device", f"{HABITS}:{habit}", "-k", SOME)
    assert set(verdicts(run)) <= {"pass", *SKIPPED}, run.output
    assert verdicts(run)["pass"] > 20, run.output


@pytest.mark.parametrize("habit", ["chatty", "ponders"])
def test_how_a_phone_answers_is_its_own_affair(tmp_path: Path, habit: str) -> None:
    """One that ponders takes 5 s to answer, as long as the quick window is."""
    run = run_suite(tmp_path, "--device", f"{HABITS}:{habit}")
    assert set(verdicts(run)) <= {"pass", *SKIPPED}, run.output
    assert verdicts(run)["pass"] > 25, run.output


def test_how_a_provider_writes_a_603plus_is_its_own_affair(tmp_path: Path) -> None:
    run = run_suite(tmp_path, "--device", f"{HABITS}:scribe", "--", "suites/plus603")
    assert set(verdicts(run)) <= {"pass", *SKIPPED}, run.output
    assert verdicts(run)["pass"] > 15, run.output


def test_a_phone_takes_no_order_while_it_plays_busy_tone(tmp_path: Path) -> None:
    some = ("-k", "after_a_decline or decline_is_final.py")
    run = run_suite(tmp_path, "--device", f"{HABITS}:busy", *some)
    assert set(verdicts(run)) <= {"pass", *SKIPPED}, run.output
    assert verdicts(run)["pass"] > 3, run.output


def test_an_undeclared_busy_tone_is_no_verdict_and_the_reason_names_the_key(tmp_path: Path) -> None:
    run = run_suite(tmp_path, "--device", f"{HABITS}:undeclared", "-k", "after_a_decline")
    assert verdicts(run)["inconclusive"] == 1, run.output
    [reason] = [record["reason"] for record in run.records if record["verdict"] == "inconclusive"]
    assert "pixit.busy_tone_s" in reason


def test_what_a_phone_with_one_contact_does_not_claim_is_not_asked(tmp_path: Path) -> None:
    run = run_suite(tmp_path, "--device", str(DEVICES / "plain.toml"), "-k", "redirect")
    assert set(verdicts(run)) <= {"pass", *SKIPPED}, run.output
    assert verdicts(run)["pass"] > 40, run.output


@pytest.mark.parametrize("claimed", [True, False])
def test_a_b2bua_that_answers_re_invites_itself_is_not_blamed_for_them(tmp_path: Path, claimed: bool) -> None:
    folder = tmp_path / "devices"
    shutil.copytree(DEVICES, folder)
    profile = folder / "habits.toml"
    if not claimed:
        changed = "pics = { b2bua_follows = true, sends_reinvite = false }"
        profile.write_text(profile.read_text().replace("pics.b2bua_follows = true", changed))
    run = run_suite(tmp_path, "--device", f"{profile}:anchors", "-k", "refused_reinvite")
    if claimed:
        assert set(verdicts(run)) <= {"inconclusive", *SKIPPED}, run.output
        reasons = {record["reason"] for record in run.records if record["verdict"] == "inconclusive"}
        assert all("answered the caller's re-INVITE itself" in reason for reason in reasons), reasons
    else:
        assert set(verdicts(run)) == set(SKIPPED), run.output


def test_a_phone_that_takes_one_call_at_a_time_gets_the_same_verdicts(tmp_path: Path) -> None:
    """What a later drive shows is a positive control for the earlier ones, too."""
    some = "decline_is_final.py or decline_extras or contact_is_called"
    run = run_suite(tmp_path, "--device", f"{HABITS}:serial", "-k", some)
    assert set(verdicts(run)) <= {"pass", *SKIPPED}, run.output
    assert verdicts(run)["pass"] > 8, run.output
