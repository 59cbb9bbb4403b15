"""Short ways to say a finding.  The purpose's runner fills in the requirement where a purpose has only one."""

from __future__ import annotations

from collections.abc import Iterable

from harness.model.finding import Finding
from harness.model.flow import Event
from harness.model.verdict import Verdict

Findings = Iterable[Finding]


def satisfied(actual: str = "", *, event: Event | None = None, note: str = "", requirement: str = "") -> Finding:
    """The device did as required.  ``note`` is an observation worth reading that changes nothing."""
    return Finding(requirement, "satisfied", actual=actual, note=note, event=_number(event), where=_label(event))


def unseen(why: str, *, requirement: str = "") -> Finding:
    """It could not be told: ``why`` is one sentence and names what was missing."""
    return Finding(requirement, "unseen", actual=why)


def violated(
    *,
    expected: str | tuple[str, ...],
    actual: str,
    event: Event | None = None,
    means: str = "",
    look_at: str = "",
    at_most: Verdict = Verdict.FAIL,
    at_least: Verdict = Verdict.NONE,
    requirement: str = "",
) -> Finding:
    """The device did otherwise.  ``expected`` is the set of allowed outcomes."""
    allowed = (expected,) if isinstance(expected, str) else expected
    return Finding(
        requirement,
        "violated",
        expected=allowed,
        actual=actual,
        means=means,
        look_at=look_at,
        at_most=at_most,
        at_least=at_least,
        event=_number(event),
        where=_label(event),
    )


def expect(
    right: bool,
    *,
    expected: str | tuple[str, ...],
    actual: str,
    event: Event | None = None,
    means: str = "",
    look_at: str = "",
    at_most: Verdict = Verdict.FAIL,
    at_least: Verdict = Verdict.NONE,
    requirement: str = "",
) -> Finding:
    """``satisfied`` if ``right``, else ``violated``: for what can be read off one message."""
    if right:
        return satisfied(actual, event=event, requirement=requirement)
    return violated(
        expected=expected,
        actual=actual,
        event=event,
        means=means,
        look_at=look_at,
        at_most=at_most,
        at_least=at_least,
        requirement=requirement,
    )


def _number(event: Event | None) -> int | None:
    return event.number if event else None


def _label(event: Event | None) -> str:
    return event.label if event else ""
