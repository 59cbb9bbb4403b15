"""One ``[[expected]]`` of an ``expected.toml``: a known non-pass, in one case or in several that are alike."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from itertools import product
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from harness.model.axes import Axes, Role
from harness.model.device_name import BASE
from harness.model.windows import WindowName
from harness.net.address import Family, Passage

Case = tuple[str, Axes, str]
"""Purpose, axes, requirement."""
_Text = Annotated[str, Field(min_length=1)]


class _Shared(BaseModel):
    """What an entry says once, of whatever it is about."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    purpose: _Text
    role: Role
    requirement: _Text
    verdict: Literal["warn", "inconclusive", "fail"]
    reason: _Text
    window: WindowName = "quick"
    """The shortest window in which it shows."""
    until: datetime.date | None = None
    """The last day on which it is expected; later it makes a run red."""


class Known(_Shared):
    """A requirement that a device is known not to pass in one case, and why."""

    transport: Passage = "udp"
    family: Family = "ipv4"
    variant: str = BASE
    """The variant of the device; ``base``: the device without its variants."""

    @property
    def case(self) -> Case:
        """The case and requirement."""
        return self.purpose, Axes(self.role, self.transport, self.family), self.requirement


def _listed(written: Any) -> Any:
    return tuple(written) if isinstance(written, list) else (written,)


_T = TypeVar("_T")
_OneOrMore = Annotated[tuple[_T, ...], BeforeValidator(_listed), Field(min_length=1)]
LISTED: Final = ("variant", "transport", "family")
"""The keys that may have a list: the entry is about every combination."""


class Entry(_Shared):
    """What stands in the file: one :class:`Known` for every combination of what it lists."""

    transport: _OneOrMore[Passage] = ("udp",)
    family: _OneOrMore[Family] = ("ipv4",)
    variant: _OneOrMore[str] = (BASE,)

    @property
    def known(self) -> tuple[Known, ...]:
        """What it says of each case."""
        said = {name: getattr(self, name) for name in _Shared.model_fields}
        combinations = product(*(getattr(self, name) for name in LISTED))
        return tuple(Known(**said, **dict(zip(LISTED, each, strict=True))) for each in combinations)

    @property
    def shared(self) -> tuple[object, ...]:
        """What two entries have in common that may become one."""
        return tuple(getattr(self, name) for name in _Shared.model_fields)

    def with_more(self, other: Entry) -> Entry | None:
        """One entry that says what both say; None if there is none, or nothing more."""
        differing = [name for name in LISTED if getattr(self, name) != getattr(other, name)]
        if self.shared != other.shared or len(differing) != 1:
            return None
        [name] = differing
        both = dict.fromkeys((*getattr(self, name), *getattr(other, name)))
        return self.model_copy(update={name: tuple(both)})


class Reasons:
    """One reason for what is known of a test, whatever carried the calls: the one that was there first."""

    def __init__(self, known: Iterable[Known]) -> None:
        self._first: dict[tuple[str, ...], str] = {}
        for one in known:
            self.given_to(one)

    def given_to(self, one: Known) -> Known:
        """``one`` with the reason of those that are like it; its own if it is the first."""
        like = one.purpose, one.role, one.requirement, one.verdict
        return one.model_copy(update={"reason": self._first.setdefault(like, one.reason)})


def entries_of(known: Iterable[Known]) -> list[Entry]:
    """``known`` in as few entries as its order allows, each with the place of its first one."""
    entries = [Entry(**{**one.model_dump(), **{name: [getattr(one, name)] for name in LISTED}}) for one in known]
    # Families first: a device that has both does the same over both, more often than not.
    for name in ("family", "transport", "variant"):
        entries = _joined(entries, name)
    return entries


def _joined(entries: Sequence[Entry], name: str) -> list[Entry]:
    """``entries`` in which those that differ in ``name`` alone are one."""
    made: list[Entry] = []
    for entry in entries:
        for at, other in enumerate(made):
            both = other.with_more(entry)
            if both and all(getattr(both, key) == getattr(other, key) for key in LISTED if key != name):
                made[at] = both
                break
        else:
            made.append(entry)
    return made
