"""Headers in the Contact's URI (``?Subject=…``): which are honoured, and which never (RFC 3261 19.1.5)."""

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
from suites.uac._plans import DANGEROUS, INVALID, UNKNOWN_EXTENSION, UNKNOWN_TRANSPORT, URI_HEADERS

_TAKEN = "evil"
_LOOK_AT = "which ?headers of a Contact are honoured: a list of harmless ones, or all?"


@purpose("RFC3261-8.1.3.4-10", plan=URI_HEADERS, faults=["appends_uri_headers"])
def test_harmless_headers_are_placed_well(flow: Flow) -> Findings:
    """?headers that the device honours become header fields: a single one replaces, a list grows.

    By this a PBX tells the target the subject, or passes User-to-User on (RFC 7433).  Typical defect: the device adds a
    second Subject to the first, or leaves the escapes in the value.

    Each component decides whether it honours them, and careful ones ignore them all; that is only noted.  A lost
    earlier Call-Info is a warning.  A second Subject or broken syntax is a fail.
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
            look_at="how ?headers become header fields: unescaped, and replaced where only one is allowed",
            at_least=Verdict.FAIL if misplaced else Verdict.NONE,
        )
        return
    honoured = [name for name, there in (("Subject", subjects == ("moved",)), ("Call-Info", asked)) if there]
    note = f"honoured of the Contact's ?headers: {', '.join(honoured) or 'none'}"
    yield satisfied(event=new, note=note)


@purpose("RFC3261-19.1.5-04", plan=DANGEROUS, faults=["honours_every_uri_header"])
def test_who_calls_is_not_for_the_redirector_to_say(flow: Flow) -> Findings:
    """The device refuses From, Call-ID, CSeq, Via and Record-Route from the Contact's URI.

    With them a redirector makes the phone call under another user's name.  Typical defect: the device honours all
    ?headers and has no list of those that it must never honour.  Refusing the whole Contact conforms as well.
    """
    yield _refused(
        flow, ("From", "Call-ID", "Via", "Record-Route"), "the device calls under a name that a redirector chose"
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
    """The device refuses a Route from the Contact's URI: the INVITE goes to the target.

    With it a redirector leads every forwarded call past a listener of its choice, media keys included.  Typical defect:
    the device honours all ?headers and has no list of those that it must never honour.
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
                means="a redirector can listen to the forwarded call",
                look_at=_LOOK_AT,
            )
            return
    yield _refused(flow, (), "a redirector can listen to the forwarded call")


@purpose("RFC3261-19.1.5-06", plan=DANGEROUS, faults=["honours_every_uri_header"])
def test_what_the_device_can_do_is_its_own_to_say(flow: Flow) -> Findings:
    """The device refuses Accept, Allow, Contact, Supported, User-Agent and the like from the Contact's URI.

    These headers, and Organization, describe what the device is and can do.  A false value breaks the call later and
    far away.
    """
    accepted = ("Accept", "Accept-Encoding", "Accept-Language", "Allow", "Supported")
    said = ("Contact", "Organization", "User-Agent")
    yield _refused(flow, accepted + said, "the target uses features that the device lacks, or calls back another host")


@purpose("RFC3261-19.1.5-07", plan=INVALID, faults=["honours_every_uri_header"])
def test_no_invalid_request_is_made(flow: Flow) -> Findings:
    """If the Contact's ?headers make an invalid request, it is not sent: the Contact has failed.

    The next Contact is tried.  With a false Content-Length the next element waits for the rest of the message.  Typical
    defect: the device appends ?headers to the message as text.  An INVITE without the bad parts conforms as well.
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
    yield _stepped_over(flow, "1", "an INVITE without the bad headers was sent for the Contact")


@purpose("RFC3261-19.1.5-09", plan=UNKNOWN_EXTENSION, faults=["honours_every_uri_header"])
def test_no_unknown_extension_is_required(flow: Flow) -> Findings:
    """The device does not send a request that requires an extension which it does not have.

    Require: foo-unknown promises that the caller supports the extension.  Typical defect: the device honours ?headers
    without a check of what they mean.  An INVITE without the Require is tolerated.
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
    yield _stepped_over(flow, "2", "an INVITE without the Require was sent for the Contact")


@purpose("RFC3261-19.1.5-08", plan=UNKNOWN_TRANSPORT, faults=["swaps_transport"])
def test_unknown_transport_is_not_swapped(flow: Flow) -> Findings:
    """A Contact with a transport that the device lacks is skipped, not called by another transport.

    A redirector may name a transport for its security.  Typical defect: UDP is the default of the device's table of
    transports.
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
        means="a call that needs a certain transport silently uses another one",
        look_at="what the table of transports returns for an unknown name",
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
    return unseen("the device did not reach this Contact", code="not-tried")


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
