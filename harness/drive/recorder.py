"""What is heard in a running drive, and kept of it; whoever waits for something is told of every message."""

from __future__ import annotations

import asyncio
import dataclasses
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from harness.drive.caller import CallerState
from harness.drive.invites import Invites
from harness.endpoints.tap.tap import Between
from harness.model.flow import Event, Unreadable
from harness.model.plan import Plan

KEPT_OF_A_KIND = 200
"""The most messages of one kind (a method, or the responses to it) that a drive keeps for one endpoint: the first half
and the last half.  A flooding device would fill the disk.  Without its last messages the flow would look silent."""

MOST_UNREADABLE = 100
"""The most datagrams without SIP that a drive keeps."""

MOST_LATE = 200
"""How many messages are kept that come when the drive is over."""


@dataclass
class Recorder:
    """Collects the messages of one drive and notifies waiters."""

    plan: Plan
    on_message: Callable[[Event], None] = lambda _event: None
    heard: list[Event] = field(default_factory=list)
    lost: list[Event] = field(default_factory=list)
    """The messages to the device that the tap dropped on purpose; see :meth:`lost_on_purpose`."""
    unreadable: list[Unreadable] = field(default_factory=list)
    unreadable_left_out: int = 0
    """The number of datagrams without SIP that were not kept."""
    last_message_at: float = 0.0
    """Loop time of the last message, from which "quiet" is counted."""
    dropped: Counter[tuple[str, str]] = field(default_factory=Counter)
    """The number of messages that were not kept, by seat and kind."""
    between: list[Event] = field(default_factory=list)
    """What the endpoints sent to each other past the device: of a call that it connected and left."""
    cut_at: float | None = None
    """When the first message came that was not kept (seconds since the epoch)."""
    callers: dict[str, CallerState] = field(default_factory=dict)
    """The SIPp callers by the name of their seat."""
    invites: Invites = field(init=False)
    """How far the calls are that reach the endpoints."""
    over: bool = False
    """Whether the drive is over: what comes now is late."""
    call_ids: set[str] = field(default_factory=set)
    """The calls of which something has come."""
    _last: dict[tuple[str, str], deque[Event]] = field(default_factory=dict)
    """The last messages of each kind of which there were many."""
    _late: list[Event] = field(default_factory=list)
    _disowned: bool = False
    _kinds: Counter[tuple[str, str]] = field(default_factory=Counter)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.invites = Invites(self.plan)

    def hear(self, event: Event) -> None:
        """Take one message."""
        self.call_ids.add(event.call_id)
        if self.over:
            if len(self._late) < MOST_LATE:
                self._late.append(event)
            return
        if not self._disowned:
            self._keep(event)
        if event.fate != "lost" or not event.from_device:
            self._follow(event)
        self.last_message_at = asyncio.get_running_loop().time()
        self.on_message(event)
        self._changed.set()

    def hear_between(self, between: Between) -> None:
        """Take what one endpoint sent to another past the device: it says how far the call is, and nothing else."""
        if self.over or self._disowned:
            return
        if len(self.between) < KEPT_OF_A_KIND:
            self.between.append(between.event)
        self._follow(between.event)
        self._follow(dataclasses.replace(between.event, seat=between.seat, direction="received"))
        self.last_message_at = asyncio.get_running_loop().time()
        self._changed.set()

    def _keep(self, event: Event) -> None:
        kind = (event.seat, _kind(event))
        self._kinds[kind] += 1
        kept: list[Event] | deque[Event]
        if self._kinds[kind] <= KEPT_OF_A_KIND // 2:
            kept = self.lost if _never_left(event) else self.heard
        else:
            kept = self._last.setdefault(kind, deque(maxlen=KEPT_OF_A_KIND // 2))
            if len(kept) == KEPT_OF_A_KIND // 2:
                self.dropped[kind] += 1
                # The oldest makes room.
                self.cut_at = min(self.cut_at or kept[0].time, kept[0].time)
        kept.append(event)

    def put_aside(self, unreadable: Unreadable) -> None:
        """Take bytes that are no SIP message."""
        if self._disowned or self.over:
            return
        if len(self.unreadable) < MOST_UNREADABLE:
            self.unreadable.append(unreadable)
        else:
            self.unreadable_left_out += 1

    async def until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait until ``condition`` holds, checked at every message; return whether it does at the deadline."""
        deadline = asyncio.get_running_loop().time() + seconds
        while not condition():
            self._changed.clear()
            try:
                async with asyncio.timeout_at(deadline):
                    await self._changed.wait()
            except TimeoutError:
                return condition()
        return True

    def disown(self) -> None:
        """Discard all messages and keep no more: the call did not belong to this drive."""
        self.heard.clear()
        self._last.clear()
        self._disowned = True

    def pending(self) -> bool:
        """Whether a caller still waits for a message."""
        return any(caller.due for caller in self.callers.values())

    def answered_at(self) -> float | None:
        """Time (epoch) at which the last caller got its final response; None if none has."""
        return max((caller.answered_at for caller in self.callers.values() if caller.answered_at), default=None)

    def events(self) -> tuple[Event, ...]:
        """The messages that crossed the taps, in order."""
        last = (event for kind in self._last.values() for event in kind if not _never_left(event))
        in_order = sorted((*self.heard, *last), key=lambda event: event.time)
        return tuple(dataclasses.replace(event, number=number) for number, event in enumerate(in_order, 1))

    def lost_on_purpose(self) -> tuple[Event, ...]:
        """What the tap lost on its way to the device."""
        last = (event for kind in self._last.values() for event in kind if _never_left(event))
        return tuple(sorted((*self.lost, *last), key=lambda event: event.time))

    def left_out(self) -> dict[str, int]:
        """How many messages of each kind were not kept."""
        counted: Counter[str] = Counter()
        for (_, kind), number in self.dropped.items():
            counted[kind] += number
        return dict(counted)

    def late(self) -> tuple[Event, ...]:
        """What came when the drive was over, numbered on from what came before."""
        in_order = sorted(self._late, key=lambda event: event.time)
        first = len(self.events()) + 1
        return tuple(dataclasses.replace(event, number=number) for number, event in enumerate(in_order, first))

    def saw(self, predicate: Callable[[Event], bool]) -> bool:
        """Whether a message that satisfies ``predicate`` has arrived."""
        return any(predicate(event) for event in self.heard)

    def _follow(self, event: Event) -> None:
        if caller := self.callers.get(event.seat):
            caller.follow(event)
        else:
            self.invites.follow(event)


def _never_left(event: Event) -> bool:
    return event.fate == "lost" and not event.from_device


def _kind(event: Event) -> str:
    if event.method is not None:
        return event.method[:20]
    final = (event.status or 0) >= 200
    return f"{'final' if final else 'provisional'} responses to {(event.cseq_method or '?')[:20]}"
