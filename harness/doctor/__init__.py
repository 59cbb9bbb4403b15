"""``sipverdict doctor``: checks that this machine and the device profiles are ready for a run.  Nothing in it raises.

Every check examines one fact and reports the result, with a remedy for every problem.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

from harness.device import Profile
from harness.doctor.check import Check
from harness.doctor.device import device_checks
from harness.doctor.machine import machine_checks
from harness.doctor.sipp import sipp_checks
from harness.errors import SipverdictError
from harness.net.address import Carrier

__all__ = ["Check", "examine"]

Checks = Callable[[], Iterable[Check]]


def examine(profiles: Iterable[tuple[Profile, Sequence[Carrier]]], out: Path) -> Iterator[Check]:
    """Every check of this machine and of ``profiles``, each over what is to carry its SIP (none: what it says).

    Runs would be stored below ``out``.
    """
    for name, checks in (("SIPp", sipp_checks), *machine_checks(out)):
        yield from _kept_from_raising(name, checks)
    for profile, carriers in profiles:
        yield from _kept_from_raising(profile.name, partial(device_checks, profile, carriers))


def _kept_from_raising(name: str, checks: Checks) -> Iterator[Check]:
    """The results of ``check``.  A check that fails to run gives a warning and does not end the doctor."""
    try:
        yield from checks()
    except SipverdictError as error:
        yield Check(name, "problem", error.cause, error.hint)
    except Exception as error:
        yield Check(name, "warn", f"could not be checked: {type(error).__name__}: {error}", "see whether a run works")
