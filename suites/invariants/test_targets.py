"""The INVITEs by which a call is placed: each target once, and each INVITE a new request (RFC 3261 8.1.1, 8.1.3.4)."""

from __future__ import annotations

from collections.abc import Iterator

from harness.judge.account.openings import MOVE_ON
from harness.judge.acks import routes
from harness.judge.attempts import Attempt
from harness.judge.calls import Call, calls
from harness.judge.extent import later
from harness.judge.legs import dialogs
from harness.judge.say import Findings, satisfied, violated
from harness.judge.targets import address_of, user_of
from harness.model.finding import Finding
from harness.model.flow import Event, Flow
from harness.model.verdict import Verdict
from harness.purposes.invariant import invariant
from harness.sip.message import addr_spec, split_list
from harness.sip.uri import same_uri

CORRECTABLE = frozenset({401, 407, 406, 413, 415, 416, 420, 421, 422, 428, 429, 436, 437, 438, 488, 491, 494})
"""What asks for another request to the same target: with credentials, a smaller body, another offer (8.1.3.5)."""
_OF_THE_TRANSACTION = frozenset({"via", "cseq", "call-id", "from", "to", "max-forwards", "content-length", "date"})
COOKIE = "z9hg4bk"


@invariant(
    "RFC3261-8.1.3.4-02",
    "RFC3261-8.1.3.4-03",
    "RFC3261-21.4-01",
    faults=[
        *("retries_after_503", "retries_after_482", "repeats_after_415"),
        *("retries_original", "retries_without_contact", "retries_equal_contact", "folds_user_case"),
        *("endless_loop", "follows_every_copy", "redials_after_302"),
    ],
    roles=["uac", "b2bua"],
)
def test_each_target_is_tried_once(flow: Flow) -> Findings:
    """Within one call the device sends no second INVITE to a URI that it has tried, whatever the first one came to.

    A target that was busy, failed (503), moved or did not answer has had its turn. Typical defects: the list of
    Contacts is built anew with each 3xx; the original URI is the last resort of a hunt.

    What is not a second try: a request that was corrected (credentials, another offer), the same request at another
    server (RFC 3263 4.3), and one after the Retry-After. What follows a 6xx is another rule (21.6-01).
    """
    for call in calls(flow):
        redirected = False
        for attempt, before in _with_equals(call):
            if before is not None:
                yield _once(flow, call, attempt, before, redirected=redirected)
            redirected = redirected or 300 <= (attempt.status or 0) < 400
            if (attempt.status or 0) >= 600:
                break


@invariant("RFC3261-16.5-05", "RFC3261-16.5-01", faults=["tries_same_target_again", "tries_same_target_twice"])
def test_each_target_of_a_proxy_is_tried_once(flow: Flow) -> Findings:
    """In one response context the proxy sends no second INVITE to a URI that it has tried.

    Typical defect: the Contacts of each 3xx are compared with one another and not with what was tried before.
    """
    for call in calls(flow):
        for attempt, before in _with_equals(call):
            if before is not None:
                yield _once(flow, call, attempt, before)


def _with_equals(call: Call) -> Iterator[tuple[Attempt, tuple[Attempt, ...] | None]]:
    """Each attempt of a call with those before it that went to the same URI (19.1.4); None for the first of all."""
    tried: dict[tuple[str, str], list[Attempt]] = {}
    for place, attempt in enumerate(call.tries):
        uri = attempt.invite.request_uri
        near = tried.setdefault((address_of(uri), user_of(uri)), [])
        yield attempt, tuple(a for a in near if same_uri(a.invite.request_uri, uri)) if place else None
        near.append(attempt)


