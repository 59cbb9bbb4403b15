"""The decisions of a proxy (RFC 3261 section 16), and of one that follows redirections itself."""

from __future__ import annotations

from collections.abc import Sequence

from .contacts import Contact
from .sip_uri import Address
from .wire import Fields, Final, InboundRequest, InboundResponse, OutboundRequest, OutboundResponse


class ProxyRules:
    """What a conforming stateful proxy does. ``recursed`` says of a target that it came from a Contact of a 3xx."""

    cancel_needs_provisional = True
    """A branch without any response is not pending yet: its CANCEL waits (9.1, 16.7 item 10)."""

    gives_up_cancelled = True
    """A cancelled branch is given up after 64*T1 (9.1)."""

    relays_stray = False
    """Whether a response that matches no transaction is forwarded (RFC 6026 section 7.3: it is dropped)."""

    forwards_ack = True
    """The ACK of a 2xx is forwarded, though it belongs to no transaction (16.11)."""

    forwards_acks_of_refusals = False
    """Whether the ACK of a refusal is forwarded as well: it ends at the server transaction (17.1.1.3, 17.2.1)."""

    keeps_emptied = False
    """Whether a 3xx from which every Contact has been taken may still be the answer (16.7 item 4)."""

    follows_every_branch = True
    """A 3xx counts while another one is being followed (16.7 item 4)."""

    strips_contacts = True
    """The Contacts that the proxy tries are taken out of the 3xx (16.7 item 4)."""

    def hops(self, received: int, *, recursed: bool) -> int:
        """Return the Max-Forwards of a branch (16.6 item 3)."""
        return received - 1

    def forwards(self, hops: int) -> bool:
        """Say whether a request that came with this Max-Forwards is forwarded (16.3 item 3)."""
        return hops > 0

    def recurses(self, *, configured: bool, responsible: bool) -> bool:
        """Say whether the Contacts of a 3xx are tried: as configured, and for URIs of its own only (16.5)."""
        return configured and responsible

    def branches(self, request: OutboundRequest, previous: OutboundRequest) -> OutboundRequest:
        """Return the request for a recursed target, built by 16.6, as it is to be sent."""
        return request

    def recursed_uri(self, contact: str, uri: str) -> str:
        """Return the Request-URI for a Contact, from which ``uri`` was made without headers and method (16.6)."""
        return uri

    def tries(self, uri: str, known: Sequence[str], *, equal: int) -> bool:
        """Say whether a Contact joins the target set, of which ``equal`` members are the same URI (16.5)."""
        return equal == 0

    def recursed_q(self, contact: Contact, place: int) -> float:
        """Return how much a Contact, the one at ``place`` in the 3xx, is preferred: its q (16.6)."""
        return contact.q

    def reports_timeout(self, method: str) -> bool:
        """Say whether a target that never answered is worth a 408: only to an INVITE (RFC 4320 section 4.2)."""
        return method == "INVITE"

    def swallows(self, redirection: InboundResponse) -> bool:
        """Say whether a 3xx that could be followed comes to nothing: neither followed nor handed on."""
        return False

    def tries_after(self, closing: Final, *, recursed: bool) -> bool:
        """Say whether a waiting target is tried after a 2xx, a 6xx or (``CANCELLED``) a CANCEL: no (16.7, 16.10)."""
        return False

    def ends_search(self, final: Final, *, recursed: bool) -> bool:
        """Say whether a final response of a branch closes the target set (16.7 item 5)."""
        return final.code < 300 or final.code >= 600

    def cancels(self, final: Final, *, recursed: bool) -> bool:
        """Say whether a branch is cancelled when another has ended the search (16.7 items 5 and 10)."""
        return True

    def holds(self, final: Final) -> bool:
        """Say whether a refusal waits until all branches have ended (16.7 item 5)."""
        return True

    def relays_answer(self, stored: Sequence[Final]) -> bool:
        """Say whether a 2xx goes upstream: always (16.7 item 5)."""
        return True

    def relays_provisional(self, response: InboundResponse, stored: Sequence[Final]) -> bool:
        """Say whether a provisional response goes upstream: every one but 100 (16.7 item 5)."""
        return response.code > 100

    def best(self, stored: Sequence[Final]) -> Final:
        """Choose the answer: a 6xx, else of the lowest class, and there the first (16.7 item 6)."""
        return min(stored, key=lambda final: (final.code < 600, final.code // 100))

    def upstream(self, response: OutboundResponse, request: InboundRequest, local: Address) -> OutboundResponse:
        """Return a response, built by 16.7 from one that was received, as it is to be sent; ``local`` is the proxy."""
        return response

    def second_final(self, sent: Final, stored: Sequence[Final]) -> Final | None:
        """Return another final response to send after the first: none (16.7 item 6)."""
        return None

    def cancel_fields(self, fields: Fields) -> Fields:
        """Return what a CANCEL takes over from the one received: its Reason (RFC 3326 section 2)."""
        return fields
