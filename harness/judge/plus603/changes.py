"""What became of a 603+ on its way through a device: pure comparison of two responses.

Not a change: another fold or run of blanks, another order of headers or parameters, several Reason values on one line
or on several, another case of names and tokens, an escape that need not be one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from harness.judge.say import expect
from harness.model.finding import Finding
from harness.model.flow import Event
from harness.model.verdict import Verdict
from harness.sip.plus603 import CONTACTS, Plus603
from harness.sip.reason import ReasonValue

Kind = Literal["lost", "changed", "added"]
_LONGEST: Final = 300
_MEANS: Final = {
    "lost": "the caller learns neither that analytics blocked the call nor where to complain",
    "changed": "the caller complains at the wrong place, or cannot complain at all",
    "added": "the caller's side finds two reasons, and may read the wrong one",
}
_LOOK_AT: Final = {
    "lost": "is the response passed on, or made anew from a table of codes? Status, phrase and Reason belong together",
    "changed": "what rewrites or parses Reason on its way: topology hiding, header rules, a parser that splits at ';'",
    "added": "what adds a Reason of its own to a response that came with one",
}


@dataclass(frozen=True)
class Change:
    """One thing that is different."""

    code: str
    kind: Kind
    expected: str
    actual: str
    at_most: Verdict = Verdict.FAIL

    def finding(self, event: Event, requirement: str) -> Finding:
        """It as a violation of ``requirement``."""
        return expect(
            False,
            code=self.code,
            expected=self.expected,
            actual=self.actual,
            event=event,
            means=_MEANS[self.kind],
            look_at=_LOOK_AT[self.kind],
            at_most=self.at_most,
            requirement=requirement,
        )


def changes(was: Plus603, now: Plus603) -> Iterator[Change]:
    """How ``now``, which the caller got, differs from the 603+ ``was``.

    ``lost``: it is no 603+ any more.  ``changed``: what it says is different.  ``added``: a Reason was added.
    """
    if was.message.status != now.message.status:
        yield Change("status-changed", "lost", was.message.start_line, now.message.start_line)
    elif was.has_phrase and not now.has_phrase:
        yield Change("phrase-changed", "lost", was.message.start_line, now.message.start_line)
    left = list(now.values)
    missing = []
    for value in was.values:
        found = next((other for other in left if other.key == value.key), None)
        if found is None:
            missing.append(value)
        else:
            left.remove(found)
    if was.has_reason and not now.has_reason:
        what = "reason-lost" if not now.values else "reason-broken"
        yield Change(what, "lost", _reason(was), _reason(now))
    for value in missing:
        near = next((other for other in left if other.protocol.lower() == value.protocol.lower()), None)
        if near is None and value is was.carrier and not now.has_reason:
            continue  # said above
        if near is None:
            yield Change("value-lost", "changed", f"Reason: {_short(value.text)}", _reason(now))
        else:
            left.remove(near)
            yield from _of_value(value, near)
    for value in left:
        yield Change("reason-added", "added", _reason(was), f"{_reason(now)}: {_short(value.text)} was added")


def _of_value(was: ReasonValue, now: ReasonValue) -> Iterator[Change]:
    """How one Reason value became another of its protocol."""
    before, after = ({each.name: each for each in value.parameters} for value in (was, now))
    repeated = len(now.parameters) != len(after)
    for name in before:
        shown = f"{name}={_short(before[name].written or '')}"
        if name not in after:
            yield Change(f"{_word(name)}-lost", "changed", shown, f"Reason: {_short(now.text)}")
        elif before[name].compared != after[name].compared:
            yield Change(_of_text(was, now, name), "changed", shown, f"{name}={_short(after[name].written or '')}")
    if repeated or after.keys() - before.keys():
        # A network that adds what was not said changes less than one that takes away.
        said = f"Reason: {_short(now.text)}"
        yield Change("parameter-added", "changed", f"Reason: {_short(was.text)}", said, Verdict.WARN)


def _of_text(was: ReasonValue, now: ReasonValue, name: str) -> str:
    """The code of a changed parameter: which part of the text it is, where it is the text."""
    if name != "text":
        return f"{_word(name)}-changed"
    if was.explanation.lower() == now.explanation.lower():
        return "case-changed"
    before, after = was.explanation.split(";"), now.explanation.split(";")
    part = next((one for one in before if one not in after), "")
    field = part.partition("=")[0].strip().lower()
    return f"{field}-changed" if field in CONTACTS else "text-changed"


def _word(name: str) -> str:
    """The name of a parameter for a code."""
    return name if name in ("cause", "text", "location") else "parameter"


def _reason(read: Plus603) -> str:
    return f"Reason: {', '.join(_short(value.text) for value in read.values) or '(none)'}"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 80]} … {text[-60:]} ({len(text)} characters)"
