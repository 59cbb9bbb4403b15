"""A refusal on UDP, as the server transaction of RFC 3261 17.2.1 repeats it: when, how long, and what ends it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from harness.judge.acks import vias
from harness.judge.answers import Asked, unproven
from harness.judge.passed_on import relayed_again
from harness.judge.say import satisfied, unseen, violated
from harness.judge.timers import timers_of
from harness.model.finding import Finding
from harness.model.flow import Event, Flow
from harness.model.verdict import Verdict

AFTER_ACK_S = 0.1
"""Seconds after the ACK within which a copy may arrive that was sent before the ACK was read."""
LATE_S = 1.0
"""Seconds after Timer H within which the last copy may arrive, by the catalogue."""
RACED = "timer-g"
"""The code of a finding that a race has kept unseen: another drive probably shows it."""
_SLACK_S = 0.1
"""Seconds by which two copies may come closer because a busy machine sent the first one late."""
_SAYING = ("Reason", "Retry-After", "Expires", "Warning", "Error-Info", "Call-Info")
"""Headers of a refusal by which a caller goes: in a copy they say the same."""
_DRIFT_S = 0.3
"""Seconds by which the device's timers may be late in sum: a copy that is then due after Timer H is not missing."""


def sent_again(one: Asked) -> tuple[Event, ...]:
    """The final response and its copies; final responses with another status are left out."""
    return tuple(final for final in one.finals if final.status == one.status)


def before_the_ack(flow: Flow, one: Asked) -> tuple[Event, ...]:
    """The final response and its copies up to the first ACK, without the answers to copies of the INVITE.

    If a device is slow to answer, the caller repeats its INVITE, and the two answers come one after the other.
    """
    acked = one.acks[0].number if one.acks else None
    kept: list[Event] = []
    asked_again, at_once = len(one.copies), timers_of(flow).t1 / 2
    for final in sent_again(one):
        if acked is not None and final.number > acked:
            break
        if kept and asked_again and final.time - kept[-1].time < at_once and not differences(kept[-1], final):
            asked_again -= 1
        else:
            kept.append(final)
    return tuple(kept)


def repeated_on_time(flow: Flow, one: Asked) -> Finding:
    """Whether the refusal was repeated after 0.5, 1.5, 3.5 … s, unchanged, while it had no ACK."""
    finals, timers = before_the_ack(flow, one), timers_of(flow)
    if not finals:
        return unseen("no final response had come before the ACK", code="not-refused")
    first, copies = finals[0], finals[1:]
    name = f"the {first.status} (message {first.number})"
    expected = f"copies of {name} about {_moments(timers.intervals(5))} … s after it, until the ACK"
    if any(copy.number > first.number for copy in one.copies):
        return unseen(
            "the INVITE was repeated, and the answer to it cannot be distinguished from a copy of the first answer",
            code="copies-mixed",
        )
    slow = False
    for (earlier, later), wanted in zip(pairwise(finals), timers.intervals(len(copies)), strict=True):
        late = later.time - earlier.time - wanted
        tolerance = max(0.1, 0.2 * wanted)
        slow = slow or late > tolerance + _SLACK_S
        # Timers of a busy machine are late, which is harmless; early copies are not.
        if late < -tolerance - _SLACK_S or late > max(0.3, 0.5 * wanted):
            return violated(
                code="copies-too-early" if late < 0 else "copies-too-late",
                expected=expected,
                actual=f"copies {_seen(finals)} s after it",
                event=later,
                means="a refusal that was lost is repeated late, or the network is flooded with copies",
                look_at=f"Timer G: it starts at T1 ({timers.t1:g} s) and is doubled up to T2 ({timers.t2:g} s); "
                "a device of a network with other times declares them (pixit.t1_s, pixit.t2_s)",
            )
        if changed := differences(first, later):
            return violated(
                code="copy-changed",
                expected=f"copies like {name}",
                actual=f"another {', '.join(changed)}",
                event=later,
                means="the caller may take the copy for the answer of another device",
                look_at="does the transaction keep the response, or is it built anew for each copy?",
            )
    if one.acks and not copies:
        return unseen(f"{name} was acknowledged at once", code="acknowledged-at-once")
    if one.acks or len(copies) >= 2:
        note = (
            "some copies are late by more than a fifth of their interval: slow timers, or a busy machine"
            if slow
            else ""
        )
        return satisfied(f"copies {_seen(finals)} s after {name}", note=note)
    due = finals[-1].time + timers.intervals(len(finals))[-1]
    if doubt := unproven(flow, one.seat, due + timers.t1):
        return unseen(f"{_count(len(copies))} of {name} came, but {doubt}", code="not-proven")
    watched = flow.watch.closed_at - first.time
    return violated(
        code="copies-stop" if copies else "not-repeated",
        expected=expected,
        actual=f"{_count(len(copies))}{' and no more' if copies else ''} in the {watched:.0f} s after it",
        event=finals[-1],
        means="after one lost datagram the caller waits for an answer that never comes",
        look_at="is the refusal sent by a server transaction, or once by the application?",
    )


