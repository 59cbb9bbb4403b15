"""Records of cases that were not asked of a device: whether it is so, as far as a stored run tells.

Why a case does not apply follows from what the device declares and from the run's window, and is worked out again.
Three reasons rest on the device's profile, which no run keeps: of those, that the purpose has such a need at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, combinations
from typing import Any

from harness.model.axes import CaseId
from harness.model.windows import Window
from harness.purposes.purpose import Purpose, applicable_rows
from harness.requirements.catalogue import Catalogue

Line = Mapping[str, Any]


def contradiction(
    line: Line, purpose: Purpose, device: Mapping[str, Any] | None, catalogue: Catalogue, window: Window
) -> str:
    """Why ``line``, which says that ``purpose`` does not apply, cannot be right; "" if it can.

    ``device`` is what the run's header says of the device; None where it, being an older one, says nothing.
    """
    if there := [key for key in ("evidence", "requirements", "drives") if line[key]]:
        return f"stored not applicable, but it has {' and '.join(there)}"
    if device is None:
        return ""
    for key, has in (("roles", line["role"]), ("transports", line["transport"]), ("families", line["family"])):
        if key in device and has not in device[key]:
            return f"the run's header does not say that the device has {has!r:.80} among its {key}"
    rows, why = applicable_rows(purpose, catalogue, CaseId.of(line).axes, device["pics"])
    if rows and purpose.least_window > window.seconds:
        why = f"needs a window of {purpose.least_window:g} s; this run's is {window.seconds:g} s ({window.name})"
    reason, why = line.get("reason"), _plain(why)
    if reason is None or (reason == why if why else reason in _by_profile(purpose, line["role"], device["name"])):
        return ""
    if why:
        return f"stored {reason!r:.160}, now {why!r:.160}"
    return f"stored not applicable ({reason!s:.120}), but {', '.join(rows)} applies to what the device declares"


def _plain(reason: str) -> str:
    """``reason`` as a run writes it into a record."""
    return " ".join(reason.split())


def _by_profile(purpose: Purpose, role: str, device: str) -> set[str]:
    """Every reason why ``purpose`` cannot be run on ``device`` that a profile may have given, whatever it says."""
    return set(map(_plain, _needs(purpose, role, device)))


def _needs(purpose: Purpose, role: str, device: str) -> Iterator[str]:
    for missing in _some_of(sorted(purpose.acts)) if role == "uac" else ():
        yield f"the profile of {device} has no stimulus to {' or to '.join(missing)}"
    for plan in purpose.plans_for(role):
        for missing in _some_of(plan.numbers):
            yield f"the profile of {device} names no number for it: lab.numbers.{' and lab.numbers.'.join(missing)}"
        if plan.bindings and not all(call.numbers for call in plan.calls):
            yield f"nothing can be registered with {device}: its profile does not say lab.registrar = true"


def _some_of(needed: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Every choice of at least one of ``needed``, in order."""
    return chain.from_iterable(combinations(needed, count) for count in range(1, len(needed) + 1))
