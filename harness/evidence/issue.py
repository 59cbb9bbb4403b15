"""Who issued a certificate, where the device was tested, and for how long it is valid."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from harness.errors import SetupError
from harness.model.printable import short

YEARS = 2
"""For how long a certificate is valid, unless told otherwise."""
_LONGEST = 200
UNSTATED = "not stated"


@dataclass(frozen=True)
class Issue:
    """The part of a certificate that no run shows: its issuer says so, and signs it."""

    number: str
    issued: str
    """An ISO date."""
    expires: str
    """The last day on which it is valid, an ISO date."""
    issuer: str = UNSTATED
    laboratory: str = UNSTATED

    @classmethod
    def made(
        cls,
        verdicts: bytes,
        today: date,
        *,
        number: str | None = None,
        issuer: str | None = None,
        laboratory: str | None = None,
        expires: date | None = None,
    ) -> Issue:
        """What is to be certified on the day ``today``; ``verdicts`` give a number to a certificate without one.

        SetupError for dates the wrong way round.
        """
        until = expires or _years_later(today)
        if until < today:
            raise SetupError(f"--expires {until}: expected a day after the day of issue, {today}", "omit it: two years")
        digest = hashlib.sha256(verdicts).hexdigest()[:8].upper()
        words = (number or f"SV-{today:%Y%m%d}-{digest}", today.isoformat(), until.isoformat())
        return cls(*words, _plain(issuer), _plain(laboratory))

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Issue:
        """What a signed attestation says of it; unstated where it says nothing."""
        told = {name: short(str(stored.get(name, UNSTATED)), _LONGEST) for name in cls.__dataclass_fields__}
        return cls(**told)

    @property
    def told(self) -> dict[str, str]:
        """Its fields, as the attestation has them."""
        return asdict(self)

    def over(self, today: date) -> bool:
        """Whether it is no longer valid on ``today``; a date that cannot be read counts as over."""
        try:
            return date.fromisoformat(self.expires) < today
        except ValueError:
            return True


def _plain(text: str | None) -> str:
    return short(text, _LONGEST) if text and text.strip() else UNSTATED


def _years_later(day: date) -> date:
    try:
        return day.replace(year=day.year + YEARS)
    except ValueError:  # 29 February
        return day.replace(year=day.year + YEARS, day=28)
