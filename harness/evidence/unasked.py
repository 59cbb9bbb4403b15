"""Records of cases that were not asked of a device: whether it is so, as far as a stored run tells.

Why a case does not apply follows from what the device declares and from the run's window, and is worked out again.
Three reasons rest on the device's profile, which no run keeps: of those, that the purpose has such a need at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, combinations

from harness.model.windows import Window
from harness.purposes.purpose import NOT_RELAYED, Purpose, applicable_rows
from harness.requirements.catalogue import Catalogue
from harness.store.verdict_lines import Declared, VerdictLine


def contradiction(
    line: VerdictLine, purpose: Purpose, device: Declared | None, catalogue: Catalogue, window: Window
) -> str:
    """Why ``line``, which says that ``purpose`` does not apply, cannot be right; "" if it can.

    ``device`` is what the run's header says of the device; None where it says nothing.
    """
    if there := [key for key in ("evidence", "requirements", "drives") if getattr(line, key)]:
        return f"stored not applicable, but it has {' and '.join(there)}"
    if device is None:
        return ""
    for key, has, declared in (
        ("roles", line.role, device.roles),
        ("transports", line.transport, device.transports),
        ("families", line.family, device.families),
    ):
        if has not in declared:
            return f"the run's header does not say that the device has {has!r:.80} among its {key}"
    rows, why = applicable_rows(purpose, catalogue, line.case.axes, device.pics)
    if rows and purpose.least_window > window.seconds:
        why = f"needs a window of {purpose.least_window:g} s; this run's is {window.seconds:g} s ({window.name})"
    reason, why = line.reason, _plain(why)
    if reason == why if why else reason in _by_profile(purpose, line.role, device.name):
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
    if role == "proxy":
        yield NOT_RELAYED.format(device)


def _some_of(needed: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Every choice of at least one of ``needed``, in order."""
    return chain.from_iterable(combinations(needed, count) for count in range(1, len(needed) + 1))
