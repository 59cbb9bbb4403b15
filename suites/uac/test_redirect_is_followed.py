"""302 Moved Temporarily: the callee is elsewhere, and the Contact says where (RFC 3261 8.1.3.4, 21.3.3)."""

from __future__ import annotations

from collections.abc import Sequence

from harness.judge.attempts import original
from harness.judge.patience import may_yet_come
from harness.judge.redirection import (
    NOT_FOLLOWED,
    beyond_its_limit,
    dropped,
    lost_ack,
    redirected,
    redirection_of,
    redirections,
)
from harness.judge.say import Findings, Gap, expect, not_proven, satisfied, unseen, violated
from harness.judge.silence import NOT_LISTENING, gap
from harness.judge.targets import address_of, asked_for, fresh, hops
from harness.model.flow import Flow
from harness.purposes.purpose import purpose
from harness.sip.uri import differences
from suites.plans import CHAIN, REDIRECT, followed
from suites.uac._plans import MADDR, OTHER_PORT, UNKNOWN_3XX, WORDING


@purpose(
    "RFC3261-8.1.3.4-01",
    "RFC3261-13.2.2.2-01",
    plan=REDIRECT,
    faults=["ignores_302", "redials_after_302", "keeps_callers_transport"],
)
def test_contact_is_called(flow: Flow) -> Findings:
    """A caller that is redirected calls the Contact by itself.

    A forwarded user can be reached only if the caller's device does so.  Typical defect: the feature is in the data
    sheet and off in the field, because it was switched off against toll fraud or never connected to the application.

    Three clauses use two words: 8.1.3.4 and 21.3.3 say SHOULD, 13.2.2.2 says MAY for an INVITE. Hence the ruling: a
    device that claims to follow must follow, and any other device is not tested.  Other tests judge the new INVITE and
    its destination; here any attempt at another URI counts.
    """
    first = original(flow)
    response = redirection_of(first) if first else None
    if first is None or response is None:
        yield unseen("the 302 was never sent", code="not-sent")
        return
    targets = fresh(flow)
    if targets:
        said = f"{targets[0].invite.start_line} followed"
        yield satisfied(said, event=targets[0].invite, requirement="RFC3261-8.1.3.4-01")
        yield satisfied(f"the 302 was followed: {said}", event=targets[0].invite, requirement="RFC3261-13.2.2.2-01")
        return
    seat = flow.seat("target")
    missing = gap(flow, (first.seat,))
    if missing is None and (seat.bound_at is None or seat.lost_at is not None):
        missing = Gap(NOT_LISTENING, f"{seat.name} ({seat.address}) was not listening all the time")
    if missing:
        yield not_proven("no INVITE arrived at the Contact", missing)
        return
    not_followed = "the 302 was not followed: 13.2.2.2 leaves that open"
    yield satisfied(not_followed, event=response, requirement="RFC3261-13.2.2.2-01")
    if missing := may_yet_come(flow, response):
        yield not_proven("no INVITE arrived at the Contact", missing, requirement="RFC3261-8.1.3.4-01")
        return
    yield violated(
        code="not-followed",
        expected=f"an ACK, then INVITE {asked_for(response)[0]}",
        actual=f"no INVITE at the Contact for {flow.watch.window.seconds:g} s",
        event=response,
        means="a user who calls a forwarded number hears that the call failed",
        look_at="is following switched on? If it is not meant to be, declare follows_redirects = false",
        requirement="RFC3261-8.1.3.4-01",
    )


