"""The calls that somebody wanted, and the target set of each: what was tried, what a 3xx named, what ended it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import unquote

from harness.judge.account.transactions import Transaction, crossed
from harness.model.flow import Event
from harness.sip.uri import SipUri, usual_host


@lru_cache(4096)
def place_of(uri: str) -> str:
    """What a URI names, less what a device may write otherwise: user, host and port."""
    read = SipUri.parse(uri)
    if read is None:
        return uri.strip().lower()
    return f"{unquote(read.user or '')}@{usual_host(read.host)}:{read.port or 5060}"


@dataclass
class Target:
    """A Contact that the device was given."""

    uri: str
    by: Event
    """The 3xx."""
    tried: Event | None = None
    """The INVITE that went there."""


@dataclass
class WantedCall:
    """A call that the device was asked for: by its stimulus, or by the INVITE of a caller."""

    uri: str
    wanted: str
    """By whom, in words."""
    request: Transaction | None = None
    """The caller's INVITE, where there is one."""
    tries: list[Transaction] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    ended_by: Event | None = None
    """The first 6xx, or 2xx, that one of its tries got."""
    _ended_try: Transaction | None = None
    retried: set[int] = field(default_factory=set)
    """The numbers of the challenges that have been answered, and of the failures that have been moved on from."""

    @property
    def cause(self) -> int | None:
        """The number of the caller's INVITE."""
        return self.request.request.number if self.request else None

    def answered(self, response: Event, to: Transaction) -> None:
        """Take a final response to one of its tries: a 3xx adds targets, a 2xx or 6xx ends the search."""
        status = response.status or 0
        if 300 <= status < 400:
            self.targets += [Target(uri, response) for uri in response.contact_uris]
        elif (200 <= status < 300 or status >= 600) and self.ended_by is None:
            self.ended_by, self._ended_try = response, to

    def ended_before(self, event: Event) -> Event | None:
        """What had ended the search when the device sent ``event``; None if nothing had, or it may not know yet."""
        end, cancel = self.ended_by, self.request.cancel if self.request else None
        # The ACK shows that the device has read the response.
        if end is not None and (not crossed(event, end) or (self._ended_try and self._ended_try.acks)):
            return end
        return cancel if cancel is not None and not crossed(event, cancel) else None

    def target(self, uri: str) -> Target | None:
        """The target that ``uri`` names: one that has not been tried, if there is one."""
        place = place_of(uri)
        return _untried_first(target for target in self.targets if place_of(target.uri) == place)

    def tried(self, uri: str) -> Transaction | None:
        """The try that went to ``uri`` before."""
        place = place_of(uri)
        return next((one for one in self.tries if place_of(one.request.request_uri) == place), None)


def _untried_first(targets: Iterable[Target]) -> Target | None:
    return min(targets, key=lambda target: target.tried is not None, default=None)
