"""Making a redirection: what a redirect server and a UAS that forwards its calls have in common (section 8.3)."""

from __future__ import annotations

from collections.abc import Sequence

from .behaviour import Behaviour
from .contacts import Contact
from .wire import Fields, Refusal


def redirection_to(contacts: Sequence[Contact], request_uri: str, behaviour: Behaviour) -> Refusal:
    """Return a 302 to these Contacts without the Request-URI itself; a 480 if there is none left."""
    offered = [contact for contact in contacts if behaviour.offers(contact.uri, request_uri)]
    if not offered:
        return Refusal(480, "Temporarily Unavailable")
    listed = behaviour.listed(offered, request_uri)
    fields: Fields = tuple(("Contact", behaviour.contact_value(contact)) for contact in listed)
    return behaviour.redirection(Refusal(302, "Moved Temporarily", fields))
