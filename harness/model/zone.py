"""The names of one drive: what the lab's resolver says of them, as a plan states it, and what it was asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from harness.net.address import Address

CANNOT_LISTEN: Final = "the lab's resolver cannot listen: "
"""How the reason begins why plans with a zone are not driven on a machine."""


@dataclass(frozen=True)
class Zone:
    """What the resolver says of ``{domain}``, which is another domain in every drive, and of the names below it.

    A name of it that stands nowhere here does not exist (NXDOMAIN).
    """

    records: tuple[str, ...] = ()
    """Lines of a zone file (RFC 1035 5.1): ``_sip._udp.{domain} SRV 10 0 {target.port} a.{domain}``, ``a.{domain}
    {target.record}``.  The time to live is 0."""
    unanswered: tuple[str, ...] = ()
    """Names about which, and about those below them, no question is ever answered."""


@dataclass(frozen=True)
class Lookup:
    """One question that came to the resolver."""

    name: str
    """Without the dot at its end."""
    kind: str
    """``NAPTR``, ``SRV``, ``A``, ``AAAA`` …"""
    answer: str
    """The answer in words: what the records say, ``NXDOMAIN``, ``no such record``, ``never answered``."""
    at: float = 0.0
    """When it arrived (seconds since the epoch)."""
    source: Address | None = None

    def __str__(self) -> str:
        return f"{self.name} {self.kind}: {self.answer}"
