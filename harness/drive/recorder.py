"""The state of a running drive: its messages, and whether a call is in progress."""

from __future__ import annotations

import asyncio
import dataclasses
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from harness.drive.caller import CallerState
from harness.endpoints.tap.tap import Between
from harness.model.flow import Event, Unreadable
from harness.model.plan import Answer, Plan

KEPT_OF_A_KIND = 200
"""The most messages of one kind (a method, or the responses to it) that a drive keeps for one endpoint: the first half
and the last half.  A flooding device would fill the disk.  Without its last messages the flow would look silent."""

MOST_UNREADABLE = 100
"""The most datagrams without SIP that a drive keeps."""

MOST_LATE = 200
"""How many messages are kept that come when the drive is over."""


@dataclass
class _Invite:
    """The current state of a call-opening INVITE transaction."""

    answer: Answer | None
    """The answer of its endpoint; None beyond the endpoint's cap (then it sends 480)."""
    finals: int = 0
    status: int = 0
    acked: bool = False
    ended: bool = False
    """Answered, and hung up again."""
    reinvites: int = 0
    """The number of answered re-INVITEs in its dialog."""
    last_final: float | None = None
    cancelled: bool = False
    """Whether a CANCEL has arrived that its answer follows with a final response."""


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
    _invites: dict[tuple[str, str, str], _Invite] = field(default_factory=dict)

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

    def invites(self) -> int:
        """The number of call-opening INVITE transactions of the device so far."""
        return len(self._invites)

    def busy(self) -> bool:
        """Whether an endpoint will still act: its answer is incomplete, or it will hang up."""
        return any(self._due(invite) for invite in self._invites.values())

    def pending(self) -> bool:
        """Whether a caller still waits for a message."""
        return any(caller.due for caller in self.callers.values())

    def standing(self) -> list[tuple[str, str]]:
        """Seat and Call-ID of every answered call without a BYE."""
        return [
            (seat, call_id)
            for (seat, call_id, _), invite in self._invites.items()
            if 200 <= invite.status < 300 and not invite.ended
        ]

    def unacknowledged(self) -> bool:
        """Whether a final response has no ACK: the device may not know that its call is over."""
        return any(invite.finals and not invite.acked for invite in self._invites.values())

    def established(self) -> bool:
        """Whether a call was answered and the answer acknowledged; where none is to be, whether a refusal was."""
        answered = any(200 <= status < 300 for status in self.plan.statuses)
        return any(one.acked and (not answered or 200 <= one.status < 300) for one in self._invites.values())

    def reinvited(self) -> bool:
        """Whether a re-INVITE of the device has been answered."""
        return any(invite.reinvites for invite in self._invites.values())

    def answered_at(self) -> float | None:
        """Time (epoch) at which the last caller got its final response; None if none has."""
        return max((caller.answered_at for caller in self.callers.values() if caller.answered_at), default=None)

    def last_final_at(self, of_first: int | None = None) -> float | None:
        """Time (epoch) of the last final response to an INVITE that an endpoint sent; None if there was none.

        ``of_first``: only of that many INVITE transactions, in order of arrival.
        """
        invites = list(self._invites.values())[:of_first]
        return max((i.last_final for i in invites if i.last_final is not None), default=None)

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

    def _due(self, invite: _Invite) -> bool:
        answer = invite.answer
        if answer is None:
            return False
        if invite.cancelled and invite.status >= 300:
            return False  # the copies that its answer asks for are not sent
        if not invite.finals and invite.cancelled:
            return True
        if invite.finals and invite.last_final is None and not answer.copies:
            return True  # the tap dropped it on purpose; it is repeated until the ACK
        if not invite.finals or invite.status >= 300:
            return invite.finals < answer.finals
        if answer.then == "bye":
            return not invite.ended
        # The call stays up by plan: only the acts of the calling side are still due.
        wanted = sum(call.act in ("reinvite", "reinvite_hangup") for call in self.plan.calls)
        return not invite.ended and invite.reinvites < wanted

    def _follow(self, event: Event) -> None:
        if caller := self.callers.get(event.seat):
            caller.follow(event)
            return
        key = (event.seat, event.call_id, event.branch or "")
        if event.from_device:
            if event.method == "INVITE" and not self._dialog(event) and key not in self._invites:
                self._open(event, key)
            elif event.method == "ACK":
                for (seat, call_id, branch), invite in self._invites.items():
                    if (seat, call_id) == key[:2] and (branch == key[2] or invite.status < 300):
                        invite.acked = True
            elif event.method == "CANCEL" and (gone := self._invites.get(key)) and gone.answer:
                gone.cancelled = not gone.finals and gone.answer.cancelled in ("terminate", "answer")
        elif event.fate == "changed" and (event.status or 200) >= 200:
            self._odd_final(event, key)
        elif event.status is not None and event.status >= 200 and event.cseq_method not in ("BYE", "CANCEL"):
            self._final(event, key)
        if event.status is not None and event.cseq_method == "BYE":
            # The call is over when either side's BYE has been answered; an unanswered one ends at the limit.
            for (seat, call_id, _), invite in self._invites.items():
                if (seat, call_id) == key[:2]:
                    invite.ended = True

    def _open(self, event: Event, key: tuple[str, str, str]) -> None:
        endpoint = next((e for e in self.plan.endpoints if e.name == event.seat), None)
        if endpoint is None:
            return
        before = sum(seat == event.seat for seat, _, _ in self._invites)
        if before >= KEPT_OF_A_KIND:  # a flood: each further entry would slow down every message
            return
        answer = endpoint.answers[min(before, len(endpoint.answers) - 1)] if before < endpoint.cap else None
        self._invites[key] = _Invite(answer)

    def _final(self, event: Event, key: tuple[str, str, str]) -> None:
        to_invite = event.cseq_method == "INVITE"
        invite = self._invites.get(key)
        if invite and to_invite:
            invite.finals += 1
            invite.status = invite.status or event.status or 0
        elif to_invite and (invite := self._dialog(event)):
            invite.reinvites += 1
        elif invite := self._forged(event):
            invite.finals += 1
        if invite and event.fate != "lost":
            invite.last_final = event.time

    def _odd_final(self, event: Event, key: tuple[str, str, str]) -> None:
        """Take a final response whose bytes the tap has changed: what it is, and whose, may not be told by them."""
        at_seat = (invite for (seat, _, _), invite in reversed(self._invites.items()) if seat == event.seat)
        if invite := self._invites.get(key) or next(at_seat, None):
            invite.finals += 1
            invite.status = invite.status or event.status or 0
            invite.last_final = event.time

    def _forged(self, event: Event) -> _Invite | None:
        """The INVITE of a response whose Via or CSeq is forged on purpose and does not match."""
        for (seat, call_id, _), invite in reversed(self._invites.items()):
            forges = invite.answer and any(response.forged for response in invite.answer.responses)
            if forges and (seat, call_id) == (event.seat, event.call_id):
                return invite
        return None

    def _dialog(self, event: Event) -> _Invite | None:
        """The answered call that a message with a To tag belongs to."""
        if event.to_tag is None:
            return None
        for (seat, call_id, _), invite in self._invites.items():
            if seat == event.seat and call_id == event.call_id and 200 <= invite.status < 300:
                return invite
        return None


def _never_left(event: Event) -> bool:
    return event.fate == "lost" and not event.from_device


def _kind(event: Event) -> str:
    if event.method is not None:
        return event.method[:20]
    final = (event.status or 0) >= 200
    return f"{'final' if final else 'provisional'} responses to {(event.cseq_method or '?')[:20]}"
