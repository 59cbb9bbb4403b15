"""Calls that a REFER outside of a dialog asks for (RFC 3515): 202, and NOTIFYs that tell what becomes of the call."""

from __future__ import annotations

from .console import Orders
from .dialog import Dialog
from .headers import parse_name_addr
from .stack import Stack, identity_of
from .transactions import ServerTransaction
from .uac_user import UacUser
from .wire import InboundRequest


class Referrals:
    """Takes REFERs."""

    def __init__(self, stack: Stack, orders: Orders) -> None:
        self._stack = stack
        self._orders = orders

    def take(self, transaction: ServerTransaction, request: InboundRequest) -> None:
        """Accept one that names a URI to call, and call it."""
        values = request.values("Refer-To")
        try:
            uri = parse_name_addr(values[0]).uri if len(values) == 1 else ""
        except ValueError:
            uri = ""
        if not uri:
            transaction.respond(400, "Bad Refer-To")
            return
        told = _Subscription(self._stack, transaction)
        transaction.respond(202, "Accepted", (("Contact", identity_of(self._stack.layer).contact),))
        told.notify("100 Trying", "active;expires=60")
        if self._orders.call(uri, lambda code: told.notify(f"{code} Over", "terminated;reason=noresource")):
            told.notify("503 Service Unavailable", "terminated;reason=noresource")


class _Subscription:
    """Who referred the device hears how the call goes: a dialog of its own, in which only NOTIFY is said."""

    def __init__(self, stack: Stack, transaction: ServerTransaction) -> None:
        self._stack = stack
        self._dialog = Dialog.of_server(transaction.request, transaction.tag)

    def notify(self, status: str, state: str) -> None:
        """Tell a status of the call."""
        identity = identity_of(self._stack.layer)
        fields = (
            ("Contact", identity.contact),
            ("Event", "refer"),
            ("Subscription-State", state),
            ("Content-Type", "message/sipfrag"),
        )
        body = f"SIP/2.0 {status}\r\n".encode()
        self._stack.layer.send_request(self._dialog.request("NOTIFY", identity, fields, body), UacUser())
