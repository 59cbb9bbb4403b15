"""The Request-URI of the new INVITE: the Contact's URI, all of it, and nothing else (RFC 3261 8.1.3.4, 19.1.5)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.judge.attempts import original
from harness.judge.redirection import NOT_FOLLOWED, dropped, redirected
from harness.judge.say import Findings, expect, not_proven, satisfied, unseen, violated
from harness.judge.silence import gap
from harness.judge.targets import asked_for, lapses
from harness.model.finding import Finding
from harness.model.flow import Flow
from harness.model.verdict import Verdict
from harness.purposes.purpose import purpose
from harness.sip.uri import SipUri, differences
from suites.plans import REDIRECT, followed, recursed
from suites.proxy._plans import RECURSION_ODD_CONTACT
from suites.uac._chains import FORMS
from suites.uac._plans import BARE, HEADER_PARAMETERS, METHOD, PARAMETERS, URI_HEADERS

_LOOK_AT = "how the Request-URI is built: copied whole from the Contact, or from its user and host?"


@purpose(
    "RFC3261-8.1.3.4-08",
    "RFC3261-21.3.3-01",
    plan=(REDIRECT, PARAMETERS),
    faults=["keeps_old_host", "drops_contact_parameters", "mangles_ipv6"],
)
def test_request_uri_is_the_contact(flow: Flow) -> Findings:
    """The whole URI of the Contact becomes the Request-URI: user, host, port and every parameter.

    Only the target knows what a parameter means: a mailbox, a line, a reason.  A device that loses one reaches the
    right machine and the wrong service.  Typical defect: the device builds the URI from user and host; or it takes the
    user only, and the call goes back to the old host.

    RFC 3665 3.6 shows a lost ;transport=tcp that is still used, so that loss is a warning only.  So is a lost default
    port.
    """
    pair = redirected(flow)
    if pair is None:
        yield unseen(NOT_FOLLOWED, code="not-followed")
        return
    wanted, invite = asked_for(pair.response)[0], pair.new.invite
    wrong, harmless = lapses(wanted, invite.request_uri, invite.transport)
    yield expect(
        not wrong,
        code="request-uri-rewritten" if harmless else "wrong-request-uri",
        expected=wanted,
        actual=f"{invite.request_uri} ({'; '.join(wrong)})" if wrong else invite.request_uri,
        event=invite,
        means="the forwarded call reaches another service than intended, or none",
        look_at=_LOOK_AT,
        at_most=Verdict.WARN if harmless else Verdict.FAIL,
    )


@purpose("RFC3261-19.1.5-01", plan=PARAMETERS, faults=["keeps_old_host", "drops_contact_parameters"])
def test_known_parameters_stay(flow: Flow) -> Findings:
    """;user and ;transport of the Contact stay in the Request-URI.

    Without user=phone a gateway takes the number for a name.  Typical defect: the device reads and uses the parameters
    and does not write them again.  A ;transport that is lost but still used is a warning (RFC 3665 3.6 shows it).
    """
    yield from _stay(flow, ("user", "transport"), "a gateway takes the number for a name and refuses the call")


@purpose(
    "RFC3261-19.1.5-02",
    "RFC4458-2-01",
    plan=followed(PARAMETERS, proxy=(RECURSION_ODD_CONTACT,)),
    faults=["keeps_old_host", "drops_contact_parameters"],
)
def test_unknown_parameters_stay(flow: Flow) -> Findings:
    """Parameters that the device does not know stay in the Request-URI: ;target, ;cause and ;foo.

    Voice mail needs them (RFC 4458): target names the mailbox, cause the reason.  Without them the caller hears "please
    enter your mailbox number".  Typical defect: a URI class with one field for each known parameter.
    """
    means = "a call forwarded to voice mail ends in no mailbox or in a wrong one"
    for finding in _stay(flow, ("target", "cause", "foo"), means, "RFC3261-19.1.5-02"):
        yield finding
    for finding in _stay(flow, ("target", "cause"), means, "RFC4458-2-01"):
        yield finding


@purpose("RFC3261-8.1.3.4-09", plan=URI_HEADERS, faults=["keeps_uri_headers"])
def test_headers_and_method_stay_out(flow: Flow) -> Findings:
    """Neither ?headers nor ;method of the Contact appear in the Request-URI.

    Many targets refuse such a Request-URI with 400.  Typical defect: the device copies the Contact unchanged.
    """
    pair = redirected(flow)
    if pair is None:
        yield unseen(NOT_FOLLOWED, code="not-followed")
        return
    invite = pair.new.invite
    uri = SipUri.parse(invite.request_uri)
    headers = uri.headers if uri else "?" in invite.request_uri
    left = [name for name, there in (("?headers", headers), (";method", _has(invite.request_uri, "method"))) if there]
    yield expect(
        not left,
        code="headers-left-in" if headers else "method-left-in",
        expected=asked_for(pair.response)[0],
        actual=f"{invite.request_uri} ({' and '.join(left)} left in)" if left else invite.request_uri,
        event=invite,
        means="the target answers 400 Bad Request and the forwarded call fails",
        look_at="which parts of the Contact's URI are removed before it becomes the Request-URI",
    )


@purpose("RFC3261-19.1.5-03", plan=(URI_HEADERS, METHOD), faults=["keeps_uri_headers"])
def test_method_of_the_contact_has_no_effect(flow: Flow) -> Findings:
    """A ;method in the Contact stays out of the Request-URI, and no request but INVITE is sent for it.

    A redirector must not be able to make a phone send BYE to another user.  By 19.1.5 the parameter sets the method; by
    table 1 of 19.1.1 it is not allowed in a redirection and should be ignored.  Hence the ruling: a ;method left in the
    Request-URI is a fail, a request with another method is a warning, and passing over such a Contact conforms.
    """
    first = original(flow)
    final = first.final if first else None
    if first is None or final is None:
        yield unseen("the 302 was never sent", code="not-sent")
        return
    for request in flow.select("BYE", at="target", received=True):
        if request.to_tag is None:
            yield violated(
                code="method-executed",
                expected="INVITE, or no request at all",
                actual=f"{request.start_line} was sent for the Contact",
                event=request,
                means="a redirector decides which requests the device sends, and to whom",
                look_at="does the device execute ;method of a Contact?",
                at_most=Verdict.WARN,
            )
            return
    pair = redirected(flow)
    if pair is None:
        if missing := gap(flow, (first.seat,)):
            yield not_proven("nothing followed", missing)
        elif "method=BYE" in final.contact_uris[0]:
            yield satisfied("the Contact was passed over", event=final)
        else:
            yield unseen(NOT_FOLLOWED, code="not-followed")
        return
    invite = pair.new.invite
    yield expect(
        not _has(invite.request_uri, "method"),
        code="method-left-in",
        expected=asked_for(pair.response)[0],
        actual=invite.request_uri,
        event=invite,
        means="the target answers 400 Bad Request and the forwarded call fails",
        look_at="which parts of the Contact's URI are removed before it becomes the Request-URI",
    )


@purpose("RFC3261-19.1.1-01", plan=followed(URI_HEADERS, proxy=(RECURSION_ODD_CONTACT,)), faults=["routes_by_lr"])
def test_what_a_contact_may_not_have_is_ignored(flow: Flow) -> Findings:
    """;lr and ;method are not allowed in a redirection and are ignored: the Contact is called like any other.

    Typical defect: the device reads ;lr as in a Route, so it keeps the old Request-URI and makes the Contact a Route.
    ;lr may stay in the Request-URI, because the entire URI is copied.
    """
    pair = redirected(flow)
    if pair is None:
        yield unseen(NOT_FOLLOWED, code="not-followed")
        return
    invite, wanted = pair.new.invite, asked_for(pair.response)[0]
    routed = any("9" + flow.places.token in route for route in invite.headers("Route"))
    yield expect(
        not routed,
        code="contact-as-route",
        expected=f"INVITE {wanted}, no Route made of it",
        actual=f"INVITE {invite.request_uri}, Route: {', '.join(invite.headers('Route')) or 'none'}",
        event=invite,
        means="the target gets the old user in the Request-URI and refuses the call",
        look_at="where ;lr is read: only a Route is a loose route",
    )


@purpose(
    "INT-302-EXPIRES-02",
    "RFC3840-9-01",
    plan=followed(REDIRECT, HEADER_PARAMETERS, proxy=(recursed(REDIRECT), RECURSION_ODD_CONTACT)),
    faults=["reads_q_into_uri"],
)
def test_header_parameters_stay_out(flows: Sequence[Flow]) -> Findings:
    """Parameters behind the brackets belong to the header: q, expires and features stay out of the Request-URI.

    Targets refuse a Request-URI with a quoted string in it.  Typical defect: the device cuts the Contact at its
    semicolons and ignores the brackets; or one unknown parameter makes the whole Contact unreadable.
    """
    plain, odd = flows
    first, pair = original(odd), redirected(odd)
    means = "the target answers 400 Bad Request, or another user's phone rings"
    look_at = "how a Contact is parsed: brackets first, then semicolons"
    if first is None or pair is None:
        yield unseen(NOT_FOLLOWED, code="not-followed", requirement="INT-302-EXPIRES-02")
        yield (
            unseen(NOT_FOLLOWED, code="not-followed", requirement="RFC3840-9-01")
            if first is None
            else dropped(
                odd,
                first,
                plain,
                expected="an INVITE for the Contact",
                means="a target that lists its features cannot be reached",
                look_at="the parser of Contact: flags without value, quoted values, a name that begins with +",
                requirement="RFC3840-9-01",
            )
        )
        return
    rows = {"INT-302-EXPIRES-02": ("q", "expires"), "RFC3840-9-01": ("audio", "video", "+sip.instance")}
    for row, names in rows.items():
        yield _stays_out(odd, names, means=means, look_at=look_at, requirement=row)


@purpose("RFC3261-20.10-01", plan=followed(BARE, proxy=(recursed(FORMS),)), faults=["reads_q_into_uri"])
def test_parameters_without_brackets_are_the_headers(flow: Flow) -> Findings:
    """In a Contact without brackets everything after a semicolon belongs to the header, not to the URI.

    Typical defect: the device takes the whole value for a URI. Many stacks do so on purpose for ;transport, which costs
    a warning; q or expires in the Request-URI is a fail.
    """
    if redirected(flow) is None:
        yield unseen(NOT_FOLLOWED, code="not-followed")
        return
    yield _stays_out(
        flow,
        ("q", "expires", "transport"),
        worst=("q", "expires"),
        means="the target answers 400 Bad Request, or the call goes by another transport",
        look_at="how a Contact without brackets is parsed",
    )


def _stay(flow: Flow, names: Iterable[str], means: str, requirement: str = "") -> Iterable[Finding]:
    pair = redirected(flow)
    if pair is None:
        yield unseen(NOT_FOLLOWED, code="not-followed", requirement=requirement)
        return
    invite, wanted = pair.new.invite, SipUri.parse(asked_for(pair.response)[0])
    have = SipUri.parse(invite.request_uri)
    if wanted is None or have is None:
        yield unseen(
            f"the Request-URI {invite.request_uri} could not be read", code="unreadable", requirement=requirement
        )
        return
    lost = [name for name in names if not _same(wanted.parameter(name), have.parameter(name))]
    on_the_wire = lost == ["transport"] and have.parameter("transport") is None and invite.transport == "udp"
    yield expect(
        not lost,
        code="transport-lost" if on_the_wire else "parameter-lost",
        expected=f"the Request-URI has {' and '.join(f'{name}={wanted.parameter(name)}' for name in names)}",
        actual=f"{invite.request_uri} ({', '.join(lost)} lost or changed)" if lost else invite.request_uri,
        event=invite,
        means=means,
        look_at=_LOOK_AT,
        at_most=Verdict.WARN if on_the_wire else Verdict.FAIL,
        requirement=requirement,
    )


def _stays_out(
    flow: Flow,
    names: Iterable[str],
    *,
    worst: Sequence[str] = (),
    means: str,
    look_at: str,
    requirement: str = "",
) -> Finding:
    """That none of these parameters is in the Request-URI; one of the ``worst`` there is a fail."""
    pair = redirected(flow)
    assert pair is not None
    invite = pair.new.invite
    found = [name for name in names if _has(invite.request_uri, name)]
    return expect(
        not found,
        code="parameter-in-request-uri",
        expected=f"a Request-URI without {', '.join(names)}",
        actual=f"{invite.request_uri} ({', '.join(found)} in it)" if found else invite.request_uri,
        event=invite,
        means=means,
        look_at=look_at,
        at_least=Verdict.FAIL if any(name in worst for name in found) else Verdict.NONE,
        requirement=requirement,
    )


def _has(uri: str, parameter: str) -> bool:
    """Whether ``;parameter`` stands in a URI, however little can be read of the rest."""
    if parsed := SipUri.parse(uri):
        return parsed.parameter(parameter) is not None
    segments = uri.partition("?")[0].split(";")[1:]
    return any(segment.partition("=")[0].strip().lower() == parameter for segment in segments)


def _same(wanted: str | None, actual: str | None) -> bool:
    return wanted == actual or not differences(f"sip:host;it={wanted}", f"sip:host;it={actual}")
