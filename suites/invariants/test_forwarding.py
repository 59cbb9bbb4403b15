"""What a proxy passes on of an answered call: the 2xx, their copies, and what belongs to the dialog (16.7, 16.11)."""

from __future__ import annotations

from collections.abc import Iterator

from harness.judge.answers import unproven
from harness.judge.calls import calls
from harness.judge.legs import Leg, dialogs
from harness.judge.say import Findings, expect, satisfied, violated
from harness.model.finding import Finding
from harness.model.flow import Event, Flow
from harness.purposes.invariant import invariant

BOUND_S = 2.0
"""Seconds by which what was received on one side must be on the other; a device needs none of them."""
COPIES_S = 31.0
"""So long after the first 2xx a proxy knows its copies: it forgets the transaction after 64*T1 (RFC 6026)."""


@invariant("RFC3261-16.7.5-07", faults=["holds_2xx"])
def test_proxy_forwards_every_2xx(flow: Flow) -> Findings:
    """A proxy forwards each 2xx to an INVITE at once, whatever else it has received; its copies, too.

    The copies are all that ends a call whose 200 or ACK was lost.  Typical defect: the transaction is gone after the
    first 2xx, and what comes later is taken for a stray.
    """
    for call in calls(flow):
        one = call.asked
        for attempt in call.tries if one is not None else ():
            answers = [f for f in attempt.finals if 200 <= (f.status or 0) < 300]
            if not answers or one is None or (attempt.status or 0) >= 300:
                continue
            came = [r for r in one.finals if r.status == answers[0].status and r.to_tag == answers[0].to_tag]
            for place, answer in enumerate(answers):
                if len(came) > place:
                    yield _whole(answer, came[place])
                elif answer.time - answers[0].time > COPIES_S:
                    break
                elif not unproven(flow, one.seat, answer.time + BOUND_S):
                    copy = f"copy {place + 1} of the" if place else "the"
                    yield violated(
                        code="copy-of-2xx-not-forwarded" if place else "2xx-not-forwarded",
                        expected=f"{copy} {answer.status} of {attempt.seat} (message {answer.number}) at the caller",
                        actual=f"{copy} {answer.status} of {attempt.seat} did not arrive; the caller got "
                        f"{one.status or 'no final response'}",
                        event=answer,
                        means="the callee has picked up, and the caller hears ringing or a failure",
                        look_at="what becomes of a 2xx after another final response, or after the first copy of itself",
                    )
                    break


def _whole(sent: Event, came: Event) -> Finding:
    """Whether a 2xx that is passed on still has what makes it one: its Contact and its body."""
    lost = [
        name
        for name, was, is_now in (
            ("Contact", sent.contact_uris, came.contact_uris),
            ("body", sent.body.strip(), came.body.strip()),
        )
        if was and not is_now
    ]
    return expect(
        not lost,
        code="2xx-emptied",
        expected=f"the {sent.status} of {sent.seat} (message {sent.number}) with all that it had",
        actual=f"the {came.status} at {came.seat} has no {' and no '.join(lost)}" if lost else "all that it had",
        event=came,
        means="the call is up, and the caller can neither hear the callee nor hang up",
        look_at="which headers and which body of a response are copied",
    )


@invariant("RFC3261-16.11-02", faults=["drops_ack_of_200"])
def test_proxy_forwards_what_belongs_to_a_dialog(flow: Flow) -> Findings:
    """The ACK of a 2xx, BYE and re-INVITE that come to a proxy arrive at the other end of their dialog.

    Without the ACK the callee repeats its 200 for 32 s and then hangs up.  Typical defect: the ACK of a 2xx, which
    belongs to no transaction of the proxy, is dropped as that of a refusal is.
    """
    found = dialogs(flow).legs
    ends = {(leg.invite.call_id, leg.other_tag, leg.our_tag): leg for leg in found}
    for leg in found:
        far = ends.get((leg.invite.call_id, leg.our_tag, leg.other_tag))
        if far is None or leg.answer is None:
            continue
        seen: set[tuple[str | None, str | None]] = set()
        for event in leg.ours:
            key = (event.method, event.branch)
            if event.method not in ("ACK", "BYE", "INVITE") or key in seen or _is_of_refusal(leg, event):
                continue
            seen.add(key)
            yield from _forwarded(flow, leg, far, event)


def _forwarded(flow: Flow, leg: Leg, far: Leg, event: Event) -> Iterator[Finding]:
    arrived = next(
        (
            e
            for e in far.theirs
            if e.method == event.method and e.cseq_number == event.cseq_number and e.number > event.number
        ),
        None,
    )
    if arrived is not None and arrived.seat == far.seat:
        yield satisfied(event=arrived)
    elif event.method != "ACK" and leg.reply(event) is not None:
        return  # it was answered by the proxy, which is judged where requests in a dialog are
    elif not unproven(flow, far.seat, event.time + BOUND_S):
        yield violated(
            code=f"{(event.method or '').lower()}-not-forwarded",
            expected=f"the {event.method} of {leg.seat} (message {event.number}) at {far.seat} within {BOUND_S:g} s",
            actual=f"the {event.method} of {leg.seat} "
            + (f"arrived at {arrived.seat}" if arrived else f"did not arrive at {far.seat}"),
            event=arrived or event,
            means="the callee repeats its 200 for 32 s and then ends the call"
            if event.method == "ACK"
            else "one side has hung up, and the other one hears silence",
            look_at="how the proxy forwards what matches no transaction of its own (16.11), and by which URI",
        )


def _is_of_refusal(leg: Leg, event: Event) -> bool:
    return event.method == "ACK" and (
        event.branch == leg.invite.branch or any(e.method == "INVITE" and e.branch == event.branch for e in leg.ours)
    )
