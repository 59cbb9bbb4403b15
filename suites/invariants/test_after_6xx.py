"""After a 6xx the call is over: no new INVITE of it arrives anywhere (RFC 3261 21.6, 16.7 item 5)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.judge.acks import IN_FLIGHT_S
from harness.judge.attempts import Attempt
from harness.judge.calls import Call, calls
from harness.judge.declines import since, watched_seats
from harness.judge.extent import later
from harness.judge.say import Findings, satisfied, violated
from harness.judge.silence import gap
from harness.judge.targets import address_of
from harness.model.finding import Finding
from harness.model.flow import Event, Flow
from harness.model.verdict import Verdict
from harness.model.windows import EXTENDED, STANDARD
from harness.purposes.invariant import invariant
from harness.sip.uri import request_uri_of, same_uri
from suites.declines import REDIALS

FORK_S = 0.02
"""The INVITEs of one fork leave within so much; one of them may leave while the answer to another is being read."""
TIMED_OUT_S = 31.0
"""Without an ACK nothing shows that it has read the response at all: so long after its INVITE it may have given that
up."""
ASKED_NOBODY = "what made the device call again: a list of routes, a redial timer, a failover that counts this answer?"


@invariant(
    "RFC3261-21.6-01",
    faults=[
        *REDIALS,
        *("redials_after_ringing", "redials_before_retry_after", "redials_at_retry_after", "reads_reason_phrase"),
        *("tries_backup_after_603", "follows_contact_in_603", "acts_on_second_final", "unknown_6xx_as_4xx"),
        *("tries_next_route_after_603plus", "next_server_after_603"),
    ],
    roles=["uac", "b2bua"],
)
def test_no_call_again_after_any_6xx(flow: Flow) -> Findings:
    """After any 6xx of a call the device places that call nowhere again: not by redial, by route, by backup or Contact.

    It does not matter what came before the 6xx (nothing, 180, 183, a 302) and what the 6xx carries. Typical defect: the
    redial is stopped after a 603 at once, and not after a 603 that follows a 180.

    Another call that the user asks for is another call. So is, for this rule, one after the Retry-After has passed. The
    next Contact of a redirection is another rule (INT-302-603-01).
    """
    for call, attempt, final in _refused(flow):
        again = next((other for other in _after(flow, call, attempt, final) if not _is_next_contact(call, other)), None)
        yield from _judged(flow, attempt, final, again)


@invariant(
    "INT-302-603-01",
    faults=["second_contact_after_603", "unknown_6xx_as_4xx", "goes_on_after_603_across"],
    roles=["uac", "b2bua"],
)
def test_no_next_contact_after_any_6xx(flow: Flow) -> Findings:
    """A 6xx from one Contact of a redirection ends the search: the other Contacts are not called.

    Typical defect: 600 and 603 end it, and 604, 607 or an unknown 6xx does not.
    """
    for call, attempt, final in _refused(flow):
        named = call.named_before(final)
        tried = [a.invite.request_uri for a in call.before(attempt)] + [attempt.invite.request_uri]
        left = [uri for uri in map(request_uri_of, named) if not any(same_uri(uri, other) for other in tried)]
        if left and len(call.before(attempt)):
            again = next((other for other in _after(flow, call, attempt, final) if _is_next_contact(call, other)), None)
            yield from _judged(flow, attempt, final, again, code="next-contact-called")


@invariant(
    "RFC3261-6-01",
    "RFC3261-16.7.5-03",
    "INT-302-603-02",
    faults=[
        *("new_branch_after_6xx", "tries_contacts_after_603", "recursion_ends_after_603_only"),
        *("goes_on_after_603_across", "next_server_after_603"),
        "tries_next_route_after_603plus",
    ],
    roles=["proxy"],
)
def test_no_new_branch_after_any_6xx(flow: Flow) -> Findings:
    """After any 6xx on one branch the proxy opens no branch for that request any more.

    Typical defect: the search ends after a 603, and goes on after a 6xx that the proxy does not know.

    The INVITEs of one fork that leave at once are one step, though the first may be answered before the last has left.
    """
    for call, attempt, final in _refused(flow):
        burst = [a.invite.time for a in (*call.before(attempt), attempt)]
        later_ones = (
            other
            for other in _after(flow, call, attempt, final)
            if not any(0 <= other.invite.time - time <= FORK_S for time in burst)
        )
        again = next(later_ones, None)
        yield from _judged(flow, attempt, final, again, code="branch-after-6xx")


def _refused(flow: Flow) -> Iterator[tuple[Call, Attempt, Event]]:
    for call in calls(flow):
        for attempt in call.tries:
            if attempt.final is not None and (attempt.status or 0) >= 600:
                yield call, attempt, attempt.final


def _after(flow: Flow, call: Call, refused: Attempt, final: Event) -> Iterator[Attempt]:
    """The INVITEs of the call that the device sent when it knew of the 6xx, and before a time that the 6xx named."""
    read = next((ack for ack in refused.acks if ack.number > final.number), None)
    until = final.time + _wait(final) if _wait(final) else None
    for other in call.tries:
        invite = other.invite
        knew = (
            invite.number > read.number
            if read
            else final.time + IN_FLIGHT_S < invite.time < refused.invite.time + TIMED_OUT_S
        )
        begun = knew and _set_out(flow, invite) < final.time
        if knew and not begun and (until is None or invite.time < until):
            yield other


def _set_out(flow: Flow, invite: Event) -> float:
    """When the device began to send it: when it opened the connection for it, which takes a TLS handshake its time."""
    ends = {invite.source, invite.destination}
    own = (one for seat in flow.seats for one in seat.connections if one.opened_by == "device")
    opened = next((one for one in own if {one.local, one.peer} == ends), None)
    first = next((e for e in flow.events if e.from_device and {e.source, e.destination} == ends), None)
    return opened.opened_at if opened and first is invite else invite.time


def _wait(final: Event) -> float:
    """The seconds of its Retry-After; 0 where it names no better time."""
    found = re.match(r"\s*([0-9]{1,6})", final.header("Retry-After") or "")
    return float(found[1]) if found else 0.0


def _is_next_contact(call: Call, attempt: Attempt) -> bool:
    """Whether ``attempt`` is the first one of a Contact that a 3xx of the call has named."""
    uri = attempt.invite.request_uri
    tried = (other.invite.request_uri for other in call.before(attempt))
    return any(same_uri(request_uri_of(named), uri) for named in call.named_before(attempt.invite)) and not any(
        same_uri(uri, other) for other in tried
    )


def _judged(
    flow: Flow, refused: Attempt, final: Event, again: Attempt | None, code: str = "called-again"
) -> Iterator[Finding]:
    name = f"the {final.status} (message {final.number}, at {refused.seat})"
    if again is not None:
        invite = again.invite
        late = invite.time - final.time
        where = f"at {invite.seat}" if invite.seat != refused.seat else "there"
        elsewhere = address_of(invite.request_uri)
        sent = f", sent to {invite.destination}" if invite.destination and elsewhere != str(invite.destination) else ""
        yield violated(
            code=code,
            expected=f"an ACK of {name}, and no further INVITE of this call anywhere",
            actual=f"{invite.start_line} arrived {where} {later(late)} after {name}{sent}",
            event=invite,
            means="somebody who was turned down rings again by himself, or rings somebody else",
            look_at=ASKED_NOBODY,
            # What a Retry-After of 0 allows is unclear (INT-603-RETRYAFTER-03): a warning.
            at_most=min(_cost(late), Verdict.WARN) if final.header("Retry-After") and not _wait(final) else _cost(late),
        )
    elif not gap(since(flow, refused), watched_seats(flow)):
        yield satisfied(f"no further INVITE anywhere after {name}", event=final)


def _cost(late: float) -> Verdict:
    """No RFC says how long a 6xx binds: see docs/rulings.md."""
    if late <= STANDARD.seconds:
        return Verdict.FAIL
    return Verdict.WARN if late <= EXTENDED.seconds else Verdict.PASS
