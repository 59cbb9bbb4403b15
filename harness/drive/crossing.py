"""Calls that change their IP family: whether a device can be given endpoints over the other, and where it is there."""

from __future__ import annotations

from harness.device import Profile
from harness.device.tables.values import REGISTERED, hosts_in
from harness.model.crossing import CANNOT_CROSS, NO_OTHER_TESTER
from harness.net.address import FAMILY_NAMES, Address, Carrier, family_of
from harness.net.binding import ANY_OF_OURS, why_not_ours
from harness.net.pool import CarrierPool


def why_not(profile: Profile, carrier: Carrier, device: str) -> str:
    """Why the calls of ``device`` over ``carrier`` cannot lead to the other IP family; "" if they can."""
    family = carrier.across.family
    if profile.over(carrier).lab.tester is None:
        why = why_not_ours(ANY_OF_OURS[family])
        return f"{CANNOT_CROSS}{FAMILY_NAMES[family]} loopback {why}" if why else ""
    if other_tester(profile, carrier) is None:
        return NO_OTHER_TESTER.format(device, FAMILY_NAMES[family], carrier.across.label)
    return ""


def other_tester(profile: Profile, carrier: Carrier) -> Profile | None:
    """The profile that names this machine's addresses of the other family; None if none does."""
    other = profile.over(carrier.across)
    named = other.lab.tester
    return other if named and family_of(hosts_in(named)[0]) == carrier.across.family else None


def other_address(profile: Profile, pool: CarrierPool) -> Address | None:
    """Where a device over the carrier of ``pool`` is over the other IP family; None if that cannot be.

    A device that is given its address gets another lease.
    """
    carrier = pool.carrier
    if not profile.claims("both_families") or why_not(profile, carrier, profile.name):
        return None
    named = profile.over(carrier.across).lab.address
    if named == "{lease}":
        return pool.lease(across=True)
    if named == REGISTERED:
        return None
    address = Address.parse(named, carrier.transport)
    return address if address.family == carrier.across.family else None
