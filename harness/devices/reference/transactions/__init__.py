"""The transaction layer of RFC 3261 section 17, with the Accepted states of RFC 6026."""

from __future__ import annotations

from .client import ClientTransaction, ClientUser
from .layer import TransactionLayer, TransactionUser
from .responses import build_response, echoed_vias, response_destination
from .server import InviteServerTransaction, ServerTransaction, ServerUser

__all__ = [
    "ClientTransaction",
    "ClientUser",
    "InviteServerTransaction",
    "ServerTransaction",
    "ServerUser",
    "TransactionLayer",
    "TransactionUser",
    "build_response",
    "echoed_vias",
    "response_destination",
]
