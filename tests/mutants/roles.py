"""The roles of the reference device in which a mutant can be driven, and the profile of the device in each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final


@dataclass(frozen=True)
class Part:
    """One configuration of the device in one role."""

    variant: str
    """Of the profile; ``base`` for the device without its variants."""
    role: str
    transport: str = "udp"

    def __str__(self) -> str:
        name = self.role if self.variant in ("base", self.role) else f"{self.variant}-{self.role}"
        return name if self.transport == "udp" else f"{name}-{self.transport}"

    @property
    def item(self) -> str:
        """What the ids of its pytest items contain, and those of no other part."""
        device = "reference" if self.variant == "base" else f"reference:{self.variant}"
        return f"{device}-{self.role}-{self.transport}"


PARTS: Final = (
    Part("redirect", "redirect"),
    Part("uas", "uas"),
    Part("proxy", "proxy"),
    Part("recursing", "proxy"),
    Part("base", "b2bua"),
    Part("base", "uac"),
)
"""The cheap ones first: a mutant that fails in one of them need not meet the others."""


def chosen(names: Sequence[str] | None, transports: Sequence[str]) -> list[Part]:
    """The parts called ``names`` (all, if there are none) over each of ``transports``."""
    wanted = [part for part in PARTS if not names or str(part) in names]
    return [replace(part, transport=transport) for transport in transports for part in wanted]
