"""A device as a run was asked for it: a profile, and the faults it is to have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.device.profile.models import Profile


@dataclass(frozen=True)
class DeviceSpec:
    """A device as the run was asked for it."""

    name: str
    """What verdicts call it: the profile's name, with the faults it was given."""
    profile: Profile
    faults: Sequence[str] = ()
