"""Faults of a proxy that follows redirections itself (RFC 3261 sections 16.5, 16.6 and 16.7 item 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..behaviour import Behaviour
from ..contacts import Contact, contacts_of
from ..headers import canonical
from ..sip_uri import Address
from ..tokens import new_tag
from ..wire import Fields, Final, InboundRequest, InboundResponse, OutboundRequest, OutboundResponse


class NeverRecurses(Behaviour):
    """Wrong by its own claim: 16.5 leaves it open."""

    def recurses(self, *, configured: bool, responsible: bool) -> bool:
        """Follow nothing."""
        return False


class FollowsOneBranch(Behaviour):
    """Wrong by 16.7 item 4: what is not followed may be the answer."""

    follows_every_branch = False


class TriesSameTargetAgain(Behaviour):
    """Wrong by 16.5: a URI enters the target set once."""

    def tries(self, uri: str, known: Sequence[str], *, equal: int) -> bool:
        """Try it as often as it is listed."""
        return True


class TriesSameTargetTwice(Behaviour):
    """Wrong by 16.5, and not so easily seen."""

    def tries(self, uri: str, known: Sequence[str], *, equal: int) -> bool:
        """Try it once more."""
        return equal < 2 or super().tries(uri, known, equal=equal)


class _EndsCancelledCalls(Behaviour):
    """Keeps a 3xx that should not be an answer; a cancelled call is to end as it should all the same."""

    def best(self, stored: Sequence[Final]) -> Final:
        """Choose the 487 where there is one, unless somebody declined."""
        return super().best([final for final in stored if final.code == 487 or final.code >= 600] or stored)


class LeavesTriedContacts(_EndsCancelledCalls):
    """Wrong by 16.7 item 4: the caller calls once more who has just refused."""

    strips_contacts = False


class Emptied302Upstream(_EndsCancelledCalls):
    """Wrong by 16.7 item 4: nobody can make anything of it."""

    keeps_emptied = True


class Swallows302(Behaviour):
    """Wrong by 16.7: whoever does not follow a redirection hands it on."""

    def swallows(self, redirection: InboundResponse) -> bool:
        """Lose it."""
        return bool(contacts_of(redirection)) or super().swallows(redirection)


class Swallows302WithoutContact(Behaviour):
    """Wrong by 16.7: there is nothing to follow, but something to answer."""

    def swallows(self, redirection: InboundResponse) -> bool:
        """Lose it."""
        return not contacts_of(redirection) or super().swallows(redirection)


class KeepsMaxForwards(Behaviour):
    """Wrong by 16.6 item 3: a loop of redirections would have no end."""

    def hops(self, received: int, *, recursed: bool) -> int:
        """Copy it."""
        return received if recursed else super().hops(received, recursed=recursed)


class ReusesBranchOnRecursion(Behaviour):
    """Wrong by 16.6 item 8: each branch is a transaction of its own."""

    def __init__(self) -> None:
        super().__init__()
        self._reused: set[str] = set()

    def branches(self, request: OutboundRequest, previous: OutboundRequest) -> OutboundRequest:
        """Take that of the branch before, but once: what rings at the same time is to be told apart."""
        request = super().branches(request, previous)
        if previous.branch in self._reused:
            return request
        self._reused.add(previous.branch)
        via = request.field("Via").replace(request.branch, previous.branch)
        return replace(request, fields=(("Via", via), *request.fields[1:]))


class RecursionChangesFrom(Behaviour):
    """Wrong by 16.6: a proxy forwards a request, it makes none."""

    def branches(self, request: OutboundRequest, previous: OutboundRequest) -> OutboundRequest:
        """Be somebody else."""
        request = super().branches(request, previous)
        via = request.field("Via").split()[1].partition(";")[0]
        return request.with_field("From", f"<sip:proxy@{via}>;tag={new_tag()}")

    def upstream(self, response: OutboundResponse, request: InboundRequest, local: Address) -> OutboundResponse:
        """Keep it from the caller, who would not know the response again."""
        response = super().upstream(response, request, local)
        own = request.headers["From"]
        fields: Fields = tuple((key, own if canonical(key) == "from" else value) for key, value in response.fields)
        return replace(response, fields=fields)


class RecursionKeepsUriHeaders(Behaviour):
    """Wrong by 16.6 item 2: headers and method are not allowed in a Request-URI."""

    def recursed_uri(self, contact: str, uri: str) -> str:
        """Copy the Contact as it stands."""
        return contact


class RecursionIgnoresQ(Behaviour):
    """Wrong by 16.6: the callee has said where he would rather be reached."""

    def recursed_q(self, contact: Contact, place: int) -> float:
        """Prefer what is written first."""
        return 1 / (1 + place)
