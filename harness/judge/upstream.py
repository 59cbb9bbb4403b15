"""What came back to the caller of a proxy: one outcome or several, and what a relayed response has kept.

The requests of the callers and their responses are read by :mod:`harness.judge.answers`.
"""

from __future__ import annotations

from harness.judge.answers import Asked, unproven
from harness.judge.patience import may_yet_come
from harness.judge.say import not_proven, unseen, violated
from harness.model.finding import Finding
from harness.model.flow import Event, Flow
from harness.model.verdict import Verdict
from harness.sip.message import close_up, split_list

PROMPT_S = 2.0
"""Seconds after the end of the last branch within which the caller must get its final response."""
CROSSING_S = 0.1
"""Seconds by which two messages at two endpoints must be apart for their order to be certain."""
HANGS = "the caller hears ringing, or nothing, until the call times out"


def outcomes(asked: Asked) -> tuple[Event, ...]:
    """The final responses that the caller got, without their copies: one, unless the device gave two outcomes."""
    found: list[Event] = []
    for final in asked.finals:
        if not any(is_copy(final, earlier) for earlier in found):
            found.append(final)
    return tuple(found)


def is_copy(later: Event, earlier: Event) -> bool:
    """Whether a final response repeats another: status and To tag tell, other bytes may differ (received, a clock)."""
    return (later.status, (later.to_tag or "").lower()) == (earlier.status, (earlier.to_tag or "").lower())


def values(message: Event, name: str) -> tuple[str, ...]:
    """The values of header ``name``, in order: lists taken apart, and written without blanks that mean nothing."""
    return tuple(close_up(value) for line in message.headers(name) for value in split_list(line))


def lost_values(was: Event, now: Event, name: str) -> tuple[str, ...]:
    """The values of header ``name`` that ``now`` has not, or not in the order of ``was``; added ones do not count."""
    rest = iter(values(now, name))
    return tuple(value for value in values(was, name) if value not in rest)


def no_final(
    flow: Flow,
    asked: Asked,
    after: Event,
    *,
    means: str = HANGS,
    look_at: str = "what ends the caller's transaction after the last branch has ended",
    at_most: Verdict = Verdict.FAIL,
    requirement: str = "",
) -> Finding:
    """The caller got no final response, although since ``after`` no branch was open: violated, if proven."""
    if doubt := unproven(flow, asked.seat, after.time + PROMPT_S):
        return unseen(f"the caller got no final response, but {doubt}", code="not-proven", requirement=requirement)
    if missing := may_yet_come(flow, after):
        return not_proven("the caller got no final response", missing, requirement=requirement)
    return violated(
        code="no-final-response",
        expected="a final response for the caller",
        actual=f"none in {flow.watch.closed_at - after.time:.1f} s after message {after.number} ({after.start_line})",
        event=after,
        means=means,
        look_at=look_at,
        at_most=at_most,
        requirement=requirement,
    )
