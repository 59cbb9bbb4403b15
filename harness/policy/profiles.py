"""Profiles of requirements: the named sets that gates and certificates use.

They are data (``suites/profiles.toml``).  The profile of a device is something else.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.errors import SetupError
from harness.model.axes import Role
from harness.model.windows import STANDARD
from harness.paths import SUITES
from harness.purposes.purpose import Purpose
from harness.requirements import conditions as pics
from harness.requirements.catalogue import Catalogue, Row
from harness.store.verdict_lines import Declared

PATH = SUITES / "profiles.toml"
_RESTORE = "restore the file from the release"


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    title: Annotated[str, Field(min_length=1)]
    status: Literal["final", "draft"]
    roles: Annotated[tuple[str, ...], Field(strict=False, min_length=1)]
    needs: str = ""
    requirements: Annotated[tuple[str, ...], Field(strict=False, min_length=1)]
    if_met: Annotated[tuple[str, ...], Field(strict=False)] = ()
    awaiting: Annotated[tuple[str, ...], Field(strict=False)] = ()
    why: str = ""
    positions: dict[str, str] = {}
    robustness: bool = False


@dataclass(frozen=True)
class RequirementProfile:
    """A named set of requirements."""

    name: str
    title: str
    status: Literal["final", "draft"]
    """Gates accept a draft; certificates do not."""
    roles: tuple[str, ...]
    """The roles that it covers; a device needs at least one of them."""
    needs: str
    """A PICS condition that a certified device must meet; empty: none."""
    requirements: tuple[str, ...]
    if_met: tuple[str, ...]
    """Requirements that a device must not break, though it may never come to where they apply."""
    awaiting: tuple[str, ...]
    """Requirements that no purpose decides yet; only a draft has them."""
    why: str
    """Why it is a draft."""
    positions: Mapping[str, str]
    """Places in a call path, each with the PICS key of a device that takes it: a certificate names those tested."""
    robustness: bool
    """Whether it asks for the purposes as well that are run only with ``--robustness``."""

    @property
    def asked(self) -> tuple[str, ...]:
        """Every requirement that a device must not break."""
        return (*self.requirements, *self.if_met)


@dataclass(frozen=True)
class Demand:
    """One requirement that a profile asks of a device in one role."""

    requirement: str
    role: Role
    purposes: tuple[str, ...]
    """The purposes that decide it; none where the device's PICS or transports switch it off."""
    if_met: bool = False
    """Whether it is met as well if nothing that the device did in the run brought it there."""

    @property
    def applies(self) -> bool:
        """Whether the device's PICS and transports leave it in force."""
        return bool(self.purposes)


def load(catalogue: Catalogue, path: Path | None = None) -> dict[str, RequirementProfile]:
    """The profiles by name, from ``path`` (None: PATH).

    SetupError naming the file and key unless each is whole and in the catalogue.
    """
    path = path or PATH
    try:
        stored = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise SetupError(f"{path}: expected profiles of requirements, but {error}", _RESTORE) from error
    profiles = {}
    for name, table in stored.items():
        try:
            entry = _Entry.model_validate(table)
        except ValidationError as error:
            detail = error.errors(include_url=False)[0]
            key = ".".join(map(str, (name, *detail["loc"])))
            raise SetupError(f"{path}: {key}: {detail['msg']}", _RESTORE) from error
        profiles[name] = RequirementProfile(name, **dict(entry))
        if wrong := _wrong(profiles[name], catalogue):
            raise SetupError(f"{path}: {name}: {wrong}", _RESTORE)
    return profiles


def named(name: str, catalogue: Catalogue, purposes: Mapping[str, Purpose] | None = None) -> RequirementProfile:
    """The profile called ``name``; SetupError naming the nearest if there is none.

    With ``purposes``: SetupError as well if they cannot decide everything that it asks for.
    """
    profiles = load(catalogue)
    if name not in profiles:
        near = difflib.get_close_matches(name, profiles, n=2, cutoff=0.3) or list(profiles)
        raise SetupError(
            f"no profile of requirements is called {name[:80]!r}; the nearest: {', '.join(near)}",
            "sipverdict list profiles shows all",
        )
    if wrong := undecided(profiles[name], purposes, catalogue) if purposes is not None else []:
        raise SetupError(f"{PATH}: {wrong[0]}", _RESTORE)
    return profiles[name]


def _wrong(profile: RequirementProfile, catalogue: Catalogue) -> str:
    rows = (*profile.asked, *profile.awaiting)
    if unknown := [row for row in rows if row not in catalogue]:
        return f"{unknown[0]} is not in the catalogue"
    if twice := [row for row in rows if rows.count(row) > 1]:
        return f"{twice[0]} is named twice"
    if unknown_keys := pics.keys(profile.needs) - set(catalogue.pics):
        return f"needs: no PICS key is called {sorted(unknown_keys)[0]}"
    if unknown_places := profile.positions.keys() - set(catalogue.pics):
        return f"positions: no PICS key is called {sorted(unknown_places)[0]}"
    if profile.awaiting and profile.status != "draft":
        return f"{profile.awaiting[0]} is awaited, so the profile must be a draft"
    weak = [row for row in profile.asked if not _can_fail(catalogue[row])]
    if weak:
        return f"{weak[0]} cannot fail: its violation costs less"
    idle = [row for row in profile.asked if not set(catalogue[row].roles) & set(profile.roles)]
    return f"{idle[0]} binds none of the roles {', '.join(profile.roles)}" if idle else ""


def _can_fail(row: Row) -> bool:
    return row.on_violation == "fail" or bool(row.fail_if_claimed)


def undecided(profile: RequirementProfile, purposes: Mapping[str, Purpose], catalogue: Catalogue) -> list[str]:
    """The requirements of ``profile`` that no purpose can decide in the standard window, a sentence each."""
    found = []
    for row in profile.asked:
        for role in (role for role in profile.roles if role in catalogue[row].roles):
            deciding = _deciding(profile, row, role, purposes, catalogue)
            if not deciding:
                found.append(f"{profile.name}: no purpose decides {row} in the role {role}")
            found += [
                f"{profile.name}: {purpose.name} decides {row} in a window of {purpose.least_window:g} s only"
                for purpose in deciding
                if purpose.least_window > STANDARD.seconds
            ]
    return found


def demands(
    profile: RequirementProfile,
    device: Declared,
    purposes: Mapping[str, Purpose],
    catalogue: Catalogue,
) -> list[Demand]:
    """What ``profile`` asks of a device of which a run's header says ``device``."""
    return [
        Demand(
            row,
            role,
            tuple(one.name for one in _deciding(profile, row, role, purposes, catalogue)) if applies else (),
            row in profile.if_met,
        )
        for role in device.roles
        if role in profile.roles
        for row in profile.asked
        if role in catalogue[row].roles
        for applies in [catalogue[row].applies_to(device.pics) and catalogue[row].is_about(device.transports)]
    ]


def _deciding(
    profile: RequirementProfile, row: str, role: str, purposes: Mapping[str, Purpose], catalogue: Catalogue
) -> list[Purpose]:
    return [
        purpose
        for purpose in purposes.values()
        if row in purpose.requirements
        and (profile.robustness or not purpose.apart)
        and role in catalogue[row].roles
        and role in (purpose.roles or {r for other in purpose.requirements for r in catalogue[other].roles})
    ]
