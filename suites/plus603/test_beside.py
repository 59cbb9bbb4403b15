"""What stands beside 603+ and is none: 607, 608, a plain 603, one sign alone, and ISUP."""

from __future__ import annotations

from harness.judge.answers import first_asked, why_not_refused
from harness.judge.plus603.path import neighbour_kept, stays_plain
from harness.judge.say import Findings, expect, unseen, violated
from harness.model.flow import Flow
from harness.purposes.invariant import invariant
from harness.purposes.purpose import purpose
from harness.sip.reason import reasons, unknown_location
from suites.plus603._plans import NEIGHBOURS, REJECTED, RELEASED, UNWANTED

MIDDLE = ("proxy", "b2bua")
USER_REJECTED = 21
"""ISUP cause "call rejected"."""


@purpose("ATIS603P-14", plan=NEIGHBOURS, faults=["takes_607_for_603plus"], roles=MIDDLE)
def test_unwanted_stays_unwanted(flow: Flow) -> Findings:
    """A 607 Unwanted, by which a person refuses a caller, is no 603+: it arrives as it is.

    Since 603+ the two mean different things: 607 is the subscriber's own block.  Typical defect: every code of a block
    list is mapped to 603+.
    """
    yield neighbour_kept(flow, UNWANTED, 607, ())


@purpose("ATIS603P-14", plan=NEIGHBOURS, faults=["takes_607_for_603plus"], roles=MIDDLE)
def test_rejected_keeps_its_card(flow: Flow) -> Findings:
    """A 608 Rejected arrives as it is, with the signed card in Call-Info (purpose=jwscard), and not as a 603+.

    The card says whom to ask (RFC 8688).  For analytics in the US 603+ has taken its place, abroad it has not.
    """
    yield neighbour_kept(flow, REJECTED, 608, ("Call-Info",))


@invariant("ATIS603P-12", faults=["makes_603plus", "remembers_reason_of_603plus"], roles=MIDDLE)
def test_no_plain_refusal_becomes_a_603plus(flow: Flow) -> Findings:
    """A 603 without both signs, or a 486 with the Reason of a 603+, does not become a 603+ on its way.

    A person who declined would be reported as a network that blocks.  Typical defects: a header rule that adds the
    Reason to every 603; a variable that keeps the Reason of the call before.

    Asked of every call that is refused 603, some of which follow a 603+ of the same callee, and of the refusals with
    one sign alone.
    """
    yield from stays_plain(flow, "ATIS603P-12")


@purpose("ATIS603P-06", plan=RELEASED, faults=["maps_cause_21_to_403", "garbles_location_of_isup"])
def test_call_rejected_by_the_telephone_network_is_a_603(flow: Flow) -> Findings:
    """ISUP cause 21 with location "user" becomes 603 or 603+, and a Q.850 Reason beside it says cause 21.

    Typical defects: the table of RFC 3398, which maps cause 21 to 403 where it does not look at the location; a
    location that the gateway cannot translate and writes all the same, empty or as a number.

    The suite sees the IP side only.  ``lab.numbers.isup_rejects`` is a number that the other side releases so.
    """
    one = first_asked(flow)
    if one is None or one.final is None:
        yield unseen(why_not_refused(flow), code="not-answered")
        return
    final = one.final
    causes = [value for value in reasons(final) if value.protocol.lower() == "q.850"]
    right = final.status == 603 and all(value.cause == USER_REJECTED for value in causes)
    flaw = next((flaw for value in causes for flaw in (*value.flaws(), *unknown_location(value))), None)
    if right and flaw:
        yield violated(
            code=flaw.code,
            expected=f"Reason: Q.850;cause=21;location=U, or without location  [{flaw.clause}]",
            actual=f"{flaw.text}; Reason: {', '.join(final.headers('Reason'))[:400]}",
            event=final,
            means="the caller's side cannot read why the call ended, and may drop the response",
            look_at="how the cause location of ISUP is written: U, LN, TN and so on (RFC 8606)",
        )
        return
    yield expect(
        right,
        code="other-status" if final.status != 603 else "other-cause",
        expected=("603, plain or as 603+", "with Q.850;cause=21 if the Reason is of Q.850"),
        actual=f"{final.start_line}, Reason: {', '.join(final.headers('Reason')) or '(none)'}",
        event=final,
        means="the caller's side tries another route for a call that was rejected",
        look_at="the mapping of Q.850 causes to SIP: 21 with location U is 603",
    )
