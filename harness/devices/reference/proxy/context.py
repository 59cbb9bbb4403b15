"""The response context: all branches of one request, and the one answer to it (RFC 3261 section 16.7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..contacts import Contact
from ..identity import Identity
from ..sip_uri import Address, has_name
from ..stack import Stack, identity_of
from ..transactions import InviteServerTransaction, ServerTransaction
from ..wire import (
    CANCELLED,
    TIMED_OUT,
    Fields,
    Final,
    InboundRequest,
    InboundResponse,
    OutboundRequest,
    OutboundResponse,
)
from .answers import answer_of, emptied, without_contacts
from .branch import Branch, Servers
from .forwarding import Journey, forwarded, reason_of, relayed
from .targets import Target, TargetSet

if TYPE_CHECKING:
    from ..naming import Names

_ELSEWHERE: Fields = (("Reason", 'SIP;cause=200;text="Call completed elsewhere"'),)


class ResponseContext:
    """A request from its forwarding to its final response."""

    def __init__(
        self, transaction: ServerTransaction, journey: Journey, targets: list[Target], stack: Stack, *, recurses: bool
    ) -> None:
        self._transaction = transaction
        self._journey = journey
        self._stack = stack
        self._behaviour = stack.behaviour
        self._identity: Identity = identity_of(stack.layer)
        self._recurses = recurses
        self._targets = TargetSet(targets, stack.behaviour)
        self._branches: list[Branch] = []
        self._stored: list[Final] = []
        self._closing: Final | None = None
        self._silent = False
        self._swallowed = False
        if isinstance(transaction, InviteServerTransaction):
            transaction.user = self

    @property
    def request(self) -> InboundRequest:
        """The request as it came."""
        return self._journey.request

    def proceed(self) -> None:
        """Start the targets whose turn it is, and answer when all have ended (16.6, 16.7 item 6)."""
        while group := self._targets.take(max((b.target.q for b in self._pending), default=0.0)):
            started = [self._branch(target) for target in group]
            self._branches += started
            for branch in started:
                branch.start()
        if not self._pending:
            self._answer()

    def on_cancel(self, cancel: InboundRequest) -> None:
        """Cancel what is pending, and start nothing more (16.10)."""
        fields = self._behaviour.cancel_fields(reason_of(cancel))
        self._close(CANCELLED)
        for branch in self._pending:
            branch.cancel(fields)

    def on_ringing(self, response: InboundResponse) -> None:
        """Forward it at once (16.7 item 5); RFC 4320 section 4.1 wants none for a request other than INVITE."""
        if self.request.method == "INVITE" and self._behaviour.relays_provisional(response, self._stored):
            self._transaction.relay(self._upstream(relayed(response, self.request)))

    def on_answered(self, response: InboundResponse) -> None:
        """Forward it at once, whatever else has come."""
        if self._behaviour.relays_answer(self._stored):
            self._transaction.relay(self._upstream(relayed(response, self.request)))

    def on_ended(self, branch: Branch, final: Final) -> None:
        """Keep the final response of a branch, and go on."""
        if self._recurses and final.response is not None and 300 <= final.code < 400:
            if self._behaviour.swallows(final.response):
                self._swallowed = True
                return
            redirected = self._recurse(final, final.response)
            if redirected is not None:
                self._stored.append(redirected)
        elif final is TIMED_OUT and not self._behaviour.reports_timeout(self.request.method):
            self._silent = True
        elif final.code >= 300:
            self._stored.append(final)
        if self._behaviour.ends_search(final, recursed=branch.target.recursed):
            self._end_search(final)
        self.proceed()

    @property
    def _pending(self) -> list[Branch]:
        return [branch for branch in self._branches if branch.pending]

    def _branch(self, target: Target) -> Branch:
        previous = next((b.request for b in reversed(self._branches) if b.request is not None), None)
        hops = max(self._behaviour.hops(self._journey.hops, recursed=target.recursed), 0)

        def build(server: Address) -> OutboundRequest:
            request = forwarded(self._journey, target.uri, server, hops, self._identity)
            return self._behaviour.branches(request, previous) if target.recursed and previous else request

        uri = self._journey.next_hop(target.uri)
        destination = self._journey.destination(target.uri, self._behaviour.transports)
        servers: Servers = self._behaviour.located([destination] if destination else [])
        if self._stack.names and (self._behaviour.looks_up_addresses or has_name(uri)):
            servers = self._located(self._stack.names, uri, destination, previous)
        return Branch(self, target, servers, build, self._stack)

    async def _located(
        self, names: Names, uri: str, known: Address | None, previous: OutboundRequest | None
    ) -> Sequence[Address]:
        """Return the servers of a name (16.6 item 7); a host that is no name is ``known`` before."""
        servers = await names.servers(uri)
        if known is not None:
            servers = [known]
        elif not servers and previous and (other := self._behaviour.server_of_nowhere(previous.destination)):
            servers = [other]
        return self._behaviour.located(servers)

    def _end_search(self, final: Final) -> None:
        """Open no more branches, and cancel those that are (16.7 items 5 and 10)."""
        self._close(final)
        fields = _ELSEWHERE if final.code < 300 else ()
        for branch in self._pending:
            if self._behaviour.cancels(final, recursed=branch.target.recursed):
                branch.cancel(fields)
        if final.code >= 300 and not self._behaviour.holds(final):
            self._answer()

    def _close(self, closing: Final) -> None:
        self._closing = closing
        self._targets.retain(self._still_wanted)

    def _still_wanted(self, target: Target) -> bool:
        return self._closing is None or self._behaviour.tries_after(self._closing, recursed=target.recursed)

    def _recurse(self, final: Final, redirection: InboundResponse) -> Final | None:
        """Let the Contacts of a 3xx join the target set; return what is left of it as an answer (16.7 item 4)."""
        tried: list[Contact] = []
        if not self._behaviour.follows_every_branch and any(branch.target.recursed for branch in self._branches):
            return None
        for place, contact in enumerate(self._behaviour.contacts(redirection)):
            uri = self._behaviour.request_uri(contact)
            if uri is None:
                continue
            uri = self._behaviour.recursed_uri(contact.uri, uri)
            target = Target(uri, self._behaviour.recursed_q(contact, place), recursed=True)
            if (self._still_wanted(target) and self._targets.add(target)) or self._targets.knows(uri):
                tried.append(contact)
        if not tried or not self._behaviour.strips_contacts:
            return final
        left = without_contacts(redirection, tried)
        return None if emptied(left) and not self._behaviour.keeps_emptied else replace(final, response=left)

    def _upstream(self, response: OutboundResponse) -> OutboundResponse:
        return self._behaviour.upstream(response, self.request, self._identity.local)

    def _answer(self) -> None:
        """Send the best response, unless a 2xx has gone upstream."""
        if self._swallowed or not self._transaction.waiting:
            return
        if self._stored:
            best = self._behaviour.best(self._stored)
            self._transaction.relay(self._upstream(answer_of(best, self._stored, self._transaction)))
            if (second := self._behaviour.second_final(best, self._stored)) is not None:
                self._transaction.send(answer_of(second, self._stored, self._transaction))
        elif self.request.method == "INVITE":
            self._transaction.respond(408, "Request Timeout")
        elif not self._silent:
            self._transaction.respond(480, "Temporarily Unavailable")
