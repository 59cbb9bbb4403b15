"""What the device can be told: on stdin here, on a port and by HTTP elsewhere; and its events on stdout."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from functools import partial

from .call import Call
from .diagnostics import complain
from .identity import SDP_TYPE, answering_direction
from .invites import CallOrder
from .leg import Leg
from .sip_uri import destination_of
from .stack import Stack, identity_of
from .transactions import InviteServerTransaction
from .wire import Fields, Final, InboundRequest, InboundResponse

_SDP: Fields = (("Content-Type", SDP_TYPE),)


class Orders:
    """What the device can be told, by whatever way: a verb and the URI of the other side."""

    def __init__(
        self, stack: Stack, *, places_calls: bool = True, decide: Callable[[str, str], str] | None = None
    ) -> None:
        self._stack = stack
        self._calls: dict[str, ConsoleCall] = {}
        self._verbs: dict[str, Callable[[str], str]] = {}
        if places_calls:
            self._verbs = {"call": self.call, "hangup": self._hang_up, "reinvite": self._reinvite}
        if decide is not None:
            self._verbs |= {verb: partial(decide, verb) for verb in ("answer", "reject")}

    def obey(self, line: str) -> str:
        """Do what a line says; what is wrong with it, "" if nothing is."""
        words = line.split()
        if not words:
            return ""
        verb = self._verbs.get(words[0])
        if verb is None or len(words) != 2:
            known = ", ".join(f"{name} URI" for name in self._verbs) or "there are none in this role"
            return f"not a command: {' '.join(words)} ({known})"
        return verb(words[1])

    def call(self, uri: str, on_final: Callable[[int], None] | None = None) -> str:
        """Place a call, and tell ``on_final`` the status it comes to."""
        if destination_of(uri, self._stack.behaviour.transports) is None:
            return f"cannot be called, a sip: URI with a numeric host is needed: {uri}"
        self._calls[uri] = ConsoleCall(uri, self._stack, on_final)
        self._calls[uri].call.start()
        return ""

    def _hang_up(self, uri: str) -> str:
        if uri not in self._calls:
            return f"never called: {uri}"
        self._calls[uri].call.hang_up()
        return ""

    def _reinvite(self, uri: str) -> str:
        leg = self._calls[uri].leg if uri in self._calls else None
        if leg is None or leg.ended or leg.busy:
            return f"no established call without a re-INVITE on its way: {uri}"
        self._calls[uri].reinvite(leg)
        return ""


class Console:
    """Reads orders, one a line, until the input ends."""

    def __init__(self, orders: Orders, at_end: Callable[[], None]) -> None:
        self._orders = orders
        self._at_end = at_end
        self._unread = b""

    def listen(self, descriptor: int) -> None:
        """Take orders from a file descriptor."""
        loop = asyncio.get_running_loop()
        try:
            loop.add_reader(descriptor, self._read, descriptor)
        except PermissionError:
            # A regular file or /dev/null cannot be waited for, and need not be: all of it is there.
            while self._read(descriptor):
                pass

    def _read(self, descriptor: int) -> bool:
        data = os.read(descriptor, 65536)
        *lines, self._unread = (self._unread + data).split(b"\n")
        for line in lines:
            if wrong := self._orders.obey(line.decode(errors="replace")):
                complain(wrong)
        if not data:
            asyncio.get_running_loop().remove_reader(descriptor)
            self._at_end()
        return bool(data)


class ConsoleCall:
    """A call that a command placed; says what becomes of it."""

    def __init__(self, uri: str, stack: Stack, on_final: Callable[[int], None] | None = None) -> None:
        identity = identity_of(stack.layer)
        self._uri = uri
        self._on_final = on_final
        self._version = 1
        self.leg: Leg | None = None
        self.call = Call(CallOrder(uri, f"<sip:reference@{identity.uri_host}>", identity.sdp(), _SDP), stack, self)

    def reinvite(self, leg: Leg) -> None:
        """Put the peer on hold."""
        leg.send_reinvite(_SDP, self._session(leg, "sendonly"), lambda final: self._say("reinvited", final.code))

    def on_ringing(self, response: InboundResponse) -> None:
        """Say so."""
        self._say("ringing", response.code)

    def on_redirected(self, response: InboundResponse) -> None:
        """Say so."""
        self._say("redirected", response.code)

    def on_answered(self, leg: Leg, response: InboundResponse) -> None:
        """Say so."""
        self.leg = leg
        self._say("answered", response.code)
        self._come_to(response.code)

    def on_failed(self, final: Final) -> None:
        """Say so."""
        self._say("failed", final.code)
        self._come_to(final.code)

    def on_ended(self, leg: Leg) -> None:
        """Say so."""
        self._say("ended")

    def on_reinvite(self, leg: Leg, transaction: InviteServerTransaction, request: InboundRequest) -> None:
        """Accept it."""
        leg.answer(transaction, _SDP, self._session(leg, answering_direction(request.body)))

    def _come_to(self, code: int) -> None:
        if self._on_final is not None:
            self._on_final(code)

    def _session(self, leg: Leg, direction: str) -> bytes:
        self._version += 1
        return leg.identity.sdp(self._version, direction)

    def _say(self, event: str, status: int | None = None) -> None:
        said: dict[str, str | int] = {"call": self._uri, "event": event}
        if status is not None:
            said["status"] = status
        print(json.dumps(said), flush=True)
