"""The location service: where the users of this device are (RFC 3261 section 10)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from urllib.parse import unquote

from .contacts import Contact
from .sip_uri import DEFAULT_PORT, SipUri
from .uri_equality import same_uri

AddressOfRecord = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class Binding:
    """One registered Contact. ``expires_at`` is of the loop's clock."""

    contact: Contact
    expires_at: float
    call_id: str
    sequence: int


class LocationService:
    """The bindings of every user that ever registered, in memory."""

    def __init__(self) -> None:
        self._bindings: dict[AddressOfRecord, list[Binding]] = {}

    def bindings(self, uri: str) -> list[Binding] | None:
        """Return what is registered for a URI, in the order of registration; ``None`` for an unknown user."""
        bindings = self._bindings.get(_address_of_record(uri))
        if bindings is None:
            return None
        now = asyncio.get_running_loop().time()
        return [binding for binding in bindings if binding.expires_at > now]

    def put(self, uri: str, binding: Binding) -> None:
        """Add or refresh a binding; a lifetime that is over removes it. From now on the user is known."""
        bindings = self._bindings.setdefault(_address_of_record(uri), [])
        for index, known in enumerate(bindings):
            if same_uri(known.contact.uri, binding.contact.uri):
                bindings[index] = binding
                return
        bindings.append(binding)

    def clear(self, uri: str) -> None:
        """Remove all bindings of a user."""
        self._bindings[_address_of_record(uri)] = []

    def admit(self, uri: str) -> None:
        """Make a user known."""
        self._bindings.setdefault(_address_of_record(uri), [])


def _address_of_record(uri: str) -> AddressOfRecord:
    """Return by what a user is found: 10.3 leaves parameters out, and escapes do not count (19.1.4)."""
    try:
        sip = SipUri.parse(uri)
    except ValueError:
        return uri, "", 0
    user, _, _password = (sip.user or "").partition(":")
    return unquote(user), sip.host.lower(), int(sip.port or DEFAULT_PORT)
