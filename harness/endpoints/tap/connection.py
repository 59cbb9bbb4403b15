"""One connection of a stream port: bytes in both directions, messages in them, and what became of it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import replace
from typing import Final, cast

from cryptography import x509

from harness.endpoints.tap.framing import PING, PONG, framing_of
from harness.endpoints.tap.heard import Heard
from harness.model.connection import Connection, Handshake, Side
from harness.net.address import Address, Transport
from harness.net.authority import NAME_ASKED_FOR
from harness.net.streams import TOO_LATE, Broken, what_failed
from harness.system import clock

KEPT: Final = 2_000
"""The most bytes kept of what became no message."""
UNFINISHED: Final = "WebSocket handshake"
HANDSHAKE_S: Final = 10.0
"""Seconds in which a connection must be established."""
MOST_UNREAD: Final = 1 << 22
"""The most bytes that wait until a device reads them: it must not fill this machine's memory."""
MOST_WAITING: Final = 200
"""The most messages that wait for a connection to be established."""


"""What ends a connection that is not established in time; asyncio has the second one for a handshake."""


class StreamConnection(asyncio.Protocol):
    """A connection, from the first attempt to its end.  It is an outlet as long as it is open."""

    def __init__(
        self, facts: Connection, heard: Heard, on_end: Callable[[StreamConnection], None], path: str = "/"
    ) -> None:
        """``path``: what is asked for if it is a WebSocket of ours."""
        self.facts = facts
        self.address = facts.local
        self._heard = heard
        self._on_end = on_end
        self._framing = framing_of(facts, path)
        self._transport: asyncio.Transport | None = None
        self._overdue: asyncio.TimerHandle | None = None
        self._waiting: list[Callable[[], None]] = []
        self._over = False
        self._noted = False

    @property
    def peer(self) -> Address:
        """The other end."""
        return self.facts.peer

    @property
    def is_open(self) -> bool:
        """Whether something can be sent on it, now or when it is established."""
        closing = self._transport is not None and self._transport.is_closing()
        return not (self._over or closing or self._framing.over)

    def towards(self, _to: Address) -> StreamConnection:
        """Itself: a response goes back on the connection of its request (RFC 3261 18.2.2)."""
        return self

    def send(self, data: bytes, to: Address) -> float:
        """Send one message to the other end, whatever ``to`` is; return the time.  A connection that is gone loses it.

        One that is still being established takes it as soon as it can.
        """
        at = clock.now()
        self.once_open(lambda: self._send(data))
        return at

    def once_open(self, do: Callable[[], None]) -> None:
        """Have ``do`` called when it is established, or can no more be."""
        waits = self.facts.established_at is None and not self._over
        if waits and len(self._waiting) < MOST_WAITING:
            self._waiting.append(do)
        else:
            do()

    def _send(self, data: bytes) -> None:
        if self.facts.established_at is not None and self.is_open:
            self._framing.put(data)
            self._flush()

    def close(self) -> None:
        """End it from this side."""
        self._end("suite")
        if self._transport is not None and not self._transport.is_closing():
            self._framing.end()
            self._flush()
            self._transport.close()

    def fail(self, error: BaseException) -> None:
        """Note that it could not be established."""
        why = what_failed(error)
        if isinstance(error, ConnectionRefusedError):
            self._heard.on_refused(self.peer)
        elif self.peer.secure:
            why = f"TLS handshake: {why}"
        self._end("suite" if isinstance(error, TOO_LATE) else "device", why)

    def is_in_clear(self) -> None:
        """Note that it has no TLS, although it came where TLS is due."""
        clear: Transport = "ws" if self.peer.transport == "wss" else "tcp"
        local, peer = replace(self.facts.local, transport=clear), replace(self.peer, transport=clear)
        self.facts = replace(self.facts, local=local, peer=peer, trouble="in clear, where TLS is due")
        self.address = local

    # --- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send what has waited, or begin the handshake of a WebSocket."""
        self._transport = cast(asyncio.Transport, transport)
        self.facts = replace(self.facts, handshake=self._shaken(transport))
        if self._over:
            self._transport.abort()
            return
        self._established()
        if self.facts.established_at is None:
            self._overdue = asyncio.get_running_loop().call_later(HANDSHAKE_S, self._give_up)
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Pass on the messages that are complete by now."""
        at = clock.now()
        try:
            for message in self._framing.feed(data):
                self._established()
                if message == PING:
                    self._framing.put(PONG)
                self._heard.on_message(message, self.peer, at, self)
        except Broken as error:
            self._break_off(str(error), at)
            return
        self._established()
        self._flush()
        if self._framing.over and self._transport is not None:
            self._noise(at)
            self._end("device")
            self._transport.close()

    def eof_received(self) -> bool:
        """End it: from here a half-closed connection looks like one that is gone, where a response would be lost.

        What is still to be said goes to the address of the Via (RFC 3261 18.2.2), where either device listens.
        """
        self._noise(clock.now())
        self._end("device")
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Note who ended it."""
        self._noise(clock.now())
        self._end("device", what_failed(exc) if exc else "")

    # --- what becomes of it

    def _established(self) -> None:
        """Send what has waited, once anything can be sent."""
        if self.facts.established_at is None and self._framing.ready:
            if self._overdue is not None:
                self._overdue.cancel()
            self.facts = replace(self.facts, established_at=clock.now(), upgrade=self._framing.upgrade)
            self._do_what_waited()

    def _do_what_waited(self) -> None:
        waiting, self._waiting = self._waiting, []
        for do in waiting:
            do()

    def _flush(self) -> None:
        assert self._transport is not None
        if data := self._framing.outgoing():
            self._transport.write(data)
        if self._transport.get_write_buffer_size() > MOST_UNREAD:
            self._end("suite", f"more than {MOST_UNREAD} bytes that the device does not read")
            self._transport.abort()

    def _give_up(self) -> None:
        self._break_off(f"{UNFINISHED}: {what_failed(TimeoutError())}", clock.now())

    def _break_off(self, why: str, at: float) -> None:
        """End it because of what the device does on it: it is told why if it can be."""
        assert self._transport is not None
        self._flush()
        self._noise(at)
        self._end("suite", why)
        if self._transport.get_write_buffer_size():
            self._transport.abort()  # it does not read now, and nobody waits until it does
        else:
            self._transport.close()

    def _noise(self, at: float) -> None:
        rest = self._framing.rest
        if not self._noted and rest.strip(b"\r\n\0"):
            self._noted = True
            self._heard.on_noise(rest[:KEPT], self.peer, at, len(rest))

    def _note_end(self, by: Side, trouble: str = "") -> None:
        if self.facts.closed_by is None:
            self.facts = replace(self.facts, closed_at=clock.now(), closed_by=by, trouble=self.facts.trouble or trouble)

    def _end(self, by: Side, trouble: str = "") -> None:
        if self._overdue is not None:
            self._overdue.cancel()
        upgrade = self._framing.upgrade
        if upgrade is not None and self.facts.established_at is None and self._transport is not None:
            trouble = trouble or f"{UNFINISHED}: ended by the {by}"
        self.facts = replace(self.facts, upgrade=upgrade)
        self._note_end(by, trouble)
        if not self._over:
            self._over = True
            self._do_what_waited()
            self._on_end(self)

    def _shaken(self, transport: asyncio.BaseTransport) -> Handshake | None:
        agreed: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
        if agreed is None:
            return None
        cipher, name = agreed.cipher(), getattr(agreed, NAME_ASKED_FOR, "")
        # The suite trusts any certificate, and of one that is not checked Python tells nothing but its bytes.
        shown = agreed.getpeercert(binary_form=True)
        subject = x509.load_der_x509_certificate(shown).subject.rfc4514_string() if shown else ""
        return Handshake(agreed.version() or "", cipher[0] if cipher else "", name, subject)
