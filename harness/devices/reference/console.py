"""The commands on stdin, and the events on stdout."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable

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


class Console:
    """Reads commands, one a line, until the input ends."""

    def __init__(self, stack: Stack, at_end: Callable[[], None], *, places_calls: bool = True) -> None:
        self._stack = stack
        self._at_end = at_end
        self._unread = b""
        self._calls: dict[str, ConsoleCall] = {}
        self._commands: dict[str, Callable[[str], None]] = {}
        if places_calls:
            self._commands = {"call": self._call, "hangup": self._hang_up, "reinvite": self._reinvite}

    def listen(self, descriptor: int) -> None:
        """Take commands from a file descriptor."""
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
            self._obey(line.decode(errors="replace").split())
        if not data:
            asyncio.get_running_loop().remove_reader(descriptor)
            self._at_end()
        return bool(data)

    def _obey(self, words: list[str]) -> None:
        if not words:
            return
        command = self._commands.get(words[0])
        if command is None or len(words) != 2:
            known = ", ".join(f"{name} URI" for name in self._commands) or "there are none in this role"
            complain(f"not a command: {' '.join(words)} ({known})")
        else:
            command(words[1])

    def _call(self, uri: str) -> None:
        if destination_of(uri) is None:
            complain(f"cannot be called, a sip: URI with a numeric host is needed: {uri}")
            return
        self._calls[uri] = ConsoleCall(uri, self._stack)
        self._calls[uri].call.start()

    def _hang_up(self, uri: str) -> None:
        if uri in self._calls:
            self._calls[uri].call.hang_up()
        else:
            complain(f"never called: {uri}")

    def _reinvite(self, uri: str) -> None:
        leg = self._calls[uri].leg if uri in self._calls else None
        if leg is None or leg.ended or leg.busy:
            complain(f"no established call without a re-INVITE on its way: {uri}")
            return
        self._calls[uri].reinvite(leg)


class ConsoleCall:
    """A call that a command placed; says what becomes of it."""

    def __init__(self, uri: str, stack: Stack) -> None:
        identity = identity_of(stack.layer)
        self._uri = uri
        self._version = 1
        self.leg: Leg | None = None
        self.call = Call(CallOrder(uri, f"<sip:reference@{identity.host}>", identity.sdp(), _SDP), stack, self)

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

    def on_failed(self, final: Final) -> None:
        """Say so."""
        self._say("failed", final.code)

    def on_ended(self, leg: Leg) -> None:
        """Say so."""
        self._say("ended")

    def on_reinvite(self, leg: Leg, transaction: InviteServerTransaction, request: InboundRequest) -> None:
        """Accept it."""
        leg.answer(transaction, _SDP, self._session(leg, answering_direction(request.body)))

    def _session(self, leg: Leg, direction: str) -> bytes:
        self._version += 1
        return leg.identity.sdp(self._version, direction)

    def _say(self, event: str, status: int | None = None) -> None:
        said: dict[str, str | int] = {"call": self._uri, "event": event}
        if status is not None:
            said["status"] = status
        print(json.dumps(said), flush=True)
