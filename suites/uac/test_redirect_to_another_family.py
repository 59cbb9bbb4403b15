"""A redirection leads from IPv4 to IPv6, or back: the Contact says where to call, not the call so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from harness.judge.attempts import Attempt, at, original
from harness.judge.dialogs import why_no_reinvite
from harness.judge.patience import may_yet_come
from harness.judge.redirection import NOT_FOLLOWED, dropped, redirected, redirection_of
from harness.judge.resends import repeated
from harness.judge.say import Findings, expect, not_proven, satisfied, unseen, violated
from harness.judge.silence import gap, silent
from harness.judge.targets import address_of, asked_for
from harness.model.flow import Flow
from harness.model.plan import Answer, Call, Plan, Response
from harness.model.verdict import Verdict
from harness.net.address import FAMILY_NAMES
from harness.purposes.purpose import purpose
from suites.plans import (
    CALLERS,
    MOVED,
    REDIRECT,
    RINGING,
    SECOND_URI,
    accept,
    across,
    callee,
    followed,
    guard,
    redirect,
    refuse,
    target,
)
from suites.uac.test_redirect_is_not_remembered import begins_at_the_original

_OLD_HOST: Final = replace(guard("old"), beside="callee", at="target")
_BOTH: Final = callee(redirect(f"{MOVED};q=1.0", f"<{SECOND_URI}>;q=0.5"))
_SECOND: Final = target(accept(), name="second")

ACROSS: Final = Plan((callee(redirect(MOVED)), across(accept()), _OLD_HOST))
"""The Contact has a host of the other IP family; a guard has the redirector's host, and the Contact's port."""
BUSY_ACROSS: Final = Plan((_BOTH, across(refuse(486)), _SECOND))
BUSY_HERE: Final = Plan((_BOTH, target(refuse(486)), across(accept(), name="second")))
"""A Contact of each family: the one that is preferred is busy, over there or here."""
SILENT_ACROSS: Final = Plan((_BOTH, across(Answer()), _SECOND))
"""The one that is preferred is of the other family, and never answers."""
DECLINED_ACROSS: Final = Plan((_BOTH, across(refuse(603)), guard("second")))
"""The one that is preferred is of the other family, and declines."""
NEXT_CALL_ACROSS: Final = Plan((callee(redirect(MOVED)), across(accept())), calls=(Call(), Call(after=2.0)))
"""The same call again, two seconds after the end of one that was redirected to the other family."""
SLOW_ACROSS: Final = Plan(
    (callee(redirect(MOVED)), across(Answer((Response(180, after=1.7), Response(480, after=4.0))))),
    calls=(Call(act="cancel"),),
)
"""The Contact of the other family rings when two copies of the INVITE are due; then the caller hangs up."""

HELD_ACROSS: Final = Plan(
    (callee(redirect(MOVED)), across(Answer((RINGING, Response(200)), then="wait"))),
    calls=(Call(act="reinvite"),),
)
"""The Contact of the other family answers, and then the call is changed."""


@purpose(
    "INT-302-FAMILY-01",
    plan=followed(REDIRECT, ACROSS),
    faults=["stays_in_family", "old_host_across", "loses_brackets_across"],
)
def test_contact_of_the_other_family_is_called(flows: Sequence[Flow]) -> Findings:
    """A Contact with an IPv6 address is called over IPv6, though the call so far went over IPv4; and the other way too.

    Networks move to IPv6 one site at a time, so calls are forwarded from one that has moved to one that has not.
    Typical defects: the socket of the account is used for everything; the address is read up to its first colon, or
    written into the Request-URI without the brackets that tell it from its port.

    The ACK of the 302 stays where its INVITE went; whether it does is judged in this call as in every other one.
    """
    plain, odd = flows
    first, pair = original(odd), redirected(odd)
    family = FAMILY_NAMES[odd.seat("target").address.family]
    if first is None or redirection_of(first) is None:
        yield unseen("the 302 was never sent", code="not-sent")
    elif pair is None:
        yield dropped(
            odd,
            first,
            plain,
            expected=f"an INVITE over {family} at {odd.seat('target').address}",
            means=f"calls that are forwarded to a place with {family} only are lost",
            look_at="is a socket of each family open, and is it chosen by the Contact's host?",
        )
    elif pair.new.seat == "callee":
        yield unseen("the INVITE came to the redirector once more (another rule covers this)", code="old-address")
    else:
        invite, contact = pair.new.invite, asked_for(pair.response)[0]
        yield expect(
            pair.new.seat == "target",
            code="old-host",
            expected=f"the INVITE over {family} at {odd.seat('target').address}",
            actual=f"it came to {invite.destination}",
            event=invite,
            means="somebody else gets the call, or nobody",
            look_at="which host is called when the one in the URI is of another family than the socket?",
        )
        yield expect(
            address_of(invite.request_uri) == address_of(contact),
            code="host-rewritten",
            expected=f"a Request-URI with the Contact's host and port: {contact}",
            actual=invite.request_uri,
            event=invite,
            means="the target cannot tell host and port apart, and refuses the call",
            look_at="does an IPv6 address keep its brackets when the URI is written?",
        )


@purpose(
    "INT-302-FAMILY-03",
    plan=(BUSY_HERE, BUSY_ACROSS),
    faults=["first_contact_only"],
    roles=CALLERS,
)
def test_next_contact_may_be_of_the_other_family(flow: Flow) -> Findings:
    """When a Contact is busy, the next one is called, whichever of the two has an IPv4 address and which an IPv6 one.

    Typical defects: the list of Contacts is sorted out by the family of the call when the 302 comes; or the socket of
    the first attempt is kept for the others.
    """
    yield from _goes_on(flow)


@purpose(
    "INT-302-FAMILY-03",
    plan=SILENT_ACROSS,
    faults=["first_contact_only"],
    roles=CALLERS,
    least_window=40.0,
)
def test_silence_across_leads_to_the_next_contact(flow: Flow) -> Findings:
    """When nobody answers at a Contact of the other IP family, the one of the first family is called.

    It is what happens where IPv6 is configured and goes nowhere.  A device may give up before Timer B.  Typical defect:
    the timer belongs to the socket of the account, and nothing runs out on the other one.
    """
    yield from _goes_on(flow)


@purpose(
    "INT-302-FAMILY-04",
    plan=followed(DECLINED_ACROSS),
    faults=["goes_on_after_603_across", "second_contact_after_603", "tries_contacts_after_603"],
)
def test_decline_across_ends_the_call(flow: Flow) -> Findings:
    """A 603 from a target of the other IP family is the answer, and the Contact of the first family is not called.

    The callee was reached and does not want the call.  Typical defect: a device that knows two ways to everybody takes
    every failure on one of them for a reason to try the other.
    """
    declined = next((attempt for attempt in at(flow, "target") if attempt.final is not None), None)
    if declined is None or declined.final is None:
        yield unseen(NOT_FOLLOWED, code="not-followed")
        return
    yield silent(
        flow,
        code="next-contact-called",
        after=declined.final,
        at=("second",),
        expected="an ACK of the 603, and nothing at the Contact of the first family",
        means="a user who declined the call hears it ring on another phone",
        look_at="is a refusal told from a network that cannot be reached?",
        at_least=Verdict.FAIL if flow.role == "proxy" else Verdict.NONE,
    )


@purpose("INT-302-FAMILY-05", plan=followed(NEXT_CALL_ACROSS), faults=["remembers_contact"])
def test_next_call_returns_to_the_first_family(flow: Flow) -> Findings:
    """A redirection to the other IP family is for this call: the next one goes to the original URI again.

    Typical defect: the device remembers by which family somebody was reached, as it may, and with it who that was.
    """
    if redirected(flow) is None:
        yield unseen(NOT_FOLLOWED, code="not-followed")
        return
    yield begins_at_the_original(flow, 1)


@purpose("INT-302-FAMILY-06", plan=followed(SLOW_ACROSS), faults=["sends_once_across"], acts={"hangup"})
def test_invite_across_is_repeated_until_it_is_answered(flow: Flow) -> Findings:
    """Over UDP an INVITE to the other IP family is sent again after 0.5 s, as one to the first family is.

    Typical defect: the socket for the other family was added beside the transactions, and what is lost there is lost.

    Whether a CANCEL goes the way of this INVITE, and has its Via, is judged in this call as in every other one.
    """
    if redirected(flow) is None:
        yield unseen(NOT_FOLLOWED, code="not-followed")
        return
    found = tuple(repeated(flow, "INT-302-FAMILY-06", invites=True))
    yield from found or [unseen("the answer came before a copy was due", code="answered-at-once")]


@purpose(
    "INT-302-FAMILY-01",
    plan=followed(HELD_ACROSS),
    faults=["byes_to_redirector"],
    roles=["uac", "b2bua"],
    acts={"reinvite"},
)
def test_call_across_can_be_changed(flow: Flow) -> Findings:
    """A re-INVITE in a call that was redirected to the other IP family goes to the target, as the call did.

    Typical defect: what is sent in a dialog goes by the socket of the account, which is of the first family.

    Whether its Via and Contact have the family over which it goes is judged in this call as in every other one.
    """
    if redirected(flow) is None:
        yield unseen(NOT_FOLLOWED, code="not-followed")
        return
    changed = flow.select("INVITE", received=True, where=lambda invite: invite.to_tag is not None)
    if not changed:
        yield unseen(why_no_reinvite(flow), code="no-reinvite")
    for invite in changed:
        yield expect(
            invite.seat == "target",
            code="reinvite-astray",
            expected="the re-INVITE at the target",
            actual=f"{invite.start_line} arrived at {invite.seat}",
            event=invite,
            means="the call can neither be held nor taken up again",
            look_at="by which socket, and to which address, is a request sent in a dialog?",
        )


def _goes_on(flow: Flow) -> Findings:
    """The second Contact was called after the first one had failed."""
    failed: Attempt | None = next(iter(at(flow, "target")), None)
    if failed is None:
        yield unseen(NOT_FOLLOWED, code="not-followed")
        return
    after, what = (failed.final, f"the {failed.status}") if failed.final else (failed.invite, "silence")
    onward = [attempt for attempt in at(flow, "second") if attempt.invite.number > after.number]
    if onward:
        yield satisfied(f"the second Contact was called after {what}", event=onward[0].invite)
    elif missing := gap(flow, ("second",)) or may_yet_come(flow, after):
        yield not_proven(f"nothing followed {what}", missing)
    else:
        second = flow.seat("second").address
        yield violated(
            code="next-not-tried",
            expected=f"an INVITE over {FAMILY_NAMES[second.family]} at {second}",
            actual=f"the call ended after {what}",
            event=after,
            means="a call that should go on to the next phone ends, because that one has another kind of address",
            look_at="are all Contacts kept, and is the socket chosen anew for each?",
        )
