"""A refused INVITE and its ACKs: whether they came, where to, and what RFC 3261 17.1.1.3 takes from the INVITE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.judge.attempts import Attempt, original
from harness.judge.once import once_per_flow
from harness.judge.say import satisfied, unseen, violated
from harness.model.finding import Finding
from harness.model.flow import Event, Flow
from harness.model.verdict import Verdict
from harness.sip.message import split_list
from harness.sip.uri import same_uri

BOUND_S = 2.0
"""Seconds after the final response within which its ACK must arrive; a device needs a few milliseconds."""
IN_FLIGHT_S = 0.1
"""Seconds after a response within which a request may arrive that was sent before the response was read."""
NOT_REFUSED = "the INVITE got no final response other than 2xx in this flow"
NOT_ACKED = "no ACK of the final response arrived, so there is none to judge (another rule covers a missing ACK)"


@dataclass(frozen=True)
class Refusal:
    """An INVITE transaction of the device that ended with a 300-699 response, and its ACKs."""

    attempt: Attempt
    final: Event
    """The first copy of the first final response."""
    acks: tuple[Event, ...]
    """The ACKs that were meant for it, wherever they arrived and however wrong they are."""

    @property
    def invite(self) -> Event:
        """The INVITE."""
        return self.attempt.invite


def refusal_of(flow: Flow, attempt: Attempt | None) -> Refusal | None:
    """``attempt`` as a refused one; None if it was not refused."""
    if attempt is None or attempt.final is None or (attempt.status or 0) < 300:
        return None
    # An ACK under another Call-ID that has the INVITE's branch was meant for it, too.
    invite = attempt.invite
    strays = (ack for ack in _acks_of_branch(flow).get(invite.branch or "", ()) if ack.call_id != invite.call_id)
    acks = tuple(sorted((*attempt.acks, *strays), key=lambda ack: ack.number))
    return Refusal(attempt, attempt.final, acks)


@once_per_flow
def _acks_of_branch(flow: Flow) -> Mapping[str, Sequence[Event]]:
    """The device's ACKs by their branch; those without one are nobody's."""
    found: dict[str, list[Event]] = {}
    for event in flow.events:
        if event.method == "ACK" and event.from_device and event.branch:
            found.setdefault(event.branch, []).append(event)
    return found


def refused(flow: Flow) -> Refusal | None:
    """The first INVITE of the flow, if it was refused."""
    return refusal_of(flow, original(flow))


def on_time(refusal: Refusal) -> bool:
    """Whether the first ACK came within :data:`BOUND_S` of the first copy of the final response."""
    return bool(refusal.acks) and refusal.acks[0].time - refusal.final.time <= BOUND_S


def copies_sent(count: int) -> str:
    """How many copies of a response were sent, the first one included, in words."""
    return f"{count} copies of the response" if count > 1 else "one copy of the response"


def acknowledged(flow: Flow, refusal: Refusal, requirement: str = "") -> Finding:
    """Whether an ACK came, in time, whatever its contents."""
    name = f"the {refusal.final.status} (message {refusal.final.number})"
    expected = f"an ACK of {name} within {BOUND_S:g} s"
    means = "the other side repeats its response for 32 s and may take the call for still going on"
    if refusal.acks:
        late = refusal.acks[0].time - refusal.final.time
        if on_time(refusal):
            return satisfied(f"ACK {late * 1000:.0f} ms after {name}", event=refusal.acks[0], requirement=requirement)
        return violated(
            code="late-ack",
            expected=expected,
            actual=f"the first ACK came {late:.1f} s after {name}, "
            f"which had been sent {_times(sum(f.number < refusal.acks[0].number for f in refusal.attempt.finals))}",
            event=refusal.acks[0],
            means="the other side has to repeat its response",
            look_at="what delays the ACK: the transaction layer sends it, not the application",
            at_most=Verdict.WARN,
            requirement=requirement,
        )
    if doubt := no_ack_doubt(flow, refusal):
        return unseen(f"no ACK of {name} arrived, but {doubt}", code="not-proven", requirement=requirement)
    return violated(
        code="no-ack",
        expected=expected,
        actual=f"no ACK anywhere; {name} was sent {_times(len(refusal.attempt.finals))}",
        event=refusal.final,
        means=means,
        look_at="does the response match the client transaction (branch, CSeq), and is it parsed at all?",
        requirement=requirement,
    )


def no_ack_doubt(flow: Flow, refusal: Refusal) -> str:
    """Why a missing ACK does not prove that the device sent none, in words; "" if it does."""
    seat = flow.seat(refusal.attempt.seat)
    watched = flow.watch.closed_at - refusal.final.time
    if seat.lost_at is not None:
        return f"{seat.name} ({seat.address}) stopped listening"
    if watched < BOUND_S:
        return f"the flow ends {watched:.1f} s after it"
    if flow.unreadable:
        return f"something arrived that is no SIP message ({flow.unreadable[0].label[:80]})"
    if any(trouble.blame == "device" for trouble in flow.troubles):
        return "; ".join(trouble.text for trouble in flow.troubles if trouble.blame == "device")
    if flow.plan.watched and flow.life is None:
        return "the device gave no sign of life afterwards"
    return ""


def vias(message: Event) -> tuple[str, ...]:
    """The Via values of ``message``, topmost first, as written."""
    return tuple(via.text for via in message.vias)


def via_differs(ack: Event, invite: Event) -> str:
    """How the ACK's Via differs from the INVITE's topmost one where a transaction is matched by it; else ""."""
    values, wanted = ack.vias, invite.vias
    if not wanted:
        return ""
    if len(values) != 1:
        return f"{len(values)} Via values instead of one"
    if ack.branch != invite.branch:
        return f"branch {ack.branch}"
    if values[0].sent_by != wanted[0].sent_by:
        return f"Via: {values[0].text}"
    return ""


def copied_from_response(ack: Event, invite: Event) -> str:
    """The ACK's Via if it has a ``received`` or a value of ``rport`` that the INVITE's does not have; else ""."""
    if any(via.has_source for via in invite.vias[:1]) or not any(via.has_source for via in ack.vias):
        return ""
    return " ".join(vias(ack))


def from_differs(ack: Event, invite: Event) -> bool:
    """Whether the From differs by RFC 3261 20.20: in the URI or in the tag; the display name does not count."""
    return not _same_tag(ack.from_tag, invite.from_tag) or not same_uri(ack.from_uri, invite.from_uri)


def to_differs(ack: Event, finals: tuple[Event, ...]) -> bool:
    """Whether the To is that of none of ``finals``."""
    return not any(_same_tag(ack.to_tag, final.to_tag) and same_uri(ack.to_uri, final.to_uri) for final in finals)


def has_body(message: Event) -> bool:
    """Whether it carries a body; bytes after a Content-Length of 0 are none (18.3)."""
    length = (message.header("Content-Length") or "").strip()
    return bool(message.body.strip("\r\n\0 ")) and not (length.isdecimal() and int(length) == 0)


def routes(message: Event) -> tuple[str, ...]:
    """The Route values of ``message``, in order, white space aside."""
    return tuple("".join(value.split()) for line in message.headers("Route") for value in split_list(line))


def late_copies(attempt: Attempt) -> tuple[Event, ...]:
    """The copies of the INVITE that the device sent after it had received the final response."""
    return tuple(copy for copy in attempt.copies if not may_have_crossed(copy, attempt))


def may_have_crossed(event: Event, attempt: Attempt) -> bool:
    """Whether the device may have sent ``event`` before it had read the final response of ``attempt``.

    It may have, if the event came before the ACK by which the device shows that it has, or within 100 ms of the
    response.  (A busy machine delays either; the order within one trace stays.)
    """
    if attempt.final is None or event.number < attempt.final.number:
        return True
    acks = [ack.number for ack in attempt.acks if ack.seat == event.seat and ack.number > attempt.final.number]
    return event.time - attempt.final.time <= IN_FLIGHT_S or (bool(acks) and event.number < acks[0])


def _same_tag(a: str | None, b: str | None) -> bool:
    return (a or "").lower() == (b or "").lower()


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
