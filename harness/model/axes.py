"""The axes by which cases are multiplied: the role of a device, what carries its SIP, and its IP family."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from harness.net.address import Carrier, Crossing, Family, Passage, Transport

Role = Literal["uac", "uas", "proxy", "redirect", "b2bua"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
TRANSPORTS: Final[tuple[Transport, ...]] = get_args(Transport)
CROSSINGS: Final[tuple[Crossing, ...]] = get_args(Crossing)
PASSAGES: Final[tuple[Passage, ...]] = (*TRANSPORTS, *CROSSINGS)
PASSING_ON: Final[frozenset[Role]] = frozenset({"proxy", "b2bua"})
"""The roles whose calls may come over one transport and go on over another."""
FAMILIES: Final[tuple[Family, ...]] = get_args(Family)


def in_words(transports: Collection[Passage]) -> str:
    """Those names, sorted; however many crossings there are among them, as one."""
    plain = sorted(one for one in transports if one in TRANSPORTS)
    more = () if len(plain) == len(transports) else ("calls from one transport to another",)
    return " and ".join((*plain, *more))


@dataclass(frozen=True)
class Axes:
    """One point on them."""

    role: Role
    transport: Passage = "udp"
    family: Family = "ipv4"

    @property
    def carrier(self) -> Carrier:
        """What carries its SIP."""
        return Carrier.of(self.transport, self.family)

    @property
    def label(self) -> str:
        """How the ids of pytest's items write it: ``uac-udp``; ``uac-udp6`` over IPv6."""
        return f"{self.role}-{self.carrier.label}"

    @classmethod
    def named(cls, label: str) -> Axes:
        """The axes of that label; ValueError if there are none."""
        if label not in _BY_LABEL:
            raise ValueError(f"expected a role and a transport, as in uac-udp or uac-tcp6; got {label!r}")
        return _BY_LABEL[label]

    @classmethod
    def product(
        cls, roles: Iterable[Role], transports: Iterable[Passage], families: Iterable[Family]
    ) -> tuple[Axes, ...]:
        """Every combination that there is, in order: only who passes calls on can have them cross."""
        every = itertools.starmap(cls, itertools.product(roles, transports, families))
        return tuple(one for one in every if one.role in PASSING_ON or one.carrier.called_over is None)


_BY_LABEL: Final[Mapping[str, Axes]] = {one.label: one for one in Axes.product(ROLES, PASSAGES, FAMILIES)}


@dataclass(frozen=True)
class CaseId:
    """What tells one case of a run from every other: headers and records store each of its fields."""

    purpose: str
    device: str
    role: Role
    transport: Passage
    family: Family

    @property
    def axes(self) -> Axes:
        """Where it is on the axes."""
        return Axes(self.role, self.transport, self.family)

    @property
    def item(self) -> str:
        """The parameter id of its pytest item."""
        return f"{self.device}-{self.axes.label}"

    @property
    def where(self) -> str:
        """Device, role, transport and, if it is not IPv4, family: for sentences."""
        family = (self.family,) if self.family != "ipv4" else ()
        return ", ".join((self.device, self.role, self.transport, *family))

    def __str__(self) -> str:
        return f"{self.purpose} {self.item}"