@purpose("RFC3261-8.1.2-01", plan=(REDIRECT, OTHER_PORT), faults=["old_address"])
def test_destination_is_worked_out_afresh(flow: Flow) -> Findings:
    """The redirected INVITE is sent to where its own Request-URI points, not to where the first one went.

    Otherwise the redirector gets the call again and answers 482 or the same 302, and the forwarded call is lost
    although the INVITE itself is correct.  Typical defect: the device keeps the address or connection of the first
    attempt with the call.

    A device with an outbound proxy rightly sends everything there.  If the INVITE has a Route, this test is
    inconclusive.
    """
    pair = redirected(flow)
    if pair is None:
        yield unseen(NOT_FOLLOWED, code="not-followed")
        return
    invite, contact = pair.new.invite, asked_for(pair.response)[0]
    if address_of(invite.request_uri) != address_of(contact):
        yield unseen(
            f"the Request-URI {invite.request_uri} differs from the Contact {contact}: another test judges that",
            code="other-request-uri",
        )
    elif invite.headers("Route"):
        yield unseen("the INVITE has a Route, which decides where it goes", code="route")
    else:
        there = flow.seat("target").address
        yield expect(
            pair.new.seat == "target",
            code="sent-elsewhere",
            expected=f"the INVITE for {contact} at {there}",
            actual=f"it arrived at {pair.new.seat} ({flow.seat(pair.new.seat).address})",
            event=invite,
            means="the redirector gets the forwarded call again and refuses it: the call fails",
            look_at="what is kept with the call: host, port or connection of the first INVITE; an outbound proxy",
        )


@purpose(
    "RFC3263-4.2-02",
    plan=followed(REDIRECT, MADDR),
    faults=["old_address", "drops_contact_parameters", "mangles_ipv6"],
)
def test_maddr_takes_the_place_of_the_host(flows: Sequence[Flow]) -> Findings:
    """;maddr of the Contact says where the INVITE goes; the Request-URI stays as it is.

    Few devices know this rare parameter.  Refusing the Contact is safe and costs a warning.  Typical defect: the device
    looks up the host in the DNS and waits for a name that does not exist.
    """
    plain, odd = flows
    first, pair = original(odd), redirected(odd)
    if first is None or redirection_of(first) is None:
        yield unseen("the 302 was never sent", code="not-sent")
    elif pair is None:
        yield dropped(
            odd,
            first,
            plain,
            expected=f"an INVITE at {odd.seat('target').address}, where ;maddr points",
            means="the forwarded call waits for a name that does not exist, and fails",
            look_at="does the device know ;maddr at all?",
        )
    elif not address_of(pair.new.invite.request_uri).startswith(("nowhere.test:", odd.seat("target").address.uri_host)):
        yield unseen(
            f"the Request-URI {pair.new.invite.request_uri} is not the Contact's: another test judges that",
            code="other-request-uri",
        )
    else:
        invite, contact = pair.new.invite, asked_for(pair.response)[0]
        yield expect(
            pair.new.seat == "target" and not differences(contact, invite.request_uri),
            code="wrong-request-uri" if pair.new.seat == "target" else "sent-elsewhere",
            expected=f"INVITE {contact} at {odd.seat('target').address}",
            actual=f"INVITE {invite.request_uri} at {pair.new.seat}",
            event=invite,
            means="the forwarded call goes elsewhere, or the target does not recognise its Request-URI",
            look_at=";maddr sets the destination, not the Request-URI: where is it used?",
        )


