"""Headers asked for in the Contact's URI (``?Subject=…``): which are honoured, and which never (RFC 3261 19.1.5)."""

from __future__ import annotations

import re

from harness.judge.attempts import Attempt, original, tries
from harness.judge.redirection import NOT_FOLLOWED, redirected, redirection_of
from harness.judge.say import Findings, satisfied, unseen, violated
from harness.judge.silence import silent
from harness.judge.targets import user_of
from harness.model.finding import Finding
from harness.model.flow import Event, Flow
from harness.model.verdict import Verdict
from harness.purposes.purpose import purpose
from suites.uac._plans import DANGEROUS, INVALID, UNKNOWN_TRANSPORT, URI_HEADERS

_TAKEN = "evil"
_LOOK_AT = "which ?headers of a Contact are honoured: a list of the harmless ones, or all of them?"


@purpose("RFC3261-8.1.3.4-10", plan=URI_HEADERS, faults=["appends_uri_headers"])
def test_harmless_headers_are_placed_well(flow: Flow) -> Findings:
    """?headers that the device honours become header fields: a single one replaces, a list grows.

    So a PBX tells the target the subject, or passes User-to-User on (RFC 7433).  Typical defect: a second Subject
    beside the first, or the value with its escapes still in it.

    Whether to honour is left to each component, and to ignore them all is common among the careful: an observation.
    An earlier Call-Info that is gone is a warning; a second Subject or broken syntax is a fail.
    """
    pair = redirected(flow)
    if pair is None:
        yield unseen(NOT_FOLLOWED, code="not-followed")
        return
    old, new = pair.old.invite, pair.new.invite
    subjects, information = new.headers("Subject"), new.headers("Call-Info")
    wrong: list[str] = []
    if len(subjects) > 1:
        wrong.append(f"{len(subjects)} Subjects")
    wanted = "http://www.x.test"
    asked = [value for value in information if "x.test" in value]
    wrong += [f"Call-Info: {value}" for value in asked if f"<{wanted}>" not in value]
    misplaced = bool(wrong)
    if asked:
        kept = ", ".join(information)
        wrong += [f"the earlier Call-Info {value} is gone" for value in old.headers("Call-Info") if value not in kept]
    if wrong:
        yield violated(
            code="subject-added" if len(subjects) > 1 else "header-malformed" if misplaced else "call-info-replaced",
            expected=("one Subject: moved", f"Call-Info: <{wanted}> besides those that were there", "none of the two"),
            actual="; ".join(wrong),
            event=new,
            means="the target refuses the INVITE or shows nonsense",
            look_at="how ?headers become header fields: unescaped, replaced where there can be one only",
            at_least=Verdict.FAIL if misplaced else Verdict.NONE,
        )
        return
    honoured = [name for name, there in (("Subject", subjects == ("moved",)), ("Call-Info", asked)) if there]
    note = f"honoured of the Contact's ?headers: {', '.join(honoured) or 'none'}"
    yield satisfied(event=new, note=note)


@purpose("RFC3261-19.1.5-04", plan=DANGEROUS, faults=["honours_every_uri_header"])
def test_who_calls_is_not_for_the_redirector_to_say(flow: Flow) -> Findings:
    """From, Call-ID, CSeq, Via and Record-Route asked for in the Contact are refused.

    With them a redirector makes the phone call under somebody else's name.  Typical defect: ?headers are honoured
    without a list of those that never are.  To refuse the whole Contact is right as well.
    """
    yield _refused(
        flow, ("From", "Call-ID", "Via", "Record-Route"), "the device calls in a name that a redirector chose"
    )
    pair = redirected(flow)
    if pair is not None and pair.new.invite.cseq_number == 4711:
        yield violated(
            code="cseq-taken",
            expected="a CSeq of the device's own",
            actual=f"CSeq: {pair.new.invite.header('CSeq')}",
            event=pair.new.invite,
            means="a redirector can make the call look like a copy of another",
            look_at=_LOOK_AT,
        )


@purpose("RFC3261-19.1.5-05", plan=DANGEROUS, faults=["honours_every_uri_header"])
def test_redirector_sets_no_route(flow: Flow) -> Findings:
    """A Route asked for in the Contact is refused: the INVITE goes to the target.

    With it a redirector leads every forwarded call, speech keys and all, past a listener of its choice.  Typical
    defect: ?headers are honoured without a list of those that never are.
    """
    detour = flow.seat("detour").address
    for attempt in tries(flow)[1:]:
        routes = ", ".join(attempt.invite.headers("Route"))
        if attempt.seat == "detour" or str(detour) in routes:
            yield violated(
                code="route-taken",
                expected="an INVITE at the target, without that Route",
                actual=f"it arrived at {attempt.seat}, Route: {routes or 'none'}",
                event=attempt.invite,
                means="whoever redirects a call can listen to what follows",
                look_at=_LOOK_AT,
            )
            return
    yield _refused(flow, (), "whoever redirects a call can listen to what follows")


@purpose("RFC3261-19.1.5-06", plan=DANGEROUS, faults=["honours_every_uri_header"])
def test_what_the_device_can_do_is_its_own_to_say(flow: Flow) -> Findings:
    """Accept, Allow, Contact, Organization, Supported, User-Agent and their like from the Contact are refused.

    They say what the device is and can do, and a lie there breaks the call later and far away.
    """
    accepted = ("Accept", "Accept-Encoding", "Accept-Language", "Allow", "Supported")
    said = ("Contact", "Organization", "User-Agent")
    yield _refused(flow, accepted + said, "the target uses what the device cannot do, or calls back to a stranger")


