"""On a line that loses packets a violation counts only if no lost packet explains it; what it hides is asked again."""

from __future__ import annotations

import dataclasses

import pytest

from harness.model.finding import Finding
from harness.model.line import Line
from harness.model.verdict import Verdict
from harness.purposes.cut import despite_the_cut
from harness.purposes.line import FAILS, MOST_DRIVES, despite_the_line
from harness.purposes.settle import Assessment, conclude, wants_another
from tests.evidence.test_repeat import F, I, P, one
from tests.report.flows import flow

BAD = Line(300, 29)
FLOW = dataclasses.replace(
    flow(
        (0.0, "callee", "INVITE sip:7001001@127.20.0.2 SIP/2.0", ""),
        (0.1, "callee", "<SIP/2.0 603 Decline", ""),
        (0.2, "callee", "ACK sip:7001001@127.20.0.2 SIP/2.0", ""),
    ),
    line=BAD,
)
OURS, THEIRS = (next(e for e in FLOW.events if e.from_device is whose) for whose in (False, True))


def violation(event: int | None) -> Finding:
    return Finding("R", "violated", "wrong", actual="saw it", event=event)


@pytest.mark.parametrize(
    ("line", "loses"),
    [
        (Line(300, 0), False),
        (Line(300, 1), False),
        (Line(300, 2), True),
        (Line(300, 29), True),
        (Line(300, 280), False),
    ],
)
def test_a_line_loses_if_more_than_one_probe_is_missing_and_some_come_back(line: Line, loses: bool) -> None:
    assert line.loses is loses


def test_a_probe_and_its_answer_are_two_packets() -> None:
    assert BAD.share == pytest.approx(0.0495, abs=0.001)
    assert BAD.sentence == "the line loses about 5 % of the packets (29 of 300 OPTIONS stayed without an answer)"


def test_what_the_device_sent_stands_where_nothing_had_to_be_repeated() -> None:
    wrong = violation(THEIRS.number)
    assert despite_the_line([wrong], [FLOW]) == [wrong]


@pytest.mark.parametrize("event", [None, OURS.number], ids=["no message", "one of ours"])
def test_what_did_not_come_may_have_been_lost(event: int | None) -> None:
    [doubted] = despite_the_line([violation(event)], [FLOW])
    assert doubted.outcome == "unseen"
    assert doubted.actual.startswith("saw it - but the line loses about 5 %")
    # On a good line it stands.
    good = dataclasses.replace(FLOW, line=None)
    assert despite_the_line([violation(event)], [good]) == [violation(event)]


def test_a_repeated_message_shows_that_one_was_lost() -> None:
    last = FLOW.events[-1]
    copy = dataclasses.replace(THEIRS, number=last.number + 1, time=last.time + 0.5)
    repeated = dataclasses.replace(FLOW, events=(*FLOW.events, copy))
    [doubted] = despite_the_line([violation(THEIRS.number)], [repeated])
    assert doubted.outcome == "unseen"


def test_a_pass_is_a_pass() -> None:
    right = Finding("R", "satisfied", "as-required", actual="saw it")
    assert despite_the_line([right], [FLOW]) == [right]


def on_bad_line(*verdicts: Verdict) -> list[Assessment]:
    return [dataclasses.replace(one(verdict, disturbed=True), line=BAD) for verdict in verdicts]


@pytest.mark.parametrize(
    ("verdicts", "verdict"),
    [
        ((I, P), P),
        ((I, I, I, P), P),
        ((F, F, F), F),
        ((F, I, F, I, F), F),
        ((F, P), I),
        ((I,) * MOST_DRIVES, I),
        ((F, F, I, I, I, I), I),
        ((F, F, *(I,) * (MOST_DRIVES - 2)), I),
    ],
)
def test_what_is_unclear_is_asked_again(verdicts: tuple[Verdict, ...], verdict: Verdict) -> None:
    rounds = on_bad_line(*verdicts)
    assert all(wants_another(rounds[:count]) for count in range(1, len(rounds)))
    assert not wants_another(rounds)
    settled = conclude(rounds)
    assert settled.verdict is verdict
    if verdicts[0] is F and verdict is I and P in verdicts:
        assert "the line loses about 5 %" in settled.reason


def test_two_fails_are_too_few() -> None:
    assert wants_another(on_bad_line(*(F,) * (FAILS - 1)))
    assert conclude(on_bad_line(F, F)).verdict is I


# --- flows that were cut


def test_what_was_counted_over_a_cut_shows_nothing() -> None:
    cut = dataclasses.replace(FLOW, line=None, cut_at=FLOW.events[-1].time + 1)
    [doubted] = despite_the_cut([violation(None)], [cut])
    assert doubted.outcome == "unseen"
    assert "more came than a flow keeps" in doubted.actual
    # What the device had done before stands: a flood is judged by its beginning.
    assert despite_the_cut([violation(THEIRS.number)], [cut]) == [violation(THEIRS.number)]
    late = dataclasses.replace(cut, cut_at=THEIRS.time)
    assert despite_the_cut([violation(THEIRS.number)], [late])[0].outcome == "unseen"
