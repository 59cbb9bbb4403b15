"""``sipverdict list``: prints a list as text for people and pipes, or as JSON for programs."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from collections.abc import Sequence
from typing import Any, Final

from harness.device import builtin_profiles, load_profiles
from harness.device.tables.pics import CLAIMS
from harness.devices.reference.faults import FAULTS
from harness.manual.switches import switches
from harness.policy import profiles as requirement_profiles
from harness.purposes.discovery import all_purposes
from harness.requirements.catalogue import Catalogue


def show(what: str, *, as_json: bool) -> int:
    """Print the list of ``what``."""
    rows = LISTS[what]()
    if as_json:
        print(json.dumps(rows, indent=1, ensure_ascii=False))
        return 0
    # A pipe gets whole lines for grep and cut; a terminal gets lines that fit.
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    print("\n".join(lines(what, rows, width)))
    return 0


def purposes() -> list[dict[str, Any]]:
    """Every purpose: its requirements, its roles and the faults that it must catch."""
    catalogue = Catalogue.load()
    return [
        {
            "purpose": purpose.name,
            "roles": sorted(purpose.roles or {r for row in purpose.requirements for r in catalogue[row].roles}),
            "requirements": list(purpose.requirements),
            "faults": list(purpose.faults),
            "summary": purpose.summary,
        }
        for purpose in all_purposes().values()
    ]


def requirements() -> list[dict[str, Any]]:
    """Every row of the catalogue and the purposes that decide it."""
    decided: dict[str, list[str]] = {}
    for purpose in all_purposes().values():
        for row in purpose.requirements:
            decided.setdefault(row, []).append(purpose.name)
    return [
        {
            "requirement": row.id,
            "tier": row.tier,
            "level": row.level,
            "clause": row.clause,
            "roles": list(row.roles),
            "applies_if": row.applies_if,
            "text": row.requirement,
            "purposes": decided.get(row.id, []),
        }
        for row in Catalogue.load()
    ]


def devices() -> list[dict[str, Any]]:
    """The built-in devices and their variants."""
    profiles = [profile for name in builtin_profiles() for profile in load_profiles(name)]
    return [
        {
            "device": profile.name,
            "roles": list(profile.device.roles),
            "pics": sorted(key for key, claimed in profile.all_pics().items() if claimed),
            "product": f"{profile.device.vendor} {profile.device.model}".strip(),
        }
        for profile in profiles
    ]


def faults() -> list[dict[str, Any]]:
    """The faults of the reference device."""
    return [{"fault": fault.name, "role": "/".join(fault.roles), "sentence": fault.sentence} for fault in FAULTS]


def pics() -> list[dict[str, Any]]:
    """Every PICS key: its meaning, how to find it out, and the requirements that it adds."""
    decided = {row for purpose in all_purposes().values() for row in purpose.requirements}
    return [
        {
            "pics": key,
            "sentence": CLAIMS[key].sentence,
            "find_out": CLAIMS[key].find_out,
            "requirements": list(switch.on),
            "decided": [row for row in switch.on if row in decided],
            "not_asked": list(switch.off),
            "only_role": list(switch.needs_role),
            "only_with": list(switch.needs),
            "not_with": list(switch.excludes),
        }
        for key, switch in switches(Catalogue.load()).items()
    ]


def profiles() -> list[dict[str, Any]]:
    """The named sets of requirements for gates and certificates."""
    catalogue = Catalogue.load()
    found = [
        requirement_profiles.named(name, catalogue, all_purposes()) for name in requirement_profiles.load(catalogue)
    ]
    return [
        {
            "profile": profile.name,
            "status": profile.status,
            "roles": list(profile.roles),
            "needs": profile.needs,
            "title": profile.title,
            "requirements": list(profile.requirements),
            "if_met": list(profile.if_met),
            "awaiting": list(profile.awaiting),
        }
        for profile in found
    ]


LISTS: Final = {
    "purposes": purposes,
    "requirements": requirements,
    "devices": devices,
    "faults": faults,
    "pics": pics,
    "profiles": profiles,
}
"""The lists by name."""


_SHOWN: Final[dict[str, tuple[str, ...]]] = {
    "purposes": ("purpose", "roles", "requirements"),
    "requirements": ("requirement", "level", "roles", "text"),
    "devices": ("device", "roles", "product"),
    "faults": ("fault", "role", "sentence"),
    "pics": ("pics", "sentence"),
    "profiles": ("profile", "status", "roles", "title"),
}
"""The fields in text, the last one in words or long; ``--json`` has all."""
_LEAST = 30
"""Columns without which a text begins on a line of its own."""


def lines(what: str, rows: Sequence[dict[str, Any]], width: int | None) -> list[str]:
    """The list as text: whole, a line for each row with tabs between its fields; or wrapped to ``width`` columns."""
    cells = [[_cell(row[key]) for key in _SHOWN[what]] for row in rows]
    if width is None:
        return ["\t".join(row) for row in cells]
    made: list[str] = []
    *ahead, _ = zip(*cells, strict=True) if cells else ((), ())
    widths = [max(map(len, column), default=0) for column in ahead]
    for *first, last in cells:
        head = "  ".join(cell.ljust(size) for cell, size in zip(first, widths, strict=True)) + "  "
        if width - len(head) >= _LEAST:
            rest = textwrap.wrap(last, width, initial_indent=head, subsequent_indent=" " * len(head))
            made += rest or [head.rstrip()]
            continue
        # A name is never cut: it is there to be copied.
        title = "  ".join(first)
        if len(title) > width:
            title, last = first[0], "  ".join((*first[1:], last))
        made.append(title)
        made += textwrap.wrap(last, width, initial_indent="    ", subsequent_indent="    ", break_long_words=False)
    return made


def _cell(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else " ".join(str(value).split())