@purpose("RFC3261-19.1.5-07", plan=INVALID, faults=["honours_every_uri_header"])
def test_no_invalid_request_is_made(flow: Flow) -> Findings:
    """If the Contact's ?headers make an invalid request, it is not sent: the Contact has failed, and the next is tried.

    A Content-Length that lies makes the next element wait for the rest.  Typical defect: ?headers are appended to the
    message as text.  An INVITE without the bad parts is right as well.
    """
    for attempt in tries(flow)[1:]:
        bad = _malformed(attempt.invite)
        if bad:
            yield violated(
                code="invalid-request",
                expected=("no INVITE for that Contact", "an INVITE without its bad headers"),
                actual=bad,
                event=attempt.invite,
                means="the target or a proxy before it drops the INVITE or waits for the rest of it",
                look_at=_LOOK_AT,
            )
            return
    yield _stepped_over(flow, "1", "an INVITE without the bad headers came of the Contact")


@purpose("RFC3261-19.1.5-09", plan=INVALID, faults=["honours_every_uri_header"])
def test_no_unknown_extension_is_required(flow: Flow) -> Findings:
    """A request that would need an extension which the device has not got is not sent.

    Require: foo-unknown promises that the caller can do it.  Typical defect: ?headers are honoured without a look at
    what they mean.  An INVITE without the Require is tolerated.
    """
    for attempt in tries(flow)[1:]:
        required = ", ".join(attempt.invite.headers("Require"))
        if "foo-unknown" in required:
            yield violated(
                code="require-taken",
                expected=("no INVITE for that Contact", "an INVITE without the Require"),
                actual=f"Require: {required}",
                event=attempt.invite,
                means="the target refuses the call with 420, or speaks an extension that the device does not know",
                look_at=_LOOK_AT,
            )
            return
    yield _stepped_over(flow, "2", "an INVITE without the Require came of the Contact")


@purpose("RFC3261-19.1.5-08", plan=UNKNOWN_TRANSPORT, faults=["swaps_transport"])
def test_unknown_transport_is_not_swapped(flow: Flow) -> Findings:
    """A Contact that asks for a transport which the device lacks is passed over, not called by another one.

    Who asks for a transport may mean its security.  Typical defect: the table of transports has UDP as its default.
    """
    first = original(flow)
    final = redirection_of(first) if first else None
    if final is None:
        yield unseen("the 302 was never sent", code="not-sent")
        return
    yield silent(
        flow,
        code="transport-swapped",
        after=final,
        at=("nobody",),
        expected="no INVITE for a Contact with ;transport=xyz: the call has failed",
        means="a call that was to go by a certain transport goes by another, unnoticed",
        look_at="what the table of transports gives for an unknown name",
    )


def _refused(flow: Flow, names: tuple[str, ...], means: str) -> Finding:
    """That none of the headers ``names`` has a value of the Contact's; or that the whole Contact was refused."""
    pair = redirected(flow)
    if pair is None:
        return _no_invite(flow)
    invite = pair.new.invite
    for name in names:
        for value in invite.headers(name):
            if _TAKEN in value.lower():
                return violated(
                    code=f"{name.lower()}-taken",
                    expected=f"a {name} of the device's own",
                    actual=f"{name}: {value}",
                    event=invite,
                    means=means,
                    look_at=_LOOK_AT,
                )
    return satisfied("nothing of what the Contact asked for is in the INVITE", event=invite)


def _stepped_over(flow: Flow, user: str, sent: str) -> Finding:
    """What it means that no bad INVITE came of the Contact with this first digit; the third Contact is a good one."""
    if not redirected(flow):
        return _no_invite(flow)
    if _for(flow, user):
        return satisfied(sent)
    if _for(flow, "3"):
        return satisfied("the Contact was passed over, and the good one was tried")
    return unseen("the device did not come to this Contact", code="not-tried")


def _no_invite(flow: Flow) -> Finding:
    first = original(flow)
    final = redirection_of(first) if first else None
    if final is None:
        return unseen("the 302 was never sent", code="not-sent")
    if tries(flow)[1:]:
        # It dialled the first URI again, which other judges look at.
        return unseen(NOT_FOLLOWED, code="not-followed")
    return silent(
        flow,
        code="invite-sent",
        after=final,
        expected="no INVITE, or one without what the Contact asked for",
        means="a redirector decides what the device sends",
    )


def _for(flow: Flow, digit: str) -> list[Attempt]:
    return [a for a in tries(flow)[1:] if user_of(a.invite.request_uri) == digit + flow.places.token]


def _malformed(invite: Event) -> str:
    """What makes the INVITE invalid, of that which the Contact asked for."""
    hops, lengths = invite.headers("Max-Forwards"), invite.headers("Content-Length")
    if any(not re.fullmatch("[0-9]+", value) for value in hops):
        return f"Max-Forwards: {', '.join(hops)}"
    if "9999" in lengths or len(lengths) > 1:
        return f"Content-Length: {', '.join(lengths)}, with a body of {len(invite.body)} bytes"
    return ""
