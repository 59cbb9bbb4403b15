"""A device of a run: its profile and the faults that it is given."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product, starmap

from harness.device.profile.models import Profile
from harness.model.axes import PASSING_ON, Axes
from harness.net.address import Carrier, Family, Passage


def carriers_of(profile: Profile, transports: Iterable[Passage], families: Iterable[Family]) -> tuple[Carrier, ...]:
    """Those over which a device can be tested in one of its roles."""
    crosses = not PASSING_ON.isdisjoint(profile.device.roles)
    every = starmap(Carrier.of, product(transports, families))
    return tuple(one for one in every if crosses or one.called_over is None)


@dataclass(frozen=True)
class DeviceSpec:
    """A device of a run."""

    name: str
    """Its name in verdicts: the profile's name and its faults."""
    profile: Profile
    faults: Sequence[str] = ()
    source: str = ""
    """The path of the profile, as the command line named it; "" for a device that is built in."""
    carriers: tuple[Carrier, ...] = ()
    """What carries its SIP in this run; empty: what its profile says."""

    @property
    def carried_by(self) -> tuple[Carrier, ...]:
        """Everything that carries its SIP in this run."""
        section = self.profile.device
        return self.carriers or carriers_of(self.profile, section.transports, section.families)

    @property
    def axes(self) -> tuple[Axes, ...]:
        """Every point of the axes at which it is tested."""
        roles = self.profile.device.roles
        return tuple(
            Axes(role, one.passage, one.family)
            for role in roles
            for one in self.carried_by
            if one.called_over is None or role in PASSING_ON
        )