def ack_ends_copies(flow: Flow, one: Asked) -> Finding:
    """Whether no copy of the refusal came after its ACK."""
    if not one.acks:
        return unseen(
            "the refusal was not acknowledged in this flow: it was not repeated often enough", code="not-acknowledged"
        )
    ack, final = one.acks[0], one.finals[0]
    late = [
        copy
        for copy in _before_a_late_copy(one, sent_again(one))
        if copy.number > ack.number and copy.time > ack.time + AFTER_ACK_S and not relayed_again(flow, copy)
    ]
    if late:
        return violated(
            code="copies-after-ack",
            expected=f"no copy of the {final.status} once its ACK (message {ack.number}) was there",
            actual=f"{_count(len(late))}, the first one {late[0].time - ack.time:.1f} s after the ACK",
            event=late[0],
            means="a call that is over keeps the caller's side busy for half a minute",
            look_at="does the ACK match its transaction? It has the INVITE's branch and the response's tags",
        )
    # The next one would come within T2.
    timers = timers_of(flow)
    due = ack.time + timers.intervals(max(1, len(before_the_ack(flow, one))))[-1] + timers.t1
    if doubt := unproven(flow, one.seat, due):
        return unseen(f"no copy came after the ACK, but that none was sent is not proven: {doubt}", code="not-proven")
    return satisfied(f"no copy of the {final.status} after its ACK", event=ack)


def given_up(flow: Flow, one: Asked) -> Finding:
    """Whether the copies of a refusal without ACK end with Timer H, and not long before."""
    if one.acks:
        return unseen("the refusal was acknowledged in this flow", code="acknowledged")
    finals, timers = sent_again(one), timers_of(flow)
    first, last = finals[0], finals[-1]
    lasted = last.time - first.time
    if lasted > timers.timer_h + LATE_S:
        return violated(
            code="copies-never-end",
            expected=f"no copy of the {first.status} more than {timers.timer_h:g} s after the first",
            actual=f"a copy after {lasted:.1f} s",
            event=last,
            means="a caller that has gone away gets responses without end",
            look_at="Timer H: does anything but the ACK end the copies?",
        )
    if last is first:
        return unseen("the refusal was never repeated, so the end of its copies was not seen", code="not-repeated")
    doubt = unproven(flow, one.seat, first.time + timers.timer_h + LATE_S)
    if doubt:
        return unseen(f"the last copy came after {lasted:.1f} s, but {doubt}", code="not-proven")
    # A copy that was due before Timer H and did not come.
    if lasted + timers.t2 < timers.timer_h - _DRIFT_S:
        return violated(
            code="copies-end-early",
            expected=f"copies of the {first.status} for {timers.timer_h:g} s (64*T1)",
            actual=f"{_count(len(finals) - 1)}, the last one after {lasted:.1f} s",
            event=last,
            means="a caller behind a bad network never gets the answer that was given up too early",
            look_at="which timer ends the copies, and is it 64*T1 (Timer H)?",
        )
    return satisfied(f"{_count(len(finals) - 1)}, the last one after {lasted:.1f} s", event=last)


