"""The digits and the names of the drives of one device in one run."""

from __future__ import annotations

import itertools
import re
import secrets
from dataclasses import dataclass, field

from harness.net.address import UDP4, Carrier


def _prefix() -> str:
    return f"{secrets.randbelow(1000):03d}"


@dataclass
class Names:
    """Makes unique tokens and flow ids."""

    device: str
    dial_prefix: str
    """The digits with which the device's dial plan requires a number to begin."""
    carrier: Carrier = UDP4
    """What carries the drives."""
    _run: str = field(default_factory=_prefix)
    """The digits that distinguish this run's numbers from those of the previous run, whose calls may arrive late."""
    _serials: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def tokens(self) -> str:
        """A regular expression for the tokens that are made here."""
        return rf"{self.dial_prefix}{self._run}\d{{4}}"

    def token(self) -> str:
        """Digits that no other drive of this run has in the URI it dials."""
        return f"{self.dial_prefix}{self._run}{next(self._serials):04d}"

    def flow(self, role: str, token: str, attempt: int) -> str:
        """The id of a flow: readable, unique within the run, fit for a file name."""
        again = "-again" if attempt else ""
        axes = role if self.carrier == UDP4 else f"{role}-{self.carrier.label}"
        return f"{re.sub(r'[^A-Za-z0-9_.-]', '_', self.device)}-{axes}-{token[4:]}{again}"
