"""What a device sends besides INVITE and ACK: requests of a call that is over, and the life of an established one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.judge.acks import may_have_crossed
from harness.judge.attempts import Attempt, attempts
from harness.judge.declines import since, watched_seats
from harness.judge.passed_on import passed_on
from harness.judge.say import not_proven, satisfied, unseen, violated
from harness.judge.silence import gap
from harness.model.finding import Finding
from harness.model.flow import Event, Flow
from harness.model.verdict import Verdict

_CODES = {method: f"{method.lower()}-after-final" for method in ("BYE", "CANCEL", "INFO", "PRACK", "UPDATE")}
CROSSING = ("CANCEL", "PRACK")
"""Requests that a device may have sent before the final response reached it."""


def requests_after(flow: Flow, attempt: Attempt, methods: Iterable[str] | None = None) -> tuple[Event, ...]:
    """The device's requests in the call of ``attempt`` after its final response, INVITE and ACK aside.

    ``methods``: only these.  What may have crossed the response on its way is left out.
    """
    final = attempt.final
    if final is None:
        return ()
    wanted = set(methods) if methods is not None else None

    def belongs(event: Event) -> bool:
        if event.method in (None, "INVITE", "ACK") or (wanted is not None and event.method not in wanted):
            return False
        if event.number <= final.number or event.call_id != attempt.invite.call_id:
            return False
        # The CANCEL of a further call has the number of that one's INVITE.
        if event.method == "CANCEL" and event.cseq_number != attempt.invite.cseq_number:
            return False
        # What a proxy passes on is the request of whoever sent it.
        if passed_on(flow, event):
            return False
        return event.method not in CROSSING or not _crossed(flow, event, attempt)

    return flow.select(received=True, at=watched_seats(flow), where=belongs)


def _crossed(flow: Flow, event: Event, attempt: Attempt) -> bool:
    """Whether a CANCEL or PRACK may have been sent before its device knew of the final response.

    No plan asks for a CANCEL before the ACK is there, so one behind the ACK is the device's own idea.  A PRACK answers
    a response, and the application that sends it may be slower than the transaction that sends the ACK.
    """
    copies = flow.select(event.method, received=True, at=event.seat, where=lambda other: other.branch == event.branch)
    first = copies[0]
    answered = attempt.final.number if attempt.final else 0
    acked = [ack.number for ack in attempt.acks if ack.seat == attempt.seat and ack.number > answered]
    if event.method == "CANCEL" and acked:
        return first.number < acked[0]
    return may_have_crossed(first, attempt)


def nothing_follows(
    flow: Flow,
    attempt: Attempt,
    *,
    methods: Iterable[str] | None = None,
    means: str,
    look_at: str,
    note: str = "",
    at_most: Verdict = Verdict.FAIL,
    requirement: str = "",
) -> Finding:
    """No such request followed the final response of ``attempt`` within the window, and that is proven."""
    final = attempt.final
    if final is None:
        return unseen("the INVITE got no final response", code="not-refused", requirement=requirement)
    names = ", ".join(methods) if methods is not None else "request but the ACK"
    for event in requests_after(flow, attempt, methods):
        return violated(
            code=_CODES.get(event.method or "", "request-after-final"),
            expected=f"no {names} after the {final.status}",
            actual=f"{event.start_line} arrived {event.time - final.time:.1f} s after it",
            event=event,
            means=means,
            look_at=look_at,
            at_most=at_most,
            requirement=requirement,
        )
    if missing := gap(since(flow, attempt), watched_seats(flow)):
        return not_proven(f"no {names} arrived", missing, requirement=requirement)
    return satisfied(f"no {names} after the {final.status}", note=note, requirement=requirement)


@dataclass(frozen=True)
class RefusedReinvite:
    """A re-INVITE of the device that got another final response than 2xx."""

    reinvite: Attempt
    final: Event
    others: tuple[Attempt, ...]
    """The device's later re-INVITEs in the same dialog, wherever they arrived."""


def refused_reinvite(flow: Flow) -> RefusedReinvite | None:
    """The first re-INVITE that was refused; None if there was none."""
    inside = [attempt for attempt in attempts(flow) if attempt.in_dialog]
    for attempt in inside:
        if attempt.final is not None and (attempt.status or 0) >= 300:
            number = attempt.final.number
            later = (
                other
                for other in attempts(flow)
                if other.invite.number > number and other.invite.call_id == attempt.invite.call_id
            )
            return RefusedReinvite(attempt, attempt.final, tuple(later))
    return None


def why_no_reinvite(flow: Flow) -> str:
    """Why a flow shows no refused re-INVITE, in words."""
    told = "; ".join(trouble.text for trouble in flow.troubles)
    if not told and (answer := _own_answer(flow)):
        claim = "a B2BUA that never passes one on does not claim sends_reinvite"
        return f"the device answered the caller's re-INVITE itself ({answer.label}: {answer.start_line}); {claim}"
    return told or "no re-INVITE of the device arrived"


def _own_answer(flow: Flow) -> Event | None:
    """The final response that a B2BUA gave to a caller's re-INVITE without asking anybody."""
    asked = flow.select("INVITE", received=False, where=lambda event: event.to_tag is not None)
    keys = {(event.seat, event.branch) for event in asked}
    finals = (e for e in flow.select(received=True) if (e.seat, e.branch) in keys and (e.status or 0) >= 200)
    return next(finals, None)


def byes_of_its_own(flow: Flow, refused: RefusedReinvite) -> tuple[Event, ...]:
    """The BYEs that the device sent in the dialog after the refusal, unless the other side had ended the call before.

    Behind a B2BUA the caller may hang up.  The B2BUA then relays that BYE, and does not send it on its own decision.
    """
    ended = flow.select("BYE", received=False)
    first = ended[0].number if ended else None
    return flow.select(
        "BYE",
        received=True,
        at=watched_seats(flow),
        where=lambda bye: (
            not passed_on(flow, bye)
            and bye.call_id == refused.reinvite.invite.call_id
            and bye.number > refused.final.number
            and (first is None or bye.number < first)
        ),
    )


def answers_to_us(flow: Flow, refused: RefusedReinvite) -> tuple[Event, ...]:
    """The final responses of the device to the tester's own requests in the dialog after the refusal."""
    sent = {
        (event.seat, event.cseq_number, event.cseq_method)
        for event in flow.select(received=False, at=watched_seats(flow), where=lambda e: e.method not in (None, "ACK"))
        if event.call_id == refused.reinvite.invite.call_id and event.number > refused.final.number
    }
    return flow.select(
        received=True,
        where=lambda event: (
            (event.status or 0) >= 200
            and event.call_id == refused.reinvite.invite.call_id
            and (event.seat, event.cseq_number, event.cseq_method) in sent
        ),
    )