def answered_again(flow: Flow, one: Asked, alerted: Sequence[Event] = ()) -> Finding:
    """Whether a copy of the INVITE that comes after the refusal gets the same refusal again, at once.

    ``alerted``: INVITEs by which the device called further targets.
    """
    first = one.finals[0]
    repeat = next((copy for copy in one.copies if copy.number > first.number), None)
    if repeat is None:
        return unseen("the INVITE was not sent again after its final response", code="not-repeated")
    name = f"the {first.status} (message {first.number})"
    expected = f"{name} again, at once and unchanged"
    means = "if the network duplicates a datagram, the phone rings once more"
    look_at = "does the copy match the INVITE's server transaction while that waits for the ACK?"
    later = [response for response in one.responses if response.number > repeat.number]
    strange = [response for response in later if response.status != first.status or differences(first, response)]
    # A copy that got its answer has matched its transaction: a later INVITE has another reason.
    alerted = [invite for invite in alerted if not later or invite.number < later[0].number]
    if strange or alerted:
        event = (*alerted, *strange)[0]
        what = event.start_line if event in alerted else f"{event.status} {event.reason}"
        changed = ", ".join(differences(first, event)) if event.status == first.status else ""
        return violated(
            code="rings-again" if event in alerted else "copy-changed" if changed else "other-answer",
            expected=expected,
            actual=f"{what}, with another {changed}" if changed else what,
            event=event,
            means=means,
            look_at=look_at,
        )
    # Timer G sends a copy by itself, unless the ACK came before.
    t1 = timers_of(flow).t1
    by_itself = first.time + t1 - _SLACK_S
    if later and (later[0].time < by_itself or (one.acks and one.acks[0].time < by_itself)):
        return satisfied(
            f"the {first.status} again {1000 * (later[0].time - repeat.time):.0f} ms later", event=later[0]
        )
    if later:
        return unseen("the answer to the copy cannot be distinguished from a copy that Timer G sends", code=RACED)
    if doubt := unproven(flow, one.seat, repeat.time + t1):
        return unseen(f"the copy got no answer, but {doubt}", code="not-proven")
    return violated(
        code="copy-unanswered",
        expected=expected,
        actual=f"no answer in {flow.watch.closed_at - repeat.time:.0f} s",
        event=repeat,
        means="a caller that lost the refusal and asks again has to wait for it",
        look_at=look_at,
        at_most=Verdict.WARN,
    )


def further_acks_absorbed(flow: Flow, one: Asked) -> Finding:
    """Whether the device sends no response to ACKs beyond the first."""
    if len(one.acks) < 2:
        return unseen("the refusal was not acknowledged more than once in this flow", code="acknowledged-once")
    first, second = one.finals[0], one.acks[1]
    stray = flow.select(
        received=True,
        at=one.seat,
        where=lambda event: (
            event.status is not None
            and event.number > one.acks[0].number
            and (event.cseq_method == "ACK" or (event.cseq_method == "INVITE" and event.status != first.status))
        ),
    )
    stray = _before_a_late_copy(one, stray)
    if stray:
        return violated(
            code="ack-answered",
            expected="no answer to any ACK",
            actual=f"{stray[0].status} {stray[0].reason}, CSeq: {stray[0].header('CSeq')}",
            event=stray[0],
            means="a caller that acknowledges each copy gets errors for a call that ended as it should",
            look_at="does the transaction stay for Timer I (5 s) after the first ACK, and is an ACK ever answered?",
        )
    if doubt := unproven(flow, one.seat, one.acks[-1].time + timers_of(flow).t1):
        return unseen(f"no answer to the ACKs came, but {doubt}", code="not-proven")
    return satisfied(f"{len(one.acks)} ACKs, and no answer to any of them", event=second)


def _before_a_late_copy(one: Asked, events: Sequence[Event]) -> tuple[Event, ...]:
    """Those that came before the INVITE was sent once more after its ACK: what follows may answer that."""
    asked = (copy.number for copy in one.copies if copy.number > one.acks[0].number)
    again = next(asked, None)
    return tuple(event for event in events if again is None or event.number < again)


def differences(first: Event, copy: Event) -> tuple[str, ...]:
    """How a copy of a response differs, as far as a caller can see."""
    return tuple(
        name
        for name, was, now in (
            ("To tag", first.to_tag, copy.to_tag),
            ("Contact", first.headers("Contact"), copy.headers("Contact")),
            ("From tag", first.from_tag, copy.from_tag),
            ("CSeq", first.cseq_number, copy.cseq_number),
            ("Via", vias(first), vias(copy)),
            ("reason phrase", first.reason, copy.reason),
            *((name, first.headers(name), copy.headers(name)) for name in _SAYING),
            ("body", first.body, copy.body),
        )
        if was != now
    )


def _moments(gaps: Sequence[float]) -> str:
    return ", ".join(f"{sum(gaps[: place + 1]):g}" for place in range(len(gaps)))


def _seen(finals: Sequence[Event]) -> str:
    return ", ".join(f"{copy.time - finals[0].time:.1f}" for copy in finals[1:]) or "no"


def _count(copies: int) -> str:
    return {0: "no copy", 1: "one copy"}.get(copies, f"{copies} copies")
