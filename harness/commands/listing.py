"""``sipverdict list``: prints a list as a table, or as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from rich.console import Console
from rich.table import Table

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
    else:
        shorten = _SHORT.get(what)
        _table([shorten(row) for row in rows] if shorten else rows)
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


def _short_pics(row: dict[str, Any]) -> dict[str, Any]:
    """A PICS key in one line: the number of requirements that it adds, and how many of them a purpose decides."""
    counts = {key: len(row[key]) for key in ("requirements", "decided")}
    return {"pics": row["pics"], **counts, "sentence": row["sentence"]}


def _short_profile(profile: dict[str, Any]) -> dict[str, Any]:
    """A profile as a row of a table, without its requirements, which would fill a page."""
    kept = {key: profile[key] for key in ("profile", "status", "roles", "title")}
    return kept | {"requirements": len(profile["requirements"])}


_SHORT: Final = {"pics": _short_pics, "profiles": _short_profile}
"""The fields that are too long for a table."""


def _table(rows: Sequence[dict[str, Any]]) -> None:
    console = Console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for key in rows[0] if rows else ():
        table.add_column(
            key, overflow="fold", no_wrap=key in ("device", "fault", "pics", "profile")
        )  # names are copied
    for row in rows:
        table.add_row(*(", ".join(map(str, cell)) if isinstance(cell, list) else str(cell) for cell in row.values()))
    console.print(table)
