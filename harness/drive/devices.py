"""Starts, restarts and ends the processes of one device: one that all drives share, or one for each drive."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from harness.device import Device
from harness.device.process import Death
from harness.device.spec import DeviceSpec
from harness.device.tables.placeholders import fill
from harness.drive.bench import Bench
from harness.drive.crossing import other_address
from harness.drive.lab import Lab
from harness.drive.vigil import RETURNS_S, Lost, Vigil
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
    vigil: Vigil
    person: Person
    backup: Address | None = None
    """The backup address that the device has been given."""
    shared: Device | None = None
    """The one process that all drives share; None for a device that is started once per plan."""
    _restarts: int = 0
    _restarting: asyncio.Lock = field(default_factory=asyncio.Lock)
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)
    _version: str | None = None

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Until the block is left no other drive starts the device, where each starts its own at one fixed address."""
        if self.spec.profile.device.per_plan and not self._leased:
            async with self._one_at_a_time:
                yield
        else:
            yield

    async def start_shared(self) -> Device:
        """Start the process that all drives share; DeviceError if it does not come up."""
        self.shared = self.make(None)
        await self.start(self.shared)
        await self.lab.registered(self.shared)
        return self.shared

    def make(self, peer: Address | None) -> Device:
        """The device, not yet started; ``peer`` for a device that sends every call to a configured address."""
        lab = self.lab
        leased = lab.pool.lease() if self._leased else None
        return Device(
            self.spec.profile,
            address=leased,
            inbound=lab.inbound.address(leased),
            across=other_address(self.spec.profile, lab.pool),
            backup=self.backup,
            peer=peer,
            exchanges=lab.exchange.addresses if lab.exchange else (),
            resolver=lab.name_server,
            faults=self.spec.faults,
            version=self._version,
            work=self.bench.folder,
            lease=lab.pool.lease,
            carrier=lab.pool.carrier,
            authority=lab.authority,
            person=self.person,
        )

    async def end(self, device: Device) -> None:
        """End a device that was made for one drive, and free its address."""
        await device.stop()
        if device is not self.shared and self._leased:
            for address in filter(None, (device.address, device.across, device.inbound)):
                self.lab.pool.give_back(address)

    async def ready(self) -> Device:
        """The shared device, restarted after a crash; DeviceError if the restart fails."""
        device = self.shared
        if device is None:
            raise RuntimeError("a device that is started once per plan has no shared process")
        async with self._restarting:
            if self.vigil.gone:
                raise self._gone(self.vigil.gone)
            if self.spec.profile.process is None:
                if self.vigil.down and not await self.vigil.back():
                    how = self.vigil.losses[-1].how
                    raise self._gone(f"{self.spec.name} {how}, and did not come back within {RETURNS_S:g} s")
            elif not device.alive() or self.vigil.down:
                await self._start_again(device)
        return device

    async def _start_again(self, device: Device) -> None:
        if self._restarts == RESTARTS:
            raise self._gone(f"{self.spec.name} was lost {RESTARTS} times, and is not started again")
        self._restarts += 1
        self.vigil.starting = True
        try:
            await device.stop()
            self.vigil.came_back()
            if self.lab.exchange:
                self.lab.exchange.forget()
            await self.start(device)
            await self.lab.registered(device)
        finally:
            self.vigil.starting = False
            self.vigil.starts += 1

    def _gone(self, why: str) -> DeviceError:
        self.vigil.gone = why
        return DeviceError(why, "what is inconclusive for this reason was not tested: repair the device, run it again")

    def identity(self, device: Device) -> dict[str, Any]:
        """The identity of the device, for the evidence."""
        return device.identity() | {"name": self.spec.name, "faults": list(self.spec.faults)}

    def learn(self, device: Device) -> None:
        """Keep the version that the product reported.  It is asked once."""
        self._version = device.version or self._version

    def numbers(self, token: str, device: Address) -> dict[str, str]:
        """The URIs of the profile's ``lab.numbers``, for one drive."""
        values = {"token": token, "device": device.in_uri}
        return {name: fill(template, values) for name, template in self.spec.profile.all_numbers().items()}

    @property
    def _leased(self) -> bool:
        return "{" in self.spec.profile.lab.address

    async def start(self, device: Device) -> None:
        """Start ``device``, and look after its process; DeviceError if it does not come up."""
        with disk_errors():
            await device.start()
        if device.died is not None:
            device.died.add_done_callback(lambda died: None if died.cancelled() else self._note(died.result(), device))

    def _note(self, death: Death, device: Device) -> None:
        self.vigil.note(Lost(death.at, str(death), device))
