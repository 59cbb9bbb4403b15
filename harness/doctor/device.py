"""Checks of a device by its profile: installation, address, and the suite's own addresses."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import Iterator
from importlib.util import find_spec

from harness.device import Profile, options_ping
from harness.device.ready import bound
from harness.device.tables.placeholders import names_in
from harness.device.tables.values import hosts_in
from harness.doctor.check import Check
from harness.doctor.machine import holders
from harness.lab.resolver import why_not
from harness.net.address import Address
from harness.net.binding import why_not_ours
from harness.net.probe import source_towards

PING_S = 2.0


def device_checks(profile: Profile) -> Iterator[Check]:
    """The profile, its program and its addresses."""
    section = profile.device
    roles, calls = "/".join(section.roles), f"{section.max_calls} call{'s' if section.max_calls > 1 else ''} at once"
    yield Check(f"{profile.name}: profile", "ok", f"{profile.source.name}: {roles}, {calls}, {profile.stimulus.kind}")
    yield from _program(profile)
    yield from _address(profile)
    yield from _tester(profile)
    if profile.claims("dns") and profile.lab.resolver:
        yield _resolver(profile)


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


def _address(profile: Profile) -> Iterator[Check]:
    name, text = f"{profile.name}: address", profile.lab.address
    if "{" in text:
        yield Check(name, "ok", "leased for each run" if text == "{lease}" else f"known when the run begins ({text})")
        return
    address = Address.parse(text)
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
    answer = asyncio.run(options_ping(address, None, PING_S))
    if answer:
        yield Check(name, "ok", f"{address} is reached from {own.host} and answers an OPTIONS: {answer[:80]}")
    else:
        todo = (
            "check that it is on and that lab.address is right; some devices never answer OPTIONS: try sipverdict smoke"
        )
        yield Check(
            name, "warn", f"{address}, reached from {own.host}, does not answer an OPTIONS in {PING_S:g} s", todo
        )


def _to_be_started_at(name: str, address: Address) -> Check:
    """Whether a device that the suite starts can have ``address``."""
    if bound(address):
        who = " and ".join(dict.fromkeys([*holders(address.port, address.host), *holders(address.port)]))
        return Check(
            name, "problem", f"{address} is held by {who or 'another program'}", "end it, or change lab.address"
        )
    if why := why_not_ours(address.host):
        return Check(name, "problem", f"{address} {why}", "lab.address must be an address of this machine, or {lease}")
    return Check(name, "ok", f"{address} is free on this machine")


def _resolver(profile: Profile) -> Check:
    name, where = f"{profile.name}: the lab's resolver", profile.lab.resolver
    if why := why_not(where, profile.device.families[0]):
        return Check(name, "warn", why, "without it, Contacts with names are not tested; see docs/transports.md")
    return Check(name, "ok", f"{where}: can be listened at")


def _tester(profile: Profile) -> Iterator[Check]:
    """The suite's own addresses in a profile.  A loopback address only reaches loopback."""
    name, stated = f"{profile.name}: the suite's addresses", profile.lab.tester
    hosts = hosts_in(stated) if stated else ()
    if wrong := [f"{host} {why}" for host in hosts if (why := why_not_ours(host))]:
        yield Check(name, "problem", "; ".join(wrong), "lab.tester must be addresses of this machine (ip address)")
    elif hosts:
        yield Check(name, "ok", f"{stated}: of this machine")
