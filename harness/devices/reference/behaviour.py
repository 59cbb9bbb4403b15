"""Every decision that a fault can turn. :class:`Behaviour` decides as the RFC does; a misbehaviour overrides a method.

The state machines and the UAC core ask here and have no fault in them. Requests are handed over as frozen data and
returned, as they were or changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .contacts import Contact, Target, contacts_of, harmless_headers, usable_request_uri
from .proxy_rules import ProxyRules
from .server_rules import ServerRules
from .sip_uri import Address
from .uri_equality import same_uri
from .wire import Fields, Final, InboundResponse, OutboundRequest, Refusal

_PASSED_ON = ("Retry-After", "Reason", "Warning", "Call-Info")


@dataclass(frozen=True, slots=True)
class Redial:
    """An order to call the same Request-URI again, ``delay`` seconds after the failure. No correct device has one."""

    delay: float
    new_call: bool = True
    new_number: bool = True
    """Whether the CSeq is raised; asked only under the old Call-ID."""
    other_port: bool = False
    user: str = ""
    """Who is called instead, at the same server; "" for the same."""


@dataclass(frozen=True, slots=True)
class Service:
    """What an SRV record says (RFC 2782)."""

    priority: int
    weight: int
    port: int
    target: str


class Behaviour(ProxyRules, ServerRules):
    """What a conforming user agent client does, and a B2BUA that passes on how its call ended.

    It inherits what a proxy and what an answering device do.
    """

    transports: tuple[str, ...] = ("udp",)
    """By what the device can send; it says so itself when it is made."""

    called_at: Address | None = None
    """Where it is called, if that is over another transport than its usual one; the device says so itself."""

    over_ipv6 = False
    """Whether its usual address is one; the device says so itself when it is made."""

    subprotocols: tuple[str, ...] = ("sip",)
    """What both sides of a WebSocket have to name (RFC 7118 section 4.1)."""

    knows_names = False
    """Whether a host that is a name can be resolved; the device says so itself when it is made."""

    checks_certificates = True
    """Whether a TLS server must show a certificate that a known authority has signed (RFC 5922 section 7.1)."""

    checks_certificate_dates = True
    """Whether the certificate must be valid now (RFC 5280 section 6.1.3)."""

    checks_certificate_names = True
    """Whether the certificate must name the host of the URI that is called (RFC 5922 section 7.3)."""

    knows_sip_domains = True
    """Whether a certificate may name a domain by its SIP URI (RFC 5922 section 7.1)."""

    trusts_names_of_dns = False
    """Whether it is enough that a certificate names a host that DNS has named (RFC 5922 section 4: it is not)."""

    service_of_tls = "_sips._tcp"
    """Whose SRV records lead to servers for TLS (RFC 3263 section 4.1)."""

    looks_up_addresses = False
    """Whether the name server is asked about a numeric host: there is nothing to ask (RFC 3263 section 4.2)."""

    acknowledges_copies = True
    """A copy of a final response is acknowledged again (17.1.1.2)."""

    copies_after_final: tuple[float, ...] = ()
    """Seconds after a final response at which copies of the INVITE are sent: none (17.1.1.2)."""

    stops_at_provisional = True
    """A provisional response ends the copies of the INVITE (17.1.1.2)."""

    doubles_interval = True
    """Each interval between the copies of an INVITE is twice the one before (timer A, 17.1.1.2)."""

    cancels_finished = False
    """Whether hanging up a refused call sends a CANCEL: there is nothing left to cancel (9.1)."""

    goes_on_after_hangup = False
    """Whether a call that was hung up goes on to another target (9.1: its user has given up)."""

    ends_unwanted_answer = True
    """A 2xx that comes after the call was hung up is acknowledged and ended (13.2.2.4)."""

    acknowledges_answer_copies = True
    """A copy of a 2xx is acknowledged again (13.2.2.4)."""

    hears_refusal_after_answer = False
    """Whether a refusal or redirection counts that comes after the 2xx of its INVITE: none does (RFC 6026 8.4)."""

    keeps_credentials = False
    """Whether an INVITE for the next target takes along the credentials that another server has asked for (22.3)."""

    needs_other_port = False
    """Whether the device must bind a second port."""

    def datagram(self, data: bytes) -> bytes:
        """Return a datagram as it is read: as it came."""
        return data

    def worded(self, data: bytes, destination: Address) -> Sequence[tuple[bytes, Address]]:
        """Return the datagrams that a message becomes, and where each goes: the message as it was built."""
        return ((data, destination),)

    def hears(self, response: InboundResponse) -> bool:
        """Say whether a response that matches a transaction is taken: every one, whatever it says (8.1.3.2)."""
        return True

    def acknowledge(
        self, ack: OutboundRequest, invite: OutboundRequest, response: InboundResponse
    ) -> OutboundRequest | None:
        """Return the ACK of a non-2xx final response, built by 17.1.1.3, as it is to be sent."""
        return ack

    def acknowledge_answer(self, ack: OutboundRequest) -> OutboundRequest | None:
        """Return the ACK of a 2xx, built by 13.2.2.4, as it is to be sent."""
        return ack

    def cancel(self, cancel: OutboundRequest) -> OutboundRequest:
        """Return a CANCEL, built by 9.1 from the INVITE that is pending, as it is to be sent."""
        return cancel

    def in_dialog(self, request: OutboundRequest) -> OutboundRequest:
        """Return a request in a dialog, built by 12.2.1.1, as it is to be sent; the ACK of a 2xx aside."""
        return request

    def remote_sequence(self, current: int, refused: Final) -> int:
        """Return the peer's CSeq after it has refused a re-INVITE: each side counts its own (12.2.1.1)."""
        return current

    def remote_target(self, current: str, refused: Final) -> str:
        """Return the remote target of a dialog whose re-INVITE was refused: as it was (12.2.1.2)."""
        return current

    def calls_instead(self, refused: Final) -> str:
        """Return whom to call, beside the call that stands, when a re-INVITE was refused: nobody (12.2.1.2)."""
        return ""

    def reports_again(self, first: InboundResponse, again: InboundResponse) -> bool:
        """Say whether another final response in Completed, a 2xx too, is passed up: never (17.1.1.2)."""
        return False

    def first_target(self, dialled: str) -> str:
        """Return the Request-URI of a new call: what was dialled, whatever happened before (8.1.3.4, 21.3.3)."""
        return dialled

    def follows(self, final: Final) -> bool:
        """Say whether the Contacts of a final response join the target set (8.1.3.4)."""
        return 300 <= final.code < 400

    def contacts(self, response: InboundResponse) -> Sequence[Contact]:
        """Return the Contacts that are considered, in the order of the response: all that can be read."""
        return contacts_of(response)

    def waits_on(self, waiting: Sequence[Target]) -> Sequence[Target]:
        """Return which targets still wait when a further redirection is followed: all of them (8.1.3.4)."""
        return waiting

    def preference(self, contact: Contact) -> float:
        """Return by what the target set is ordered, the highest first: q (8.1.3.4)."""
        return contact.q

    def recursed_q(self, contact: Contact, place: int) -> float:
        """Return how much a proxy prefers a Contact: as its callers do (16.6)."""
        return self.preference(contact)

    def request_uri(self, contact: Contact) -> str | None:
        """Return the Request-URI that calls a Contact, ``None`` to step over it."""
        return usable_request_uri(contact, self.transports, names=self.knows_names)

    asks_for_rules = True
    """NAPTR records are asked for where a URI names neither port nor transport (RFC 3263 section 4.1)."""

    heeds_absent_service = True
    """An SRV record whose target is the root says that there is no such service: nobody is called (RFC 2782)."""

    def asks_for_services(self, port: str | None) -> bool:
        """Say whether SRV records are asked for: unless the URI has a ``port`` (RFC 3263 section 4.2)."""
        return port is None

    def looks_up(self, kinds: Sequence[str]) -> Sequence[str]:
        """Return which address records of a name are asked for: the ``kinds`` that this device can call (RFC 7984).

        The first of them is that of its usual address.
        """
        return kinds

    def preferred(self, services: Sequence[Service]) -> Sequence[Service]:
        """Return the SRV records of a name in the order in which they are tried: as RFC 2782 has put them."""
        return services

    def port_of(self, service: Service) -> int:
        """Return the port at which an SRV record's host is called."""
        return service.port

    def located(self, servers: Sequence[Address]) -> Sequence[Address]:
        """Return the servers of a target, the best first."""
        return servers

    def tries_next_server(self, final: Final) -> bool:
        """Say whether the next server of a name is tried: after silence, a network error or 503 (RFC 3263 4.3)."""
        return final.response is None or final.code == 503

    def server_of_nowhere(self, previous: Address) -> Address | None:
        """Return where an INVITE goes whose host cannot be found: nowhere. ``previous`` has sent the redirection."""
        return None

    def admits(self, uri: str, known: Sequence[str], current: str, *, repeated: bool) -> bool:
        """Say whether a URI joins the target set: once in a call at most (8.1.3.4, equality by 19.1.4).

        ``current`` is the Request-URI that was redirected; ``repeated`` is set when this redirection was acted on
        before.
        """
        return not any(same_uri(uri, other) for other in known)

    def redirected(self, invite: OutboundRequest, previous: OutboundRequest, target: Target) -> OutboundRequest:
        """Return the INVITE for a target, built by 8.1.3.4, as it is to be sent."""
        for name, value in harmless_headers(target.contact):
            invite = invite.with_only(name, value)
        return invite

    def repeats(self, final: Final) -> bool:
        """Say whether a failed target is called again as before: never (8.1.3.4). Heeded once for each target."""
        return False

    def last_resort(self, final: Final, dialled: str, *, redirected: bool) -> str | None:
        """Return a URI to try when the target set is empty and the call would fail: none. Asked once in a call."""
        return None

    def ends_call(self, final: Final) -> bool:
        """Say whether a failure is global: no other target is tried (21.6)."""
        return final.code >= 600

    def fails_over(self, final: Final) -> bool:
        """Say whether the first hop's failure is one to try the backup for: silence or 503 (RFC 3263 section 4.3)."""
        return final.response is None or final.code == 503

    def remembers_refusal(self, seconds: float) -> float:
        """Return how long copies of a refusal are acknowledged: the ``seconds`` of Timer D (17.1.1.2)."""
        return seconds

    def noticed(self, final: Final) -> None:
        """Hear of the final response that ended a call, after its ACK."""

    def parting_request(
        self, final: Final, invite: OutboundRequest, early: InboundResponse | None
    ) -> OutboundRequest | None:
        """Return a request to send for an INVITE that was refused or redirected: none (9.1, 12.3, 15).

        ``early`` is the latest provisional response that made an early dialog.
        """
        return None

    def redial(self, final: Final) -> Redial | None:
        """Return how to call again by itself after the first answer refused the call: not at all (21.6.2)."""
        return None

    def ends_dialog(self, code: int) -> bool:
        """Say whether a refused re-INVITE ends the session: only if the peer has lost it (12.2.1.2, 14.1)."""
        return code in (408, 481)

    def repeats_reinvite(self, final: Final) -> float | None:
        """Return after how many seconds a refused re-INVITE is sent once more: never by itself (14.1)."""
        return None

    def passes_on(self, *, redirected: bool) -> bool:
        """Say whether the caller of a B2BUA is answered when its call is: always, ``redirected`` or not."""
        return True

    def ends_other_leg(self, *, by_callee: bool) -> bool:
        """Say whether the end of one leg of a B2BUA ends the other one: always."""
        return True

    asks_other_leg = True
    """A B2BUA passes a re-INVITE on to the leg that it did not come from."""

    def relayed(self, redirection: InboundResponse) -> Refusal | None:
        """Return what the caller of a B2BUA is answered when a redirection is followed: nothing yet."""
        return None

    def told(self, final: Final, dialled: str, local: Address) -> Refusal | None:
        """Return what the caller of a B2BUA is answered when its call has failed: the callee's code.

        A redirection that led nowhere is a 480: to pass it on would ask the caller to do what this device just tried.
        """
        if 300 <= final.code < 400:
            return Refusal(480, "Temporarily Unavailable")
        return Refusal(final.code, final.reason, passed_on(final))


def passed_on(final: Final) -> Fields:
    """Return what a B2BUA repeats of a refusal."""
    if final.response is None:
        return ()
    headers = final.response.headers
    return tuple((name, value) for name in _PASSED_ON for value in headers.getlist(name))
