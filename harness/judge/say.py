"""Short ways to state a finding.  The runner of a purpose fills in the requirement where the judge names none.

Every violation has a ``code``, a stable name of the defect (``redialled``, ``no-ack``).  Two violations of a
requirement have one code if a vendor would repair them by one change, and two codes otherwise.  Waivers name the code,
so the sentences can be reworded.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from harness.model.finding import NOT_SEEN, SATISFIED, Finding
from harness.model.finding_key import CODE_FORM
from harness.model.flow import Event
from harness.model.verdict import Verdict

Findings = Iterable[Finding]
NO_GROUNDS: Final = "no-grounds"
"""The code of a pass that names nothing that it rests on."""


@dataclass(frozen=True)
class Gap:
    """A condition that a proof of silence lacks."""

    code: str
    """``no-sign-of-life``: the code of the finding that rests on it."""
    text: str
    """The condition in words."""

    def __str__(self) -> str:
        return self.text


def satisfied(actual: str = "", *, event: Event | None = None, note: str = "", requirement: str = "") -> Finding:
    """The device did as required.  ``note`` is an observation worth reading that changes nothing.

    A pass rests on something: the message (``event``), or what was seen (``actual``), a proven silence for one.  A
    finding that names neither is unseen.
    """
    if event is None and not actual:
        return unseen("a bug in the suite: this pass names nothing that it rests on", code=NO_GROUNDS)
    return Finding(
        requirement, "satisfied", SATISFIED, actual=actual, note=note, event=_number(event), where=_label(event)
    )


def unseen(why: str, *, code: str = NOT_SEEN, requirement: str = "") -> Finding:
    """Nothing can be said: ``why`` is one sentence that names what was missing.

    ``code`` tells the reasons apart where a requirement has several.
    """
    return Finding(requirement, "unseen", _checked(code), actual=why)


def not_proven(seen: str, gap: Gap, *, requirement: str = "") -> Finding:
    """``seen`` (``nothing arrived``) is what conforms, but ``gap`` keeps that from being proven."""
    why = f"{seen}, but silence is not proven: {gap}"
    return Finding(requirement, "unseen", gap.code, actual=why, unproven=str(gap))


def violated(
    *,
    code: str,
    expected: str | tuple[str, ...],
    actual: str,
    event: Event | None = None,
    means: str = "",
    look_at: str = "",
    at_most: Verdict = Verdict.FAIL,
    at_least: Verdict = Verdict.NONE,
    requirement: str = "",
) -> Finding:
    """The device violated the requirement.  ``expected`` is the set of allowed outcomes."""
    allowed = (expected,) if isinstance(expected, str) else expected
    return Finding(
        requirement,
        "violated",
        _checked(code),
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
    code: str,
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
        code=code,
        expected=expected,
        actual=actual,
        event=event,
        means=means,
        look_at=look_at,
        at_most=at_most,
        at_least=at_least,
        requirement=requirement,
    )


def _checked(code: str) -> str:
    """``code``; ValueError if it is not well formed.  (:mod:`harness.run.suite_check` finds that before a run.)"""
    if not CODE_FORM.fullmatch(code):
        raise ValueError(f"the code of a finding is words of a-z and 0-9 joined by hyphens, not {code!r}")
    return code


def _number(event: Event | None) -> int | None:
    return event.number if event else None


def _label(event: Event | None) -> str:
    return event.label if event else ""
