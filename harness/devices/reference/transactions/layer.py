"""The transaction layer: matches messages to transactions and gives the rest to its transaction user."""

from __future__ import annotations

import re
from typing import Protocol, TypeVar

from ..behaviour import Behaviour
from ..diagnostics import complain
from ..parsing import Unreadable, parse
from ..sip_uri import DEFAULT_PORT, Address, bare, default_port
from ..timers import Timers
from ..tokens import MAGIC_COOKIE
from ..transport import Transport
from ..wire import InboundRequest, InboundResponse, OutboundRequest, OutboundResponse
from .client import ClientTransaction, ClientUser, InviteClientTransaction, NonInviteClientTransaction
from .machine import Machine, State
from .server import InviteServerTransaction, NonInviteServerTransaction, ServerTransaction

Key = tuple[str, ...]

_SENT = re.compile(rb"(?P<method>\S+) \S+ SIP/2\.0\r\n.*?;branch=(?P<branch>[^;,\s]+)", re.DOTALL)
Transaction = TypeVar("Transaction", bound=Machine)


class TransactionUser(Protocol):
    """The core above a transaction layer: takes what begins a server transaction or belongs to none."""

    def on_request(self, transaction: ServerTransaction, request: InboundRequest) -> None:
        """Take a new request other than CANCEL and ACK."""

    def on_invite(self, transaction: InviteServerTransaction, request: InboundRequest) -> None:
        """Take a new INVITE, in a dialog or not."""

    def on_ack(self, request: InboundRequest) -> None:
        """Take the ACK of a 2xx."""

    def on_stray(self, response: InboundResponse) -> None:
        """Take a response that belongs to no transaction of this device, though its top Via does."""