def _once(
    flow: Flow, call: Call, attempt: Attempt, equals: tuple[Attempt, ...], *, redirected: bool | None = None
) -> Finding:
    invite = attempt.invite
    for other in equals:
        uri = other.invite.request_uri
        if not _is_another_request(flow, attempt, other):
            original = other is call.tries[0]
            came = f"{other.status}" if other.status else "no final response"
            return violated(
                code="original-tried-again" if original else "target-tried-again",
                expected=f"no second INVITE to {uri} in this call",
                actual=f"{invite.start_line} at {invite.seat}, {later(invite.time - other.invite.time)} after the "
                f"first one (message {other.invite.number}), which got {came}",
                event=invite,
                means="the same phone rings twice for one call; with a redirection back, for ever",
                look_at="which URIs the device remembers as tried, and what resets that list",
                at_most=Verdict.FAIL if uri.strip() == invite.request_uri.strip() else Verdict.WARN,
                requirement=_row_of_repeat(original=original, redirected=redirected),
            )
    return satisfied(
        f"{invite.request_uri} had not been tried before",
        event=invite,
        requirement=_row_of_repeat(original=False, redirected=redirected),
    )


def _row_of_repeat(*, original: bool, redirected: bool | None) -> str:
    """The row that forbids it; "" for all of the invariant's."""
    if redirected is None:
        return ""
    if not redirected:
        return "RFC3261-21.4-01"
    return "RFC3261-8.1.3.4-02" if original else "RFC3261-8.1.3.4-03"


def _is_another_request(flow: Flow, attempt: Attempt, other: Attempt) -> bool:
    """Whether ``attempt`` is no second try of ``other``: it is corrected, at another server, or after Retry-After."""
    if attempt.invite.destination != other.invite.destination and attempt.seat != other.seat:
        return True
    # One trunk may have several addresses: what failed at one of them is asked again at the next.
    trunk = flow.seat(attempt.seat).addresses
    ends = {attempt.invite.destination, other.invite.destination}
    if len(ends) == 2 and ends <= set(trunk) and (other.status is None or other.status in MOVE_ON):
        return True
    if other.status in CORRECTABLE and _content(attempt.invite) != _content(other.invite):
        return True
    wait = (other.final.header("Retry-After") or "") if other.final else ""
    seconds = wait.strip().partition(" ")[0].partition(";")[0].partition("(")[0]
    return bool(
        other.final and seconds.isdecimal() and int(seconds) and attempt.invite.time >= other.final.time + int(seconds)
    )


def _content(invite: Event) -> tuple[object, ...]:
    """What of a request a correction would change: all that is not its transaction's."""
    head = invite.text.partition("\r\n\r\n")[0].splitlines()[1:]
    kept = sorted(line for line in head if line.partition(":")[0].strip().lower() not in _OF_THE_TRANSACTION)
    body = tuple(line for line in invite.body.splitlines() if not line.startswith("o="))
    return tuple(kept), body


# --- each INVITE is a request of its own


@invariant("RFC3261-8.1.1.5-02", faults=["keeps_cseq", "repeats_call_at_retry_after"], roles=["uac", "b2bua"])
def test_cseq_rises_from_one_invite_to_the_next(flow: Flow) -> Findings:
    """Under one Call-ID and From tag each new INVITE outside of a dialog has a higher CSeq than those before.

    A server that gets the same Call-ID, From tag and CSeq by another way takes it for a copy and answers 482 (8.2.2.2).
    Typical defect: the redirected INVITE is a copy of the first one with another Request-URI.

    The same request at another server of the same target may keep its number (RFC 3263 4.3).
    """
    highest: dict[tuple[str, str | None], Event] = {}
    for call in calls(flow):
        for attempt in call.tries:
            invite = attempt.invite
            key = (invite.call_id, invite.from_tag)
            before = highest.get(key)
            if before is None or invite.cseq_number is None or before.cseq_number is None:
                highest.setdefault(key, invite)
                continue
            if invite.cseq_number > before.cseq_number:
                highest[key] = invite
                yield satisfied(f"CSeq {invite.cseq_number} after {before.cseq_number}", event=invite)
            elif not (invite.request_uri == before.request_uri and invite.destination != before.destination):
                yield violated(
                    code="cseq-not-raised",
                    expected=f"a CSeq above {before.cseq_number}, that of message {before.number}",
                    actual=f"CSeq: {invite.cseq_number} INVITE with the same Call-ID and From tag",
                    event=invite,
                    means="a server where both arrive takes the second one for a copy: 482 or the old answer",
                    look_at="where the next INVITE of the same call gets its CSeq",
                )


