"""A redirection in a flow: the attempt that was redirected, and the attempt that followed it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.judge.acks import BOUND_S, Refusal, copies_sent, no_ack_doubt, on_time, refusal_of
from harness.judge.attempts import Attempt, original, tries
from harness.judge.once import once_per_flow
from harness.judge.patience import may_yet_come
from harness.judge.say import not_proven, unseen, violated
from harness.judge.silence import gap
from harness.judge.targets import hops
from harness.model.finding import Finding
from harness.model.flow import Event, Flow
from harness.model.verdict import Verdict
from harness.sip.uri import same_uri

NOT_FOLLOWED = "the redirection was not followed in this flow, so there is no new INVITE to judge"


@dataclass(frozen=True)
class Redirection:
    """One step from a redirected attempt to the next one."""

    old: Attempt
    response: Event
    """The 3xx."""
    new: Attempt


def redirected(flow: Flow) -> Redirection | None:
    """The first redirection and the INVITE that came of it, wherever that INVITE arrived; None if none came."""
    return next(iter(redirections(flow)), None)


@once_per_flow
def redirections(flow: Flow) -> tuple[Redirection, ...]:
    """Every 3xx that was followed by another INVITE of the same call, in order."""
    found, all_tries = [], tries(flow)
    for index, attempt in enumerate(all_tries):
        final = redirection_of(attempt)
        if final is not None:
            after = (later for later in all_tries[index + 1 :] if later.invite.number > final.number)
            new = next((later for later in after if _of_one_call(flow, attempt, later)), None)
            if new is not None and not _is_the_same_again(attempt, new):
                found.append(Redirection(attempt, final, new))
    return tuple(found)


def _of_one_call(flow: Flow, one: Attempt, other: Attempt) -> bool:
    """Whether two attempts belong to one call: by their Call-ID, however late; else by when the call was asked for."""
    if one.invite.call_id == other.invite.call_id:
        return True
    known = {attempt.invite.call_id for attempt in tries(flow) if attempt.invite.number < other.invite.number}
    return other.invite.call_id not in known and call_index(flow, one.invite) == call_index(flow, other.invite)


def _is_the_same_again(old: Attempt, new: Attempt) -> bool:
    """Whether ``new`` asks the same of the same as ``old``: a device that dials again has not followed."""
    return (
        new.seat == old.seat
        and same_uri(new.invite.request_uri, old.invite.request_uri)
        and new.invite.headers("Route") == old.invite.headers("Route")
    )


def redirection_of(attempt: Attempt) -> Event | None:
    """The 3xx that ``attempt`` was answered with; None if its answer was another."""
    return attempt.final if 300 <= (attempt.status or 0) < 400 else None


def call_index(flow: Flow, event: Event) -> int:
    """Which of the calls that the device was asked for was the last one asked for before ``event``, from 0."""
    return max(0, sum(call.placed_at <= event.time for call in flow.calls) - 1)


def by_call(flow: Flow) -> tuple[tuple[Attempt, ...], ...]:
    """The attempts of each call that the device was asked for, in order."""
    groups: tuple[list[Attempt], ...] = tuple([] for _ in flow.calls)
    known: dict[str, int] = {}
    for attempt in tries(flow):
        number = call_index(flow, attempt.invite)
        begun = known.setdefault(attempt.invite.call_id, number)
        # A new target under a known Call-ID belongs to its call, even if the next one has been asked for meanwhile.
        if not any(same_uri(attempt.invite.request_uri, other.invite.request_uri) for other in groups[begun]):
            number = begun
        groups[number].append(attempt)
    return tuple(map(tuple, groups))


def dropped(
    odd: Flow,
    attempt: Attempt,
    plain: Flow,
    *,
    expected: str,
    means: str,
    look_at: str,
    at_most: Verdict = Verdict.FAIL,
    requirement: str = "",
) -> Finding:
    """Nothing followed the 3xx of ``attempt`` in ``odd``: a violation if the ``plain`` 302 was followed.

    Not following is no failure.  If a device follows an ordinary 302 and not this one, the form of this one is the
    reason.
    """
    if redirected(plain) is None:
        return unseen(NOT_FOLLOWED, code="not-followed", requirement=requirement)
    missing = gap(odd, (attempt.seat,)) or (may_yet_come(odd, attempt.final) if attempt.final else None)
    if missing:
        return not_proven("nothing followed", missing, requirement=requirement)
    return violated(
        code="not-followed",
        expected=expected,
        actual=f"no INVITE followed this {attempt.status}; the device followed the ordinary 302 of another call",
        event=attempt.final,
        means=means,
        look_at=look_at,
        at_most=at_most,
        requirement=requirement,
    )


def lost_ack(
    flow: Flow,
    attempt: Attempt,
    plain: Flow,
    *,
    what: str,
    look_at: str = "",
    at_most: Verdict = Verdict.FAIL,
    at_least: Verdict = Verdict.NONE,
    requirement: str = "",
) -> Finding | None:
    """The final response of ``attempt`` in ``flow`` got no ACK, or a late one, and the ``plain`` 302 got one in time.

    None if it was acknowledged in time, even wrongly: other tests judge the ACK. A device that acknowledges no 302 at
    all, sends its ACKs to the Contact, or is always late, fails once, in those tests.
    """
    final = attempt.final
    refusal = refusal_of(flow, attempt)
    if final is None or refusal is None or on_time(refusal):
        return None
    ordinary = original(plain)
    if ordinary is None or not ordinary.acks:
        return unseen(
            "there was no ACK, but this device acknowledges no ordinary 302 either",
            code="no-ack-usually",
            requirement=requirement,
        )
    if all(ack.seat != ordinary.seat for ack in ordinary.acks):
        astray = f"no ACK was seen; that of an ordinary 302 goes to {ordinary.acks[0].seat}, and this one may have, too"
        return unseen(astray, code="ack-elsewhere", requirement=requirement)
    look_at = look_at or "the parser: which header of this response made the device drop it?"
    if refusal.acks:
        return _late_ack(refusal, refusal_of(plain, ordinary), what=what, look_at=look_at, requirement=requirement)
    if doubt := no_ack_doubt(flow, refusal):
        return unseen(f"no ACK for {what} arrived, but {doubt}", code="not-proven", requirement=requirement)
    return violated(
        code="no-ack",
        expected="an ACK",
        actual=f"no ACK for {what}, although the ordinary 302 of another call got one",
        event=final,
        means="the redirector repeats its response for 32 s and the caller hears nothing",
        look_at=look_at,
        at_most=at_most,
        at_least=at_least,
        requirement=requirement,
    )


def _late_ack(refusal: Refusal, ordinary: Refusal | None, *, what: str, look_at: str, requirement: str) -> Finding:
    """The ACK came after :data:`BOUND_S`: a warning, as wherever an ACK is late."""
    ack, final = refusal.acks[0], refusal.final
    late = ack.time - final.time
    if ordinary is None or not on_time(ordinary):
        return unseen(
            f"the ACK came after {late:.1f} s, but this device is late with the ACK of an ordinary 302, too",
            code="late-ack-usually",
            requirement=requirement,
        )
    unanswered = sum(copy.number < ack.number for copy in refusal.attempt.finals)
    return violated(
        code="late-ack",
        expected=f"an ACK within {BOUND_S:g} s",
        actual=f"the first ACK for {what} came after {late:.1f} s and {copies_sent(unanswered)}; "
        "the ordinary 302 of another call got its ACK in time",
        event=ack,
        means="the redirector has to repeat its response, and the caller waits",
        look_at=look_at,
        at_most=Verdict.WARN,
        requirement=requirement,
    )


def unacknowledged(
    flow: Flow,
    attempts: Sequence[Attempt],
    plain: Flow,
    *,
    at_least: Verdict = Verdict.NONE,
    requirement: str = "",
) -> Finding | None:
    """The first :func:`lost_ack` of ``attempts``, which are those of ``flow``."""
    for attempt in attempts:
        if attempt.final is not None:
            contacts = ", ".join(attempt.final.headers("Contact"))
            what = f"the {attempt.status}" + (f" with Contact: {contacts}" if contacts else "")
            lost = lost_ack(flow, attempt, plain, what=what, at_least=at_least, requirement=requirement)
            if lost is not None:
                return lost
    return None


def beyond_its_limit(flow: Flow, attempt: Attempt, plain: Flow) -> bool:
    """Whether ``attempt`` was redirected more often than the device follows in one call: see ``plain``, a chain of 302.

    A first redirection never is.
    """
    return hops(flow).index(attempt) >= max(1, len(redirections(plain)))
