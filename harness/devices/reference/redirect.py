"""The redirect server (RFC 3261 section 8.3): tells whoever asks for a user where that user has registered."""

from __future__ import annotations

from .contacts import Contact
from .headers import without_tag
from .invites import CallOrder, first_invite
from .redirection import redirection_to
from .registrar import Registrar
from .sip_uri import SipUri, destination_of
from .stack import Stack, identity_of
from .transactions import InviteServerTransaction, ServerTransaction
from .uac_user import UacUser
from .wire import InboundRequest, InboundResponse

_METHODS = "INVITE, ACK, CANCEL, BYE, OPTIONS, MESSAGE, REGISTER"


class RedirectServer:
    """Redirects every method, whatever the request requires; it originates none."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._behaviour = stack.behaviour
        self._registrar = Registrar()

    def on_invite(self, transaction: InviteServerTransaction, request: InboundRequest) -> None:
        """Redirect it, unless it came by another way as well (8.2.2.2)."""
        if self._behaviour.merges(request, ongoing=self._stack.layer.is_merged(request)):
            transaction.respond(482, "Loop Detected")
        else:
            self._redirect(transaction, request)

    def on_request(self, transaction: ServerTransaction, request: InboundRequest) -> None:
        """Redirect it, unless it is for the server itself."""
        if request.method == "REGISTER":
            self._registrar.serve(transaction, request)
        elif request.method == "OPTIONS" and "@" not in request.uri:
            transaction.respond(200, "OK", (("Allow", _METHODS), ("Accept", "application/sdp")))
        else:
            if announced := self._behaviour.announces(request.method):
                transaction.respond(announced.code, announced.reason, announced.fields)
            self._redirect(transaction, request)

    def on_ack(self, request: InboundRequest) -> None:
        """Absorb it: there are no dialogs here."""

    def on_stray(self, response: InboundResponse) -> None:
        """Drop it."""

    def _redirect(self, transaction: ServerTransaction, request: InboundRequest) -> None:
        required = request.values("Require")
        if required and self._behaviour.refuses_extensions:
            transaction.respond(420, "Bad Extension", (("Unsupported", ", ".join(required)),))
            return
        bindings = self._registrar.location.bindings(request.uri)
        if bindings is None:
            answer = self._behaviour.unknown_user()
        else:
            contacts = [binding.contact for binding in bindings]
            answer = redirection_to(contacts, request.uri, self._behaviour)
            if self._behaviour.also_forwards:
                self._forward(request, contacts)
        transaction.respond(answer.code, answer.reason, answer.fields)

    def _forward(self, request: InboundRequest, contacts: list[Contact]) -> None:
        """Send a call of its own to where the user is. No correct server does."""
        for contact in contacts:
            destination = destination_of(contact.uri, self._behaviour.transports)
            if destination is not None:
                uri = str(SipUri.parse(contact.uri).as_request_uri())
                order = CallOrder(
                    request.uri, without_tag(request.headers["From"]), request.body, request.body_fields()
                )
                invite = first_invite(order, uri, destination, identity_of(self._stack.layer))
                self._stack.layer.send_request(invite, UacUser())
