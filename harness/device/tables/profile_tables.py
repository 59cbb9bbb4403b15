"""Every table of a profile but ``[stimulus]``, as one model: what a kind of stimulus knows of the rest."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, model_validator

from harness.device.tables import errors
from harness.device.tables.lab_section import LabSection
from harness.device.tables.pics import PICS
from harness.device.tables.placeholders import fill
from harness.device.tables.secret_reference import Reference, SecretName, read_secret
from harness.device.tables.sections import DeviceSection, IsolationSection, ProcessSection, ReadySection
from harness.device.tables.values import Section
from harness.errors import ProfileError


def _pics_key(key: str) -> str:
    if key not in PICS:
        raise errors.unknown_pics_key()
    return key


def _value(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("expected a finite number")
    if not isinstance(value, (str, int, float)):  # bool is an int
        raise ValueError("expected a string, a number, true or false")
    return value


PIXIT_TIMES: Final = {"t1_s": (0.05, 60), "t2_s": (0.05, 60), "answer_s": (0, 600), "busy_tone_s": (0, 60)}
"""The names in ``[pixit]`` that the suite itself reads, all in seconds: the least and the largest value of each."""
ANSWER_S: Final = 12.0
"""The default of ``answer_s``."""

Value = Annotated[str | int | float | bool, BeforeValidator(_value)]


class ProfileTables(Section):
    """A profile without its ``[stimulus]``."""

    device: DeviceSection
    pics: dict[Annotated[str, AfterValidator(_pics_key)], bool] = Field(default_factory=dict)
    """The features that it claims to support.  A key that is not mentioned is not claimed."""
    pixit: dict[str, Value] = Field(default_factory=dict, repr=False)
    """Values of this specimen and lab that its configuration templates need.  The names are free, but for four times
    in seconds.  ``t1_s`` and ``t2_s``: its T1 and T2, where they are not those of RFC 3261 (IMS: 2 and 16).
    ``answer_s`` (12): how long it may ring before it answers, declines or forwards a call by itself.  ``busy_tone_s``
    (0): how long after a call it takes no order for the next one, as while a busy tone plays."""
    secrets: dict[SecretName, Reference] = Field(default_factory=dict)
    """The place of each password, by a free name.  ``{secret:NAME}`` is replaced by the password."""
    lab: LabSection = LabSection()
    isolation: IsolationSection | None = None
    process: ProcessSection | None = None
    ready: ReadySection = ReadySection()

    _source: Path = PrivateAttr(default=Path())

    @property
    def timers(self) -> dict[str, float]:
        """T1 and T2 in seconds, as far as they are declared."""
        return {name: float(self.pixit[f"{name}_s"]) for name in ("t1", "t2") if f"{name}_s" in self.pixit}

    @model_validator(mode="after")
    def _times(self) -> Self:
        for key, (least, most) in PIXIT_TIMES.items():
            value = self.pixit.get(key, least)
            if isinstance(value, (str, bool)) or not least <= value <= most:
                raise errors.contradiction(f"pixit.{key}", f"expected a number of seconds from {least} to {most}")
        return self

    @property
    def answer_s(self) -> float:
        """The longest time in seconds that it rings before it answers a call by itself in some way."""
        return float(self.pixit.get("answer_s", ANSWER_S))

    @property
    def busy_tone_s(self) -> float:
        """Seconds after a call of its own in which it takes no order for the next one."""
        return float(self.pixit.get("busy_tone_s", 0.0))

    @property
    def name(self) -> str:
        """The device's name."""
        return self.device.name

    @property
    def source(self) -> Path:
        """The profile's file."""
        return self._source

    def claims(self, key: str) -> bool:
        """Whether the device claims ``key``; KeyError for a key that no PICS has."""
        if key not in PICS:
            raise KeyError(key)
        return self.pics.get(key, key in self.device.all_transports)

    def secret(self, name: str) -> str:
        """The secret called ``name``, read now; ProfileError (file, key) if it cannot be read.  Confidential."""
        if name not in self.secrets:
            known = ", ".join(sorted(self.secrets)) or "none"
            raise ProfileError(f"{self.source}: secrets.{name}: no such secret", f"known: {known}; see [secrets]")
        return read_secret(self.source, name, self.secrets[name])

    def reveal(self, text: str) -> str:
        """``text`` with its secrets filled in; ProfileError if one cannot be read.  Confidential."""
        return fill(text, {}, self.secret)

    def all_pics(self) -> dict[str, bool]:
        """Every PICS key and whether the device claims it."""
        return {key: self.claims(key) for key in PICS}
