"""The target set of a request (RFC 3261 sections 16.5 and 16.6)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..behaviour import Behaviour
from ..uri_equality import same_uri


@dataclass(frozen=True, slots=True)
class Target:
    """A Request-URI to forward to, and how much it is preferred."""

    uri: str
    q: float = 1.0
    recursed: bool = False
    """Whether it comes from a Contact of a 3xx, and not from the location service or the Request-URI."""


class TargetSet:
    """No URI enters it twice. What is preferred alike is tried together, the rest one after another by q."""

    def __init__(self, targets: list[Target], behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self._known = [target.uri for target in targets]
        self._waiting = list(targets)

    def knows(self, uri: str) -> bool:
        """Say whether a URI has ever entered the set."""
        return any(same_uri(uri, known) for known in self._known)

    def add(self, target: Target) -> bool:
        """Let a Contact join; say whether it is new."""
        equal = sum(same_uri(target.uri, known) for known in self._known)
        if not self._behaviour.tries(target.uri, self._known, equal=equal):
            return False
        self._known.append(target.uri)
        self._waiting.append(target)
        return True

    def retain(self, wanted: Callable[[Target], bool]) -> None:
        """Forget the waiting targets that are not wanted any more."""
        self._waiting = [target for target in self._waiting if wanted(target)]

    def take(self, pending: float) -> list[Target]:
        """Return the targets of the highest q, unless a better one is still being tried (``pending``: its q)."""
        best = max((target.q for target in self._waiting), default=-1.0)
        if best < pending:
            return []
        group = [target for target in self._waiting if target.q == best]
        self.retain(lambda target: target.q != best)
        return group
