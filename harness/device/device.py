"""The device under test as the driver sees it: start, stop, call, and whether it is alive."""

from __future__ import annotations

import asyncio
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from harness.device.launch import Launch
from harness.device.process import Death, DeviceProcess, redacted
from harness.device.profile.models import Profile
from harness.device.ready import bound, wait_ready
from harness.device.stimuli import Act, Stimulus, StimulusContext
from harness.device.tables.values import REGISTERED
from harness.errors import DeviceError, ProfileError, SipverdictError
from harness.live.person import Person
from harness.net.address import UDP4, Address, Carrier
from harness.net.authority import Authority
from harness.net.probe import source_towards
from harness.system.starved import waited_for_cpu


class Device:
    """One device under test, on one address.  Belongs to the event loop that starts it.

    ``address`` is the lease; it is not needed where the profile has a fixed one.  ``across`` is where it is over the
    other IP family, if it has both at once (``pics.both_families``); ``inbound`` where it is called, if that is over
    another transport than that of its own calls.  ``backup`` and ``peer`` are
    needed where the profile requires them (``lab.backup = true``, ``device.per_plan``).  ``exchanges`` are where it
    sends every call, if it does (``lab.exchange``, ``lab.further_exchanges``), ``resolver`` is its name
    server (``lab.resolver``).  ``faults`` are
    names that the reference device knows.  If ``version`` is known, the product is not asked for it.  ``work`` is the
    folder for its private folder, ``lease`` gives the stimulus an address of the tester to send from, and ``person``
    performs manual acts.  ``carrier`` is what carries its SIP; over TLS ``authority`` makes its certificate.
    """

    def __init__(
        self,
        profile: Profile,
        *,
        address: Address | None = None,
        across: Address | None = None,
        inbound: Address | None = None,
        backup: Address | None = None,
        peer: Address | None = None,
        exchanges: Sequence[Address] = (),
        resolver: Address | None = None,
        faults: Sequence[str] = (),
        python: str = sys.executable,
        version: str | None = None,
        work: Path | None = None,
        lease: Callable[[], Address] | None = None,
        person: Person | None = None,
        carrier: Carrier = UDP4,
        authority: Authority | None = None,
    ) -> None:
        self.profile = profile
        self.address = _address(profile, address, carrier)
        self.across = across
        self.inbound = inbound
        self.backup = _backup(profile, backup, carrier)
        self.peer = peer
        self.exchanges = tuple(exchanges)
        self.resolver = resolver
        self.stimulus: Stimulus | None = None
        """The way to make it act; None until it is started."""
        self.version = version
        """As reported by the product; None if it was not asked or does not report one."""
        self.death: Death | None = None
        """How and when it ended without a request of the suite."""
        self._authority = authority
        self._python = python
        self._faults = tuple(faults)
        self._work = work
        self._lease = lease
        self._person = person or Person()
        self._process: DeviceProcess | None = None
        self._folder: Path | None = None
        self._secrets: tuple[str, ...] = ()
        if faults and not (profile.process and profile.process.fault_argv):
            raise ProfileError(
                f"{profile.name} cannot be given faults ({', '.join(faults)})",
                "only the reference device has faults: DEVICE=reference",
            )

    @property
    def called_at(self) -> Address:
        """Where it is called."""
        return self.inbound or self.address

    # --- its life

    async def start(self) -> None:
        """Start it and wait until it is ready.  DeviceError with the cause, a hint and its last output if it is not.

        A device that the suite may not start is only looked at.  After :meth:`stop` it can be started again.
        """
        if self._process is not None:
            raise RuntimeError("the device is started already")
        if self.profile.device.per_plan and self.peer is None:
            raise DeviceError(f"{self.profile.name} has one peer per plan, and was given none", "give Device a peer")
        self.death = None
        self._folder = Path(tempfile.mkdtemp(prefix="sipverdict-", dir=self._work))
        try:
            await self._start(self._folder)
        except SipverdictError as error:
            await self.stop()
            raise type(error)(redacted(error.cause, self._secrets), redacted(error.hint, self._secrets)) from None
        except BaseException:
            await self.stop()
            raise

    async def _start(self, folder: Path) -> None:
        over_tls = self._authority is not None and (self.address.secure or self.called_at.secure)
        launch = Launch(
            self.profile,
            folder,
            self._python,
            self.address,
            self.backup,
            self.peer,
            self.exchanges,
            self.resolver,
            self.across,
            self.inbound,
            self._authority.files_for(self.address.host) if self._authority and over_tls else {},
        )
        self._secrets = launch.secrets
        if section := self.profile.process:
            launch.check_installed(section)
            if bound(self.address):
                raise DeviceError(
                    f"{self.profile.name} cannot be started: {self.address} is taken by another program",
                    "end the program that holds it (ss -lptun), or let the suite lease another address",
                )
            launch.render(section)
            self._process = launch.process(section, launch.argv(section, self._faults))
            await self._process.start()
            self._process.died.add_done_callback(self._has_died)
        self.stimulus = self._make_stimulus(launch, folder)
        ask = None if self.version else asyncio.ensure_future(launch.ask_version())
        try:
            context = None
            if self._authority is not None:
                context = partial(self._authority.client_context, source_towards(self.address).host)
            await wait_ready(self.profile, self.address, self._process, self.stimulus, context)
            self.version = self.version or (await ask if ask else None) or self._version_in_output()
        finally:
            if ask and not ask.done():
                ask.cancel()
                await asyncio.wait({ask})

    async def stop(self) -> None:
        """Stop it, if the suite started it, and remove its private folder.  Stopping twice is harmless."""
        try:
            if self.stimulus:
                await self.stimulus.close()
            if self._process and self.profile.process:
                await self._process.stop(self.profile.process.stop_timeout_s)
        finally:
            if self._process:
                self._process.kill()
            self._process = self.stimulus = None
            if self._folder:
                shutil.rmtree(self._folder, ignore_errors=True)
                self._folder = None

    async def __aenter__(self) -> Device:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def waited_for_cpu(self) -> float:
        """Seconds that it has waited for a processor of this machine so far; 0.0 if the suite did not start it."""
        pid = self._process.pid if self._process else None
        return waited_for_cpu(pid) if pid else 0.0

    def alive(self) -> bool:
        """Whether its process runs.  Always true of a device that the suite did not start: only a ping can show it."""
        return self._process.running if self._process else self.profile.process is None

    @property
    def died(self) -> asyncio.Future[Death] | None:
        """Done when its process ends without a request of the suite; None if the suite has not started it."""
        return self._process.died if self._process else None

    @property
    def died_at(self) -> float | None:
        """When it ended by itself, in seconds since the epoch; None if it has not."""
        return self.death.at if self.death else None

    def output(self, lines: int = 8) -> str:
        """The last lines of its output; "" if there are none."""
        return self._process.tail(lines) if self._process else ""

    # --- acts

    @property
    def supports(self) -> frozenset[str]:
        """The acts that it can do: of "call", "hangup", "reinvite", "answer", "reject"; none before its start."""
        return self.stimulus.supports if self.stimulus else frozenset()

    async def call(self, uri: str) -> None:
        """Make it call ``uri``; DeviceError if the request could not be made."""
        await self._request("call", uri)

    async def hangup(self, uri: str) -> None:
        """Make it hang up, or give up, its call to ``uri``."""
        await self._request("hangup", uri)

    async def reinvite(self, uri: str) -> None:
        """Make it send a re-INVITE within its call to ``uri``."""
        await self._request("reinvite", uri)

    async def answer(self, uri: str) -> None:
        """Make it answer the call of ``uri``, which rings."""
        await self._request("answer", uri)

    async def reject(self, uri: str) -> None:
        """Make it decline the call of ``uri``, which rings."""
        await self._request("reject", uri)

    async def settled(self, came: bool) -> None:
        """Note that the last request had its effect (``came``), or that the driver stopped waiting for it."""
        if self.stimulus:
            await self.stimulus.settled(came)

    def remark(self) -> str:
        """Its reply to the last request; "" without one."""
        return redacted(self.stimulus.remark(), self._secrets) if self.stimulus else ""

    async def _request(self, act: Act, uri: str) -> None:
        stimulus = self._running()
        try:
            await stimulus.perform(act, uri)
        except SipverdictError as error:
            raise DeviceError(redacted(error.cause, self._secrets), redacted(error.hint, self._secrets)) from None
        except Exception as error:  # a kind that another package brings may break in any way
            kind = self.profile.stimulus.kind
            what = redacted(f"{type(error).__name__}: {error}", self._secrets)
            raise DeviceError(
                f"{self.profile.name} could not be asked to {act}: the stimulus {kind!r} broke: {what}",
                "this is a bug in that stimulus, not in the device",
            ) from error

    def _running(self) -> Stimulus:
        if self.stimulus is None or not self.alive():
            end = f": it {self.death}" if self.death else ""
            output = f"; {self._process.last_words()}" if self._process else ""
            raise DeviceError(
                f"{self.profile.name} is not running{end}{output}", "see its output: it ended while the suite used it"
            )
        return self.stimulus

    # --- identity

    def identity(self) -> dict[str, Any]:
        """Its identity for a report: name, vendor, model, declared firmware, reported version, roles and all PICS."""
        section = self.profile.device
        return {
            "name": section.name,
            "vendor": section.vendor,
            "model": section.model,
            "firmware": section.firmware,
            "serial": section.serial,
            "version": self.version or section.firmware,
            "roles": list(section.roles),
            "transports": list(section.transports),
            "families": list(section.families),
            "pics": self.profile.all_pics(),
            "timers": self.profile.timers,
        }

    def _version_in_output(self) -> str | None:
        section = self.profile.process
        if section is None or section.version or not section.version_pattern:
            return None
        found = re.search(section.version_pattern, self.output(200), re.MULTILINE)
        return found[1] if found else None

    # --- how it is started

    def _make_stimulus(self, launch: Launch, folder: Path) -> Stimulus:
        more = {"lease": self._lease} if self._lease else {}
        return self.profile.stimulus.make(
            StimulusContext(
                device=self.profile.name,
                address=self.address,
                folder=folder,
                values=launch.values,
                secret=self._secret,
                process=self._process,
                person=self._person,
                **more,
            )
        )

    def _secret(self, name: str) -> str:
        """A secret of the profile.  Every later message blanks it."""
        value = self.profile.secret(name)
        written = {value, quote(value, safe="")} - {""}
        self._secrets = tuple(sorted({*self._secrets, *written}, key=len, reverse=True))
        return value

    def _has_died(self, died: asyncio.Future[Death]) -> None:
        if not died.cancelled():
            self.death = died.result()


def _address(profile: Profile, lease: Address | None, carrier: Carrier) -> Address:
    if profile.lab.address not in ("{lease}", REGISTERED):
        fixed = Address.parse(profile.lab.address, carrier.transport)
        if fixed.family != carrier.family:
            raise DeviceError(
                f"{profile.name} has no address for {carrier}: lab.address is {fixed}",
                f"name it in the profile: [over.{carrier.label}] with lab.address = ...",
            )
        return fixed
    if lease is None:
        raise DeviceError(f"{profile.name} has no address: none was leased for it", "give Device an address")
    return lease


def _backup(profile: Profile, lease: Address | None, carrier: Carrier) -> Address | None:
    if isinstance(profile.lab.backup, str):
        return Address.parse(profile.lab.backup, carrier.transport)
    if profile.lab.backup and lease is None:
        raise DeviceError(f"{profile.name} needs a backup address, and none was leased", "give Device a backup")
    return lease if profile.lab.backup else None
