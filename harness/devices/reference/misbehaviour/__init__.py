"""What the faults do. A misbehaviour overrides the decisions of :class:`~..behaviour.Behaviour` that it gets wrong.

A class is found by the name of its fault, ``ignores_302`` by ``Ignores302``; several are combined by inheritance, each
leaving to ``super()`` what it does not change.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from ..behaviour import Behaviour
from ..faults import Fault
from . import (
    answers,
    blocked_calls,
    blocks,
    contacts,
    crossings,
    declines,
    finals,
    invites,
    messages,
    names,
    partings,
    recursion,
    relaying,
    repeats,
    robustness,
    routes,
    searches,
    steps,
    targets,
    transports,
    upstream,
    uri_headers,
)

_MODULES = (
    *(contacts, declines, finals, invites, names, partings, routes, steps, targets, upstream, uri_headers),
    *(transports, crossings),
    *(searches, relaying, recursion),
    *(answers, repeats, messages, robustness),
    *(blocks, blocked_calls),
)
_BY_CLASS_NAME: dict[str, type[Behaviour]] = {
    name: value
    for name, value in chain.from_iterable(vars(module).items() for module in _MODULES)
    if isinstance(value, type) and issubclass(value, Behaviour) and value is not Behaviour
}


def misbehaviour_of(fault: Fault) -> type[Behaviour]:
    """Return the class that does a fault."""
    return _BY_CLASS_NAME["".join(word[:1].upper() + word[1:] for word in fault.name.split("_"))]


def behaviour_with(faults: Iterable[Fault]) -> Behaviour:
    """Return a behaviour with these faults; with none, the right one."""
    bases = tuple(dict.fromkeys(misbehaviour_of(fault) for fault in faults))
    return type("FaultyBehaviour", bases, {})() if bases else Behaviour()
