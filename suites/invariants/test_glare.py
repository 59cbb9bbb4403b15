"""When two ends of a dialog ask at once: 491 says that a request of its own is pending (RFC 3261 14.2)."""

from __future__ import annotations

from harness.judge.legs import dialogs
from harness.judge.say import Findings, satisfied, violated
from harness.model.flow import Event, Flow
from harness.purposes.invariant import invariant

_PENDING = 491


@invariant("RFC3261-14.2-01", faults=["asks_the_same_leg", "stays_pending_after_refusal"])
def test_491_is_answered_while_another_request_is_pending(flow: Flow) -> Findings:
    """A re-INVITE is answered 491 while another INVITE is pending, on its dialog or on the other leg of a B2BUA; at no
    other time.

    Whoever gets a 491 tries again after a while, and again. Typical defect: a B2BUA passes the re-INVITE on to the leg
    that it came from, finds it busy, and so nobody in its calls can be put on hold.
    """
    for leg in dialogs(flow).legs:
        for event in leg.ours:
            reply = leg.reply(event) if event.method == "INVITE" and event.number > leg.invite.number else None
            if reply is None:
                continue
            others = _pending(flow, event, reply)
            if reply.status == _PENDING and not others:
                yield violated(
                    code="nothing-pending",
                    expected=f"another answer to our re-INVITE (message {event.number}): no other INVITE is pending",
                    actual=f"{reply.status} {reply.reason}",
                    event=reply,
                    means="the caller repeats its re-INVITE, and can neither hold the call nor change its codec",
                    look_at="which leg the re-INVITE is passed on to, and which one is asked whether it is busy",
                )
            else:
                yield satisfied(f"the re-INVITE was answered {reply.status}", event=reply)


def _pending(flow: Flow, asked: Event, reply: Event) -> list[Event]:
    """The other INVITEs that had no final response, or were answered and not acknowledged, when ``reply`` came."""
    open_ones: dict[tuple[str, str | None, int | None], Event] = {}
    for event in flow.events:
        if event.number >= reply.number:
            break
        call = (event.seat, event.call_id, event.cseq_number)
        if event.method == "INVITE" and event.branch != asked.branch:
            open_ones.setdefault(call, event)
        elif event.method == "ACK" or (event.cseq_method == "INVITE" and (event.status or 0) >= 300):
            open_ones.pop(call, None)
    return list(open_ones.values())
