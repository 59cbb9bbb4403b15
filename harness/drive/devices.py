"""Starts, restarts and ends the processes of one device: one that all drives share, or one for each drive."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from harness.device import Device
from harness.device.process import Death
from harness.device.spec import DeviceSpec
from harness.device.tables.placeholders import fill
from harness.drive.bench import Bench
from harness.drive.lab import Lab
from harness.errors import DeviceError
from harness.live.person import Person
from harness.net.address import Address
from harness.system.disk import disk_errors

RESTARTS = 20
"""The most restarts of a crashed device in one run."""


@dataclass
class Devices:
    """Makes the device under test, as its profile asks: once, or once for each plan."""

    spec: DeviceSpec
    bench: Bench
    lab: Lab
    person: Person
    backup: Address | None = None
    """The backup address that the device has been given."""
    shared: Device | None = None
    """The one process that all drives share; None for a device that is started once per plan."""
    deaths: list[Death] = field(default_factory=list)
    """Every crash of the shared device."""
    _restarts: int = 0
    _restarting: asyncio.Lock = field(default_factory=asyncio.Lock)
    _version: str | None = None

    async def start_shared(self) -> Device:
        """Start the process that all drives share; DeviceError if it does not come up."""
        self.shared = self.make(None)
        await self._start(self.shared)
        await self.lab.registered(self.shared)
        return self.shared

    def make(self, peer: Address | None) -> Device:
        """The device, not yet started; ``peer`` for a device that sends every call to a configured address."""
        lab = self.lab
        return Device(
            self.spec.profile,
            address=lab.pool.lease() if self._leased else None,
            backup=self.backup,
            peer=peer,
            exchange=lab.exchange.address if lab.exchange else None,
            faults=self.spec.faults,
            version=self._version,
            work=self.bench.folder,
            lease=lab.pool.lease,
            person=self.person,
        )

    async def end(self, device: Device) -> None:
        """End a device that was made for one drive, and free its address."""
        await device.stop()
        if device is not self.shared and self._leased:
            self.lab.pool.give_back(device.address)

    async def ready(self) -> Device:
        """The shared device, restarted after a crash; DeviceError if the restart fails."""
        device = self.shared
        if device is None:
            raise RuntimeError("a device that is started once per plan has no shared process")
        async with self._restarting:
            if not device.alive():
                if self._restarts == RESTARTS:
                    raise DeviceError(
                        f"{self.spec.name} ended by itself {RESTARTS} times; it is not started again",
                        f"its last words: {device.output(3)}",
                    )
                self._restarts += 1
                await device.stop()
                if self.lab.exchange:
                    self.lab.exchange.forget()
                await self._start(device)
                await self.lab.registered(device)
        return device

    def death_since(self, began_at: float, device: Device) -> Death | None:
        """The first crash of ``device`` after ``began_at``.  It may run again by now."""
        deaths = self.deaths if device is self.shared else filter(None, [device.death])
        return next((death for death in deaths if death.at >= began_at), None)

    def identity(self, device: Device) -> dict[str, Any]:
        """The identity of the device, for the evidence."""
        return device.identity() | {"name": self.spec.name, "faults": list(self.spec.faults)}

    def learn(self, device: Device) -> None:
        """Keep the version that the product reported.  It is asked once."""
        self._version = device.version or self._version

    def numbers(self, token: str, device: Address) -> dict[str, str]:
        """The URIs of the profile's ``lab.numbers``, for one drive."""
        values = {"token": token, "device": str(device)}
        return {name: fill(template, values) for name, template in self.spec.profile.all_numbers().items()}

    @property
    def _leased(self) -> bool:
        return "{" in self.spec.profile.lab.address

    async def _start(self, device: Device) -> None:
        with disk_errors():
            await device.start()
        if device.died is not None:
            device.died.add_done_callback(self._note_death)

    def _note_death(self, died: asyncio.Future[Death]) -> None:
        if not died.cancelled():
            self.deaths.append(died.result())
