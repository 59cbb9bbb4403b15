"""Faults in the routes of dialogs: what proxies have recorded, and who takes it (RFC 3261 12.1, 12.2.1.1)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..behaviour import Behaviour
from ..sip_uri import Address
from ..wire import InboundResponse, OutboundRequest

_RECORD_ROUTE = re.compile(rb"\r\nRecord-Route:[^\r\n]*", re.IGNORECASE)


class ForgetsRouteSet(Behaviour):
    """Wrong by 12.2.1.1: a proxy that has recorded its route wants to see what follows."""

    def acknowledge_answer(self, ack: OutboundRequest) -> OutboundRequest | None:
        """Send the ACK past all proxies."""
        built = super().acknowledge_answer(ack)
        return built and built.without("Route")

    def in_dialog(self, request: OutboundRequest) -> OutboundRequest:
        """Send everything else past them, too."""
        return super().in_dialog(request).without("Route")


class KeepsRouteOfRinging(Behaviour):
    """Wrong by 13.2.2.4: the 2xx gives the dialog its route set anew."""

    def __init__(self) -> None:
        super().__init__()
        self._rang: dict[str, tuple[str, ...]] = {}

    def hears(self, response: InboundResponse) -> bool:
        """Note the route of the first response that makes a dialog."""
        if 100 < response.code < 300 and response.to_tag:
            self._rang.setdefault(response.call_id, tuple(reversed(response.values("Record-Route"))))
        return super().hears(response)

    def acknowledge_answer(self, ack: OutboundRequest) -> OutboundRequest | None:
        """Take it for the ACK."""
        built = super().acknowledge_answer(ack)
        return built and self._routed(built)

    def in_dialog(self, request: OutboundRequest) -> OutboundRequest:
        """Take it for everything else."""
        return self._routed(super().in_dialog(request))

    def _routed(self, request: OutboundRequest) -> OutboundRequest:
        kept = self._rang.get(request.field("Call-ID"))
        if kept is None:
            return request
        return request.without("Route").with_fields(tuple(("Route", value) for value in kept))


class AnswersWithoutRecordRoute(Behaviour):
    """Wrong by 12.1.1: the caller does not learn which proxies want to see what follows."""

    def worded(self, data: bytes, destination: Address) -> Sequence[tuple[bytes, Address]]:
        """Leave the header out of responses."""
        return super().worded(_RECORD_ROUTE.sub(b"", data) if data.startswith(b"SIP/2.0 ") else data, destination)


class RecordsWithoutBrackets(Behaviour):
    """Wrong by 20.30: the parameters of the URI become those of the header."""

    def worded(self, data: bytes, destination: Address) -> Sequence[tuple[bytes, Address]]:
        """Leave the brackets out."""
        return super().worded(_RECORD_ROUTE.sub(_without_brackets, data), destination)


def _without_brackets(line: re.Match[bytes]) -> bytes:
    return line[0].translate(None, b"<>")
