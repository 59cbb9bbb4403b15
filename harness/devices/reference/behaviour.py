"""Every decision that a fault can turn. :class:`Behaviour` decides as the RFC does; a misbehaviour overrides a method.

The state machines and the UAC core ask here and have no fault in them. Requests are handed over as frozen data and
returned, as they were or changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.uri import same_uri

from .contacts import Contact, Target, usable_request_uri
from .wire import Final, InboundResponse, OutboundRequest


@dataclass(frozen=True, slots=True)
class Redial:
    """An order to call the same Request-URI again, ``delay`` seconds after the failure. No correct device has one."""

    delay: float
    new_call: bool = True
    other_port: bool = False


class Behaviour:
    """What a conforming user agent client does."""

    acknowledges_copies = True
    """A copy of a final response is acknowledged again (17.1.1.2)."""

    copies_after_final: tuple[float, ...] = ()
    """Seconds after a final response at which copies of the INVITE are sent: none (17.1.1.2)."""

    needs_other_port = False
    """Whether the device must bind a second port."""

    def acknowledge(
        self, ack: OutboundRequest, invite: OutboundRequest, response: InboundResponse
    ) -> OutboundRequest | None:
        """Return the ACK of a non-2xx final response, built by 17.1.1.3, as it is to be sent."""
        return ack

    def reports_again(self, first: InboundResponse, again: InboundResponse) -> bool:
        """Say whether another final response in Completed is passed up: never (17.1.1.2)."""
        return False

    def first_target(self, dialled: str) -> str:
        """Return the Request-URI of a new call: what was dialled, whatever happened before (8.1.3.4, 21.3.3)."""
        return dialled

    def follows(self, final: Final) -> bool:
        """Say whether the Contacts of a final response join the target set (8.1.3.4)."""
        return 300 <= final.code < 400

    def choose(self, contacts: Sequence[Contact]) -> Sequence[Contact]:
        """Return the Contacts that are considered, in the order of the response: all of them."""
        return contacts

    def request_uri(self, contact: Contact) -> str | None:
        """Return the Request-URI that calls a Contact, ``None`` to step over it."""
        return usable_request_uri(contact)

    def admits(self, uri: str, known: Sequence[str], current: str, *, repeated: bool) -> bool:
        """Say whether a URI joins the target set: once in a call at most (8.1.3.4, equality by 19.1.4).

        ``current`` is the Request-URI that was redirected; ``repeated`` is set when this redirection was acted on
        before.
        """
        return not any(same_uri(uri, other) for other in known)

    def redirected(self, invite: OutboundRequest, previous: OutboundRequest, target: Target) -> OutboundRequest:
        """Return the INVITE for a target, built by 8.1.3.4, as it is to be sent."""
        return invite

    def last_resort(self, final: Final, dialled: str, *, redirected: bool) -> str | None:
        """Return a URI to try when the target set is empty and the call would fail: none. Asked once in a call."""
        return None

    def ends_call(self, code: int) -> bool:
        """Say whether a failure is global: no other target is tried (21.6)."""
        return code >= 600

    def fails_over(self, final: Final) -> bool:
        """Say whether the first hop's failure is one to try the backup for: silence or 503 (RFC 3263 section 4.3)."""
        return final.response is None or final.code == 503

    def noticed(self, final: Final) -> None:
        """Hear of the final response that ended a call, after its ACK."""

    def parting_request(self, final: Final, invite: OutboundRequest) -> OutboundRequest | None:
        """Return a request to send after a call has failed: none."""
        return None

    def redial(self, final: Final) -> Redial | None:
        """Return how to call again by itself after the first answer refused the call: not at all (21.6.2)."""
        return None

    def ends_dialog(self, code: int) -> bool:
        """Say whether a refused re-INVITE ends the session: only if the peer has lost it (12.2.1.2, 14.1)."""
        return code in (408, 481)
