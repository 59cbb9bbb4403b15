"""The exchange: the one address that a device registers with, or sends every call to (a trunk, an outbound proxy).

Plans have endpoints of their own, each a SIPp with its own scenario.  A phone knows one address, and digits.  So the
exchange takes what comes, finds the plan by the digits (the token) that were dialled, and hands the datagram, as it is,
to the endpoint; what the endpoint sends comes back through the exchange, from the address that the device knows, to the
port that the device sent from.  It changes no byte and judges nothing: endpoints record what they get and send.

Outside of plans it answers REGISTER and keepalives.  What nobody has dialled for a plan is refused, and remembered.

It works in a thread of its own: what it holds up would look as if the device, or an endpoint, had been late.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from harness.errors import DeviceError, SetupError
from harness.lab.registrar import Registrar
from harness.lab.reply import Reply, written
from harness.net.address import DEFAULT_PORTS, HOST_PORT, Address, split_host_port
from harness.sip.message import SipMessage
from harness.sip.via import Via

_PING: Final = b"\r\n\r\n"
_PONG: Final = b"\r\n"
_HOST_PORT = re.compile(rf"sips?:(?:[^@>]*@)?({HOST_PORT})", re.IGNORECASE)
_MADDR = re.compile(r";\s*maddr\s*=\s*([^;?>\s]+)", re.IGNORECASE)
MOST_UNCLAIMED: Final = 50
"""How many Request-URIs that belong to no plan are remembered."""


@dataclass
class Line:
    """The endpoints of one drive, as the exchange connects them."""

    callee: Address | None
    """Where what was dialled is really answered; None if the plan has nobody."""
    by_uri: Mapping[Address, Address]
    """From the address that URIs name to the one an endpoint is bound to."""
    _sources: dict[str, Address] = field(default_factory=dict)
    """Where the device sent the requests of a branch, or of a Call-ID, from."""

    def came(self, message: SipMessage, source: Address) -> None:
        """Remember where responses, and requests within the call, have to go."""
        self._sources[message.branch or ""] = self._sources[f"call {message.call_id}"] = source

    def way_back(self, message: SipMessage) -> Address | None:
        """Where the device wants to have ``message``; None if it never sent anything of this call."""
        if message.status is not None and (source := self._sources.get(message.branch or "")):
            return source
        return self._sources.get(f"call {message.call_id}")

    def knows(self, message: SipMessage) -> bool:
        """Whether something of this call has come here."""
        return f"call {message.call_id}" in self._sources


class Exchange:
    """One UDP socket between a device and the endpoints of its drives; :meth:`close` ends it.

    Belongs to the event loop in which it is made.
    """

    def __init__(self, address: Address, registrar: Registrar, tokens: str, on_device: Callable[[float], None]) -> None:
        """Bind ``address``; SetupError if that cannot be.  ``tokens`` is a regular expression for a drive's digits.

        ``on_device`` hears when something of the device arrives (seconds since the epoch), in the exchange's thread.
        """
        self.address = address
        self.registrar = registrar
        self.unclaimed: list[str] = []
        """What was dialled for no plan: Request-URIs, in order."""
        self._on_device = on_device
        self._lines: dict[str, Line] = {}
        self._by_seat: dict[Address, Line] = {}
        self._lock = threading.Lock()
        """Held by whoever looks at the lines or changes them."""
        self._loop = asyncio.get_running_loop()
        self._registered = asyncio.Event()
        self._tag = secrets.token_hex(4)
        self._token = re.compile(tokens)
        self._socket = address.open_socket()
        try:
            self._socket.bind(address.sockaddr)
        except OSError as error:
            self._socket.close()
            raise SetupError(
                f"the exchange cannot be at {address}: {error.strerror or error}",
                "lab.exchange of the profile must be an address of this machine, and its UDP port free (ss -ulpn)",
            ) from error
        self._socket.setblocking(False)
        self._ended, self._end = socket.socketpair()
        self._thread = threading.Thread(target=self._serve, name=f"exchange at {address}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Give the port back."""
        self._end.close()
        self._thread.join()
        self._socket.close()
        self._ended.close()

    def connect(self, token: str, line: Line) -> None:
        """From now on calls to ``token`` are those of ``line``."""
        with self._lock:
            self._connect(token, line)

    def _connect(self, token: str, line: Line) -> None:
        self._lines[token] = line
        for bound in {*line.by_uri.values(), *filter(None, [line.callee])}:
            self._by_seat[bound] = line

    def join(self, token: str, seat: Address) -> None:
        """A caller at ``seat`` calls the device through here, as one of the drive of ``token``."""
        with self._lock:
            if line := self._lines.get(token):
                self._by_seat[seat] = line

    def disconnect(self, token: str) -> None:
        """The endpoints of ``token`` have ended: what still comes is refused here."""
        with self._lock:
            line = self._lines.pop(token, None)
            self._by_seat = {seat: its for seat, its in self._by_seat.items() if its is not line}

    async def registration(self, seconds: float) -> Address:
        """Where the device is registered from; DeviceError if it does not register within ``seconds``."""
        try:
            async with asyncio.timeout(seconds):
                while not (source := self._source()):
                    self._registered.clear()
                    await self._registered.wait()
        except TimeoutError:
            why = "; ".join(self.registrar.notes()) or "no REGISTER came"
            raise DeviceError(
                f"the device did not register at {self.address} within {seconds:g} s: {why}",
                "check its server address, user and password against [lab.registration] of the profile",
            ) from None
        return source

    def _source(self) -> Address | None:
        """Where the device is registered from now."""
        with self._lock:
            current = self.registrar.current(time.time())
        return current[0].source if current else None

    def forget(self) -> None:
        """The device has ended: what it had registered is nowhere."""
        with self._lock:
            self.registrar.forget()

    # --- in the exchange's thread

    def _serve(self) -> None:
        with selectors.DefaultSelector() as selector:
            for readable in (self._socket, self._ended):
                selector.register(readable, selectors.EVENT_READ)
            while not any(key.fileobj is self._ended for key, _ in selector.select()):
                try:
                    data, sockaddr = self._socket.recvfrom(65_536)
                except OSError:
                    continue  # an ICMP error: an endpoint has ended, or the device is gone; both are seen elsewhere
                source = Address.of(sockaddr)
                try:
                    with self._lock:
                        self._take(data, source)
                except Exception as error:  # whatever a device sends, the next datagram is served
                    self.unclaimed.append(f"what {source} sent could not be passed on: {error!r:.200}")

    def _take(self, data: bytes, source: Address) -> None:
        """Pass a datagram on, in one of the two directions, or answer it."""
        if not data.strip(b"\r\n\0 "):
            self._keep_alive(data, source)
            return
        message = SipMessage(data.decode("latin-1"))
        if line := self._by_seat.get(source):
            self._to_device(data, message, line)
        else:
            self._on_device(time.time())
            self._from_device(data, message, source)

    # --- the two directions

    def _keep_alive(self, data: bytes, source: Address) -> None:
        self._on_device(time.time())
        if data.startswith(_PING):  # RFC 5626 section 3.5.1; a single line break wants no answer
            self._send(_PONG, source)

    def _to_device(self, data: bytes, message: SipMessage, line: Line) -> None:
        back = line.way_back(message)
        if back is None:
            registered = self.registrar.current(time.time())
            back = registered[0].source if registered else None
        if back is not None:
            if message.method is not None:
                # Its response may come from there to here, and has to find the endpoint.
                line.came(message, back)
            self._send(data, back)

    def _from_device(self, data: bytes, message: SipMessage, source: Address) -> None:
        if message.status is not None:
            seat = _sent_by(message)
            if seat in self._by_seat:
                self._send(data, seat)
            return
        if message.method == "REGISTER":
            reply = self.registrar.answer(message, source, time.time())
            self._reply(reply, message, source)
            if self.registrar.current(time.time()):
                self._loop.call_soon_threadsafe(self._registered.set)
            return
        line = self._line_of(message)
        if line is None or (endpoint := self._seat_of(message, line)) is None:
            self._refuse(message, source)
            return
        line.came(message, source)
        self._send(data, endpoint)

    def _line_of(self, message: SipMessage) -> Line | None:
        places: Iterable[str] = (message.request_uri, message.to_uri, message.raw.partition("\r\n\r\n")[0])
        for place in places:
            for token in self._token.findall(place):
                if token in self._lines:
                    return self._lines[token]
        return next((line for line in self._lines.values() if line.knows(message)), None)

    def _seat_of(self, message: SipMessage, line: Line) -> Address | None:
        named = _address_in(message.request_uri)
        if named and (maddr := _MADDR.search(message.request_uri)):
            named = Address(maddr[1], named.port)
        if named is not None and named != self.address and named in line.by_uri:
            return line.by_uri[named]
        return named if named in self._by_seat else line.callee

    def _refuse(self, message: SipMessage, source: Address) -> None:
        if message.method == "ACK":
            return
        if message.method == "OPTIONS":
            self._reply(Reply(200, "OK", ("Accept: application/sdp",)), message, source)
            return
        if message.method == "INVITE":
            if message.request_uri not in self.unclaimed and len(self.unclaimed) < MOST_UNCLAIMED:
                self.unclaimed.append(message.request_uri)
            over = bool(self._token.search(message.request_uri))
            self._reply(Reply(480, "This Test Is Over") if over else Reply(404, "Not Found"), message, source)
            return
        self._reply(Reply(481, "Call/Transaction Does Not Exist"), message, source)

    def _reply(self, reply: Reply, message: SipMessage, source: Address) -> None:
        self._send(written(reply, message, source, self._tag), source)

    def _send(self, data: bytes, address: Address) -> None:
        # A full buffer, or a port that nobody holds, is a lost datagram: SIP over UDP sends again.
        with contextlib.suppress(OSError):
            self._socket.sendto(data, address.sockaddr)


def _sent_by(message: SipMessage) -> Address:
    """Where the topmost Via says that the request came from."""
    via = message.vias[0] if message.vias else Via("")
    port = 5060 if via.port is None else via.port
    return Address(via.host, port) if via.readable and 0 < port < 65536 else Address("0.0.0.0")


def _address_in(text: str) -> Address | None:
    found = _HOST_PORT.match(text)
    if found is None:
        return None
    host, port = split_host_port(found[1])
    address = Address(host, DEFAULT_PORTS["udp"] if port is None else port)
    return address if 0 < address.port < 65536 else None
