"""The faults, as data. Each is done by the class of the same name in :mod:`..misbehaviour`, in one small place."""

from __future__ import annotations

from . import of_603plus, of_callers, of_carriers, of_servers, of_transactions
from .fault import Fault

__all__ = ["FAULTS", "Fault", "fault_named"]

FAULTS: tuple[Fault, ...] = (
    *of_callers.FAULTS,
    *of_carriers.FAULTS,
    *of_transactions.FAULTS,
    *of_servers.FAULTS,
    *of_603plus.FAULTS,
)


def fault_named(name: str) -> Fault:
    """Return a fault; raises :class:`LookupError` that names the nearest where there is none of this name."""
    for fault in FAULTS:
        if fault.name == name:
            return fault
    import difflib

    near = difflib.get_close_matches(name, [fault.name for fault in FAULTS], n=1, cutoff=0)
    raise LookupError(f"no fault is called {name}; the nearest is {near[0]}")
