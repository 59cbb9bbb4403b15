"""The key of a finding: one line of data that a waiver names, whatever the sentences of the finding say."""

from __future__ import annotations

import dataclasses
import json
import shlex
import tomllib
from collections.abc import Callable
from datetime import date
from pathlib import Path

import handmade
import pytest
from handmade import CATALOGUE, FINAL, PURPOSES, Maker, redials

from harness.commands.gate import ask, gate
from harness.errors import PlanError, SetupError
from harness.judge.acks import refused
from harness.judge.declines import stays_declined
from harness.judge.say import Findings, expect, unseen, violated
from harness.model.finding_key import FindingKey
from harness.model.flow import Flow
from harness.model.outcome import ExitStatus
from harness.model.plan import Call, Plan
from harness.purposes.purpose import Purpose
from harness.run.suite_check import check_suite, malformed_codes
from harness.store.stored_run import StoredRun
from harness.store.verdict_lines import RequirementLine
from suites.plans import accept, callee, redirect, target

KEY = FindingKey("RFC3261-21.6-01", FINAL, "uac", "redialled")
LINE = "RFC3261-21.6-01:uac/decline_is_final/decline_is_final:uac:redialled"
TODAY = date(2026, 6, 1)


def test_key_is_one_line_that_can_be_pasted() -> None:
    assert str(KEY) == LINE
    assert FindingKey.parse(LINE) == KEY
    assert shlex.split(f"echo {LINE}") == ["echo", LINE] == ["echo", shlex.quote(LINE)]
    assert tomllib.loads(f'finding = "{LINE}"') == {"finding": LINE}


@pytest.mark.parametrize(
    "text",
    [
        "",
        LINE + "\n",
        LINE + " ",
        LINE.replace(":", " "),
        LINE.removesuffix(":redialled"),
        LINE + ":again",
        LINE.replace("redialled", "Redialled"),
        LINE.replace("redialled", "calls--again"),
        LINE.replace("redialled", "-again"),
        LINE.replace(FINAL, "decline_is_final"),
        LINE.replace(FINAL, "uac//x"),
        LINE.replace("redialled", "x" * 500),
        ":" * 100_000,
    ],
)
def test_nothing_else_is_a_key(text: str) -> None:
    with pytest.raises(ValueError, match="expected REQUIREMENT:PURPOSE:ROLE:CODE"):
        FindingKey.parse(text)


def test_every_purpose_and_requirement_of_the_suite_makes_a_key() -> None:
    for purpose in PURPOSES.values():
        for row in purpose.requirements:
            key = FindingKey(row, purpose.name, "b2bua", "no-ack")
            assert FindingKey.parse(str(key)) == key


def _reworded(flow: Flow) -> Findings:
    """The judge of a later release: the same rule and codes, other sentences."""
    refusal = refused(flow)
    if refusal is None:
        yield unseen("no 603 in this flow", code="not-sent")
        return
    found = stays_declined(flow, refusal, means="the caller annoys the callee", look_at="the redial settings")
    if found.outcome == "violated":
        found = dataclasses.replace(found, expected=("silence after the ACK",), actual="the device called once more")
    yield found


def _another_defect(flow: Flow) -> Findings:
    """A judge that sees something else wrong and says so in the old words."""
    for found in PURPOSES[FINAL].judge(flow):
        yield dataclasses.replace(found, code="called-elsewhere") if found.outcome == "violated" else found


@pytest.fixture
def made_by(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., StoredRun]:
    """Make a run of a device that redials, with another judge in place of the purpose's own."""

    def make(judge: Callable[..., Findings]) -> StoredRun:
        purpose = dataclasses.replace(PURPOSES[FINAL], judge=judge)
        monkeypatch.setattr(handmade, "PURPOSES", {**PURPOSES, FINAL: purpose})
        return Maker(tmp_path / judge.__name__, tries=redials, purposes=(FINAL,)).make()

    return make


@pytest.fixture
def waivers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """The waiver for the finding of a device that redials, drafted and signed."""
    run = Maker(tmp_path / "before", tries=redials, purposes=(FINAL,)).make()
    gate(str(run.folder), "", None, draft=True)
    draft = capsys.readouterr().out.replace('= ""', '= "Ada"').replace("expires = #", "expires = 2026-06-01 #")
    path = tmp_path / "waivers.toml"
    path.write_text(draft)
    assert f"finding = {json.dumps(LINE)}\n" in draft
    return path


