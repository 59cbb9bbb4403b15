"""The target set of one call (RFC 3261 section 8.1.3.4)."""

from __future__ import annotations

from .behaviour import Behaviour
from .contacts import Target
from .wire import InboundResponse

MOST = 128
"""The most targets of one call.  Each is compared with all others: a redirector must not decide how long that takes."""


class TargetSet:
    """It begins with the original Request-URI, no URI enters it twice, and the best q is next."""

    def __init__(self, dialled: str, first: str, behaviour: Behaviour) -> None:
        self._dialled = dialled
        self._behaviour = behaviour
        self._known = [first]
        self._waiting: list[Target] = []

    def join(self, redirection: InboundResponse, current: str, *, repeated: bool) -> bool:
        """Add the Contacts of a redirection of ``current``; say whether there was a new one among them."""
        self._waiting = list(self._behaviour.waits_on(self._waiting))
        joined = False
        for contact in self._behaviour.contacts(redirection):
            uri = self._behaviour.request_uri(contact)
            if len(self._known) > MOST:
                break
            if uri is None or not self._behaviour.admits(uri, self._known, current, repeated=repeated):
                continue
            self._known.append(uri)
            self._waiting.append(Target(uri, contact, redirection, self._dialled))
            joined = True
        # The sort is stable: Contacts of the same q stay in the order in which they were listed.
        self._waiting.sort(key=lambda target: -self._behaviour.preference(target.contact))
        return joined

    def take(self) -> Target | None:
        """Return the next target, ``None`` when all have been tried."""
        return self._waiting.pop(0) if self._waiting else None
