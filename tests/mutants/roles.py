"""The roles of the reference device in which a mutant can be driven, and the profile of the device in each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Part:
    """One configuration of the device in one role."""

    variant: str
    """Of the profile; ``base`` for the device without its variants."""
    role: str

    def __str__(self) -> str:
        return self.role if self.variant in ("base", self.role) else f"{self.variant}-{self.role}"

    @property
    def item(self) -> str:
        """What the ids of its pytest items contain, and those of no other part."""
        device = "reference" if self.variant == "base" else f"reference:{self.variant}"
        return f"{device}-{self.role}-"


PARTS: Final = (
    Part("redirect", "redirect"),
    Part("uas", "uas"),
    Part("proxy", "proxy"),
    Part("recursing", "proxy"),
    Part("base", "b2bua"),
    Part("base", "uac"),
)
"""The cheap ones first: a mutant that fails in one of them need not meet the others."""


def part_named(name: str) -> Part:
    """The part called ``name``; KeyError if there is none."""
    return {str(part): part for part in PARTS}[name]
