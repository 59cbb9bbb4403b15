"""A finding as the text a person reads: what was expected, what came, where, what it means, what to do next."""

from __future__ import annotations

import textwrap
from typing import Final

from harness.judge.silence import NO_CONTROL, NO_LIFE, NOT_LISTENING, UNKNOWN_CALL, UNREADABLE, WINDOW
from harness.model.finding import Ruled
from harness.model.finding_key import FindingKey
from harness.model.printable import printable
from harness.model.verdict import Verdict

WIDTH = 110
_LABEL = 10
UNSEEN_MEANS: Final = "nothing is known about the device here, good or bad"
_LONGEST = 800
"""Characters of one entry: a device may send 100 kB in one header line."""
_CONDITIONS: Final = {
    NOT_LISTENING: "1 of 4: every guard listens from before the call to the end of the window",
    UNREADABLE: "1 of 4: every guard listens from before the call to the end of the window",
    UNKNOWN_CALL: "1 of 4: every call of the device is known to belong to one drive",
    WINDOW: "2 of 4: the window is kept whole, from the last copy of the final response",
    NO_CONTROL: "3 of 4: in this run the device is seen to reach such an address when it should",
    NO_LIFE: "4 of 4: the device is alive after the window",
}
"""The condition that a silence lacks, by the code of its finding."""


def explain(ruled: Ruled, row_text: str, clause: str, key: FindingKey, reproduce: str) -> str:
    """The report of one finding.

    ``row_text`` is the sentence of the rule, ``clause`` where it stands, ``reproduce`` the command that runs only
    this case.  Of a finding that could not be made it says what was not seen, and of an unproven silence which of
    the four conditions is missing.  Lines are at most WIDTH wide, but for words that are longer.
    """
    finding = ruled.finding
    head = f"{finding.requirement}  {ruled.level}  {printable(row_text)}"
    entries = [("expected" if number == 0 else "or", text) for number, text in enumerate(finding.expected)]
    if finding.outcome == "unseen":
        entries += [*unseen_entries(finding.actual, finding.code), ("means", UNSEEN_MEANS)]
    else:
        entries.append(("actual", f"{finding.actual} ({finding.where})" if finding.where else finding.actual))
    entries += [("means", finding.means), ("look at", finding.look_at), ("note", finding.note)]
    if ruled.verdict is Verdict.WARN:
        entries.append(
            ("verdict", f"a warning, not a fail: the clause says {ruled.level}" if _weak(ruled) else "a warning")
        )
    entries += [("clause", clause), ("finding", str(key)), ("run only", reproduce)]
    return "\n".join(
        [*_wrapped(head, "  "), *(line for label, text in entries if text for line in _entry(label, text))]
    )


def explain_all(texts: list[str]) -> str:
    """Several reports, as one text."""
    return "\n\n".join(texts)


def unseen_entries(why: str, code: str) -> list[tuple[str, str]]:
    """The entries of a finding that nothing was seen, each with its label."""
    needed = _CONDITIONS.get(code)
    return [("not seen", why), *([("needed", needed)] if needed else [])]


def _weak(ruled: Ruled) -> bool:
    return ruled.level in ("SHOULD", "SHOULD NOT", "RECOMMENDED", "NOT RECOMMENDED", "MAY")


def _entry(label: str, text: str) -> list[str]:
    if len(text) > _LONGEST:
        text = f"{text[: _LONGEST - 100]} … {text[-60:]} ({len(text)} characters)"
    return _wrapped(f"{label:<{_LABEL}}{printable(text)}", " " * _LABEL)


def _wrapped(text: str, indent: str) -> list[str]:
    # A URI or a command is only useful when it can be copied whole: words are never broken.
    return textwrap.wrap(
        text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False, replace_whitespace=False
    ) or [text]
