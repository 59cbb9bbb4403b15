"""Which seats of a drive the exchange connects with the device."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from harness.endpoints.host import LiveSeat
from harness.net.address import Address

MOST_CALLS: Final = 1_000
"""How many Call-IDs of one drive are remembered."""


@dataclass
class Connected:
    """The seats of one drive, as the exchange connects them."""

    callee: LiveSeat | None
    """The seat that answers the dialled number; None if the plan has none."""
    by_uri: Mapping[Address, LiveSeat]
    """The seats by the address that URIs name."""
    callers: list[LiveSeat] = field(default_factory=list)
    _calls: dict[str, None] = field(default_factory=dict)

    @property
    def seats(self) -> Iterator[LiveSeat]:
        """All seats."""
        yield from self.by_uri.values()
        yield from filter(None, [self.callee])
        yield from self.callers

    def came(self, call_id: str) -> None:
        """Remember that a message of this call has arrived here."""
        self._calls[call_id] = None
        if len(self._calls) > MOST_CALLS:
            del self._calls[next(iter(self._calls))]

    def knows(self, call_id: str) -> bool:
        """Whether a message of this call has arrived here."""
        return call_id in self._calls
