"""A device of a run: its profile and the faults that it is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.device.profile.models import Profile


@dataclass(frozen=True)
class DeviceSpec:
    """A device of a run."""

    name: str
    """Its name in verdicts: the profile's name and its faults."""
    profile: Profile
    faults: Sequence[str] = ()
    source: str = ""
    """The path of the profile, as the command line named it; "" for a device that is built in."""
