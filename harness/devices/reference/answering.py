"""The answering device: a UAS whose user part of the Request-URI says what becomes of a call.

======== ============================================================
prefix   what a request for such a number gets
======== ============================================================
302      302 with a Contact elsewhere
603      603
18302    180, and 302 after 0.3 s
18603    180, and 603 after 0.3 s
180      180, and nothing more until the caller gives up
482      it was told to forward to this very number, which it cannot: 480
404      404: no such user
other    200
======== ============================================================
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from .contacts import Contact
from .headers import parse_name_addr
from .identity import SDP_TYPE, answering_direction
from .incoming import IncomingCall
from .leg import Leg, refuse_method
from .redirection import redirection_to
from .sip_uri import SipUri
from .stack import Stack, identity_of
from .transactions import InviteServerTransaction, ServerTransaction
from .user_agent import UserAgent
from .wire import Fields, InboundRequest, Refusal

RINGING_TIME = 0.3
_LONG = 180.0
_DECLINED = Refusal(603, "Decline")
_NO_ANSWER = Refusal(480, "Temporarily Unavailable")


@dataclass(frozen=True, slots=True)
class Manner:
    """How a call is taken: ``code`` is what it comes to (0: 200), after a ring if ``rings``."""

    code: int = 200
    rings: float = 0.0


_ACCEPTED, _REJECTED = Manner(), Manner(603)

_MANNERS = {
    "302": Manner(302),
    "603": Manner(603),
    "18302": Manner(302, RINGING_TIME),
    "18603": Manner(603, RINGING_TIME),
    "180": Manner(480, _LONG),
    "482": Manner(482),
    "404": Manner(404),
}


class AnsweringDevice(UserAgent):
    """A phone with its own ideas."""

    def __init__(self, stack: Stack) -> None:
        super().__init__(stack, self._take)
        self.ringing: dict[str, _AnsweredCall] = {}
        """The calls that wait for a decision, by the URI of who calls."""

    def decide(self, verb: str, caller: str) -> str:
        """Answer or reject the call that rings; what is wrong with that, "" if nothing is."""
        call = self.ringing.pop(caller, None)
        if call is None:
            return f"nobody rings from {caller}"
        call.decide(_ACCEPTED if verb == "answer" else _REJECTED)
        return ""

    def _take(self, transaction: InviteServerTransaction, request: InboundRequest, stack: Stack) -> None:
        call = _AnsweredCall(transaction, request, stack)
        if call.rings:
            self.ringing[parse_name_addr(request.headers["From"]).uri] = call

    def on_invite(self, transaction: InviteServerTransaction, request: InboundRequest) -> None:
        """Refuse a copy that came by another way while the first is being answered (8.2.2.2)."""
        ongoing = self.stack.layer.is_merged(request)
        if not request.to_tag and self.stack.behaviour.merges(request, ongoing=ongoing):
            transaction.respond(482, "Loop Detected")
        else:
            super().on_invite(transaction, request)

    def on_new_request(self, transaction: ServerTransaction, request: InboundRequest) -> None:
        """Answer MESSAGE and OPTIONS as it would an INVITE, without ringing (11.2, RFC 4320 section 4.1)."""
        if request.method not in ("MESSAGE", "OPTIONS"):
            refuse_method(transaction, request.method, identity_of(self.stack.layer).capabilities)
            return
        if request.method == "MESSAGE" and self.stack.behaviour.misses_dialog:
            transaction.respond(481, "Call/Transaction Does Not Exist")
            return
        if announced := self.stack.behaviour.announces(request.method):
            transaction.respond(announced.code, announced.reason, announced.fields)
        if refusal := refusal_of(manner_of(request.uri), request.uri, self.stack):
            transaction.respond(refusal.code, refusal.reason, refusal.fields)
        elif request.method == "OPTIONS":
            super().on_new_request(transaction, request)
        else:
            transaction.respond(200, "OK")


class _AnsweredCall:
    """One call to the device."""

    def __init__(self, transaction: InviteServerTransaction, request: InboundRequest, stack: Stack) -> None:
        self._incoming = IncomingCall(transaction, stack, self)
        self._request = request
        self._stack = stack
        manner = manner_of(request.uri)
        self.rings = bool(manner.rings)
        if manner.rings:
            self._incoming.ring(180, "Ringing", (), b"")
            asyncio.get_running_loop().call_later(manner.rings, self.decide, manner)
        else:
            self.decide(manner)

    def on_cancelled(self) -> None:
        """Nothing is left to do: the INVITE has been answered."""

    def on_ended(self, leg: Leg) -> None:
        """Nothing is left to do."""

    def on_reinvite(self, leg: Leg, transaction: InviteServerTransaction, request: InboundRequest) -> None:
        """Accept it."""
        leg.answer(transaction, _SDP, leg.identity.sdp(2, answering_direction(request.body)))

    def decide(self, manner: Manner) -> None:
        """Do what the call comes to, if it still waits for it."""
        if not self._incoming.waiting:
            return
        refusal = refusal_of(manner, self._request.uri, self._stack)
        if refusal is not None:
            self._incoming.refuse(refusal.code, refusal.reason, refusal.fields)
        else:
            session = identity_of(self._stack.layer).sdp(1, answering_direction(self._request.body))
            self._incoming.answer(_SDP, session)


_SDP: Fields = (("Content-Type", SDP_TYPE),)


def manner_of(uri: str) -> Manner:
    """Return how a number is answered: by its longest prefix."""
    try:
        user = SipUri.parse(uri).user or ""
    except ValueError:
        user = ""
    found = [prefix for prefix in _MANNERS if user.startswith(prefix)]
    return _MANNERS[max(found, key=len)] if found else Manner()


def refusal_of(manner: Manner, uri: str, stack: Stack) -> Refusal | None:
    """Return what a call comes to, ``None`` for an answer."""
    match manner.code:
        case 302:
            return redirection_to([_elsewhere(uri, stack)], uri, stack.behaviour)
        case 482:
            return redirection_to([Contact(uri, ())], uri, stack.behaviour)
        case 404:
            return stack.behaviour.unknown_user()
        case 480:
            return _NO_ANSWER
        case 603:
            return _DECLINED
        case _:
            return None


def _elsewhere(uri: str, stack: Stack) -> Contact:
    """Return where the calls to a number are forwarded: the number with a 9 before it, at the backup or next port."""
    local = stack.layer.transport.local
    where = stack.backup or local._replace(port=local.port + 1)
    return Contact(f"sip:9{SipUri.parse(uri).user}@{where.in_uri}", ())
