"""Faults of a proxy in what it passes on (RFC 3261 sections 16.3 and 16.7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..behaviour import Behaviour
from ..headers import canonical, parse_name_addr
from ..sip_uri import Address, SipUri
from ..wire import Fields, Final, InboundRequest, InboundResponse, OutboundResponse

_STANDARD = frozenset(
    ("via", "from", "to", "call-id", "cseq", "contact", "content-type", "server", "user-agent", "retry-after", "reason")
)


class ForwardsAtZeroHops(Behaviour):
    """Wrong by 16.3 item 3: it is the last net under a loop."""

    def forwards(self, hops: int) -> bool:
        """Never look."""
        return True


class PassesOnAckOfRefusal(Behaviour):
    """Wrong by 17.1.1.3 and 17.2.1: the proxy has acknowledged the refusals of its branches itself."""

    forwards_acks_of_refusals = True


class RecursesForOthers(Behaviour):
    """Wrong by 16.5: for a domain that is not the proxy's own there is one target, the Request-URI."""

    def recurses(self, *, configured: bool, responsible: bool) -> bool:
        """Follow a 3xx for any other domain."""
        return not responsible or super().recurses(configured=configured, responsible=responsible)


class Changes6xx(Behaviour):
    """Wrong by 16.7 item 9: a caller that gets a 480 tries elsewhere what the callee has declined."""

    def upstream(self, response: OutboundResponse, request: InboundRequest, local: Address) -> OutboundResponse:
        """Call it a 480."""
        response = super().upstream(response, request, local)
        return replace(response, code=480, reason="Temporarily Unavailable") if response.code >= 600 else response


class Softens6xxAfterRinging(Behaviour):
    """Wrong by 16.7 item 9: it was declined, and not missed."""

    def __init__(self) -> None:
        super().__init__()
        self._rang: set[str] = set()

    def relays_provisional(self, response: InboundResponse, stored: Sequence[Final]) -> bool:
        """Note whose phone rings."""
        if response.code > 100:
            self._rang.add(response.call_id)
        return super().relays_provisional(response, stored)

    def upstream(self, response: OutboundResponse, request: InboundRequest, local: Address) -> OutboundResponse:
        """Call it a 480 then."""
        response = super().upstream(response, request, local)
        if response.code < 600 or request.call_id not in self._rang:
            return response
        return replace(response, code=480, reason="Temporarily Unavailable")


class DropsAckOf200(Behaviour):
    """Wrong by 16.11: without it the callee repeats its 200 for 32 s and hangs up."""

    forwards_ack = False


class Relays302WithoutContact(Behaviour):
    """Wrong by 16.7 item 9: the caller is told that somebody has moved, and not where to."""

    def upstream(self, response: OutboundResponse, request: InboundRequest, local: Address) -> OutboundResponse:
        """Leave it out."""
        response = super().upstream(response, request, local)
        if not 300 <= response.code < 400:
            return response
        return replace(response, fields=tuple(field for field in response.fields if canonical(field[0]) != "contact"))


class Rewrites302(Behaviour):
    """Wrong by 16.7 item 9: the caller is to go where the callee is."""

    def upstream(self, response: OutboundResponse, request: InboundRequest, local: Address) -> OutboundResponse:
        """Write its own address into the Contacts."""
        response = super().upstream(response, request, local)
        if not 300 <= response.code < 400:
            return response
        host, port, *_ = local
        fields = tuple(
            (name, f"<{_moved(value, host, port)}>" if canonical(name) == "contact" else value)
            for name, value in response.fields
        )
        return replace(response, fields=fields)


class Strips302(Behaviour):
    """Wrong by 16.7 item 9: what a proxy does not know is none of its business."""

    def upstream(self, response: OutboundResponse, request: InboundRequest, local: Address) -> OutboundResponse:
        """Keep the headers that everybody knows."""
        response = super().upstream(response, request, local)
        if not 300 <= response.code < 400:
            return response
        return replace(response, fields=tuple(field for field in response.fields if canonical(field[0]) in _STANDARD))


class LosesRetryAfter(Behaviour):
    """Wrong by 16.7 item 9: the caller is not told when to come back."""

    def upstream(self, response: OutboundResponse, request: InboundRequest, local: Address) -> OutboundResponse:
        """Leave it out."""
        response = super().upstream(response, request, local)
        return replace(response, fields=tuple(f for f in response.fields if canonical(f[0]) != "retry-after"))


class SecondFinalUpstream(Behaviour):
    """Wrong by 16.7 item 6: one request has one answer."""

    def second_final(self, sent: Final, stored: Sequence[Final]) -> Final | None:
        """Send another of the stored ones, or what a clumsy script makes of its end."""
        others = [final for final in stored if final.code != sent.code]
        return others[0] if others else Final(500, "Server Internal Error")


class Sends408ToMessage(Behaviour):
    """Wrong by RFC 4320 section 4.2: it comes when the caller has given up, and bars the proxy for later requests."""

    def reports_timeout(self, method: str) -> bool:
        """Report it whatever the method."""
        return True


class Relays100(Behaviour):
    """Wrong by 16.7 item 5: a 100 is for the next hop."""

    def relays_provisional(self, response: InboundResponse, stored: Sequence[Final]) -> bool:
        """Pass it on like any other."""
        return response.code == 100 or super().relays_provisional(response, stored)


class Swallows18x(Behaviour):
    """Wrong by 16.7 item 5: another phone rings, and the caller does not hear it."""

    def relays_provisional(self, response: InboundResponse, stored: Sequence[Final]) -> bool:
        """Take the call for over when the first final response has come."""
        return not stored and super().relays_provisional(response, stored)


class RelaysStray(Behaviour):
    """Wrong by RFC 6026 section 7.3: anybody could have sent it."""

    relays_stray = True


class RepeatsReason(Behaviour):
    """Wrong by RFC 3326 section 2: of two causes of one protocol the reader takes one, and nobody knows which."""

    def cancel_fields(self, fields: Fields) -> Fields:
        """Add one to that of the caller."""
        return (*super().cancel_fields(fields), ("Reason", 'SIP;cause=487;text="Caller gave up"'))

    def answer(self, response: OutboundResponse, request: InboundRequest) -> OutboundResponse:
        """Give two reasons for a refusal."""
        response = super().answer(response, request)
        if response.code < 300 or request.method != "INVITE":
            return response
        reasons = (("Reason", f"SIP;cause={response.code}"), ("Reason", 'SIP;cause=480;text="Gone"'))
        return replace(response, fields=response.fields + reasons)


def _moved(contact: str, host: str, port: int) -> str:
    try:
        user = SipUri.parse(parse_name_addr(contact).uri).user
    except ValueError:
        user = None
    return str(SipUri("sip", user, host, str(port), (), None))
