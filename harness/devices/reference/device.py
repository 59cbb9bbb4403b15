"""The device: its layers and its console put together, and the requests that belong to no dialog."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable

from .b2bua import Bridge
from .behaviour import Behaviour
from .binding import bind_udp
from .console import Console
from .diagnostics import complain
from .leg import refuse_method
from .sip_uri import Address
from .stack import Stack, identity_of
from .timers import Timers
from .transactions import InviteServerTransaction, ServerTransaction, TransactionLayer
from .transport import UdpTransport
from .wire import InboundRequest

_STDIN = 0

InviteHandler = Callable[[InviteServerTransaction, InboundRequest, Stack], object]
"""What takes a new call: :class:`Bridge`, one day a proxy or a redirect server."""


class Device:
    """A SIP element on one UDP socket (two, for a fault that needs them)."""

    def __init__(
        self,
        bound: socket.socket,
        behaviour: Behaviour,
        *,
        backup: Address | None = None,
        timers: Timers | None = None,
        handler: InviteHandler = Bridge,
    ) -> None:
        self._handler = handler
        self._transports: list[UdpTransport] = []
        timers = timers or Timers()
        layer = self._layer(bound, behaviour, timers)
        other: TransactionLayer | None = None
        if behaviour.needs_other_port:
            other = self._layer(bind_udp(layer.transport.local[0], 0), behaviour, timers)
        self.stack = Stack(layer, behaviour, backup, other)

    async def open(self) -> None:
        """Begin to receive."""
        for transport in self._transports:
            await transport.open()

    def on_request(self, transaction: ServerTransaction, request: InboundRequest) -> None:
        """Take a request other than INVITE, CANCEL and ACK."""
        capabilities = identity_of(self.stack.layer).capabilities
        if leg := self.stack.dialogs.find(request):
            leg.on_request(transaction, request)
        elif request.to_tag or request.method in ("BYE", "INFO"):
            transaction.respond(481, "Call/Transaction Does Not Exist")
        elif request.method == "OPTIONS":
            transaction.respond(200, "OK", (*capabilities, ("Accept", "application/sdp")))
        else:
            refuse_method(transaction, request.method, capabilities)

    def on_invite(self, transaction: InviteServerTransaction, request: InboundRequest) -> None:
        """Take an INVITE: to its leg, or as a new call."""
        if leg := self.stack.dialogs.find(request):
            leg.on_invite(transaction, request)
        elif request.to_tag:
            transaction.respond(481, "Call/Transaction Does Not Exist")
        elif required := request.values("Require"):
            transaction.respond(420, "Bad Extension", (("Unsupported", ", ".join(required)),))
        else:
            self._handler(transaction, request, self.stack)

    def on_ack(self, request: InboundRequest) -> None:
        """Take the ACK of a 2xx."""
        if leg := self.stack.dialogs.find(request):
            leg.on_ack(request)

    def _layer(self, bound: socket.socket, behaviour: Behaviour, timers: Timers) -> TransactionLayer:
        layer = TransactionLayer(self, behaviour, timers)
        transport = UdpTransport(bound, layer.on_message)
        layer.attach(transport)
        self._transports.append(transport)
        return layer


async def run(device: Device) -> None:
    """Serve until SIGTERM, SIGINT or the end of stdin."""
    loop = asyncio.get_running_loop()
    finished = asyncio.Event()
    loop.set_exception_handler(lambda _, context: complain(f"{context.get('exception') or context['message']!r}"))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, finished.set)
    await device.open()
    Console(device.stack, finished.set).listen(_STDIN)
    await finished.wait()