def _row(run: StoredRun) -> RequirementLine:
    (record,) = run.records
    (row,) = record.requirements
    return row


def test_waiver_matches_a_finding_whose_sentences_were_reworded(
    made_by: Callable[..., StoredRun], waivers: Path
) -> None:
    before, after = made_by(PURPOSES[FINAL].judge), made_by(_reworded)
    old, new = _row(before), _row(after)
    assert (old.id, old.outcome, old.code) == (new.id, new.outcome, new.code)
    assert not {*old.expected, old.actual, old.means} & {*new.expected, new.actual, new.means}
    for run in (before, after):
        found = ask(run, "", waivers, TODAY)
        assert (found.status, found.problems, len(found.waived)) == (ExitStatus.CONFORMING, (), 1)


def test_waiver_of_another_code_does_not_match_the_same_sentences(
    made_by: Callable[..., StoredRun], waivers: Path
) -> None:
    before, after = made_by(PURPOSES[FINAL].judge), made_by(_another_defect)
    assert _row(before).actual == _row(after).actual
    found = ask(after, "", waivers, TODAY)
    assert found.status is ExitStatus.NOT_CONFORMING
    assert [one.key.code for one in found.blocking] == ["called-elsewhere"]
    assert found.waived == ()
    (stale,) = found.problems
    assert stale.startswith(f"stale: waiver 1 ({LINE} of phone, udp; owner: Ada) no longer matches")


def test_waiver_needs_no_more_than_the_key_besides_owner_reason_and_date(waivers: Path) -> None:
    (entry,) = tomllib.loads(waivers.read_text())["waiver"]
    assert set(entry) == {"owner", "reason", "expires", "device", "transport", "family", "verdict", "finding"}


# --- codes


@pytest.mark.parametrize("code", ["", "No-ACK", "no ack", "no_ack", "-no-ack", "no--ack", "no-ack\n"])
def test_malformed_code_is_refused_where_a_finding_is_made(code: str) -> None:
    with pytest.raises(ValueError, match="the code of a finding is words"):
        violated(code=code, expected="x", actual="y")
    with pytest.raises(ValueError, match="the code of a finding is words"):
        expect(False, code=code, expected="x", actual="y")
    with pytest.raises(ValueError, match="the code of a finding is words"):
        unseen("why", code=code)


def _judge_with_malformed_codes(flow: Flow) -> Findings:
    yield violated(code="Calls Again" if flow.events else "calls_again", expected="x", actual="y")


def test_malformed_code_is_found_at_collection() -> None:
    purpose: Purpose = dataclasses.replace(PURPOSES[FINAL], judge=_judge_with_malformed_codes)
    with pytest.raises(PlanError) as refused:
        check_suite([purpose], CATALOGUE)
    assert isinstance(refused.value, SetupError)
    assert "'Calls Again' is no code" in refused.value.cause
    assert "'calls_again' is no code" in refused.value.cause


def test_contact_without_brackets_is_asked_over_udp_alone() -> None:
    plan = Plan((callee(redirect("sip:9{token}@{target};q=0.5")), target(accept())))
    bare: Purpose = dataclasses.replace(PURPOSES[FINAL], plans_by_role={"": (plan,)})
    with pytest.raises(PlanError, match="without brackets ;transport is no parameter of the URI"):
        check_suite([bare], CATALOGUE)
    over_udp = dataclasses.replace(plan, over=("udp",))
    check_suite([dataclasses.replace(bare, plans_by_role={"": (over_udp,)})], CATALOGUE)


def test_contact_names_its_transport_once() -> None:
    plan = Plan((callee(redirect("<sip:9{token}@{target};transport=udp>")), target(accept())))
    twice: Purpose = dataclasses.replace(PURPOSES[FINAL], plans_by_role={"": (plan,)})
    with pytest.raises(PlanError, match="over TCP its URI has ;transport twice"):
        check_suite([twice], CATALOGUE)


def test_number_begins_with_the_digits_of_the_dial_plan() -> None:
    plan = Plan((callee(accept()),), calls=(Call(to="sip:1{token}@{callee}"),))
    late: Purpose = dataclasses.replace(PURPOSES[FINAL], plans_by_role={"": (plan,)})
    with pytest.raises(PlanError, match=r"a dial plan goes by the first digits, and those are lab\.prefix"):
        check_suite([late], CATALOGUE)


def test_codes_of_the_suite_are_well_formed() -> None:
    check_suite(PURPOSES.values(), CATALOGUE)
    assert malformed_codes("harness.judge.declines") == []
