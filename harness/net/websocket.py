"""One WebSocket that carries SIP (RFC 6455, RFC 7118), as bytes in both directions: it has no socket of its own."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from websockets.client import ClientProtocol
from websockets.exceptions import NegotiationError, PayloadTooBig
from websockets.frames import Close, CloseCode, Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from harness.net.address import Address
from harness.net.streams import LARGEST, TOO_LONG, Broken, Upgrade

SIP: Final = Subprotocol("sip")
"""The subprotocol that both sides have to name (RFC 7118 4.1)."""
_MOST_KEPT: Final = 2_000
"""The most bytes kept of what came before the end of the handshake."""
_LONGEST_WORD: Final = 200
_MOST_OFFERED: Final = 20
_DATA: Final = frozenset({Opcode.TEXT, Opcode.BINARY, Opcode.CONT})
# What goes wrong on a connection is a fact of the flow, and nothing for the terminal.
_LOGGER: Final = logging.getLogger("sipverdict.websocket")
_LOGGER.disabled = True


class SipWebSocket:
    """One side of a connection.

    What is to be sent, for whatever reason, is in :meth:`outgoing`.  A client that offers no subprotocol, and a server
    that names none, are taken all the same: what they left out is a fact, and the rest of what they do can be seen.
    """

    def __init__(self, protocol: ClientProtocol | ServerProtocol, upgrade: Upgrade) -> None:
        """See :meth:`accepting` and :meth:`calling`."""
        self.upgrade = upgrade
        self._protocol = protocol
        self._opening = bytearray()
        self._parts = bytearray()
        self._over = False

    @classmethod
    def accepting(cls) -> SipWebSocket:
        """That of a server."""
        server = ServerProtocol(
            subprotocols=[SIP], select_subprotocol=_select, max_size=LARGEST, logger=_LOGGER, extensions=None
        )
        return cls(server, Upgrade())

    @classmethod
    def calling(cls, to: Address, path: str = "/") -> SipWebSocket:
        """That of a client of the server at ``to``; its request is in :meth:`outgoing` at once."""
        scheme = "wss" if to.transport == "wss" else "ws"
        client = ClientProtocol(
            parse_uri(f"{scheme}://{to}{path}"), subprotocols=[SIP], max_size=LARGEST, logger=_LOGGER
        )
        client.send_request(client.connect())
        return cls(client, Upgrade((SIP,), path=path))

    @property
    def ready(self) -> bool:
        """Whether messages can be sent on it."""
        return self._protocol.state is State.OPEN

    @property
    def over(self) -> bool:
        """Whether nothing can be sent on it any more."""
        return self._over or self._protocol.state in (State.CLOSING, State.CLOSED)

    @property
    def rest(self) -> bytes:
        """What has come and is no whole message: the beginning of what was no handshake, or fragments."""
        return bytes(self._parts or self._opening)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The messages that ``data`` completes.  Broken if the handshake or the device's framing is wrong."""
        if self._protocol.state is State.CONNECTING:
            self._opening += data[: _MOST_KEPT - len(self._opening)]
        try:
            self._protocol.receive_data(data)
        except Exception as error:  # whatever a device sends, the run goes on
            raise Broken(f"WebSocket framing: {error!r}"[:_LONGEST_WORD]) from error
        for event in self._protocol.events_received():
            if isinstance(event, Request):
                self._asked(event)
            elif isinstance(event, Response):
                self._answered(event)
            elif event.opcode in _DATA:
                yield from self._whole(event)
        if self.ready:
            self._opening.clear()
        self._note_end()
        if why := self._trouble():
            raise Broken(why)

    def put(self, message: bytes) -> None:
        """Send one message: as text if it is UTF-8, else as binary (RFC 7118 4.2)."""
        if not self.ready:
            return
        try:
            message.decode()
        except UnicodeDecodeError:
            self._protocol.send_binary(message)
        else:
            self._protocol.send_text(message)

    def end(self) -> None:
        """Say that this side ends it."""
        if self.ready:
            self._protocol.send_close(CloseCode.NORMAL_CLOSURE)

    def outgoing(self) -> bytes:
        """What has to be sent by now."""
        parts = self._protocol.data_to_send()
        self._over = self._over or b"" in parts
        return b"".join(parts)

    # --- what has come

    def _asked(self, request: Request) -> None:
        assert isinstance(self._protocol, ServerProtocol)
        answer = self._protocol.accept(request)
        offered = tuple(_names(request.headers.get_all("Sec-WebSocket-Protocol")))
        self.upgrade = Upgrade(
            offered, self._protocol.subprotocol or "", request.path[:_LONGEST_WORD], answer.status_code
        )
        self._protocol.send_response(answer)

    def _answered(self, answer: Response) -> None:
        agreed = ", ".join(_names(answer.headers.get_all("Sec-WebSocket-Protocol")))
        self.upgrade = replace(self.upgrade, agreed=agreed, status=answer.status_code)

    def _whole(self, frame: Frame) -> Iterator[bytes]:
        self._parts += frame.data
        if frame.fin:
            message = bytes(self._parts)
            self._parts.clear()
            yield message

    def _note_end(self) -> None:
        said: Close | None = self._protocol.close_rcvd
        if said is not None and self.upgrade.close_code is None:
            self.upgrade = replace(self.upgrade, close_code=int(said.code), close_reason=said.reason[:_LONGEST_WORD])

    def _trouble(self) -> str:
        if (why := self._protocol.handshake_exc) is not None:
            cause = f" ({why.__cause__})" if why.__cause__ else ""
            return f"WebSocket handshake: {why}{cause}"[:_LONGEST_WORD]
        broken = self._protocol.parser_exc
        if isinstance(broken, PayloadTooBig):
            return TOO_LONG
        if broken is not None and not isinstance(broken, EOFError):
            return f"WebSocket framing: {broken}"[:_LONGEST_WORD]
        return ""


def _select(_server: ServerProtocol, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """``sip`` if it is offered, none if nothing is; NegotiationError if the client wants to speak something else."""
    if not offered or SIP in offered:
        return SIP if offered else None
    raise NegotiationError(f"expected the subprotocol sip, got {', '.join(offered[:_MOST_OFFERED])}")


def _names(headers: Sequence[str]) -> Iterator[str]:
    names = (name.strip() for header in headers for name in header.split(","))
    for _, name in zip(range(_MOST_OFFERED), filter(None, names), strict=False):
        yield name[:_LONGEST_WORD]
