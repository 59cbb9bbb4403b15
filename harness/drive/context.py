"""The context of a drive: its device, its lab, and the receivers of its findings."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from harness.device.profile.models import Profile
from harness.drive.afterwards import Afterwards
from harness.drive.backup import Backup
from harness.drive.bench import Bench
from harness.drive.devices import Devices
from harness.drive.lab import Lab
from harness.drive.life import Life
from harness.drive.line import LineCheck
from harness.drive.names import Names
from harness.drive.priority import PriorityGate
from harness.drive.switchboard import Switchboard
from harness.drive.vigil import Vigil
from harness.live.progress import Progress
from harness.model.flow import Control
from harness.model.weather import Weather
from harness.model.windows import Window
from harness.net.address import Carrier


@dataclass
class Controls:
    """The first time that the device reached an address of each kind, over each carrier."""

    seen: dict[tuple[str, Carrier], Control] = field(default_factory=dict)

    def note(self, control: Control) -> None:
        """Keep ``control``, unless there is one like it."""
        self.seen.setdefault((control.seat_kind, control.address.carrier), control)

    def with_those_of(self, other: Controls) -> tuple[Control, ...]:
        """All of them, and those of ``other`` that are like none of them."""
        return tuple((other.seen | self.seen).values())


@dataclass(frozen=True)
class DriveContext:
    """One device of a run, as its drives see it."""

    bench: Bench
    lab: Lab
    devices: Devices
    life: Life
    vigil: Vigil
    names: Names
    controls: Controls
    progress: Progress
    window: Window
    slots: asyncio.Semaphore
    """One slot for each call that the device can carry."""
    setting_up: PriorityGate
    """How many of its drives may be set up at one time."""
    board: Switchboard
    """Whose message it is that comes to a shared socket, or late."""
    afterwards: Afterwards
    """The seats of drives that are over."""
    line: LineCheck
    """How much of what is sent to it, or by it, gets lost."""
    backup: Backup | None = None
    weather: Weather = field(default_factory=Weather)

    @property
    def profile(self) -> Profile:
        """The device's profile."""
        return self.devices.spec.profile
