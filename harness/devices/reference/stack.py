"""What a call needs of the device: the layers it sends through, and the dialogs it may add to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .behaviour import Behaviour
from .dialog import DialogId
from .identity import Identity
from .sip_uri import Address
from .transactions import TransactionLayer
from .wire import InboundRequest

if TYPE_CHECKING:
    from .leg import Leg


class Dialogs:
    """The legs that in-dialog requests find by Call-ID and tags (section 12.2.2)."""

    def __init__(self) -> None:
        self._legs: dict[DialogId, Leg] = {}

    def add(self, leg: Leg) -> None:
        """Let requests find a leg."""
        self._legs[leg.dialog.id] = leg

    def remove(self, leg: Leg) -> None:
        """Let them find it no longer; from now on they are answered 481."""
        self._legs.pop(leg.dialog.id, None)

    def find(self, request: InboundRequest) -> Leg | None:
        """Return the leg of a request's dialog."""
        return self._legs.get((request.call_id, request.to_tag, request.from_tag))


@dataclass(frozen=True, slots=True)
class Stack:
    """The device as its calls see it."""

    layer: TransactionLayer
    behaviour: Behaviour
    backup: Address | None = None
    other_layer: TransactionLayer | None = None
    """A second local port. No correct device has it."""
    dialogs: Dialogs = field(default_factory=Dialogs)


def identity_of(layer: TransactionLayer) -> Identity:
    """Return who the device is on the transport of a layer."""
    return Identity(layer.transport.local, layer.transport.name)
