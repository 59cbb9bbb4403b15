"""A finding as text: expected, actual, the message, the effect for users, and the next thing to look at."""

from __future__ import annotations

import textwrap
from typing import Final

from harness.judge.silence import DROPS, NO_CONTROL, NO_LIFE, NOT_LISTENING, UNKNOWN_CALL, UNREADABLE, WINDOW
from harness.model.finding_key import FindingKey
from harness.model.printable import printable
from harness.model.verdict import Verdict
from harness.report.reproduce import reproduce
from harness.requirements.catalogue import Catalogue
from harness.store.verdict_lines import RequirementLine, VerdictLine

WIDTH: Final = 110
"""Columns, where no terminal says how many it has."""
_LABEL = 10
UNSEEN_MEANS: Final = "this says nothing about the device, good or bad"
_LONGEST = 800
"""Characters of one entry: a device may send 100 kB in one header line."""
_CONDITIONS: Final = {
    NOT_LISTENING: "1 of 4: every guard listens from before the call to the end of the window",
    DROPS: "1 of 4: every guard listens, and this machine takes whatever arrives there",
    UNREADABLE: "1 of 4: every guard listens from before the call to the end of the window",
    UNKNOWN_CALL: "1 of 4: every call of the device is known to belong to one drive",
    WINDOW: "2 of 4: the window is kept whole, from the last copy of the final response",
    NO_CONTROL: "3 of 4: in this run the device is seen to reach such an address when it should",
    NO_LIFE: "4 of 4: the device is alive after the window",
}
"""The condition of proven silence that is missing, by the code of the finding."""


def text_of(
    line: VerdictLine, catalogue: Catalogue, source: str = "", window: str = "quick", width: int = WIDTH
) -> str:
    """Every finding of ``line`` that is not a plain pass, as a bug report.  A plain pass gets one line.

    ``source`` is the device's profile, as in :func:`harness.report.reproduce.reproduce`; ``width``: columns of a line.
    """
    worst_first = sorted((row for row in line.requirements if row.rank > Verdict.PASS), key=lambda row: -row.rank)
    command = reproduce(line.case, window=window, source=source)
    texts = []
    for found in worst_first:
        row = catalogue[found.id]
        texts.append(
            explain(found, row.requirement, f"{row.clause}  {row.link}".strip(), line.key(found), command, width)
        )
    return "\n\n".join(texts) or line.reason


def explain(
    found: RequirementLine, row_text: str, clause: str, key: FindingKey, reproduce: str, width: int = WIDTH
) -> str:
    """The report of one finding.

    ``row_text`` is the rule, ``clause`` its source, ``reproduce`` the command that runs only this case.  An
    inconclusive finding shows what was not seen.  An unproven silence shows which of the four conditions is missing.
    Lines are at most ``width`` wide; longer words are not broken.
    """
    head = f"{found.id}  {found.level}  {printable(row_text)}"
    entries = [("expected" if number == 0 else "or", text) for number, text in enumerate(found.expected)]
    if found.outcome == "unseen":
        entries += [*unseen_entries(found.actual, found.code), ("means", UNSEEN_MEANS)]
    else:
        entries.append(("actual", f"{found.actual} ({found.where})" if found.where else found.actual))
    entries += [("means", found.means), ("look at", found.look_at), ("note", found.note)]
    if found.verdict == "warn":
        entries.append(
            ("verdict", f"a warning, not a fail: the clause says {found.level}" if _weak(found) else "a warning")
        )
    entries += [("clause", clause), ("finding", str(key)), ("run only", reproduce)]
    return "\n".join(
        [
            *_wrapped(head, "  ", width),
            *(line for label, text in entries if text for line in _entry(label, text, width)),
        ]
    )


def unseen_entries(why: str, code: str) -> list[tuple[str, str]]:
    """The entries of a finding without an observation, each with its label."""
    needed = _CONDITIONS.get(code)
    return [("not seen", why), *([("needed", needed)] if needed else [])]


def _weak(found: RequirementLine) -> bool:
    return found.level in ("SHOULD", "SHOULD NOT", "RECOMMENDED", "NOT RECOMMENDED", "MAY")


def _entry(label: str, text: str, width: int) -> list[str]:
    if len(text) > _LONGEST:
        text = f"{text[: _LONGEST - 100]} … {text[-60:]} ({len(text)} characters)"
    return _wrapped(f"{label:<{_LABEL}}{printable(text)}", " " * _LABEL, width)


def _wrapped(text: str, indent: str, width: int) -> list[str]:
    # A URI or a command must be copied whole, so words are never broken.
    return textwrap.wrap(
        text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False, replace_whitespace=False
    ) or [text]
