"""What happens within a dialog: where its requests go, how ours are answered, when it has ended (RFC 3261 12, 15)."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

from harness.judge.answers import callers, unproven
from harness.judge.calls import calls
from harness.judge.legs import Leg, dialogs, is_strict
from harness.judge.say import Findings, satisfied, violated
from harness.judge.targets import address_of, user_of
from harness.model.finding import Finding
from harness.model.flow import Event, Flow
from harness.model.verdict import Verdict
from harness.purposes.invariant import invariant
from harness.sip.uri import SipUri

INSIDE = ("BYE", "INVITE", "UPDATE", "PRACK", "INFO")
"""What belongs into a dialog, and is sent in none that is not there."""
BOUND_S = 2.0
"""Seconds by which an answer, an ACK or the BYE of the other leg must be here; a device needs none of them."""
COPIES_S = 31.0
"""So long after the first 2xx its copies are heard: a transaction forgets them after 64*T1 (RFC 6026, Timer M)."""
CROSSING_S = 0.5
"""So long after the end of a dialog a request may arrive that was sent before its sender knew."""


@invariant(
    "RFC3261-12.2-01",
    faults=["bye_after_302", "bye_after_603"],
)
def test_requests_of_a_dialog_are_sent_in_one(flow: Flow) -> Findings:
    """BYE, UPDATE, PRACK, INFO and re-INVITE are sent in a dialog that exists: never after the refusal of its INVITE.

    Nor after its end. Typical defect: the device hangs up "the call" when its INVITE is refused or redirected, with the
    tag of the 180 or of the refusal.

    What may have crossed the refusal, or the other side's BYE, is left out.
    """
    found = dialogs(flow)
    for event in found.homeless:
        if event.method in INSIDE and event.method != "INVITE":
            yield violated(
                code="request-without-dialog",
                expected=f"no {event.method} outside of a dialog",
                actual=f"{event.start_line} with To: {event.header('To')}, a tag that made no dialog",
                event=event,
                means="the other side answers 481, or ends another call than the one that was meant",
                look_at="which state the device keeps of a call whose INVITE was refused",
            )
    for event in flow.select("BYE", received=True, where=lambda bye: bye.to_tag is None):
        yield violated(
            code="request-without-dialog",
            expected="no BYE outside of a dialog",
            actual=f"{event.start_line} without a To tag",
            event=event,
            means="nobody can know which call it is to end",
            look_at="what ends a call that was never answered: CANCEL, not BYE",
        )
    for leg in found.legs:
        yield from _in_time(leg)


def _in_time(leg: Leg) -> Iterator[Finding]:
    seen: set[tuple[str | None, str | None]] = set()
    for event in leg.theirs:
        key = (event.method, event.branch)
        # A new INVITE that keeps the tag of a refused one is another rule: it has no To tag at all (8.1.1.2).
        if event.method not in INSIDE or key in seen or (event.method == "INVITE" and leg.answer is None):
            continue
        seen.add(key)
        late = leg.answer is None and leg.refused is not None and event.number > leg.refused.number
        crossing = event.method == "PRACK" and leg.refused is not None and event.time - leg.refused.time <= CROSSING_S
        over = next(
            (b for b in (*leg.ours, *leg.theirs) if b.method == "BYE" and b.time < event.time - CROSSING_S), None
        )
        if late and not crossing and leg.refused is not None:
            yield violated(
                code="request-after-refusal",
                expected=f"no {event.method} after the {leg.refused.status} (message {leg.refused.number})",
                actual=f"{event.start_line} {event.time - leg.refused.time:.1f} s after it, in the early dialog",
                event=event,
                means="the other side answers 481; a strict one shows a failed call twice",
                look_at="whether the early dialogs of an INVITE end with its final response (12.3)",
            )
        elif over is not None and over.branch != event.branch and leg.reply(over) is not None:
            yield violated(
                code="request-after-bye",
                expected=f"no {event.method} after the BYE (message {over.number})",
                actual=f"{event.start_line} {event.time - over.time:.1f} s after it",
                event=event,
                means="the other side answers 481",
                look_at="whether a BYE, received or sent, removes the dialog",
                at_most=Verdict.WARN,
            )
        else:
            yield satisfied(event=event)


@invariant("RFC3261-12.2.1.1-03", faults=["acks_200_to_redirector", "byes_to_redirector"])
def test_requests_of_a_dialog_go_to_its_peer(flow: Flow) -> Findings:
    """BYE, re-INVITE and the ACK of a 2xx go to the remote target of their dialog, by Request-URI and by true
    destination.

    After a redirection that is the target, and not the redirector. Typical defect: the device keeps the address of the
    first INVITE and sends what belongs to the dialog there.
    """
    for leg in dialogs(flow).legs:
        for event in leg.theirs if leg.answer else ():
            if event.method in (*INSIDE, "ACK") and not leg.acknowledges_refusal(event):
                yield _addressed(flow, leg, event)


def _addressed(flow: Flow, leg: Leg, event: Event) -> Finding:
    targets = leg.targets_at(event.number)
    strict = bool(leg.route_set) and is_strict(leg.route_set[0])
    if event.seat != leg.seat:
        return violated(
            code="astray",
            expected=f"the {event.method} at {leg.seat}, which has the dialog",
            actual=f"{event.start_line} arrived at {event.seat} ({event.destination})",
            event=event,
            means="whoever answered waits for it, and whoever gets it knows no such call: it goes on without end",
            look_at="where requests in a dialog are sent: to its remote target, not to what was dialled first",
        )
    if targets and not any(_leads_to(event.request_uri, target) for target in targets) and not strict:
        return violated(
            code="other-request-uri",
            expected=f"{event.method} {targets[-1]}, the Contact of its peer",
            actual=f"{event.start_line}",
            event=event,
            means="an element on the way sends it elsewhere, or the peer answers 404",
            look_at="which URI goes into requests of a dialog: the Contact of the 2xx",
        )
    return satisfied(f"{event.start_line} at {event.seat}", event=event)


def _leads_to(uri: str, target: str) -> bool:
    return (address_of(uri), user_of(uri)) == (address_of(target), user_of(target))


@invariant("RFC3261-12.2.1.1-02", faults=["repeats_cseq_in_dialog"])
def test_cseq_rises_within_a_dialog(flow: Flow) -> Findings:
    """Each new request in a dialog has a CSeq that is one higher than that of the device's request before.

    The other side answers a number that does not rise with 500 (12.2.2), and the call cannot be ended. Typical defect:
    the BYE of a redirected call goes on from the number of the first INVITE.
    """
    for leg in dialogs(flow).legs:
        number = leg.invite.cseq_number if leg.by_device else None
        seen = {(leg.invite.method, leg.invite.branch)}
        for event in leg.theirs:
            key = (event.method, event.branch)
            if event.method in ("ACK", "CANCEL") or key in seen or event.cseq_number is None:
                continue
            seen.add(key)
            if number is not None and event.cseq_number != number + 1:
                gap = event.cseq_number > number
                yield violated(
                    code="cseq-leaves-out" if gap else "cseq-not-raised-in-dialog",
                    expected=f"CSeq: {number + 1} {event.method}",
                    actual=f"CSeq: {event.cseq_number} {event.method}, and the request before had {number}",
                    event=event,
                    means=""
                    if gap
                    else "the other side answers 500, and the request has no effect: a call that stays up",
                    look_at="where the dialog counts its requests",
                    at_most=Verdict.WARN if gap else Verdict.FAIL,
                )
            elif number is not None:
                yield satisfied(event=event)
            number = max(number or 0, event.cseq_number)


@invariant("RFC3261-13.2.2.4-01", faults=["acks_200_once", "no_ack_of_redirected_200", "reuses_branch"])
def test_every_2xx_is_acknowledged(flow: Flow) -> Findings:
    """Each 2xx to an INVITE of the device gets an ACK, and so does each of its copies.

    Without it the other side repeats its 2xx for 32 s and then ends the call. Typical defect: the ACK is sent once, and
    lost on the way.
    """
    for leg in dialogs(flow).legs:
        if not leg.by_device:
            continue
        acks = [e for e in leg.theirs if e.method == "ACK" and e.cseq_number == leg.invite.cseq_number]
        for place, answer in enumerate(leg.answers):
            if any(0 <= ack.time - answer.time <= BOUND_S for ack in acks):
                yield satisfied(event=answer)
            elif answer.time - leg.answers[0].time > COPIES_S:
                break
            elif not unproven(flow, leg.seat, answer.time + BOUND_S):
                copy = f"copy {place + 1} of the {answer.status}" if place else f"the {answer.status}"
                yield violated(
                    code="copy-of-2xx-not-acked" if place and acks else "2xx-not-acked",
                    expected=f"an ACK within {BOUND_S:g} s of {copy} (message {answer.number})",
                    actual=f"no ACK of {copy} (message {answer.number}) arrived",
                    event=answer,
                    means="the other side repeats its 2xx for 32 s and then hangs up",
                    look_at="does the core, which sends this ACK, hear each 2xx, also the repeated one?",
                )


@invariant(
    "RFC3261-12.2.2-01",
    faults=["answers_bye_500", "loses_dialog_of_target", "reuses_branch"],
    roles=["uac", "uas", "b2bua"],
)
def test_our_requests_in_a_dialog_are_answered(flow: Flow) -> Findings:
    """Every request of the tester in an existing dialog gets a final response, and a BYE gets a 2xx.

    Whatever was refused before in that dialog does not matter. Typical defect: after a refused re-INVITE the device has
    lost the dialog, or counts on from the wrong CSeq, and answers the BYE 481 or 500.

    A BYE that crosses one of the device, or that has a CSeq too low, may be refused. So may a re-INVITE, with any code
    but 481: a B2BUA may tell 500 of a refusal on its other leg.
    """
    for leg in dialogs(flow).legs:
        highest = leg.invite.cseq_number or 0 if not leg.by_device else 0
        seen: set[tuple[str | None, str | None]] = set()
        for event in leg.ours:
            key = (event.method, event.branch)
            if event.method in ("ACK", "CANCEL") or key in seen or (leg.answer is None):
                continue
            seen.add(key)
            in_order = (event.cseq_number or 0) > highest
            highest = max(highest, event.cseq_number or 0)
            gone = next((e for e in leg.theirs if e.method == "BYE"), None)
            reply = leg.reply(event)
            status = (reply.status or 0) if reply else 0
            crossed = gone is not None and (gone.number < reply.number if reply else gone.time - event.time <= BOUND_S)
            if crossed or not in_order or any(b.method == "BYE" and b.number < event.number for b in leg.ours):
                continue
            if reply is None and _listens_elsewhere(event):
                continue
            if reply is None:
                yield from _unanswered(flow, leg, event)
            elif status < 300 or status in (401, 407):
                yield satisfied(f"{event.method} answered {status}", event=reply)
            elif event.method == "BYE" or (status == 481 and not _hung_up(leg, event, reply)):
                yield violated(
                    code="bye-refused" if event.method == "BYE" else "dialog-lost",
                    expected=f"a 2xx to our {event.method} (message {event.number}), for its dialog exists"
                    if event.method == "BYE"
                    else f"no 481 to our {event.method} (message {event.number}): its dialog exists",
                    actual=f"our {event.method} was answered {status} {reply.reason}",
                    event=reply,
                    means="the call stays up on the device when the other side has hung up",
                    look_at="what a refused re-INVITE, or the end of the other leg, does to the dialog and its CSeq",
                )


def _hung_up(leg: Leg, event: Event, reply: Event) -> bool:
    """Whether we said BYE between ``event`` and its ``reply``: 487 is only recommended then (15.1.2)."""
    return any(bye.method == "BYE" and event.number < bye.number < reply.number for bye in leg.ours)


def _listens_elsewhere(event: Event) -> bool:
    """Whether the device asked for another transport than the datagram in which the tester sent it ``event``."""
    hop = SipUri.parse(event.next_hop_uri)
    wanted = (hop.parameter("transport") if hop else None) or "udp"
    return event.transport == "udp" and wanted.lower() != "udp"


def _unanswered(flow: Flow, leg: Leg, event: Event) -> Iterator[Finding]:
    if not unproven(flow, leg.seat, event.time + BOUND_S):
        yield violated(
            code="unanswered-in-dialog",
            expected=f"a final response to our {event.method} (message {event.number})",
            actual=f"no final response to our {event.method} in {flow.watch.closed_at - event.time:.1f} s",
            event=event,
            means="the other side repeats its request for 32 s",
            look_at="which requests in a dialog the device hears, and what it waits for before it answers",
        )


@invariant("INT-B2BUA-LEGS-01", faults=["ends_one_leg"])
def test_what_ends_one_leg_ends_the_other(flow: Flow) -> Findings:
    """When one side of a call through a B2BUA says BYE, the other side gets a BYE as well.

    Otherwise somebody hears silence, and pays, until a timer ends it. Typical defect: the BYE of the caller is passed
    on, and that of a redirect target is not, because its leg replaced the one that was linked.
    """
    seats = set(callers(flow))
    found = dialogs(flow)
    for call in calls(flow):
        if call.asked is None:
            continue
        upper = [leg for leg in found.legs if leg.invite.number == call.asked.request.number and leg.answer]
        placed = {attempt.invite.number for attempt in call.tries}
        lower = [leg for leg in found.legs if leg.invite.number in placed and leg.answer and leg.seat not in seats]
        if len(upper) == 1 and len(lower) == 1:
            yield from _ends(flow, upper[0], lower[0])
            yield from _ends(flow, lower[0], upper[0])


def _ends(flow: Flow, one: Leg, other: Leg) -> Iterator[Finding]:
    ended = next((e for e in sorted((*one.ours, *one.theirs), key=lambda e: e.number) if e.method == "BYE"), None)
    first = other.bye
    if ended is None or (first is not None and first.number < ended.number):
        return
    may = _may_hang_up(other, ended)
    if first is not None and first.time - may <= BOUND_S:
        yield satisfied(f"BYE at {other.seat} {first.time - ended.time:.2f} s after that at {one.seat}", event=first)
    elif may < inf and not unproven(flow, other.seat, may + BOUND_S):
        yield violated(
            code="other-leg-stays",
            expected=f"a BYE at {other.seat} within {BOUND_S:g} s of that at {one.seat} (message {ended.number})",
            actual=f"no BYE arrived at {other.seat} when the call of {one.seat} had ended"
            if first is None
            else f"the BYE at {other.seat} came {first.time - ended.time:.1f} s after that at {one.seat}",
            event=ended,
            means=f"whoever is at {other.seat} hears silence in a call that has ended, and pays for it",
            look_at="which leg is linked to which after a redirection, and what a BYE of either does to the other",
        )


def _may_hang_up(leg: Leg, ended: Event) -> float:
    """From when on the device may say BYE on ``leg``: whoever was called waits for the ACK of its 2xx (15)."""
    if leg.by_device:
        return ended.time
    acked = next((event.time for event in leg.ours if event.method == "ACK"), inf)
    return max(ended.time, acked)
