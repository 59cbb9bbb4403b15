"""The INVITE server transaction under a 3xx-6xx repeats a refusal until its ACK, and no longer (RFC 3261 17.2.1).

Every element that answers a caller has one: a phone, a redirect server, a B2BUA, and a proxy that relays a refusal.
"""

from __future__ import annotations

from collections.abc import Callable

from harness.judge.after_ack import copy_absorbed
from harness.judge.answers import Asked, refused_here, why_not_refused
from harness.judge.attempts import tries
from harness.judge.copies import ack_ends_copies, answered_again, further_acks_absorbed, given_up, repeated_on_time
from harness.judge.say import Findings, unseen
from harness.judge.timers import timers_of
from harness.model.finding import Finding
from harness.model.flow import Flow
from harness.purposes.purpose import purpose
from suites.answering import NEVER, REFUSED, REPEATED, REPEATED_LATE, THIRD_COPY


def _of_the_refusal(flow: Flow, judge: Callable[[Flow, Asked], Finding]) -> Finding:
    here = refused_here(flow)
    return judge(flow, here[0]) if here else unseen(why_not_refused(flow), code="not-refused")


@purpose("RFC3261-17.2.1-01", plan=THIRD_COPY, faults=["final_not_repeated"], side="inbound")
def test_refusal_is_repeated_until_its_ack(flow: Flow) -> Findings:
    """On UDP a 302 or 603 without ACK is sent again after 0.5 s, then after 1 s more, and so on.

    One lost datagram must not make the caller wait for half a minute.  Typical defect: a blocklist or redirect script
    sends its answer by itself, beside the transaction layer.

    T1 and T2 are those of the device profile (pixit.t1_s, pixit.t2_s), else those of RFC 3261 (0.5 s and 4 s).
    A copy may be early by a fifth of its interval and late by half of it, because a busy machine is no defect of the
    device.
    """
    yield _of_the_refusal(flow, repeated_on_time)


@purpose("RFC3261-17.2.1-01", plan=NEVER, faults=["final_not_repeated"], least_window=40.0, side="inbound")
def test_copies_of_a_refusal_become_rarer(flow: Flow) -> Findings:
    """The time between two copies of a refusal is doubled up to 4 s: 0.5, 1.5, 3.5, 7.5, 11.5 s and so on.

    A fixed half second sends 64 datagrams to every scanner that never sends an ACK. Typical defects: the interval is
    not doubled, or it is doubled without the limit of T2.
    """
    yield _of_the_refusal(flow, repeated_on_time)


@purpose("RFC3261-17.2.1-03", plan=THIRD_COPY, faults=["final_repeated_after_ack"], side="inbound")
def test_ack_ends_the_copies(flow: Flow) -> Findings:
    """The ACK of a 302 or 603 ends its copies, whichever copy it acknowledges.

    Otherwise the caller sends ACKs for half a minute.  Typical defects: the device looks for the ACK's dialog, which
    does not exist, or for the tag of another response.

    A copy within 0.1 s of the ACK may have crossed it.
    """
    yield _of_the_refusal(flow, ack_ends_copies)


@purpose("RFC3261-17.2.1-04", plan=NEVER, faults=["final_repeated_for_ever"], least_window=40.0, side="inbound")
def test_refusal_without_ack_is_given_up(flow: Flow) -> Findings:
    """Without any ACK the copies end after 32 s (Timer H), with the one at 31.5 s, and the transaction ends.

    The caller may have crashed, or be a scanner with a false address.  Typical defects: copies without end, which make
    the device an amplifier; or an end after a few seconds, before a caller behind a bad network has been reached.
    """
    yield _of_the_refusal(flow, given_up)


@purpose("RFC3261-17.2.1-05", plan=REPEATED, faults=["ignores_invite_copy"], side="inbound")
def test_copy_of_the_invite_gets_the_same_refusal(flow: Flow) -> Findings:
    """A copy of the INVITE after its refusal gets the same refusal at once, and no phone rings for it.

    The caller did not get the answer and asks again.  Typical defect: the transaction ends with its response, so the
    copy is a new call, and the phone of a user who has just declined rings again.

    Silence is a warning, because Timer G repeats the refusal anyway.  Any other answer is a fail.
    """
    here = refused_here(flow)
    if here is None:
        yield unseen(why_not_refused(flow), code="not-refused")
        return
    one, final = here
    repeat = next((copy for copy in one.copies if copy.number > final.number), None)
    # A later call has other reasons, and other tests judge it.
    rung_again = [
        attempt.invite
        for attempt in tries(flow)[1:]
        if repeat and attempt.invite.number > repeat.number and attempt.invite.time < repeat.time + timers_of(flow).t1
    ]
    yield answered_again(flow, one, rung_again)


@purpose("RFC3261-17.2.1-06", plan=REFUSED, faults=["answers_ack"], side="inbound")
def test_further_acks_are_absorbed(flow: Flow) -> Findings:
    """The device absorbs each further ACK of a refusal; it never answers an ACK.

    A caller that got two copies sends two ACKs.  Typical defect: the transaction ends with the first ACK, and the
    second one is answered 481 like a request for an unknown call.
    """
    yield _of_the_refusal(flow, further_acks_absorbed)


@purpose("RFC3261-17.2.1-09", plan=REPEATED_LATE, faults=["forgets_acknowledged_call"], side="inbound")
def test_copy_of_the_invite_after_the_ack_is_no_new_call(flow: Flow) -> Findings:
    """A copy of the INVITE that comes on UDP when its refusal has been acknowledged places no other call.

    A slow network delivers a datagram twice, and the phone of a user who has just declined rings again.  Typical
    defects: the transaction ends with the ACK; a gateway asks the transport of its own call whether copies may come.

    The same refusal again is let pass; any other answer is a warning.
    """
    yield _of_the_refusal(flow, copy_absorbed)
