"""One branch of a forwarded request: its servers, a client transaction, Timer C, and how the branch is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from ..invites import cancel_of
from ..sip_uri import Address
from ..stack import Stack
from ..transactions import ClientTransaction
from ..uac_user import UacUser
from ..wire import CANCELLED, TIMED_OUT, UNREACHABLE, Fields, Final, InboundResponse, OutboundRequest
from .targets import Target


class BranchOwner(Protocol):
    """The response context, which hears what a branch is answered."""

    def on_ringing(self, response: InboundResponse) -> None:
        """Hear of a provisional response."""

    def on_answered(self, response: InboundResponse) -> None:
        """Hear of a 2xx, and of each of its copies."""

    def on_ended(self, branch: Branch, final: Final) -> None:
        """Hear of the final response, once; :meth:`on_answered` has had its 2xx before."""


Servers = Sequence[Address] | Awaitable[Sequence[Address]]
"""Where a target is, the best first; to be waited for where its host is a name (16.6 item 7)."""


class Branch:
    """A request on its way to one target, at one of its servers after the other."""

    def __init__(
        self,
        owner: BranchOwner,
        target: Target,
        servers: Servers,
        build: Callable[[Address], OutboundRequest],
        stack: Stack,
    ) -> None:
        """``build`` makes the request for a server."""
        self.target = target
        self.request: OutboundRequest | None = None
        self.pending = True
        self._servers = servers
        self._build = build
        self._others: list[Address] = []
        self._locating: asyncio.Task[None] | None = None
        self._owner = owner
        self._layer = stack.layer
        self._behaviour = stack.behaviour
        self._transaction: ClientTransaction | None = None
        self._answered = False
        self._cancel: Fields | None = None
        self._cancelled = False
        self._outcome = CANCELLED
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Send the request to the first server, as soon as it is known."""
        if isinstance(self._servers, Awaitable):
            self._locating = asyncio.ensure_future(self._locate(self._servers))
        else:
            self._others = list(self._servers)
            self._try_next()

    def cancel(self, fields: Fields) -> None:
        """Send a CANCEL, as soon as a provisional response allows it (9.1)."""
        if not self.pending or self._cancel is not None:
            return
        if self._locating is not None and self.request is None:
            self._locating.cancel()
            asyncio.get_running_loop().call_soon(self._end, self._outcome)
            return
        if self.request is None or self.request.method != "INVITE":
            return
        self._cancel = fields
        if self._answered or not self._behaviour.cancel_needs_provisional:
            self._send_cancel()

    def accepts(self, response: InboundResponse) -> bool:
        """Refuse a response that leaves nobody to forward it to (16.7 item 3)."""
        return len(response.vias) > 1

    def on_provisional(self, response: InboundResponse) -> None:
        """Pass it on; it resets Timer C unless it is a 100 (16.7 item 2)."""
        self._answered = True
        if self._cancel is not None:
            self._send_cancel()
        elif response.code > 100 and self.request is not None and self.request.method == "INVITE":
            self._set_timer(self._layer.timers.c, self._on_timer_c)
        self._owner.on_ringing(response)

    def on_final(self, final: Final) -> None:
        """Pass a 2xx on each time, and say once that the branch has ended."""
        if self._transaction is None:
            # The request could not even be sent. The context is still busy with starting branches.
            asyncio.get_running_loop().call_soon(self._failed, final)
            return
        if final.response is not None and final.code < 300:
            self._owner.on_answered(final.response)
        self._failed(final)

    async def _locate(self, servers: Awaitable[Sequence[Address]]) -> None:
        self._others = list(await servers)
        self._try_next()

    def _try_next(self) -> None:
        """Send the request to the next server; where there is none nobody can be reached, and it fails soon (16.9)."""
        if not self._others:
            asyncio.get_running_loop().call_soon(self._end, UNREACHABLE)
            return
        self.request = self._build(self._others.pop(0))
        self._answered, self._transaction = False, None
        if self.request.method == "INVITE":
            self._set_timer(self._layer.timers.c, self._on_timer_c)
        self._transaction = self._layer.send_request(self.request, self)

    def _failed(self, final: Final) -> None:
        """Go on with another server of the target, if there is one and this failure is its server's (RFC 3263 4.3)."""
        if self.pending and self._others and self._cancel is None and self._behaviour.tries_next_server(final):
            self._try_next()
        else:
            self._end(final)

    def _end(self, final: Final) -> None:
        if self.pending:
            self.pending = False
            self._stop_timer()
            self._owner.on_ended(self, final)

    def _send_cancel(self) -> None:
        assert self.request is not None
        if self._cancelled or not self.pending:
            return
        self._cancelled = True
        cancel = self._behaviour.cancel(cancel_of(self.request))
        self._layer.send_request(cancel.with_fields(self._cancel or ()), UacUser())
        self._stop_timer()
        if self._behaviour.gives_up_cancelled:
            self._set_timer(self._layer.timers.give_up, self._give_up)

    def _give_up(self) -> None:
        if self._transaction is not None:
            self._transaction.terminate()
        self._end(self._outcome)

    def _on_timer_c(self) -> None:
        """Cancel a branch that rings too long; one that has never been answered is over (16.8)."""
        self._outcome = TIMED_OUT
        if self._answered:
            self.cancel(())
        else:
            self._give_up()

    def _set_timer(self, delay: float, callback: Callable[[], None]) -> None:
        self._stop_timer()
        self._timer = asyncio.get_running_loop().call_later(delay, callback)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
