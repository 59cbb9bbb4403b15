"""Findings as people read them, and the summary of a run."""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
import termios

import pytest
from flows import HOSTILE, record, ruled
from rich.console import Console

from harness.judge.silence import NO_CONTROL, NO_LIFE, NOT_LISTENING, WINDOW
from harness.model.finding_key import FindingKey
from harness.model.printable import MASK, printable, redactor, short, xml
from harness.model.scope import Scope
from harness.model.verdict import Verdict
from harness.report.summary import Run, print_summary
from harness.report.text import explain

RULE = "the ACK repeats the INVITE's Request-URI"
KEY = FindingKey("RFC3261-17.1.1.3-01", "transaction/ack/ack_repeats_the_uri", "uac", "wrong-request-uri")
AGAIN = "sipverdict run --device reference -k ack_repeats_the_uri"


def test_a_fail_reads_like_a_bug_report() -> None:
    text = explain(
        ruled(
            Verdict.FAIL,
            "RFC3261-17.1.1.3-01",
            "MUST",
            expected=("ACK sip:7001001@127.20.0.2:5060", "nothing"),
            actual="ACK sip:moved@127.20.0.3:5060",
            event=4,
            where="message 4, at callee",
            means="the redirector goes on sending its 302 for 32 s",
            look_at="how the ACK is built from the transaction's own INVITE",
        ),
        RULE,
        "RFC 3261 §17.1.1.3",
        KEY,
        AGAIN,
    )
    assert text.splitlines() == [
        "RFC3261-17.1.1.3-01  MUST  the ACK repeats the INVITE's Request-URI",
        "expected  ACK sip:7001001@127.20.0.2:5060",
        "or        nothing",
        "actual    ACK sip:moved@127.20.0.3:5060 (message 4, at callee)",
        "means     the redirector goes on sending its 302 for 32 s",
        "look at   how the ACK is built from the transaction's own INVITE",
        "clause    RFC 3261 §17.1.1.3",
        "finding   RFC3261-17.1.1.3-01:transaction/ack/ack_repeats_the_uri:uac:wrong-request-uri",
        f"run only  {AGAIN}",
    ]


@pytest.mark.parametrize(
    ("code", "needed"),
    [(NOT_LISTENING, "1 of 4"), (WINDOW, "2 of 4"), (NO_CONTROL, "3 of 4"), (NO_LIFE, "4 of 4")],
)
def test_an_unproven_silence_names_the_missing_condition(code: str, needed: str) -> None:
    actual = "nothing arrived, but silence is not proven: some reason in any words"
    text = explain(ruled(Verdict.INCONCLUSIVE, code=code, actual=actual), RULE, "RFC 3261 §21.6", KEY, AGAIN)
    assert f"not seen  {actual}\n" in text
    assert f"needed    {needed}" in text


def test_other_inconclusives_say_what_was_not_seen() -> None:
    text = explain(
        ruled(Verdict.INCONCLUSIVE, actual="no INVITE of the device arrived"), RULE, "RFC 3261 §21.6", KEY, AGAIN
    )
    assert "not seen  no INVITE of the device arrived" in text
    assert "expected" not in text


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_findings_stay_short_and_printable(text: str) -> None:
    shown = explain(ruled(Verdict.FAIL, actual=text, means=text, expected=(text,)), text[:100], "c", KEY, AGAIN)
    assert len(shown) < 20_000
    assert all(line.isprintable() for line in shown.split("\n"))
    for columns in (1, 2, 30):
        assert len(short(text, columns)) <= columns


def test_printable_and_xml() -> None:
    assert printable("a\x1b[31m\u202eb\r\n") == "a\\x1b[31m\\u202eb\\x0d\\x0a"
    assert printable("Jürgen 漢字 ☎") == "Jürgen 漢字 ☎"
    assert xml('<a b="\'">&\0]]>') == "&lt;a b=&quot;&#x27;&quot;&gt;&amp;\\x00]]&gt;"
    assert short("sip:0123456789@127.20.0.3:5060", 20) == "sip:012345678…3:5060"


def test_secrets_are_masked() -> None:
    redact = redactor(["hunter2", "hunter22", ""])
    message = (
        'Proxy-Authorization: Digest username="a",\r\n response="b"\r\nFrom: <sip:a:pass@h>\r\nX: hunter22 hunter2'
    )
    assert redact(message) == (f"Proxy-Authorization: {MASK}\r\nFrom: <sip:a:{MASK}@h>\r\nX: {MASK} {MASK}")
    assert redactor()("INVITE sip:a@127.0.0.1:5060 SIP/2.0") == "INVITE sip:a@127.0.0.1:5060 SIP/2.0"


def summary(
    *records: object, planned: int | None = None, whole: int = 0, terminal: bool = False, width: int = 100
) -> str:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=width, color_system=None)
    count = len(records) if planned is None else planned
    print_summary(Run(records, count, Scope(40.0, count, whole), "standard (40 s)", 72.4, 2120.0, None), console)  # type: ignore[arg-type]
    return out.getvalue()


def test_all_pass_is_no_wall() -> None:
    text = summary(
        *(record(purpose=f"p{n}") for n in range(40)), record(purpose="s", skipped="not_applicable", reason="no")
    )
    assert text.splitlines() == [
        "reference: conforming in the 40 s window; later retries were not looked for - 40 pass, 1 not applicable",
        "window standard (40 s); took 1:12 min for 35:20 min of waits, 29.3 times as much",
    ]


