"""The registrar: takes the bindings of users (RFC 3261 section 10.3). It asks nobody who he is."""

from __future__ import annotations

import asyncio

from .contacts import Contact, contacts_of
from .headers import parse_name_addr
from .location import Binding, LocationService
from .transactions import ServerTransaction
from .wire import Fields, InboundRequest

_HOUR = 3600.0


class Registrar:
    """Answers REGISTER, and fills a location service."""

    def __init__(self) -> None:
        self.location = LocationService()

    def serve(self, transaction: ServerTransaction, request: InboundRequest) -> None:
        """Answer a REGISTER with all bindings that there are then."""
        try:
            user = parse_name_addr(request.headers["To"]).uri
        except ValueError:
            transaction.respond(400, "Bad To")
            return
        contacts = contacts_of(request)
        if self._outdated(user, request):
            transaction.respond(500, "Server Internal Error")
            return
        self.location.admit(user)
        if request.values("Contact") == ["*"]:
            if _seconds(request.headers.get("Expires")) != 0:
                transaction.respond(400, "Bad Contact")
                return
            self.location.clear(user)
        now = asyncio.get_running_loop().time()
        for contact in contacts:
            lifetime = _lifetime(contact, request)
            self.location.put(user, Binding(contact, now + lifetime, request.call_id, request.cseq.sequence))
        transaction.respond(200, "OK", self._registered(user, now))

    def _outdated(self, user: str, request: InboundRequest) -> bool:
        """Say whether a later REGISTER of the same client has been served (10.3 items 6 and 7)."""
        known = self.location.bindings(user) or ()
        return any(b.call_id == request.call_id and b.sequence >= request.cseq.sequence for b in known)

    def _registered(self, user: str, now: float) -> Fields:
        return tuple(
            ("Contact", f"{_written(binding.contact)};expires={round(binding.expires_at - now)}")
            for binding in self.location.bindings(user) or ()
        )


def _written(contact: Contact) -> str:
    kept = ((name, value) for name, value in contact.parameters if name.lower() != "expires")
    return f"<{contact.uri}>" + "".join(f";{name}" if value is None else f";{name}={value}" for name, value in kept)


def _lifetime(contact: Contact, request: InboundRequest) -> float:
    own = next((value for name, value in contact.parameters if name.lower() == "expires"), None)
    return _seconds(request.headers.get("Expires") if own is None else own)


def _seconds(text: str | None) -> float:
    """Read a lifetime; what cannot be read is an hour (10.2.1.1)."""
    digits = (text or "").strip()
    return float(min(int(digits), 2**32 - 1)) if digits.isdecimal() else _HOUR
