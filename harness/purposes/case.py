"""A case: one purpose on one device in one role, which is one pytest item and one record."""

from __future__ import annotations

from dataclasses import dataclass

from harness.purposes.purpose import Purpose


@dataclass(frozen=True)
class Case:
    """One purpose on one device in one role: one pytest item, one record."""

    purpose: Purpose
    device: str
    role: str
    transport: str
    rows: tuple[str, ...]
    """The requirements that apply; empty: the case is skipped."""
    skip: str = ""

    @property
    def id(self) -> str:
        """The parameter id of its pytest item."""
        return f"{self.device}-{self.role}-{self.transport}"