def test_what_was_not_tested_is_one_line_per_cause_and_a_subset_is_called_one() -> None:
    skipped = [record(purpose=f"s{n}", skipped="not_tested", reason="needs a window of 40 s") for n in range(3)]
    gap = record(purpose="t", skipped="not_tested", reason="no stimulus to hangup")
    lines = summary(record(), *skipped, gap, whole=50).splitlines()
    assert lines[:2] == ["NOT TESTED  3 tests: needs a window of 40 s", "NOT TESTED  1 test: no stimulus to hangup"]
    assert lines[2] == (
        "reference: conforming in the 40 s window; later retries were not looked for - 1 pass, 4 not tested "
        "- a subset: 5 of the suite's 50 test cases"
    )


def test_each_finding_is_one_line_and_worst_first() -> None:
    records = [
        record(Verdict.WARN, "uac/w", ruled(Verdict.WARN, actual="w")),
        record(
            Verdict.FAIL,
            "uac/f",
            ruled(Verdict.FAIL, actual="[red]f[/red]\n\x1b[31m" + "x" * 5000),
            ruled(Verdict.FAIL, "B"),
        ),
        record(Verdict.INCONCLUSIVE, "uac/i", reason="not repeatable"),
        record(Verdict.NONE, "uac/n"),
        record(),
    ]
    plain = summary(*records).splitlines()
    assert [line.split()[0] for line in plain[:4]] == ["FAIL", "INCONCLUSIVE", "NONE", "WARN"]
    assert "RFC3261-21.6-01 +1" in plain[0]
    assert "[red]f[/red]\\x0a\\x1b[31m" in plain[0]
    assert "not repeatable" in plain[1]
    assert "not conforming (4 of 5 test cases came to a verdict)" in plain[4]
    table = summary(*records, terminal=True).splitlines()
    assert all(len(line) <= 100 for line in table[:-2])
    assert "\x1b" not in "".join(table)
    assert sum("uac/f" in line for line in table) == 1


def test_inconclusives_of_one_cause_share_a_line() -> None:
    def unseen(n: int) -> object:
        return record(Verdict.INCONCLUSIVE, f"uac/i{n}", reason=f"no INVITE arrived in {n} s")

    lines = summary(
        *map(unseen, range(39)), record(Verdict.INCONCLUSIVE, "uac/other", reason="not repeatable")
    ).splitlines()
    assert len([line for line in lines if line.startswith("INCONCLUSIVE")]) == 2
    assert "39 tests  first: uac/i0 (uac)  no INVITE arrived in 0 s" in lines[0]
    assert "uac/other" in lines[1]


def test_several_devices_are_grouped_and_holes_are_told() -> None:
    text = summary(record(device="a"), record(Verdict.FAIL, device="b"), planned=3)
    assert text.splitlines()[:2] == ["a: 1 pass", "b: 1 fail"]
    assert "a + b: not conforming (2 of 3" in text
    assert "incomplete (nothing was planned) - no verdicts" in summary()


def test_on_80_columns_two_tests_of_one_file_can_be_told_apart() -> None:
    why = "INVITE sip:74350004@127.145.0.10:5060 SIP/2.0 arrived 1 ms after the 603 (message 4), which was the last one"
    names = [f"uac/redirect_target_set/a_target_that_was_called_is_not_called_a_second_time_{n}" for n in (1, 2)]
    text = summary(
        *(record(Verdict.FAIL, name, ruled(Verdict.FAIL, actual=why), reason=why) for name in names),
        terminal=True,
        width=80,
    )
    lines = text.splitlines()
    for name in names:
        (line,) = [line for line in lines if name in line]
        assert line.startswith("fail          RFC3261-21.6-01  ")
    assert " ".join(text.split()).count(why) == 2
    assert all(len(line) <= 80 for line in lines if not any(name in line for name in names))


def test_lines_are_as_wide_as_they_may_be_and_words_stay_whole() -> None:
    said = "INVITE sip:73560003@127.180.0.5:5060 SIP/2.0 arrived " * 4
    for width in (60, 110):
        text = explain(ruled(Verdict.FAIL, actual=said, means=said), RULE, "RFC 3261 §21.6", KEY, AGAIN, width)
        widths = [len(line) for line in text.splitlines() if str(KEY) not in line]
        assert width - 30 < max(widths) <= width, text


def test_a_terminal_is_asked_for_its_width() -> None:
    """A pipe has none: what is stored is the same everywhere."""
    program = [sys.executable, "-c", "from harness.run.settings import Settings, _columns; print(_columns())"]
    parent, child = pty.openpty()
    termios.tcsetwinsize(child, (24, 72))
    try:
        done = subprocess.run(program, stdout=child, stdin=child, env=_without_columns(), check=True, timeout=60)
        assert (done.returncode, os.read(parent, 100).strip()) == (0, b"72")
    finally:
        os.close(child)
        os.close(parent)
    piped = subprocess.run(program, capture_output=True, env=_without_columns(), check=True, timeout=60)
    assert piped.stdout.strip() == b"110"


def _without_columns() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "COLUMNS"}