@purpose("INT-302-200-01", plan=REDIRECT, faults=["acks_200_to_redirector", "no_ack_of_redirected_200"])
def test_answered_call_belongs_to_the_target(flow: Flow) -> Findings:
    """Once the target answers, the call is with the target: the ACK goes there, with the target's tag.

    Otherwise the target repeats its 200 for 32 s and then ends the conversation.  Typical defect: the device makes the
    dialog from the first response that has a To tag, and that was the redirector's (OpenSIPS issue 3522 is the same
    defect with the BYE).
    """
    pair = redirected(flow)
    if pair is None:
        yield unseen(NOT_FOLLOWED, code="not-followed")
        return
    answer = pair.new.final
    if answer is None or answer.status != 200:
        yield unseen("no target answered the call", code="not-answered")
        return
    means = "the target repeats its 200 for 32 s and then ends the call"
    look_at = "from which response the dialog takes its remote tag and its remote target"
    astray = [
        ack
        for ack in pair.old.acks
        if ack.cseq_number == pair.new.invite.cseq_number != pair.old.invite.cseq_number
        and ack.branch != pair.old.invite.branch
        and ack.number > answer.number
    ]
    for ack in (*pair.new.acks, *astray):
        yield expect(
            ack.seat == pair.new.seat and ack.to_tag == answer.to_tag,
            code="ack-elsewhere" if ack.seat != pair.new.seat else "wrong-to-tag",
            expected=f"the ACK for the 200 at {pair.new.seat}, To tag {answer.to_tag}",
            actual=f"it arrived at {ack.seat}, To tag {ack.to_tag}",
            event=ack,
            means=means,
            look_at=look_at,
        )
    if not pair.new.acks and not astray:
        yield violated(
            code="no-ack",
            expected=f"an ACK for the 200 at {pair.new.seat}",
            actual="none arrived anywhere",
            event=answer,
            means=means,
            look_at=look_at,
        )


@purpose("RFC3261-8.1.3.2-02", plan=(REDIRECT, UNKNOWN_3XX), faults=["ignores_unknown_3xx"])
def test_unknown_redirection_is_like_300(flows: Sequence[Flow]) -> Findings:
    """A device handles a 3xx that it does not know like a 300: it acknowledges it, then follows or gives up.

    New codes appear.  A device that freezes at one leaves its user with a dead line.  Typical defect: a table of known
    codes whose default is "do nothing".  Calling the Contact and ending the call both conform here.
    """
    plain, odd = flows
    look_at = "the default of the table of status codes"
    for attempt in hops(odd):
        lost = lost_ack(odd, attempt, plain, what=f"the {attempt.status}", look_at=look_at)
        tag = attempt.final.to_tag if attempt.final else None
        goodbye = [bye for bye in odd.select("BYE", at=attempt.seat, received=True) if bye.to_tag == tag]
        if lost:
            yield lost
        elif goodbye:
            yield violated(
                code="bye-after-redirection",
                expected="the call goes on elsewhere, or ends without a BYE",
                actual=f"BYE in the dialog of the {attempt.status}, as if that had been a 2xx",
                event=goodbye[0],
                means="the device takes a redirection for an answered call",
                look_at=look_at,
            )
        else:
            followed = any(step.old == attempt for step in redirections(odd))
            yield satisfied(f"{attempt.status}: acknowledged, then {'followed' if followed else 'given up'}")


@purpose("RFC3261-7.2-01", plan=(CHAIN, WORDING), faults=["reads_reason_phrase", "needs_reason_phrase"])
def test_reason_phrase_changes_nothing(flows: Sequence[Flow]) -> Findings:
    """Only the code counts; the phrase is for people: "302 Anders erreichbar" and "302" are both a 302.

    Redirectors write their phrases in the language of their country, or none at all.  Typical defect: a parser splits
    the status line at blanks and refuses an empty phrase, or looks for the words "Moved Temporarily".
    """
    plain, odd = flows
    for attempt in hops(odd):
        line = attempt.final.start_line if attempt.final else ""
        lost = lost_ack(odd, attempt, plain, what=f'"{line}"', look_at="how the status line is read")
        if lost:
            yield lost
        elif (
            any(step.old == attempt for step in redirections(odd))
            or redirected(plain) is None
            or beyond_its_limit(odd, attempt, plain)
        ):
            yield satisfied(f'"{line}" was handled like "302 Moved Temporarily"', event=attempt.final)
        else:
            yield dropped(
                odd,
                attempt,
                plain,
                expected='the same as after "302 Moved Temporarily": an ACK, and an INVITE for the Contact',
                means="forwarding works with one exchange and not with another, because of a phrase",
                look_at="how the status line is read: is the phrase looked up, or an empty one refused?",
            )
