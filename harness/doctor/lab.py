"""Checks of the suite's own addresses in a profile: exchange, backup, and the range of its endpoints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import product, starmap

import psutil

from harness.device import Profile
from harness.device.profile.certificates import own_files
from harness.device.spec import DeviceSpec
from harness.device.tables.values import hosts_in, ports_in
from harness.doctor.check import Check
from harness.drive import crossing
from harness.drive.bench import RESERVED
from harness.errors import ProfileError, SetupError
from harness.net.address import SECURE, Address, Carrier, Transport
from harness.net.binding import is_free
from harness.net.pool import LabPool
from harness.purposes.discovery import all_purposes

SEATS_OF_A_DRIVE = 3
"""Addresses that most drives take."""


def lab_checks(profile: Profile, carriers: Sequence[Carrier] = ()) -> Iterator[Check]:
    """The fixed addresses at which the suite is to listen over ``carriers`` (none: what the profile says).

    A loopback address only reaches loopback.  The exchange and the backup are where a device's own calls go.
    """
    carriers = carriers or DeviceSpec(profile.name, profile).carried_by
    outbound = dict.fromkeys(carrier.outbound for carrier in carriers)
    for key, text, transport in dict.fromkeys(
        (key, text, one.transport) for one in outbound for key, text in _listening(profile.over(one))
    ):
        yield _listens_at(profile, key, text, transport)
    sides = tuple(dict.fromkeys(side for carrier in carriers for side in carrier.sides))
    labs = [profile.over(side).lab for side in sides]
    for tester, ports in dict.fromkeys((lab.tester, lab.ports) for lab in labs):
        if tester:
            yield _tester(profile, tester, ports)
    if profile.claims("both_families"):
        yield _both_families(profile)
    if profile.lab.tls or any(side.transport in SECURE for side in sides):
        yield from _tls(profile)


def _listening(profile: Profile) -> Iterator[tuple[str, str]]:
    """The addresses of ``profile`` at which the suite listens, each with its key."""
    lab = profile.lab
    keys = [("lab.exchange", lab.exchange), *(("lab.further_exchanges", place) for place in lab.further_exchanges)]
    keys.append(("lab.backup", lab.backup if isinstance(lab.backup, str) else None))
    yield from ((key, text) for key, text in keys if text and "{" not in text)


def holders(port: int, host: str = "0.0.0.0", transport: Transport = "udp") -> list[str]:
    """The programs that hold ``port`` of ``host``: name and process id, as far as this user may see them."""
    found = []
    for connection in psutil.net_connections("udp" if transport == "udp" else "tcp"):
        if not connection.laddr or connection.laddr.port != port or connection.laddr.ip not in (host, "::"):
            continue
        if transport != "udp" and connection.status != psutil.CONN_LISTEN:
            continue
        try:
            found.append(f"{psutil.Process(connection.pid).name()} (process {connection.pid})")
        except (psutil.Error, TypeError, ValueError):  # no pid: it belongs to another user
            found.append("a program of another user")
    return found


def held_by(address: Address) -> str:
    """Who holds ``address``, or its port on every address."""
    host, port, transport = address.host, address.port, address.transport
    who = dict.fromkeys([*holders(port, host, transport), *holders(port, transport=transport)])
    return " and ".join(who) or "another program"


def _listens_at(profile: Profile, key: str, text: str, transport: Transport) -> Check:
    """Whether the suite can listen at ``text``."""
    name, address = f"{profile.name}: {key}", Address.parse(text, transport)
    place = f"{transport.upper()} {address}"
    try:
        free = is_free(address)
    except OSError as error:
        todo = f"{key} must be an address of this machine (ip address)"
        return Check(name, "problem", f"{place} cannot be bound on this machine: {error.strerror}", todo)
    if free:
        return Check(name, "ok", f"{place} is free")
    todo = f"end it; or change the port of {key}, and the device's setting with it"
    return Check(name, "problem", f"{place} is held by {held_by(address)}", todo)


def _both_families(profile: Profile) -> Check:
    """Whether the calls of a device that has both IP families can lead from one to the other."""
    name, section = f"{profile.name}: IPv4 and IPv6", profile.device
    for carrier in starmap(Carrier, product(section.transports, section.families)):
        if why := crossing.why_not(profile, carrier, profile.name):
            todo = "name addresses of both (docs/transports.md), or leave pics.both_families out"
            return Check(name, "warn", f"calls are not redirected from one to the other: {why}", todo)
    return Check(name, "ok", "calls are redirected from one to the other")


def _tls(profile: Profile) -> Iterator[Check]:
    """Whether the files of ``[lab.tls]`` can be used, and the device can know their authority."""
    name, tls = f"{profile.name}: certificates", profile.lab.tls
    if tls is None:
        if profile.claims("verifies_certificates") and profile.process is None:
            todo = "give it the authority of a lab, and the suite that and its key: [lab.tls] (docs/transports.md)"
            yield Check(
                name, "warn", "it checks certificates, and each run has an authority that it does not know", todo
            )
        elif profile.process is None:
            found = "made by an authority of each run; a device that checks them needs [lab.tls] (docs/transports.md)"
            yield Check(name, "ok", f"the endpoints show certificates: {found}")
        return
    try:
        own_files(profile)
    except ProfileError as error:
        yield Check(name, "problem", error.cause, error.hint)
        return
    shown = tls.certificate or (f"made by {tls.authority}" if tls.authority else "made by the authority of each run")
    demanded = "; the device must show one" if tls.demanded else ""
    yield Check(name, "ok", f"the endpoints show certificates: {shown}{demanded}")


def _tester(profile: Profile, stated: str, stated_ports: str) -> Check:
    """Whether the endpoints of every plan for the device find room there (``lab.tester``, ``lab.ports``)."""
    name, hosts, ports = f"{profile.name}: the suite's addresses", hosts_in(stated), ports_in(stated_ports)
    try:
        pool = LabPool(hosts, ports)
    except SetupError as error:
        return Check(name, "problem", error.cause, error.hint)
    room = len(pool) - RESERVED
    pool.close()
    needs = _seats_of_tests(profile)
    largest, most = max(needs, default=1), SEATS_OF_A_DRIVE * profile.calls_at_once
    found = f"{stated}, ports {stated_ports}: room for {max(room, 0)} endpoints beside {RESERVED} reserved ones"
    if room < largest:
        without = sum(count for seats, count in needs.items() if seats > room)
        todo = f"name more addresses in lab.tester or more ports in lab.ports: {max(largest, most) + RESERVED} or more"
        found += f"; {without} of {needs.total()} tests do not fit"
        return Check(name, "problem" if without == needs.total() else "warn", found, todo)
    if room < most:
        todo = f"name {most + RESERVED} addresses and ports or more, or accept a longer run"
        return Check(name, "warn", f"{found}; {profile.calls_at_once} calls at once need {most}", todo)
    return Check(name, "ok", found)


def _seats_of_tests(profile: Profile) -> Counter[int]:
    """How many tests for the device need how many endpoints at a time: those that it calls, and those that call it."""
    needs: Counter[int] = Counter()
    for purpose in all_purposes().values():
        for role in profile.device.roles:
            plans = () if purpose.apart or (purpose.roles and role not in purpose.roles) else purpose.plans_for(role)
            if plans:
                needs[max(len(plan.endpoints) + (len(plan.calls) if role != "uac" else 0) for plan in plans)] += 1
    return needs
