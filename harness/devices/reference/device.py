"""The device: a socket, its layers, and the core that makes of it what it is."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from .answering import AnsweringDevice
from .behaviour import Behaviour
from .binding import bind
from .blocking import refuses
from .certificates import Contexts
from .console import Console, Orders
from .diagnostics import complain
from .referral import Referrals
from .registration import Account, Registration
from .sip_uri import SECURE, Address
from .stack import Stack
from .stream import StreamTransport
from .timers import Timers
from .transactions import (
    InviteServerTransaction,
    ServerTransaction,
    TransactionLayer,
    TransactionUser,
)
from .transport import ThroughProxy, UdpTransport, Worded
from .user_agent import UserAgent
from .wire import InboundRequest, InboundResponse

if TYPE_CHECKING:
    from .naming import Names

_STDIN = 0

Core = Callable[[Stack], TransactionUser]
"""What takes the requests that begin something: a user agent, a proxy, a redirect server."""


class Device:
    """A SIP element on one socket of each transport that it has (and another one, for a fault that needs it)."""

    def __init__(
        self,
        bound: Sequence[tuple[str, socket.socket]],
        behaviour: Behaviour,
        *,
        backup: Address | None = None,
        timers: Timers | None = None,
        core: Core = UserAgent,
        account: Account | None = None,
        contexts: Contexts | None = None,
        names: Names | None = None,
        called_at: Address | None = None,
    ) -> None:
        """``bound``: its sockets, each with its transport, that of the usual one first; of two alike the last counts.

        ``account``: it registers there, and sends every request to its registrar. ``contexts``: those of TLS.
        ``names``: how it finds the servers of a name. ``called_at``: where it is called over another transport.
        """
        self._transports: list[UdpTransport | StreamTransport] = []
        self._contexts = contexts
        behaviour.transports = tuple(dict.fromkeys(name for name, _ in bound))
        behaviour.knows_names, behaviour.called_at = names is not None, called_at
        behaviour.over_ipv6 = bound[0][1].family == socket.AF_INET6
        self._proxy, self._backup = account.registrar if account else None, backup
        timers = timers or Timers()
        layer = self._layer(bound, behaviour, timers)
        other: TransactionLayer | None = None
        if behaviour.needs_other_port:
            local = layer.transport.local
            other = self._layer([(local.transport, bind(local.host, 0, local.transport))], behaviour, timers)
        self.stack = Stack(layer, behaviour, backup, other, names)
        self.core = core(self.stack)
        self.registration = Registration(self.stack, account) if account else None

    async def open(self) -> None:
        """Begin to receive."""
        for transport in self._transports:
            await transport.open()

    def on_request(self, transaction: ServerTransaction, request: InboundRequest) -> None:
        """Leave it to the core, as everything: layers are made before the core, and their user is the device."""
        self.core.on_request(transaction, request)

    def on_invite(self, transaction: InviteServerTransaction, request: InboundRequest) -> None:
        """Leave it to the core, unless it is to a number that the device refuses in every role."""
        if not refuses(transaction, self.stack.behaviour, self.stack.layer.locals):
            self.core.on_invite(transaction, request)

    def on_ack(self, request: InboundRequest) -> None:
        """Leave it to the core."""
        self.core.on_ack(request)

    def on_stray(self, response: InboundResponse) -> None:
        """Leave it to the core."""
        self.core.on_stray(response)

    def _layer(
        self, bound: Sequence[tuple[str, socket.socket]], behaviour: Behaviour, timers: Timers
    ) -> TransactionLayer:
        layer = TransactionLayer(self, behaviour, timers)
        for name, one in bound:
            host, port = one.getsockname()[:2]
            local = Address(host, port, name)
            contexts = self._contexts if name in SECURE else None
            transport: UdpTransport | StreamTransport = (
                UdpTransport(one, layer.on_message)
                if name == "udp"
                else StreamTransport(one, layer.on_message, local, contexts, behaviour.subprotocols)
            )
            worded = Worded(transport, behaviour.worded)
            layer.attach(ThroughProxy(worded, self._proxy, self._backup) if self._proxy else worded)
            self._transports.append(transport)
        return layer


Listen = Callable[[Orders], Awaitable[None]]
"""Opens a further way to tell the device what to do."""


async def run(device: Device, *ways: Listen, referred: bool = False) -> None:
    """Serve until SIGTERM, SIGINT or the end of stdin.

    ``ways``: how it can be told what to do besides stdin; ``referred``: by REFER as well.
    """
    loop = asyncio.get_running_loop()
    finished = asyncio.Event()
    loop.set_exception_handler(lambda _, context: complain(f"{context.get('exception') or context['message']!r}"))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, finished.set)
    decide = device.core.decide if isinstance(device.core, AnsweringDevice) else None
    orders = Orders(device.stack, places_calls=isinstance(device.core, UserAgent), decide=decide)
    if referred and isinstance(device.core, UserAgent):
        device.core.referral = Referrals(device.stack, orders).take
    # Its sockets are bound, so requests may wait in them: they are read when all is there to answer them.
    await device.open()
    if device.registration:
        device.registration.start()
    for listen in ways:
        await listen(orders)
    Console(orders, finished.set).listen(_STDIN)
    await finished.wait()
