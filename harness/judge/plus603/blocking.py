"""The 603+ of a device that blocks a call itself: status line, Reason, location, and how soon it comes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.judge.answers import Asked, asked, why_not_refused
from harness.judge.say import Findings, expect, satisfied, unseen, violated
from harness.model.finding import Finding
from harness.model.flow import Event, Flow
from harness.model.verdict import Verdict
from harness.sip.plus603 import PHRASE, Plus603, Problem

AT_ONCE_S = 2.0
"""Seconds within which a block that is returned "immediately" comes; no rule gives a figure, so more is a warning."""
FORM = 'Reason: SIP;cause=603;text="v=analytics1;url=https://…";location=TN (or Q.850;cause=21)'
UNKNOWN_CALLER = "a caller whose call was blocked learns neither that nor where to complain"


@dataclass(frozen=True)
class Block:
    """A call that the device was to block, and what it answered."""

    asked: Asked
    final: Event

    @property
    def read(self) -> Plus603:
        """Its answer, read as a 603+."""
        return Plus603(self.final)


def blocks_of(flow: Flow) -> Iterator[Block | Finding]:
    """The answer to each call; or why there is none to judge."""
    found = asked(flow)
    if not found:
        yield unseen(why_not_refused(flow), code="not-answered")
    for number, one in enumerate(found, 1):
        if one.final is None:
            yield unseen(f"call {number} got no final response: {why_not_refused(flow)}", code="not-answered")
        elif one.status < 300:
            said = f"call {number} to lab.numbers.blocked was answered {one.final.start_line}: it was not blocked"
            yield unseen(said, code="not-blocked")
        else:
            yield Block(one, one.final)


def status_of(block: Block) -> Finding:
    """A call that analytics blocked is answered 603, and no other code."""
    final = block.final
    return expect(
        final.status == 603,
        code="other-status",
        expected=f"SIP/2.0 603 {PHRASE}",
        actual=final.start_line,
        event=final,
        means="the caller's provider takes the block for another failure, and tries another route",
        look_at="the response that the blocking rule is configured to send: 607 and 608 are for other blocks",
    )


def phrase_of(block: Block) -> Finding:
    """Its reason phrase is ``Network Blocked``."""
    final = block.final
    if final.status != 603:
        return unseen(f"the call was answered {final.start_line} (another rule covers this)", code="other-status")
    return expect(
        block.read.has_phrase,
        code="other-phrase",
        expected=f"SIP/2.0 603 {PHRASE}",
        actual=final.start_line,
        event=final,
        means="everybody in the path takes the block for a person who declined",
        look_at="where the phrase of the response is set: most products say Decline by default",
    )


def reason_of(block: Block) -> Findings:
    """Its Reason says that analytics blocked the call, and where to complain."""
    final, read = block.final, block.read
    if final.status != 603:
        yield unseen(f"the call was answered {final.start_line} (another rule covers this)", code="other-status")
        return
    problems = list(read.problems())
    notes = "; ".join(problem.text for problem in problems if problem.weight == "note")
    serious = [problem for problem in problems if problem.weight != "note"]
    for problem in serious:
        yield _violation(problem, final)
    if not serious:
        yield satisfied(f"redress: {read.redress}", event=final, note=notes)


def location_of(block: Block) -> Finding:
    """Its Reason says which network blocked the call."""
    if block.read.carrier is None:
        return unseen("it has no Reason of a 603+ (another rule covers this)", code="no-reason")
    problem = block.read.location_problem()
    if problem is None:
        return satisfied(f"location={block.read.redress.location}", event=block.final)
    return _violation(problem, block.final, "location=LN, TN, RLN, LPN or RPN")


def timing_of(block: Block) -> Iterator[Finding]:
    """It comes at once: nobody's phone rings first."""
    rang = next((r for r in block.asked.provisionals if r.status == 180), None)
    other = next((r for r in block.asked.provisionals if (r.status or 0) > 100), None)
    late = block.final.time - block.asked.request.time
    if rang or other:
        said = rang or other
        yield violated(
            code="rang-first" if rang else "provisional-first",
            expected="no 180 before the 603: it is returned immediately",
            actual=f"{said.start_line} came before it" if said else "",
            event=said,
            means="the caller hears ringing for a call that nobody will answer",
            look_at="is the analytics check made before the call is placed?",
            # An announcement is no ringing; that it delays the answer is for people to judge.
            at_most=Verdict.FAIL if rang else Verdict.WARN,
        )
    elif late > AT_ONCE_S:
        yield violated(
            code="late",
            expected=f"the response within {AT_ONCE_S:g} s: it is returned immediately",
            actual=f"it came {late:.1f} s after the INVITE",
            event=block.final,
            means="the caller waits for a call that was never placed",
            look_at="how long the analytics service may take",
            at_most=Verdict.WARN,
        )
    else:
        yield satisfied(f"{late * 1000:.0f} ms after the INVITE, without ringing", event=block.final)


def _violation(problem: Problem, final: Event, expected: str = FORM) -> Finding:
    shown = ", ".join(final.headers("Reason"))[:400] or "(none)"
    return violated(
        code=problem.code,
        expected=f"{expected}  [{problem.clause}]",
        actual=f"{problem.text}; Reason: {shown}",
        event=final,
        means=UNKNOWN_CALLER,
        look_at="the Reason that the blocking rule is configured to send",
        at_most=Verdict.WARN if problem.weight == "warn" else Verdict.FAIL,
    )
