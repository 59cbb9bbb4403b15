"""The proxy core: what happens to a request that comes in (RFC 3261 sections 16.3 to 16.5)."""

from __future__ import annotations

from ..contacts import usable_request_uri
from ..registrar import Registrar
from ..sip_uri import SipUri
from ..stack import Stack, identity_of
from ..transactions import InviteServerTransaction, ServerTransaction
from ..wire import InboundRequest, InboundResponse, Refusal
from .context import ResponseContext
from .forwarding import Journey, forwarded, is_here, is_loop, relayed_statelessly
from .targets import Target

_METHODS = "INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER"


class Proxy:
    """A stateful, forking proxy: for its own users by what they registered, for all others by the Request-URI.

    A CANCEL for which there is no INVITE is answered 481 by the transaction layer. 16.10 would have it forwarded
    without state, in case the INVITE had been; this proxy forwards nothing so but the ACK of a 2xx.
    """

    def __init__(self, stack: Stack, *, recursing: bool = False) -> None:
        self._stack = stack
        self._here = stack.layer.locals
        self._recursing = recursing
        self._registrar = Registrar()
        stack.layer.watch_errors()

    def on_invite(self, transaction: InviteServerTransaction, request: InboundRequest) -> None:
        """Forward an INVITE, in a dialog or not."""
        self._forward(transaction, request)

    def on_request(self, transaction: ServerTransaction, request: InboundRequest) -> None:
        """Forward a request, unless it is for the proxy itself."""
        is_own = is_here(request.uri, self._here)
        if is_own and request.method == "REGISTER":
            self._registrar.serve(transaction, request)
        elif is_own and request.method == "OPTIONS" and SipUri.parse(request.uri).user is None:
            transaction.respond(200, "OK", (("Allow", _METHODS), ("Accept", "application/sdp")))
        else:
            self._forward(transaction, request)

    def on_ack(self, request: InboundRequest) -> None:
        """Forward the ACK of a 2xx, which is no transaction and gets no answer (16.11, 17.1)."""
        try:
            journey = Journey.of(request, self._here)
            targets = self._targets(request)
        except ValueError:
            return
        if isinstance(targets, Refusal) or journey.hops <= 0:
            return
        destination = journey.destination(targets[0].uri, self._stack.behaviour.transports)
        if destination is not None and self._stack.behaviour.forwards_ack:
            ack = forwarded(journey, targets[0].uri, destination, journey.hops - 1, identity_of(self._stack.layer))
            self._stack.layer.send_stateless(ack)

    def on_stray(self, response: InboundResponse) -> None:
        """Drop it (RFC 6026 section 7.3)."""
        if self._stack.behaviour.relays_stray and (answer := relayed_statelessly(response)):
            self._stack.layer.send_stateless(answer)

    def _forward(self, transaction: ServerTransaction, request: InboundRequest) -> None:
        try:
            journey = Journey.of(request, self._here)
            targets = self._refusal(request, journey) or self._targets(request)
        except ValueError as error:
            targets = Refusal(400, "Bad Request", (("Warning", f'399 {self._here[0].host} "{_quoted(error)}"'),))
        if isinstance(targets, Refusal):
            transaction.respond(targets.code, targets.reason, targets.fields)
            return
        if request.method == "INVITE":
            transaction.respond(100, "Trying")
        responsible = is_here(request.uri, self._here)
        recurses = self._stack.behaviour.recurses(configured=self._recursing, responsible=responsible)
        ResponseContext(transaction, journey, targets, self._stack, recurses=recurses).proceed()

    def _refusal(self, request: InboundRequest, journey: Journey) -> Refusal | None:
        """Return why a request is not forwarded (16.3)."""
        if not request.uri.lower().startswith(("sip:", "sips:")):
            return Refusal(416, "Unsupported URI Scheme")
        if not self._stack.behaviour.forwards(journey.hops):
            return Refusal(483, "Too Many Hops")
        if is_loop(request, self._here):
            return Refusal(482, "Loop Detected")
        if required := request.values("Proxy-Require"):
            return Refusal(420, "Bad Extension", (("Unsupported", ", ".join(required)),))
        return None

    def _targets(self, request: InboundRequest) -> list[Target] | Refusal:
        """Return where a request goes (16.5); raises :class:`ValueError` for a Request-URI that cannot be read."""
        uri = SipUri.parse(request.uri)
        if not is_here(request.uri, self._here):
            return [Target(request.uri)]
        bindings = None if uri.user is None else self._registrar.location.bindings(request.uri)
        if bindings is None:
            return self._stack.behaviour.unknown_user()
        if not bindings:
            return Refusal(480, "Temporarily Unavailable")
        contacts = [binding.contact for binding in bindings]
        return [
            Target(usable_request_uri(contact, self._stack.behaviour.transports) or contact.uri, contact.q)
            for contact in contacts
        ]


def _quoted(error: ValueError) -> str:
    return str(error).replace("\\", "\\\\").replace('"', '\\"')
