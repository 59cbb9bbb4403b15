"""What a claim switches on: the rows of the requirement catalogue that ask for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

from harness.device.profile.claims import EXCLUDES, NEEDS_A_CLAIM, NEEDS_A_ROLE
from harness.device.tables.pics import CLAIMS
from harness.requirements import conditions as pics
from harness.requirements.catalogue import Catalogue, Row


@dataclass(frozen=True)
class Switch:
    """One PICS key: the requirements that it brings and takes away, by id, and what it goes with."""

    on: tuple[str, ...]
    """Asked only of a device that claims it (and, for some, other keys as well)."""
    off: tuple[str, ...]
    """No longer asked of a device that claims it."""
    roles: tuple[str, ...]
    """The roles that these requirements bind."""
    needs_role: tuple[str, ...]
    """One of these has to be among the device's roles; empty: any."""
    needs: tuple[str, ...]
    """One of these has to be claimed as well; empty: none."""
    excludes: tuple[str, ...]


def switches(catalogue: Catalogue) -> Mapping[str, Switch]:
    """Every PICS key and what it switches, in the order of :data:`harness.device.tables.pics.CLAIMS`."""
    return {key: _switch(key, catalogue) for key in CLAIMS}


def _switch(key: str, catalogue: Catalogue) -> Switch:
    on = [row for row in catalogue if _turns(row, key, to=True)]
    off = [row for row in catalogue if _turns(row, key, to=False)]
    pairs = [{one, other} for one, other, _ in EXCLUDES]
    return Switch(
        on=tuple(row.id for row in on),
        off=tuple(row.id for row in off),
        roles=tuple(sorted({role for row in (*on, *off) for role in row.roles})),
        needs_role=NEEDS_A_ROLE.get(key, ()),
        needs=NEEDS_A_CLAIM.get(key, ()),
        excludes=tuple(sorted(set().union(*(pair for pair in pairs if key in pair)) - {key})),
    )


def _turns(row: Row, key: str, *, to: bool) -> bool:
    """Whether claiming ``key`` can make ``row`` apply (or, ``to`` false, no longer apply)."""
    if key not in row.applies_if or key not in (keys := pics.keys(row.applies_if)):
        return False
    others = sorted(keys - {key})
    for values in product((False, True), repeat=len(others)):
        rest = dict(zip(others, values, strict=True))
        if row.applies_to(rest | {key: True}) is to and row.applies_to(rest | {key: False}) is not to:
            return True
    return False
