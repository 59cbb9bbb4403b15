"""The smoke: checks that a device can make or take a call at all.  It judges nothing.

Before a run, one plain call per role decides whether that role is tested (:func:`smoked`).  ``sipverdict smoke``
places three calls, answered 200, 302 and 603, and names the cause of each failure: this machine, the profile or the
device (:mod:`harness.smoke.trial_calls`).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from typing import Final

from harness.device import Profile
from harness.drive.drive import Drive
from harness.drive.plain import CALLED, plain_call, through
from harness.drive.station import Station
from harness.errors import DeviceError
from harness.model.flow import Flow
from harness.model.plan import Answer, Call, Endpoint, Plan, Response

TRIES: Final = 3
"""The number of tries for a plain call: the machine may be busy, or the device may still be starting."""
_MOVED: Final = "<sip:9{token}@{target}>"
_LONG: Final = 3600.0
"""Seconds: the drive itself knows when to give up."""


@dataclass(frozen=True)
class Unusable:
    """A kind in which no plain call could be made."""

    error: DeviceError
    """With the probable cause."""
    flows: tuple[Flow, ...]
    """One for each try: what the device did instead is evidence like any other.  Only the last one is stored yet."""


def smoke_call(status: int, role: str, profile: Profile) -> Plan | str:
    """The plan in which a call is answered ``status`` (200, 302 or 603); a sentence if this device has no such call."""
    if status == 200:
        return plain_call(role, profile)
    if role not in CALLED:
        answer = Response(302, contacts=(_MOVED,)) if status == 302 else Response(status)
        endpoints: tuple[Endpoint, ...] = (Endpoint("callee", "callee", (Answer((answer,)),)),)
        if status == 302:
            endpoints += (Endpoint("target", "target", (Answer((Response(200),)),)),)
        return through(endpoints, role, profile, watched=True)
    name = "redirects" if status == 302 else "declines"
    if name not in profile.all_numbers():
        if role == "redirect" and status == 603:
            return "a redirect server declines nobody"
        return f"the profile names no number for it (lab.numbers.{name})"
    registered = role == "redirect" and status == 302 and profile.lab.registrar
    guards = (Endpoint("target", "guard", (Answer((Response(480),)),)),) if registered else ()
    return Plan(guards, (Call(f"{{{name}}}"),), bindings=(_MOVED,) if registered else ())


# --- before a run


@contextlib.asynccontextmanager
async def smoked(
    station: Station, roles: Iterable[str], on_flow: Callable[[Flow], None]
) -> AsyncIterator[dict[str, Unusable]]:
    """Make a plain call in each of ``roles``; yield those in which it failed.

    It yields as soon as the calls have arrived.  Their ends are irrelevant, and overlap with the run.
    The last flow of one that failed is handed to ``on_flow``.  SetupError if this machine could not keep the evidence.
    """
    # A person is not asked for one more call before a run.
    wanted = [] if station.spec.profile.stimulus.by_hand else sorted(set(roles))
    running: set[asyncio.Task[Flow]] = set()
    try:
        found = await asyncio.gather(*(_comes_through(station, role, running, on_flow) for role in wanted))
        yield {role: failed for role, failed in zip(wanted, found, strict=True) if failed is not None}
        await asyncio.gather(*running)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _comes_through(
    station: Station, role: str, running: set[asyncio.Task[Flow]], on_flow: Callable[[Flow], None]
) -> Unusable | None:
    """None as soon as a plain call has arrived; otherwise the failure and its probable cause."""
    flows: list[Flow] = []
    for attempt in range(TRIES):
        drive = station.prepare(plain_call(role, station.spec.profile), role, attempt, urgent=True)
        task = asyncio.create_task(drive.run())
        running.add(task)
        arrival = asyncio.ensure_future(drive.recorder.until(lambda drive=drive: came_through(drive), _LONG))  # type: ignore[misc]
        try:
            await asyncio.wait({task, arrival}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            arrival.cancel()
        if came_through(drive):
            return None
        running.discard(task)
        flows.append(station.without_secrets(task.result()))
    if error := _not_tested(station, role, flows[-1]):
        on_flow(flows[-1])
        return Unusable(error, tuple(flows))
    return None


def came_through(drive: Drive) -> bool:
    """Whether the call of ``drive`` has arrived at an endpoint, or the device has answered it itself."""
    if drive.role in CALLED:
        return any(caller.reached for caller in drive.recorder.callers.values())
    return drive.recorder.invites.count() > 0


def _not_tested(station: Station, role: str, flow: Flow) -> DeviceError | None:
    """Why the device is not tested in ``role``; None if this machine is the cause, because each case reports that."""
    trouble = next(iter(flow.troubles), None)
    if trouble and trouble.blame == "harness":
        return None
    why = trouble.text if trouble else "the call neither arrived anywhere nor failed"
    cause = f"{station.spec.name} was not tested as {role}: not even a plain call could be made in {TRIES} tries: {why}"
    hint = f"sipverdict smoke explains the failure; the call is in flows/{flow.id}.json; or test with --no-smoke"
    return DeviceError(cause, hint)
