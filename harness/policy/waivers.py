"""Waivers: known findings that a gate ignores until a date.  Each has an owner, a reason and an end.

A waiver names exactly one finding.  It changes no verdict: every report shows the finding, and a waived run is never
certified.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, ValidationError

from harness.errors import SetupError
from harness.model.axes import CaseId
from harness.model.finding_key import FindingKey
from harness.net.address import Family, Passage
from harness.requirements.catalogue import Catalogue
from harness.system.toml import MOST_DOTS, costly_line

LARGEST = 1024 * 1024
"""Bytes of a waivers file."""
NO_REQUIREMENT = "none"
"""Replaces the requirement if a case has no finding at all (its device could not be used)."""
_KEY = "a finding's key, as a report shows it after 'finding'"

_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
_WORDS = {
    "missing": "missing",
    "string_type": "expected a string",
    "string_too_short": "expected some text, found none",
    "string_too_long": "expected at most 500 characters",
    "date_type": "expected a date, as in 2027-01-31",
    "extra_forbidden": "unknown key",
    "value_error": f"expected {_KEY}",
    "literal_error": "expected fail, inconclusive or warn",
}


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    owner: _Text
    reason: _Text
    expires: date
    device: _Text
    transport: Passage
    family: Family
    verdict: Literal["fail", "inconclusive", "warn"]
    finding: Annotated[str, AfterValidator(FindingKey.parse)]


@dataclass(frozen=True)
class Waiver:
    """One finding that the gate ignores."""

    number: int
    """Its place in the file, from 1."""
    owner: str
    reason: str
    expires: date
    """The last day on which it is valid."""
    device: str
    transport: Passage
    family: Family
    verdict: Literal["fail", "inconclusive", "warn"]
    finding: FindingKey

    @property
    def case(self) -> CaseId:
        """The case that it covers."""
        return CaseId(self.finding.purpose, self.device, self.finding.role, self.transport, self.family)

    @property
    def title(self) -> str:
        """How sentences name it."""
        where = self.transport if self.family == "ipv4" else f"{self.transport}, {self.family}"
        return f"waiver {self.number} ({self.finding} of {self.device}, {where}; owner: {self.owner})"

    def over(self, today: date) -> bool:
        """Whether it has expired."""
        return today > self.expires


def load(path: Path, catalogue: Catalogue, purposes: Iterable[str] | None = None) -> tuple[Waiver, ...]:
    """The waivers in the file at ``path``; SetupError naming file, waiver, key and what was expected.

    With ``purposes`` a waiver for one that does not exist is an error, too.
    """
    table = _read(path)
    entries = table.pop("waiver", [])
    if table:
        raise SetupError(f"{path}: {sorted(table)[0]}: unknown key", "the file holds [[waiver]] tables only")
    if not isinstance(entries, list):
        raise SetupError(f"{path}: waiver: expected [[waiver]] tables", "with two brackets: there may be several")
    known = None if purposes is None else tuple(purposes)
    waivers = tuple(_waiver(path, number, entry, catalogue, known) for number, entry in enumerate(entries, start=1))
    seen: dict[tuple[CaseId, str, FindingKey], int] = {}
    for waiver in waivers:
        key = (waiver.case, waiver.verdict, waiver.finding)
        if (first := seen.setdefault(key, waiver.number)) != waiver.number:
            raise SetupError(f"{path}: waiver {waiver.number}: the same finding as waiver {first}", "leave one of them")
    return waivers


_DATE_LEFT_OPEN: Final = re.compile(r"^expires[ \t]*=[ \t]*(#|$)", re.MULTILINE)


def _read(path: Path) -> dict[str, Any]:
    hint = "docs/gate.md shows a waivers file; omit --waivers if there are none"
    try:
        if not path.is_file():  # a FIFO or a device would keep us waiting
            raise SetupError(
                f"{path}: expected a waivers file, found {'no file' if path.exists() else 'nothing'}", hint
            )
        if path.stat().st_size > LARGEST:
            raise SetupError(f"{path}: larger than {LARGEST // 1024} KiB, too large for a waivers file", hint)
        text = path.read_text("utf-8-sig")
        if number := costly_line(text):
            raise SetupError(f"{path}: line {number} has more than {MOST_DOTS} dots", hint)
        if _DATE_LEFT_OPEN.search(text):
            hint = "--draft leaves the dates open: write one behind each expires, as in 2027-01-31"
        return tomllib.loads(text)
    except OSError as error:
        raise SetupError(f"{path}: cannot be read: {error.strerror}", "check the path and its permissions") from error
    except (ValueError, RecursionError) as error:
        raise SetupError(f"{path}: is not TOML: {error}", hint) from error


def _waiver(path: Path, number: int, entry: Any, catalogue: Catalogue, purposes: tuple[str, ...] | None) -> Waiver:
    try:
        waiver = Waiver(number, **dict(_Entry.model_validate(entry)))
    except ValidationError as error:
        raise _worded(path, number, error) from error
    requirement, purpose = waiver.finding.requirement, waiver.finding.purpose
    if requirement != NO_REQUIREMENT and requirement not in catalogue:
        raise _unknown(path, waiver, "requirement", requirement, catalogue.rows)
    if purposes is not None and purpose not in purposes:
        raise _unknown(path, waiver, "purpose", purpose, purposes)
    return waiver


def _worded(path: Path, number: int, error: ValidationError) -> SetupError:
    lines = []
    for detail in error.errors(include_url=False):
        key = ".".join(map(str, detail["loc"])) or "the table"
        lines.append(f"{path}: waiver {number}: {key}: {_words(detail)}")
    keys = ", ".join(_Entry.model_fields)
    return SetupError("\n".join(lines), f"a waiver has {keys}; sipverdict gate RUN --draft writes them for a run")


def _words(detail: Mapping[str, Any]) -> str:
    if detail["type"] == "literal_error":
        return f"expected {detail['ctx']['expected']}".replace("'", "")
    return _WORDS.get(detail["type"], str(detail["msg"]))


def _unknown(path: Path, waiver: Waiver, key: str, value: str, known: Iterable[str] | Mapping[str, Any]) -> SetupError:
    near = difflib.get_close_matches(value, list(known), n=1, cutoff=0.3)
    return SetupError(
        f"{path}: waiver {waiver.number}: finding: the suite has no {key} {value[:120]!r}",
        f"the nearest is {near[0]}" if near else f"sipverdict list {key}s shows all",
    )
