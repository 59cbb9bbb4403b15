"""The requirement catalogue: normative statements as data (``suites/requirements.json``)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from harness.errors import SetupError
from harness.model.axes import PASSAGES
from harness.net.address import Carrier, Passage
from harness.paths import SUITES
from harness.requirements import conditions as pics

PATH = SUITES / "requirements.json"

OnViolation = Literal["fail", "warn", "info", "inconclusive", "not_scored"]


@dataclass(frozen=True)
class Row:
    """One normative statement: what it says, whom it binds, and what a violation costs."""

    id: str
    tier: Literal["heart", "core", "extended", "profile"]
    roles: tuple[str, ...]
    level: str
    """MUST, MUST NOT, SHOULD … as in the clause; DERIVED: from definitions or statements of fact."""
    clause: str
    applies_if: str
    """A PICS condition; empty: always."""
    requirement: str
    stimulus: str
    pass_criterion: str
    violation: str
    timing: str
    transports: tuple[Passage, ...]
    """What it is about: over any other transport it binds nobody."""
    ambiguity: str
    on_violation: OnViolation
    ruling_note: str
    verdict_profile: Literal["letter", "semantics", "profile"]
    """``semantics``, and ``profile`` (a rule outside of the RFCs): a fail by certification, a warning by the letter."""
    same_wire_fact_as: str
    xref: Mapping[str, Any]
    confidence: str
    fail_if_claimed: str
    """A PICS key that turns a violation into a fail: following a 302 is a SHOULD, claiming to is a promise."""

    def applies_to(self, declared: Mapping[str, bool]) -> bool:
        """Whether the row binds a device with these PICS."""
        return pics.holds(self.applies_if, declared)

    def is_about(self, transports: Iterable[Passage]) -> bool:
        """Whether it binds a device over some of ``transports``, on one side at least."""
        asked = {*transports, *(name for one in transports for name in Carrier.of(one).transports)}
        return not asked.isdisjoint(self.transports)

    @property
    def optional_only(self) -> bool:
        """Whether the clause leaves a choice, so that a violation is never more than a warning (unless strict)."""
        return self.level in ("SHOULD", "SHOULD NOT", "RECOMMENDED", "NOT RECOMMENDED", "MAY")

    @property
    def reported(self) -> bool:
        """Whether it rests on reports of a standard whose text is not free."""
        return self.clause.startswith("ATIS-")

    @property
    def link(self) -> str:
        """The address of the clause; "" where the row rests on neither an RFC section nor a federal rule."""
        if self.clause.startswith("47 CFR 64.1200"):
            return "https://www.ecfr.gov/current/title-47/section-64.1200"
        found = re.match(r"RFC (\d+)(?: §([\d.]*\d))?", self.clause)
        if not found:
            return ""
        section = f"#section-{found[2]}" if found[2] else ""
        return f"https://www.rfc-editor.org/rfc/rfc{found[1]}.html{section}"


@dataclass(frozen=True)
class Catalogue:
    """All rows, by id, and the PICS keys they may ask for."""

    version: str
    rows: Mapping[str, Row]
    pics: tuple[str, ...]
    disputed: tuple[Mapping[str, Any], ...]

    def __getitem__(self, requirement: str) -> Row:
        return self.rows[requirement]

    def __contains__(self, requirement: object) -> bool:
        return requirement in self.rows

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows.values())

    @classmethod
    def load(cls, path: Path = PATH) -> Catalogue:
        """Read the catalogue; SetupError if the file is missing or no catalogue."""
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            rows = list(map(_row, stored["requirements"]))
            return cls(
                stored["version"], {row.id: row for row in rows}, tuple(stored["pics"]), tuple(stored["disputed"])
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SetupError(
                f"{path}: this is not a requirement catalogue: {error}", "restore the file from the release"
            ) from error


def _row(stored: Mapping[str, Any]) -> Row:
    """ValueError for a transport that there is not, and for a row that is about no transport at all."""
    if not stored["transports"] or set(stored["transports"]) - set(PASSAGES):
        expected = f"transports: expected some of {', '.join(PASSAGES)}"
        raise ValueError(f"{stored['id']}: {expected}; got {stored['transports']}")
    return Row(**dict(stored) | {"roles": tuple(stored["roles"]), "transports": tuple(stored["transports"])})
