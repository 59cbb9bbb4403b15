"""What a call needs of the device: the layers it sends through, and the dialogs it may add to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from .behaviour import Behaviour
from .dialog import Dialog, DialogId
from .identity import Identity
from .sip_uri import Address
from .transactions import InviteServerTransaction, ServerTransaction, TransactionLayer
from .wire import InboundRequest

if TYPE_CHECKING:
    from .naming import Names


class DialogUser(Protocol):
    """Who answers the requests inside a dialog."""

    dialog: Dialog

    def on_request(self, transaction: ServerTransaction, request: InboundRequest) -> None:
        """Take a request other than INVITE and ACK."""

    def on_invite(self, transaction: InviteServerTransaction, request: InboundRequest) -> None:
        """Take a re-INVITE."""

    def on_ack(self, request: InboundRequest) -> None:
        """Take the ACK of a 2xx."""


class Dialogs:
    """Finds who answers an in-dialog request, by Call-ID and tags (section 12.2.2)."""

    def __init__(self) -> None:
        self._users: dict[DialogId, DialogUser] = {}

    def add(self, user: DialogUser) -> None:
        """Pass the requests of its dialog to ``user``."""
        self._users[user.dialog.id] = user

    def remove(self, user: DialogUser) -> None:
        """Pass it no more requests; from now on they are answered 481."""
        self._users.pop(user.dialog.id, None)

    def find(self, request: InboundRequest) -> DialogUser | None:
        """Return who answers the requests of this one's dialog."""
        return self._users.get((request.call_id, request.to_tag, request.from_tag))


@dataclass(frozen=True, slots=True)
class Stack:
    """The device as its calls see it."""

    layer: TransactionLayer
    behaviour: Behaviour
    backup: Address | None = None
    other_layer: TransactionLayer | None = None
    """A second local port. No correct device has it."""
    names: Names | None = None
    """How it finds the servers of a name; without it, it calls numeric hosts only."""
    dialogs: Dialogs = field(default_factory=Dialogs)


def identity_of(layer: TransactionLayer) -> Identity:
    """Return who the device is on the transports of a layer."""
    first, *others = layer.locals
    return Identity(first, tuple(others))