class TransactionLayer:
    """All the transactions of one transport."""

    def __init__(self, user: TransactionUser, behaviour: Behaviour, timers: Timers) -> None:
        self.user = user
        self.behaviour = behaviour
        self.timers = timers
        self._clients: dict[Key, ClientTransaction] = {}
        self._servers: dict[Key, ServerTransaction] = {}
        self._transports: dict[tuple[str, bool], Transport] = {}

    def attach(self, transport: Transport) -> None:
        """Add a transport that this layer sends over; the first one is its usual one."""
        self._transports[transport.local.carrier] = transport
        if transport.reliable:
            transport.watch_errors(self._on_undeliverable)

    @property
    def transport(self) -> Transport:
        """The usual transport."""
        return next(iter(self._transports.values()))

    @property
    def locals(self) -> tuple[Address, ...]:
        """The addresses of the device, that of the usual transport first."""
        return tuple(transport.local for transport in self._transports.values())

    def towards(self, address: Address) -> Transport:
        """Return the transport by which an address is reached; the usual one where the device has none like it."""
        alike = (one for one in self._transports.values() if one.local.transport == address.transport)
        return self._transports.get(address.carrier) or next(alike, self.transport)

    def send_request(self, request: OutboundRequest, user: ClientUser) -> ClientTransaction:
        """Send a request in a client transaction of its own."""
        parts = (request, user, self.towards, self.timers, self.behaviour)
        transaction: ClientTransaction
        if request.method == "INVITE":
            transaction = InviteClientTransaction(State.CALLING, *parts)
        else:
            transaction = NonInviteClientTransaction(State.TRYING, *parts)
        key = (request.branch, request.method)
        self._clients[key] = transaction
        transaction.on_terminated = lambda: _discard(self._clients, key, transaction)
        transaction.start()
        return transaction

    def send_ack(self, ack: OutboundRequest) -> None:
        """Send the ACK of a 2xx, which is no transaction (13.2.2.4)."""
        self.send_stateless(ack)

    def send_stateless(self, message: OutboundRequest | OutboundResponse) -> None:
        """Send a message without a transaction: nobody repeats it or waits for an answer."""
        try:
            self.towards(message.destination).send(bytes(message), message.destination)
        except OSError as error:
            complain(f"not sent to {message.destination}: {error}")

    def watch_errors(self) -> None:
        """From now on take a request for answered with 503 if the network gives it back (18.4)."""
        for transport in self._transports.values():
            if transport.name == self.transport.name:
                transport.watch_errors(self._on_undeliverable)

    def is_merged(self, request: InboundRequest) -> bool:
        """Say whether the same request has come before and is still being answered in another transaction (8.2.2.2)."""
        identifiers = (request.from_tag, request.call_id, request.cseq)
        others = (transaction.request for transaction in self._servers.values())
        return any(o is not request and (o.from_tag, o.call_id, o.cseq) == identifiers for o in others)

    def on_message(self, data: bytes, source: Address) -> None:
        """Take what the transport received."""
        try:
            message = parse(self.behaviour.datagram(data), source)
        except Unreadable as error:
            complain(f"dropped {len(data)} bytes from {source}: {error}")
            return
        if isinstance(message, InboundRequest):
            self._on_request(message)
        elif message is not None:
            self._on_response(message)

    def _on_response(self, response: InboundResponse) -> None:
        """Match by branch and CSeq method (17.1.3), for responses with this device on top (18.1.2)."""
        via = response.vias[0]
        transport = via.transport.lower()
        if Address(bare(via.host), via.port or default_port(transport), transport) not in self.locals:
            return
        transaction = self._clients.get((response.branch, response.cseq.method))
        if transaction is None:
            self.user.on_stray(response)
        elif transaction.user.accepts(response) and self.behaviour.hears(response):
            transaction.on_response(response)

    def _on_undeliverable(self, sent: bytes) -> None:
        found = _SENT.match(sent)
        key = (found["branch"].decode(), found["method"].decode()) if found else ("", "")
        if transaction := self._clients.get(key):
            transaction.undeliverable()

    def _on_request(self, request: InboundRequest) -> None:
        transaction = self._servers.get(_server_key(request, request.method))
        if request.method == "ACK":
            if isinstance(transaction, InviteServerTransaction) and transaction.state is not State.ACCEPTED:
                transaction.on_ack(request)
                if self.behaviour.forwards_acks_of_refusals:
                    self.user.on_ack(request)
            else:
                self.user.on_ack(request)
        elif transaction is not None:
            transaction.on_copy()
        elif request.method == "INVITE":
            self.user.on_invite(self._serve_invite(request), request)
        elif request.method == "CANCEL":
            self._cancel(request)
        else:
            self.user.on_request(self._serve(request), request)

    def _cancel(self, cancel: InboundRequest) -> None:
        """Answer a CANCEL, and pass it to the transaction that it means (9.2)."""
        transaction = self._serve(cancel)
        invite = self._servers.get(_server_key(cancel, "INVITE"))
        if isinstance(invite, InviteServerTransaction):
            transaction.tag = invite.tag
            if self.behaviour.answers_cancel:
                transaction.respond(200, "OK")
            invite.on_cancel(cancel)
        else:
            transaction.respond(481, "Call/Transaction Does Not Exist")

    def _serve_invite(self, request: InboundRequest) -> InviteServerTransaction:
        transaction = InviteServerTransaction(
            State.PROCEEDING, request, self.towards(request.source), self.timers, self.behaviour
        )
        self._enter(transaction)
        return transaction

    def _serve(self, request: InboundRequest) -> NonInviteServerTransaction:
        transaction = NonInviteServerTransaction(
            State.TRYING, request, self.towards(request.source), self.timers, self.behaviour
        )
        self._enter(transaction)
        return transaction

    def _enter(self, transaction: ServerTransaction) -> None:
        key = _server_key(transaction.request, transaction.request.method)
        self._servers[key] = transaction
        transaction.on_terminated = lambda: _discard(self._servers, key, transaction)


def _server_key(request: InboundRequest, method: str) -> Key:
    """Return what a request has in common with its copies, its CANCEL and its ACK (17.2.3)."""
    method = "INVITE" if method == "ACK" else method
    via = request.vias[0]
    if request.branch.startswith(MAGIC_COOKIE):
        return request.branch, via.host, str(via.port or DEFAULT_PORT), method
    # A client of RFC 2543: its branch says nothing.
    return request.call_id, request.from_tag, str(request.cseq.sequence), request.uri, str(via), method


def _discard(table: dict[Key, Transaction], key: Key, value: Transaction) -> None:
    """Remove a transaction, unless another has taken its key (a client that uses a branch twice does that)."""
    if table.get(key) is value:
        del table[key]
