"""What the caller of a B2BUA or proxy gets of what its targets said (RFC 3261 16.7, 21.6)."""

from __future__ import annotations

from collections.abc import Iterator

from harness.judge.answers import Asked, unproven
from harness.judge.calls import Call, calls
from harness.judge.say import Findings, satisfied, violated
from harness.judge.targets import address_of, user_of
from harness.model.finding import Finding
from harness.model.flow import Event, Flow
from harness.model.verdict import Verdict
from harness.purposes.invariant import invariant

BOUND_S = 2.0
"""Seconds by which what was received on one side must be on the other; a device needs none of them."""
LONGEST_S = 34.0
"""A target that never answers is given up after Timer B (32 s); a cancelled one as well."""


MAPS_603PLUS = ["maps_603plus_to_403", "maps_603plus_to_480", "maps_603plus_to_486"]


@invariant("INT-B2BUA-6XX-01", faults=[*MAPS_603PLUS, "hides_603"])
def test_b2bua_reports_a_6xx_as_one(flow: Flow) -> Findings:
    """When a 6xx has ended the call of a B2BUA, its caller gets a 6xx.

    A 503 or 302 makes the caller's side try elsewhere what the callee has declined. Typical defect: every failure of
    the outgoing leg is one cause inside the B2BUA, and that cause is mapped to 503.

    A 4xx ends the call as well and is a warning: a caller that hunts goes on after a 4xx, and stops after a 6xx.
    """
    yield from _keeps_6xx(flow)


@invariant(
    "RFC3261-16.7.6-06",
    faults=[*MAPS_603PLUS, "changes_6xx", "prefers_other_class", "softens_6xx_after_ringing"],
)
def test_proxy_relays_a_6xx_as_one(flow: Flow) -> Findings:
    """When a branch of a proxy got a 6xx and none a 2xx, the caller gets that 6xx.

    Typical defect: a list of codes that are relayed, without 604, 607 or 699.
    """
    yield from _keeps_6xx(flow)


def _keeps_6xx(flow: Flow) -> Iterator[Finding]:
    for call, one, final in _answered(flow):
        refused = [a for a in call.tries if (a.status or 0) >= 600 and a.final and a.final.number < final.number]
        if not refused or any(200 <= (a.status or 0) < 300 for a in call.tries) or _gave_up(flow, one, final):
            continue
        status, what = one.status, refused[-1].final
        if what is None or (call.tries[-1] not in refused and flow.role == "b2bua"):
            continue  # it went on after the 6xx, which is another rule, and reports what came of that
        if status >= 600:
            yield satisfied(f"the {what.status} at {what.seat} is {status} at the caller", event=final)
            continue
        worse = not 400 <= status < 500
        yield violated(
            code="6xx-shown-as-answered"
            if status < 300
            else "6xx-shown-as-3xx"
            if status < 400
            else "6xx-shown-as-4xx"
            if status < 500
            else "6xx-shown-as-5xx",
            expected=f"a 6xx at the caller, after the {what.status} at {what.seat} (message {what.number})",
            actual=f"the caller got {final.start_line} after the {what.status} of {what.seat}",
            event=final,
            means="the caller's side tries elsewhere what the callee has declined"
            if worse
            else "a caller that hunts goes on to its next target after a 4xx, though the callee has declined for all",
            look_at="how the outcome of the other leg is mapped: each 6xx, known or not",
            at_most=Verdict.FAIL if worse or flow.role == "proxy" else Verdict.WARN,
        )


@invariant("INT-B2BUA-200-01", faults=["loses_200"])
def test_answer_reaches_the_caller_of_a_b2bua(flow: Flow) -> Findings:
    """When a target answers 2xx and the caller still waits, the caller gets a 2xx.

    Typical defect: after a redirection the B2BUA waits for the leg that was redirected.
    """
    for call in calls(flow):
        one = call.asked
        answer = next((a.final for a in call.tries if 200 <= (a.status or 0) < 300), None)
        if one is None or answer is None or (one.final is not None and one.final.number < answer.number):
            continue
        if one.final is not None and 200 <= one.status < 300:
            yield satisfied(f"{one.status} at the caller", event=one.final)
        elif not _gave_up(flow, one, answer) and not unproven(flow, one.seat, answer.time + BOUND_S):
            yield violated(
                code="200-lost",
                expected=f"a 2xx at the caller within {BOUND_S:g} s of the {answer.status} at {answer.seat} "
                f"(message {answer.number})",
                actual=f"the caller got {one.final.start_line if one.final else 'no final response'} after the "
                f"{answer.status} of {answer.seat}",
                event=one.final or answer,
                means="the callee has picked up, and the caller hears ringing or a failure",
                look_at="which leg of the call the caller's INVITE waits for after a redirection",
            )