@invariant(
    "RFC3261-8.1.1.7-01",
    faults=["reuses_branch", "reuses_branch_on_recursion"],
)
def test_each_transaction_has_a_branch_of_its_own(flow: Flow) -> Findings:
    """Every new request has a branch that the device has not used before; only CANCEL and the ACK of a refusal share
    one.

    Responses find their transaction by it. Typical defect: a redirected or repeated request is a copy, branch included.
    """
    used: dict[str, Event] = {}
    for event in flow.select(received=True, where=lambda e: e.method not in (None, "ACK", "CANCEL")):
        branch = event.branch or ""
        if not branch.lower().startswith(COOKIE):
            continue
        first = used.setdefault(branch, event)
        if first is event:
            yield satisfied(event=event)
        elif _differs(first, event):
            yield violated(
                code="branch-reused",
                expected="a new branch",
                actual=f"branch {branch} of {first.method} message {first.number} (at {first.seat}) again in "
                f"{event.start_line}, at {event.seat}",
                event=event,
                means="responses and ACKs go to the wrong transaction, and a server takes the request for a copy",
                look_at="where the topmost Via of the new request is made",
            )


def _differs(first: Event, event: Event) -> bool:
    """Whether ``event`` is another request than ``first``, and no copy of it."""
    return any(
        getattr(first, part) != getattr(event, part)
        for part in ("method", "request_uri", "call_id", "cseq_number", "seat", "to_tag")
    )


@invariant("RFC3261-8.1.1.2-02", faults=["keeps_to_tag"])
def test_invite_outside_of_a_dialog_has_no_to_tag(flow: Flow) -> Findings:
    """An INVITE that places a call has no To tag, however many targets have been tried before.

    A server answers 481 to a To tag that it has not given out.  Typical defect: the To of the 3xx is copied into the
    next INVITE.
    """
    confirmed = {(leg.invite.call_id, leg.our_tag): leg.answer.number for leg in dialogs(flow).legs if leg.answer}
    for call in calls(flow):
        for attempt in call.tries:
            invite = attempt.invite
            if invite.to_tag is None:
                yield satisfied(event=invite)
            elif confirmed.get((invite.call_id, invite.to_tag), invite.number) >= invite.number:
                # (A re-INVITE that was redirected keeps its tags.)
                yield violated(
                    code="to-tag-in-new-invite",
                    expected="a To without tag",
                    actual=f"To: {invite.header('To')}",
                    event=invite,
                    means="the target takes it for a request within a call that it does not know, and answers 481",
                    look_at="which To goes into the next INVITE: that of the first one, or that of a response",
                )


@invariant("RFC3261-12.1-01", faults=["routes_by_lr", "routes_by_record_route", "honours_every_uri_header"])
def test_route_comes_from_no_refused_branch(flow: Flow) -> Findings:
    """The INVITE for another target has no Route that a 3xx to 6xx, or the branch before, has brought.

    Record-Route makes a route set in a response that makes a dialog, and in no other (12.1). Typical defects: the 3xx
    goes through the code of a 2xx; the old target is kept as a Route.
    """
    ours = {str(seat.address) for seat in flow.seats if seat.kind != "caller" and seat.behind is None}
    for call in calls(flow):
        given = set(routes(call.tries[0].invite)) if call.tries else set()
        for attempt in call.tries[1:]:
            yield from _routes_of(flow, call, attempt, given, ours)


def _routes_of(flow: Flow, call: Call, attempt: Attempt, given: set[str], ours: set[str]) -> Iterator[Finding]:
    recorded = {
        address_of(addr_spec(value))
        for other in call.before(attempt)
        for final in other.finals
        for line in final.headers("Record-Route")
        for value in split_list(line)
    }
    for route in routes(attempt.invite):
        place = address_of(addr_spec(route))
        if route not in given and place and place in recorded | ours:
            origin = "the Record-Route of a refusal" if place in recorded else "an address of this call's targets"
            yield violated(
                code="route-from-refusal" if place in recorded else "route-to-target",
                expected="no Route but those of the first INVITE",
                actual=f"Route: {route}, which is {origin}",
                event=attempt.invite,
                means="the INVITE for the new target goes to the old one, or to neither",
                look_at="which responses set the route set: those that make a dialog, and no other",
            )
            return
    yield satisfied("no Route of an earlier branch", event=attempt.invite)
