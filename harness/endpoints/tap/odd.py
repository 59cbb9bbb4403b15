"""Makes the responses odd that a plan wants so: changes their bytes, or sends them from another socket."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.endpoints.tap.port import UdpPort
from harness.endpoints.tap.routes import Hop
from harness.errors import SetupError
from harness.model.oddity import Oddity, marked
from harness.net.address import Address

Hear = Callable[[bytes, Address, float, UdpPort], None]


class Odd:
    """The oddities of one seat; :meth:`close` frees the socket that it opened.  Belongs to the taps' loop."""

    def __init__(self, oddities: Sequence[Oddity], fill: Callable[..., str]) -> None:
        self._oddities = oddities
        self._fill = fill
        self._sent = 0
        self._port: UdpPort | None = None

    def of(self, text: str) -> tuple[str, bool, bool] | None:
        """The message that is sent for ``text``, whether it is odd, and whether from aside; None if it stays as it is.

        What has nothing to change goes out plain and is not called odd: a judge then says that it was never sent.
        """
        number, plain = marked(text)
        if number is None:
            return None
        oddity = self._oddities[number]
        self._sent += 1
        changed = oddity.applied(plain, self._fill, self._sent)
        return plain if changed is None else changed, changed is not None, oddity.aside

    def hop(self, usual: Hop, hear: Hear) -> Hop:
        """The way of a message from another port of the host; ``hear`` gets what the device answers there."""
        if self._port is None:
            own = Address(usual.outlet.address.host, 0)
            try:
                port = UdpPort(own, lambda data, peer, at: hear(data, peer, at, port))
            except SetupError:
                return usual
            self._port = port
        return Hop(self._port, usual.to)

    def close(self) -> None:
        """Free its socket."""
        if self._port is not None:
            self._port.close()