@invariant("INT-B2BUA-3XX-01", faults=["redirects_to_itself"])
def test_relayed_redirection_of_a_b2bua_leads_where_it_led(flow: Flow) -> Findings:
    """A 3xx that a B2BUA hands to its caller has the Contacts of the callee's 3xx, or some of them.

    Without Contact it tells the caller to call nobody.  Typical defects: the 3xx is made anew from its code; or its
    Contact is the B2BUA's own address and the old user, and the caller comes back for ever.

    A Contact at the B2BUA's own address with another user may be a way that it keeps open: a warning.
    """
    yield from _keeps_contacts(flow)


@invariant("RFC3261-16.7.4-07", faults=["rewrites_302", "emptied_302_upstream", "relays_302_without_contact"])
def test_relayed_redirection_of_a_proxy_leads_where_it_led(flow: Flow) -> Findings:
    """A 3xx that a proxy relays has Contacts of the 3xx that its branches got, and no others.

    Typical defects: a filter for Contacts, as it is used for 200, empties the 3xx; the address of the proxy is written
    into it.

    A proxy that follows redirections itself takes out what it has tried (16.7 item 4).
    """
    yield from _keeps_contacts(flow)


def _keeps_contacts(flow: Flow) -> Iterator[Finding]:
    for call, one, final in _answered(flow):
        given = [a.final for a in call.tries if 300 <= (a.status or 0) < 400 and a.final]
        given = [event for event in given if event.number < final.number and event.contact_uris]
        if not 300 <= one.status < 400 or not given:
            continue
        named = [uri for event in given for uri in event.contact_uris if _names_somebody(uri)]
        said = [uri for uri in final.contact_uris if _names_somebody(uri)]
        if not named:
            continue
        if not said:
            yield violated(
                code="contacts-lost",
                expected=f"a Contact of the {given[-1].status} at {given[-1].seat} (message {given[-1].number})",
                actual=f"the caller got {final.start_line} without Contact",
                event=final,
                means="the caller is told that somebody has moved, and not where to",
                look_at="which headers of a relayed 3xx are copied",
            )
            continue
        places = {_place(uri) for uri in named}
        astray = [uri for uri in said if _place(uri) not in places]
        if not astray:
            yield satisfied(event=final)
            continue
        users = {user_of(uri) for uri in named}
        own = user_of(one.request.request_uri)
        hidden = flow.role == "b2bua" and all(user_of(uri) in users and user_of(uri) != own for uri in astray)
        yield violated(
            code="contacts-rewritten",
            expected=f"no Contact but {', '.join(named)}",
            actual=f"the caller got Contact: {', '.join(astray)}",
            event=final,
            means="the caller that follows comes to somebody else, or back to where it was",
            look_at="what is written into the Contact of a relayed 3xx",
            at_most=Verdict.WARN if hidden else Verdict.FAIL,
        )


def _names_somebody(uri: str) -> bool:
    """Whether a Contact says whom to call: ``*`` and what is no URI do not."""
    scheme, colon, rest = uri.partition(":")
    return bool(colon and scheme.strip() and rest.strip())


def _place(uri: str) -> tuple[str, str]:
    """Where a URI leads to; what is no SIP URI, by its text."""
    return (address_of(uri), user_of(uri)) if address_of(uri) else (uri.strip(), "")


def _answered(flow: Flow) -> Iterator[tuple[Call, Asked, Event]]:
    """The calls of callers that got a final response."""
    for call in calls(flow):
        if call.asked is not None and call.asked.final is not None:
            yield call, call.asked, call.asked.final


def _gave_up(flow: Flow, one: Asked, until: Event) -> bool:
    """Whether the caller had cancelled before ``until``, or hung up."""
    return bool(
        flow.select(
            received=False,
            at=one.seat,
            where=lambda e: (
                e.method in ("CANCEL", "BYE") and e.call_id == one.request.call_id and e.number < until.number
            ),
        )
    )
