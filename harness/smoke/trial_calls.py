"""``sipverdict smoke``: places three calls; names the probable cause and a remedy for each failure.

It only checks that a call arrived, was answered and was acknowledged.  Conformance is judged by a run.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from harness.device import Profile
from harness.device.ready import bound
from harness.device.spec import DeviceSpec
from harness.drive.bench import Bench
from harness.drive.station import Station
from harness.endpoints.sipp.binary import SippBinary
from harness.errors import DeviceError, ProfileError, SipverdictError
from harness.live.progress import Progress
from harness.model.axes import PASSING_ON
from harness.model.flow import Event, Flow
from harness.model.outcome import ExitStatus
from harness.model.windows import Window
from harness.net.address import Address, Carrier
from harness.net.stream_probe import remedy_of
from harness.smoke.asking import asking
from harness.smoke.plain import smoke_call

Blame = Literal["machine", "profile", "device"]
BLAMED: Final[Mapping[Blame, str]] = {
    "machine": "this machine",
    "profile": "the profile",
    "device": "the device",
}
STATUSES: Final = (200, 302, 603)
WINDOW: Final = Window("smoke", 1.2, "long enough for an ACK, and for one to a copy")
PING_S: Final = 2.0
SIDE_BY_SIDE: Final = 4


@dataclass(frozen=True)
class Look:
    """The result of one of the three calls."""

    device: str
    role: str
    carrier: Carrier
    """What carried it."""
    status: int
    """The status of the planned answer."""
    ok: bool | None
    """None if the call was not made."""
    result: str
    """The observation, in one line."""
    seconds: float | None = None
    """Seconds from requesting the call until it was answered and acknowledged."""
    blame: Blame | None = None
    hint: str = ""
    """The remedy to try."""
    flow: Flow | None = None

    @property
    def exit_status(self) -> ExitStatus:
        """0 if the call succeeded; 2: the device was unusable; 3: this machine or the profile."""
        if self.blame is None:
            return ExitStatus.CONFORMING
        return ExitStatus.INCONCLUSIVE if self.blame == "device" else ExitStatus.SETUP


async def look_at_all(
    specs: Sequence[DeviceSpec], sipp: SippBinary, work: Path, say: Callable[[str], None] = print
) -> list[Look]:
    """Three calls of every device in each of its roles; SetupError if this machine cannot make any.

    Where a person dials, ``say`` gets what to dial.
    """
    turns = asyncio.Semaphore(SIDE_BY_SIDE)
    progress = Progress(0, WINDOW)
    by_hand = sum(
        len(STATUSES) * len(spec.carried_by)
        for spec in specs
        if spec.profile.stimulus.by_hand and "uac" in spec.profile.device.roles
    )
    async with (
        Bench.open(work, sipp) as bench,
        asking(progress.person, by_hand, say) if by_hand else contextlib.nullcontext(),
    ):

        async def one(spec: DeviceSpec) -> list[Look]:
            async with turns:
                # One after the other: over all of them it is one device.
                over = [await _look(spec, carrier, bench, progress) for carrier in spec.carried_by]
                return [look for looks in over for look in looks]

        return [look for looks in await asyncio.gather(*map(one, specs)) for look in looks]


async def _look(spec: DeviceSpec, carrier: Carrier, bench: Bench, progress: Progress) -> list[Look]:
    spec = replace(spec, profile=spec.profile.over(carrier))
    roles = [role for role in spec.profile.device.roles if carrier.called_over is None or role in PASSING_ON]
    if taken := _taken(spec.profile, carrier):
        return [_not_made(spec, roles[0], carrier, "machine", *taken)]
    try:
        async with Station(spec, bench, WINDOW, progress, carrier=carrier) as station:
            return [look for role in roles for look in await _in_role(station, role)]
    except SipverdictError as error:
        return [_not_made(spec, roles[0], carrier, _blame(error), error.cause, error.hint)]


def _taken(profile: Profile, carrier: Carrier) -> tuple[str, str] | None:
    """The failure if another program holds the address at which the suite must start the device."""
    address = profile.lab.address
    if "{" in address or profile.process is None or not bound(Address.parse(address, carrier.transport)):
        return None
    return f"{address} is taken by another program", "sipverdict doctor --device names it, where that can be seen"


def _blame(error: SipverdictError) -> Blame:
    return "device" if isinstance(error, DeviceError) else "profile" if isinstance(error, ProfileError) else "machine"


def _not_made(spec: DeviceSpec, role: str, carrier: Carrier, blame: Blame, result: str, hint: str) -> Look:
    return Look(spec.name, role, carrier, 200, ok=False, result=result, blame=blame, hint=hint)


async def _in_role(station: Station, role: str) -> list[Look]:
    first = await _call(station, role, STATUSES[0])
    if not first.ok:
        rest = [replace(first, status=status, ok=None, flow=None, result="not tried") for status in STATUSES[1:]]
        return [first, *(replace(look, blame=None, hint="", seconds=None) for look in rest)]
    return [first, *await asyncio.gather(*(_call(station, role, status) for status in STATUSES[1:]))]


async def _call(station: Station, role: str, status: int) -> Look:
    plan = smoke_call(status, role, station.spec.profile)
    blank = Look(station.spec.name, role, station.carrier, status, ok=None, result="")
    if isinstance(plan, str):
        return replace(blank, result=plan)
    flow = await station.drive(plan, role)
    look = read(flow, status, station.spec.profile)
    shared = station.context.devices.shared
    if look.blame == "device" and not flow.select(received=True) and shared is not None:
        # An OPTIONS distinguishes an absent device from a wrong stimulus.
        answer = await station.context.lab.prober.ping(shared.address, PING_S)
        look = _asked_in_vain(look, station.spec.profile, str(shared.address), answer)
    return look


def read(flow: Flow, status: int, profile: Profile) -> Look:
    """The result of ``flow``, in which a call was to be answered ``status``.  A pure function."""
    look = Look(str(flow.device.get("name", "")), flow.role, flow.carrier, status, ok=False, result="", flow=flow)
    for trouble in flow.troubles:
        blame: Blame = {"harness": "machine", "stimulus": "profile"}.get(trouble.blame, "device")  # type: ignore[assignment]
        hint = {
            "machine": "try again; sipverdict doctor looks at this machine",
            "profile": f"see [stimulus] and [lab] of {profile.source}",
            "device": "see the device's own log",
        }[blame]
        return _answered_itself(look, flow, profile) or replace(look, result=trouble.text, blame=blame, hint=hint)
    return _called(look, flow, profile) if flow.role in ("uas", "redirect") else _calling(look, flow, profile)


def _calling(look: Look, flow: Flow, profile: Profile) -> Look:
    """A device that calls, or passes a call on: it arrived, was answered, was acknowledged."""
    callers = {seat.name for seat in flow.seats if seat.kind == "caller"}
    invite = next((e for e in flow.select("INVITE", received=True) if e.seat not in callers), None)
    if invite is None:
        own = _answered_itself(look, flow, profile)
        failed = [one.trouble for seat in flow.seats for one in seat.connections if remedy_of(one.trouble)]
        result = f"no INVITE arrived; {failed[-1]}" if failed else "no INVITE arrived"
        hint = remedy_of(failed[-1]) if failed else "see the device's own log"
        return own or replace(look, result=result, blame="device", hint=hint)
    final = next(iter(flow.select(at=invite.seat, status=look.status, received=False)), None)
    if final is None:
        return replace(look, result=f"the call arrived but was not answered {look.status}", blame="machine")
    acks = (e for e in flow.select("ACK", received=True) if e.seat not in callers and e.call_id == invite.call_id)
    # A proxy that did not Record-Route has no part in the ACK of a 2xx, nor in the BYE: they pass it by.
    past = [e for e in flow.between if e.method == "ACK" and e.seat in callers]
    ack = next((e for e in (*acks, *past) if e.cseq_number == invite.cseq_number), None)
    if ack is None:
        return replace(
            look,
            result=f"the call arrived and was answered {look.status}, but no ACK arrived",
            blame="device",
            hint="check whether the answer reaches it (firewall, NAT); if so, a run judges the missing ACK",
        )
    upstream = _upstream(flow, callers)
    where = " past the device" if ack in past else f" at {ack.seat}" if ack.seat != invite.seat else ""
    followed = next((e.seat for e in flow.select("INVITE", received=True, at="target")), "")
    result = f"arrived, answered, acknowledged{where}" + (f"; went on to {followed}" if followed else "") + upstream
    return replace(look, ok=True, result=result, seconds=_since_asked(flow, ack))


def _called(look: Look, flow: Flow, profile: Profile) -> Look:
    """A device that is called: it answered, as the number says."""
    finals = [e for e in flow.select(at=_callers(flow), received=True) if _final(e)]
    if not finals:
        rings = next((e for e in flow.select(at=_callers(flow), received=True) if 180 <= (e.status or 0) < 200), None)
        if rings and look.status == 200:  # a phone that nobody answers: as for the plain call before a run
            result = f"it rings: {rings.status} (any answer will do)"
            return replace(look, ok=True, result=result, seconds=_since_asked(flow, rings))
        return replace(look, result="no final answer arrived", blame="device", hint="see the device's own log")
    got, name = finals[0].status or 0, "redirects" if look.status == 302 else "declines"
    if look.status != 200 and got // 100 != look.status // 100:
        number = flow.calls[0].uri if flow.calls else "the number"
        return replace(
            look,
            result=f"{number} was answered {got}; expected {look.status // 100}xx",
            blame="profile",
            hint=f"correct lab.numbers.{name} of {profile.source}, or make the device answer it that way",
        )
    any_will_do = " (any answer will do)" if look.status == 200 != got else ""
    return replace(look, ok=True, result=f"answered {got}{any_will_do}", seconds=_since_asked(flow, finals[0]))


def _answered_itself(look: Look, flow: Flow, profile: Profile) -> Look | None:
    """A device that was to pass a call on, and answered it."""
    callers = _callers(flow)
    if flow.role in ("uas", "redirect", "uac") or any(e.seat not in callers for e in flow.select("INVITE")):
        return None
    finals = [e for e in flow.select(at=callers, received=True) if _final(e) and e.cseq_method == "INVITE"]
    if not finals:
        return None
    return replace(
        look,
        result=f"it answered the caller {finals[0].status} and passed nothing on",
        blame="profile",
        hint=f"check its routing, and device.roles and lab.registrar of {profile.source}",
    )


def _asked_in_vain(look: Look, profile: Profile, address: str, answer: str | None) -> Look:
    if answer is None:
        hint = f"is it running, and is {address} (lab.address of {profile.source}) where it is?"
        return replace(look, result=f"{look.result}; an OPTIONS to {address} is not answered either", hint=hint)
    hint = f"check [stimulus] of {profile.source}; does the device need an account, a proxy, another number?"
    blame: Blame = "profile" if look.role == "uac" else "device"
    if look.role != "uac":
        hint = "check that it accepts calls from unknown callers; see its own log"
    return replace(look, result=f"{look.result}; it is alive: an OPTIONS is answered", blame=blame, hint=hint)


def _upstream(flow: Flow, callers: set[str]) -> str:
    finals = [e for e in flow.select(at=callers, received=True) if _final(e) and e.cseq_method == "INVITE"]
    return f"; the caller received {finals[0].status}" if finals else ""


def _callers(flow: Flow) -> list[str]:
    return [seat.name for seat in flow.seats if seat.kind == "caller"]


def _final(event: Event) -> bool:
    return (event.status or 0) >= 200 and event.cseq_method != "REGISTER"


def _since_asked(flow: Flow, event: Event) -> float | None:
    return max(0.0, event.time - flow.calls[0].placed_at) if flow.calls else None
