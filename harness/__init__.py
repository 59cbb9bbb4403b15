"""sipverdict's harness: drives a SIP device with SIPp, records the wire, judges it.

Suites import the harness; the harness never imports suites.
"""

from __future__ import annotations


def __getattr__(name: str) -> str:
    """``harness.__version__``, found out only when somebody asks: a checkout asks git."""
    if name != "__version__":
        raise AttributeError(name)
    from harness.store.provenance import version

    return version()
