"""The axes by which cases are multiplied: the role of a device, what carries its SIP, and its IP family."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from harness.net.address import Carrier, Family, Transport

Role = Literal["uac", "uas", "proxy", "redirect", "b2bua"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
TRANSPORTS: Final[tuple[Transport, ...]] = get_args(Transport)
FAMILIES: Final[tuple[Family, ...]] = get_args(Family)


@dataclass(frozen=True)
class Axes:
    """One point on them."""

    role: Role
    transport: Transport = "udp"
    family: Family = "ipv4"

    @property
    def carrier(self) -> Carrier:
        """What carries its SIP."""
        return Carrier(self.transport, self.family)

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
        cls, roles: Iterable[Role], transports: Iterable[Transport], families: Iterable[Family]
    ) -> tuple[Axes, ...]:
        """Every combination, in order."""
        return tuple(itertools.starmap(cls, itertools.product(roles, transports, families)))


_BY_LABEL: Final[Mapping[str, Axes]] = {one.label: one for one in Axes.product(ROLES, TRANSPORTS, FAMILIES)}


@dataclass(frozen=True)
class CaseId:
    """What tells one case of a run from every other: headers and records store each of its fields."""

    purpose: str
    device: str
    role: Role
    transport: Transport
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
