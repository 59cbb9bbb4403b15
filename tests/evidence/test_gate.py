"""The gate: what opens it, what shuts it, and what is said of each.  Stored runs; real ones are in tests/run."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from handmade import ACKED, CATALOGUE, FINAL, PURPOSES, WAIVED, WHOLE, Maker, behaves, redials, redials_once

from harness.cli import main
from harness.commands.gate import ask, gate, gate_input
from harness.model.outcome import ExitStatus
from harness.model.windows import QUICK
from harness.policy.gate import Answer, Gate, answer
from harness.policy.waivers import load
from harness.purposes.everywhere import NO_OCCASION
from harness.store.stored_run import StoredRun, read_run
from harness.store.verdict_lines import Gated, VerdictLine

TODAY = date(2026, 6, 1)
KEY = f"RFC3261-21.6-01:{FINAL}:uac:redialled"
SKIPPED = "uac/redirect_hunts/next_contact_is_tried_after_a_failure"


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> StoredRun:
    return Maker(tmp_path_factory.mktemp("failing"), tries=redials).make()


@pytest.fixture(scope="module")
def unsteady(tmp_path_factory: pytest.TempPathFactory) -> StoredRun:
    return Maker(tmp_path_factory.mktemp("unsteady"), tries=redials_once).make()


def waiver(run: StoredRun, **changes: str) -> str:
    """The text of a waiver for what keeps the gate shut in ``run``."""
    (found,) = ask(run, "").blocking
    told = {
        "owner": "Ada",
        "reason": "ticket 7",
        "expires": "2026-06-01",
        "device": found.line.device,
        "transport": "udp",
        "family": "ipv4",
        "verdict": found.found.verdict,
        "finding": str(found.key),
    } | changes
    return "[[waiver]]\n" + "".join(
        f"{key} = {value if key == 'expires' else json.dumps(value)}\n" for key, value in told.items()
    )


def let(run: StoredRun, text: str, folder: Path, name: str = "", today: date = TODAY) -> Answer:
    (folder / "waivers.toml").write_text(text)
    return ask(run, name, folder / "waivers.toml", today)


@pytest.mark.parametrize("name", ["", "must", "should", "profile:tiny"])
def test_conforming(run: StoredRun, name: str) -> None:
    found = ask(run, name)
    assert (found.status, found.blocking, found.problems) == (0, (), ())


@pytest.mark.parametrize("name", ["", "must", "should", "profile:tiny"])
def test_failing(failing: StoredRun, name: str) -> None:
    found = ask(failing, name)
    assert found.status is ExitStatus.NOT_CONFORMING
    (one,) = found.blocking
    assert one.title.startswith(f"fail: RFC3261-21.6-01 in {FINAL} (phone, uac, udp), finding ")
    assert "shut (exit status 1), 1 findings count" in found.sentence


def test_inconclusive(unsteady: StoredRun) -> None:
    assert ask(unsteady, "must").status is ExitStatus.INCONCLUSIVE


def test_without_a_name_the_gate_says_what_the_tally_says(
    run: StoredRun, failing: StoredRun, unsteady: StoredRun
) -> None:
    for stored in (run, failing, unsteady):
        assert ask(stored, "").status is stored.tally.exit_status


def _line(run: StoredRun, verdict: Any, row: str) -> VerdictLine:
    line = run.records[0]
    return replace(line, verdict=verdict, requirements=(replace(line.requirements[0], id=row, verdict=verdict),))


MUST_ROW, SHOULD_ROW, MAY_ROW = "RFC3261-8.1.3.4-02", "RFC3261-9.1-01", "RFC3261-13.2.2.2-01"


@pytest.mark.parametrize(
    ("verdict", "row", "open_in"),
    [
        ("fail", MUST_ROW, ()),
        ("fail", SHOULD_ROW, ()),
        ("inconclusive", MUST_ROW, ()),
        ("inconclusive", SHOULD_ROW, ("must",)),
        ("none", MUST_ROW, ()),
        ("warn", MUST_ROW, ("", "must")),
        ("warn", SHOULD_ROW, ("", "must")),
        ("warn", MAY_ROW, ("", "must", "should")),
        ("pass", MUST_ROW, ("", "must", "should")),
    ],
)
def test_what_each_gate_counts(verdict: str, row: str, open_in: tuple[str, ...], run: StoredRun) -> None:
    told = replace(gate_input(run), records=[_line(run, verdict, row)], planned=1, missing=())
    for name in ("", "must", "should"):
        found = answer(Gate.of(name, CATALOGUE), told, (), CATALOGUE, PURPOSES, TODAY)
        assert (found.status == 0) == (name in open_in), name


def test_device_that_could_not_be_used_at_all(run: StoredRun) -> None:
    line = replace(_line(run, "inconclusive", MUST_ROW), requirements=(), reason="it did not start")
    found = answer(
        Gate(), replace(gate_input(run), records=[line], planned=1, missing=()), (), CATALOGUE, PURPOSES, TODAY
    )
    assert found.status is ExitStatus.INCONCLUSIVE
    assert found.blocking[0].found.requirement == "none"


# --- what is missing


def test_missing_purpose(tmp_path: Path) -> None:
    stored = Maker(tmp_path, planned=(ACKED,)).make()
    found = ask(stored, "must")
    assert found.status is ExitStatus.INCONCLUSIVE
    assert found.problems == (
        "incomplete: 8 of 9 test cases came to a verdict",
        f"no verdict: {ACKED} phone-uac-udp",
    )


def test_stream_without_its_footer(run: StoredRun, tmp_path: Path) -> None:
    lines = (run.folder / "verdicts.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "verdicts.jsonl").write_text("".join(lines[:-1]))
    found = ask(read_run(tmp_path, cut_off=True), "")
    assert found.status is ExitStatus.INCONCLUSIVE
    assert found.problems[0].startswith("incomplete: the run has no footer")


def test_nothing_planned(tmp_path: Path) -> None:
    found = ask(Maker(tmp_path, purposes=()).make(), "must")
    assert found.status is ExitStatus.INCONCLUSIVE
    assert found.problems == ("incomplete: 0 of 0 test cases came to a verdict",)


def test_profile_that_was_not_asked_whole(tmp_path: Path) -> None:
    stored = Maker(tmp_path, purposes=tuple(name for name in WHOLE if name != FINAL)).make()
    assert ask(stored, "must").status is ExitStatus.CONFORMING
    found = ask(stored, "profile:tiny")
    assert found.status is ExitStatus.INCONCLUSIVE
    assert found.problems == (f"profile:tiny: not executed: RFC3261-21.6-01 in {FINAL} (phone, uac, udp)",)


def test_profile_of_which_the_device_has_no_role(tmp_path: Path) -> None:
    stored = Maker(tmp_path, device={"roles": ("proxy",)}).make()
    assert (
        "profile:tiny: phone has none of the profile's roles (uac); it is proxy" in ask(stored, "profile:tiny").problems
    )


def test_profile_counts_only_its_own_requirements(tmp_path: Path) -> None:
    def silent_ack(plan: Any, attempt: int) -> Any:
        return [replace(one, acked_at="") for one in behaves(plan, attempt)]

    stored = Maker(tmp_path, purposes=WHOLE, tries=silent_ack).make()
    assert ask(stored, "profile:tiny").status is ExitStatus.CONFORMING


def test_window_that_is_too_short_for_a_profile(tmp_path: Path) -> None:
    stored = Maker(tmp_path, window=QUICK).make()
    assert ask(stored, "must").status is ExitStatus.CONFORMING
    found = ask(stored, "profile:tiny")
    assert found.status is ExitStatus.INCONCLUSIVE
    assert found.problems[0].startswith("profile:tiny: the window is 5 s; a profile needs standard (40 s")


def test_a_subset_that_decides_all_of_a_profile_opens_its_gate(tmp_path: Path) -> None:
    stored = Maker(tmp_path, header={"whole": 11}, purposes=WHOLE).make()
    assert ask(stored, "profile:tiny", subset=False).status is ExitStatus.CONFORMING
    less = Maker(tmp_path / "less", header={"whole": 11}, purposes=WHOLE[1:]).make()
    found = ask(less, "profile:tiny", subset=False)
    assert found.status is ExitStatus.INCONCLUSIVE
    assert "not executed: " in found.problems[0]


@pytest.mark.parametrize("name", ["", "must", "should"])
def test_a_subset_opens_no_gate_unless_it_may(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stored = Maker(tmp_path, header={"whole": 11}, purposes=WHOLE).make()
    assert main(["gate", str(stored.folder), "--gate", name]) == ExitStatus.INCONCLUSIVE
    assert "a subset: 10 of the suite's 11 test cases; a gate needs the whole suite" in capsys.readouterr().out
    assert main(["gate", str(stored.folder), "--gate", name, "--allow-subset"]) == ExitStatus.CONFORMING
    assert main(["badge", str(stored.folder), "-o", str(tmp_path / "badge.svg")]) == 0
    assert "conforming in 40 s, 10 passed, a subset (10 of 11 tests)" in (tmp_path / "badge.svg").read_text()


@pytest.mark.parametrize(
    ("verdict", "reason"),
    [("not_tested", "the profile of phone has no stimulus to hangup"), ("pass", NO_OCCASION)],
)
def test_required_row_that_was_not_tested_keeps_a_profile_shut(verdict: Any, reason: str, run: StoredRun) -> None:
    """Also where an invariant had occasions, but none for this row."""
    early = "transaction/completed/decline_needs_no_ringing_before_it"
    (number,) = (number for number, one in enumerate(run.records) if one.purpose == early)
    other = (replace(run.records[0].requirements[0], id=SHOULD_ROW),) if verdict == "pass" else ()
    records = list(run.records)
    records[number] = replace(records[number], verdict=verdict, reason=reason, requirements=other)
    told = replace(gate_input(run), records=records)
    found = answer(Gate.of("profile:tiny", CATALOGUE), told, (), CATALOGUE, PURPOSES, TODAY)
    assert found.status is ExitStatus.INCONCLUSIVE
    assert found.problems == (f"profile:tiny: not tested: INT-603-EARLY-01 (phone, uac, udp): {early}: {reason}",)


# --- waivers


def test_waived(failing: StoredRun, tmp_path: Path) -> None:
    found = let(failing, waiver(failing), tmp_path)
    assert found.status is ExitStatus.CONFORMING
    assert found.sentence == "gate: open, 1 waived"
    assert any(
        line.startswith("waived until 2026-06-01: fail: RFC3261-21.6-01") for line in found.sentences(gated=True)
    )
    assert found.footer.waived[0].owner == "Ada"


def test_waiver_expired(failing: StoredRun, tmp_path: Path) -> None:
    found = let(failing, waiver(failing), tmp_path, today=date(2026, 6, 2))
    assert found.status is ExitStatus.NOT_CONFORMING
    assert found.problems == (
        f"expired: waiver 1 ({KEY} of phone, udp; owner: Ada) was valid until 2026-06-01; its finding counts again",
    )


def test_improvement_makes_a_waiver_stale(failing: StoredRun, run: StoredRun, tmp_path: Path) -> None:
    found = let(run, waiver(failing), tmp_path)
    assert found.status is ExitStatus.SETUP
    (problem,) = found.problems
    assert problem.startswith(f"stale: waiver 1 ({KEY} of phone, udp; owner: Ada) no longer")
    assert problem.endswith("the verdict is pass now; remove or renew it")


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"finding": KEY.replace("redialled", "called-early")}, 1, f"the finding is {KEY} now"),
        ({"verdict": "inconclusive"}, 1, "the verdict is fail now"),
        ({"finding": KEY.replace("21.6", "21.6.1")}, 1, "has no finding about RFC3261-21.6.1-01"),
        ({"device": "fax"}, 1, ""),
        ({"finding": KEY.replace(":uac:", ":b2bua:")}, 1, ""),
    ],
)
def test_waiver_holds_for_exactly_one_finding(
    changes: dict[str, str], status: int, words: str, failing: StoredRun, tmp_path: Path
) -> None:
    found = let(failing, waiver(failing, **changes), tmp_path)
    assert found.status == status
    assert len(found.problems) == bool(words)
    assert all(words in problem for problem in found.problems)


def test_waiver_that_no_gate_needs_is_stale(failing: StoredRun, unsteady: StoredRun, tmp_path: Path) -> None:
    """The warning that ``must`` lets through anyway needs no waiver; what did not change does not become one."""
    assert let(failing, waiver(failing), tmp_path, "must").status == 0
    assert let(unsteady, waiver(unsteady), tmp_path, "must").status == 0
    assert let(unsteady, waiver(failing), tmp_path, "must").status is ExitStatus.SETUP


def test_finding_keeps_its_key_from_run_to_run(failing: StoredRun, tmp_path: Path) -> None:
    def elsewhere(plan: Any, attempt: int) -> Any:
        return [
            replace(one, branch=f"z9hG4bK{attempt}{n}ffe", call_id=f"{n}x@h")
            for n, one in enumerate(redials(plan, attempt))
        ]

    other = Maker(tmp_path, tries=elsewhere).make()
    assert let(other, waiver(failing), tmp_path).status == 0


BAD: dict[str, tuple[Callable[[str], str], str]] = {
    "no TOML": (lambda text: text.replace("[[", "[", 1), "is not TOML"),
    "one table": (lambda text: text.replace("[[waiver]]", "[waiver]"), "expected [[waiver]] tables"),
    "other table": (lambda text: text.replace("[[waiver]]", "[[wavier]]"), "wavier: unknown key"),
    "no owner": (lambda text: text.replace('owner = "Ada"\n', ""), "waiver 1: owner: missing"),
    "empty reason": (lambda text: text.replace("ticket 7", "  "), "waiver 1: reason: expected some text, found none"),
    "draft": (lambda text: text.replace("expires = 2026-06-01", "expires = # a date"), "leaves the dates open"),
    "date as text": (lambda text: text.replace("2026-06-01", '"soon"'), "waiver 1: expires: expected a date"),
    "unknown key": (lambda text: text + 'team = "x"\n', "waiver 1: team: unknown key"),
    "unknown purpose": (
        lambda text: text.replace("decline_is_final/dec", "x/dec"),
        "finding: the suite has no purpose 'uac/x/",
    ),
    "unknown requirement": (
        lambda text: text.replace("21.6-01", "21.6-77"),
        "finding: the suite has no requirement 'RFC3261-21.6-77'",
    ),
    "no key": (lambda text: text.replace("redialled", "rings again"), "finding: expected a finding's key"),
    "pass": (
        lambda text: text.replace('verdict = "fail"', 'verdict = "pass"'),
        "expected fail, inconclusive or warn",
    ),
    "twice": (lambda text: text * 2, "waiver 2: the same finding as waiver 1"),
    "deep": (lambda _: "x = " + "[" * 50_000, "is not TOML"),
    "huge": (lambda text: text + "#" * 1_100_000, "larger than 1024 KiB"),
}


@pytest.mark.parametrize("name", BAD)
def test_waivers_file_that_is_wrong(
    name: str, failing: StoredRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change, words = BAD[name]
    path = tmp_path / "waivers.toml"
    path.write_text(change(waiver(failing)))
    assert main(["gate", str(failing.folder), "--waivers", str(path)]) == 3
    told = capsys.readouterr().err
    assert f"{path}: " in told
    assert words in told
    assert "hint:" in told


def test_no_waivers_file(failing: StoredRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gate", str(failing.folder), "--waivers", str(tmp_path / "none.toml")]) == 3
    assert main(["gate", str(failing.folder), "--waivers", str(tmp_path)]) == 3
    assert "expected a waivers file, found nothing" in capsys.readouterr().err
    (tmp_path / "empty.toml").write_text("")
    assert load(tmp_path / "empty.toml", CATALOGUE) == ()


def test_draft_of_a_waiver_becomes_one(failing: StoredRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert gate(str(failing.folder), "must", None, draft=True) == 1
    text = capsys.readouterr().out
    filled = text.replace('owner = ""', 'owner = "Ada"').replace('reason = ""', 'reason = "r"')
    found = let(failing, filled.replace("expires = #", "expires = 2030-01-01 #"), tmp_path)
    assert (found.status, len(found.waived)) == (0, 1)


def with_lines(run: StoredRun, tmp_path: Path, change: Callable[[list[Any]], None]) -> Path:
    """A copy of the verdicts of ``run``, changed, in a folder of its own."""
    entries = [json.loads(text) for text in (run.folder / "verdicts.jsonl").read_text().splitlines()]
    change(entries)
    (tmp_path / "verdicts.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    return tmp_path


def test_draft_for_a_device_of_any_name(failing: StoredRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def renamed(entries: list[Any]) -> None:
        for entry in entries[1:-1]:
            entry["device"] = "phone \U0001f600 \x7f"

    folder = with_lines(failing, tmp_path, renamed)
    assert gate(str(folder), "must", None, draft=True) == 1
    filled = capsys.readouterr().out.replace("expires = #", "expires = 2030-01-01 #")
    (tmp_path / "waivers.toml").write_text(filled.replace('= ""', '= "Ada"'))
    (waiver,) = load(tmp_path / "waivers.toml", CATALOGUE)
    assert waiver.device == "phone \U0001f600 \\x7f"


def test_device_that_does_not_say_its_roles(run: StoredRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def bare(entries: list[Any]) -> None:
        del entries[0]["devices"][0]["roles"]

    folder = with_lines(run, tmp_path, bare)
    assert main(["gate", str(folder), "--gate", "profile:tiny"]) == 4
    assert "verdicts.jsonl, line 1: devices.0.roles: missing" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--gate", "most"], "no gate is called 'most'"),
        (["--gate", "profile:tinny"], "the nearest: tiny"),
        (["--gate", "profile"], "must, should or profile:NAME"),
    ],
)
def test_gate_that_there_is_not(
    arguments: list[str], words: str, run: StoredRun, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["gate", str(run.folder), *arguments]) == 3
    assert words in capsys.readouterr().err


def test_run_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gate", str(tmp_path)]) == 4
    assert "expected the verdicts of a run" in capsys.readouterr().err


# --- the badge


@pytest.mark.parametrize(
    ("which", "words"),
    [("run", "conforming in 40 s, 10 passed"), ("failing", "not conforming, 1 failed"), ("unsteady", "inconclusive")],
)
def test_badge(which: str, words: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    from xml.etree import ElementTree

    stored: StoredRun = request.getfixturevalue(which)
    assert main(["badge", str(stored.folder), "-o", str(tmp_path / "badge.svg")]) == 0
    text = (tmp_path / "badge.svg").read_text()
    assert ElementTree.fromstring(text).get("aria-label") == f"SIP 302/603: {words}"
    assert "href" not in text
    assert "<script" not in text


def test_badge_says_that_there_were_waivers(tmp_path: Path) -> None:
    stored = Maker(tmp_path / "run", gate=Gated("must", 0, (WAIVED, WAIVED))).make()
    assert main(["badge", str(stored.folder), "-o", str(tmp_path / "badge.svg")]) == 0
    assert "conforming in 40 s, 8 passed, 2 waived" in (tmp_path / "badge.svg").read_text()
