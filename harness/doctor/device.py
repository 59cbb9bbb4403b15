"""Checks of a device by its profile: its program, and whether it is there."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from harness.device import Profile
from harness.device.profile.certificates import own_files
from harness.device.ready import bound, elsewhere
from harness.device.spec import DeviceSpec
from harness.device.tables.placeholders import names_in
from harness.device.tables.sections import IsolationSection
from harness.doctor.access import control_checks, name_checks, secret_checks
from harness.doctor.check import Check, State
from harness.doctor.lab import held_by, lab_checks
from harness.errors import ProfileError
from harness.lab.resolver import why_not
from harness.net.address import Address, Carrier
from harness.net.authority import Authority, OwnFiles
from harness.net.binding import why_not_ours
from harness.net.probe import source_towards
from harness.net.probes import prober_at
from harness.net.stream_probe import remedy_of
from harness.system.isolation import why_not as why_not_isolated

PING_S = 2.0


def device_checks(profile: Profile, carriers: Sequence[Carrier] = ()) -> Iterator[Check]:
    """The profile, its program, what makes it act, and all addresses over ``carriers`` (none: what it says)."""
    whole = carriers or DeviceSpec(profile.name, profile).carried_by
    sides = tuple(dict.fromkeys(side for one in whole for side in one.sides))
    section = profile.device
    roles, calls = "/".join(section.roles), f"{section.max_calls} call{'s' if section.max_calls > 1 else ''} at once"
    yield Check(f"{profile.name}: profile", "ok", f"{profile.source.name}: {roles}, {calls}, {profile.stimulus.kind}")
    yield from _program(profile)
    if profile.isolation:
        # Its addresses are not those of this machine as it is outside.
        yield _isolation(profile, profile.isolation)
        yield from secret_checks(profile)
        return
    for side in sides:
        yield from _address(profile.over(side), side)
    yield from secret_checks(profile)
    yield from name_checks(profile)
    yield from control_checks(profile)
    yield from lab_checks(profile, whole)
    if profile.claims("dns") and profile.lab.resolver:
        yield _resolver(profile)


def _isolation(profile: Profile, section: IsolationSection) -> Check:
    name = f"{profile.name}: network of its own"
    if why := why_not_isolated():
        todo = (
            "run as root, or allow user namespaces (sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone)"
        )
        return Check(name, "warn", f"it is not tested here: {why}", todo)
    return Check(name, "ok", f"a run can have {' and '.join(section.networks)} for itself")


def _program(profile: Profile) -> Iterator[Check]:
    process, name = profile.process, f"{profile.name}: program"
    if process is None:
        yield Check(name, "ok", "the suite does not start it: it must be running already")
        return
    program = process.argv[0]
    install = process.install or "install the product, or correct process.argv of its profile"
    if not names_in(program) and shutil.which(program) is None:
        yield Check(name, "problem", f"there is no program {program!r}", install)
        return
    missing = [module for module in process.modules if program == "{python}" and find_spec(module) is None]
    if missing:
        yield Check(name, "problem", f"{sys.executable} has no module {', '.join(missing)}", install)
    else:
        yield Check(name, "ok", f"{program.replace('{python}', sys.executable)} is installed")


def _address(profile: Profile, carrier: Carrier) -> Iterator[Check]:
    name, text = f"{profile.name}: address", profile.lab.address
    if "{" in text:
        yield Check(name, "ok", "leased for each run" if text == "{lease}" else f"known when the run begins ({text})")
        return
    address = Address.parse(text, carrier.transport)
    if profile.process is not None:
        yield _to_be_started_at(name, address)
        return
    try:
        own = source_towards(address)
    except OSError as error:
        yield Check(
            name, "problem", f"there is no route to {address}: {error.strerror}", "see lab.address and ip route"
        )
        return
    yield asyncio.run(_is_there(name, profile, address, replace(own, transport=address.transport)))


async def _is_there(name: str, profile: Profile, address: Address, own: Address) -> Check:
    """Whether the device answers an OPTIONS; if not, whether the network says that nobody is there."""
    place = f"{address} ({address.transport.upper()}), reached from {own.host},"
    troubles: list[str] = []
    with tempfile.TemporaryDirectory(prefix="sipverdict-doctor-") as folder:
        # As a run shows it: a device may want a certificate of the other side.
        authority = Authority(Path(folder), own=_own_files(profile))
        context = partial(authority.client_context, own.host)
        async with prober_at(own, context, profile.lab.websocket_path, troubles.append) as prober:
            if answer := await prober.ping(address, PING_S):
                return Check(name, "ok", f"{place} answers an OPTIONS: {answer[:80]}")
            if await prober.refused_by(address, PING_S):
                todo = "switch it on, or start its SIP service; is lab.address right, with its port?"
                if address.transport == "udp":
                    todo += " a device that listens over TCP, TLS or WebSockets: device.transports"
                todo += f" {elsewhere(profile, address)}".rstrip("; ")
                return Check(name, "problem", f"{place} is closed: its host says that nothing listens there", todo)
    # Of several tries the one that tells most: who resets a connection may take its own alert back with it.
    trouble = next(filter(remedy_of, reversed(troubles)), (troubles or [""])[-1])
    why = f": {trouble}" if trouble else ""
    todo = "check that it is on and that lab.address is right; some devices never answer OPTIONS: try sipverdict smoke"
    # A web server has answered, and not with a WebSocket: no call gets through to it.
    state: State = "problem" if trouble.startswith("WebSocket handshake") else "warn"
    found = f"{place} does not answer an OPTIONS in {PING_S:g} s{why}"
    return Check(name, state, found, remedy_of(trouble) or todo)


def _own_files(profile: Profile) -> OwnFiles:
    """The files of ``[lab.tls]``; none where they cannot be used, which another check says."""
    with contextlib.suppress(ProfileError):
        return own_files(profile) or OwnFiles()
    return OwnFiles()


def _to_be_started_at(name: str, address: Address) -> Check:
    """Whether a device that the suite starts can have ``address``."""
    if bound(address):
        return Check(name, "problem", f"{address} is held by {held_by(address)}", "end it, or change lab.address")
    if why := why_not_ours(address.host):
        return Check(name, "problem", f"{address} {why}", "lab.address must be an address of this machine, or {lease}")
    return Check(name, "ok", f"{address} is free on this machine")


def _resolver(profile: Profile) -> Check:
    name, where = f"{profile.name}: the lab's resolver", profile.lab.resolver
    if why := why_not(where, profile.device.families[0]):
        return Check(name, "warn", why, "without it, Contacts with names are not tested; see docs/transports.md")
    return Check(name, "ok", f"{where}: can be listened at")
