"""The device that blocks a call: what it answers, and when (47 CFR 64.1200(k)(9), ATIS-1000099 as reported)."""

from __future__ import annotations

from collections.abc import Callable

from harness.judge.answers import asked
from harness.judge.plus603.blocking import (
    Block,
    blocks_of,
    location_of,
    phrase_of,
    reason_of,
    status_of,
    timing_of,
)
from harness.judge.say import Findings, satisfied, violated
from harness.model.finding import Finding
from harness.model.flow import Flow
from harness.purposes.invariant import invariant
from harness.purposes.purpose import purpose
from harness.sip.plus603 import Plus603
from suites.plus603._plans import BLOCKED


def _judged(flow: Flow, judge: Callable[[Block], Findings]) -> Findings:
    for block in blocks_of(flow):
        if isinstance(block, Finding):
            yield block
        else:
            yield from judge(block)


@purpose("ATIS603P-01", plan=BLOCKED, faults=["blocks_with_608", "blocks_second_call_with_403"])
def test_blocked_call_is_answered_603(flow: Flow) -> Findings:
    """A call that analytics blocked is answered 603, and nothing else: not 403, 480, 486, 607 or 608.

    The caller's provider tells a block from a busy line by the code, and leaves other routes alone.  Typical defect:
    the blocking rule is older than 603+ and still answers 608, or 403 as a firewall would.

    Two calls: some products answer the second with the code of another rule, that of a caller who tries too often.

    607 is right for a block that the subscriber asked for, which is no analytics.  The number that is called
    (``lab.numbers.blocked``) has to be one that analytics blocks.
    """
    yield from _judged(flow, lambda block: [status_of(block)])


@purpose("ATIS603P-07", plan=BLOCKED, faults=["blocks_with_decline"])
def test_phrase_says_network_blocked(flow: Flow) -> Findings:
    """The reason phrase of a 603+ is "Network Blocked"; a plain 603 says Decline.

    For SIP a phrase means nothing; for 603+ it is one of two signs.  Typical defect: the product writes the phrase of
    its table of codes, whatever the rule says.  Upper and lower case do not count.

    The text of the standard is not free: the row rests on reports that agree.
    """
    yield from _judged(flow, lambda block: [phrase_of(block)])


@purpose("ATIS603P-02", plan=BLOCKED, faults=["blocks_without_contact", "blocks_with_http", "blocks_unquoted"])
def test_reason_names_whom_to_ask(flow: Flow) -> Findings:
    """Its Reason (SIP;cause=603 or Q.850;cause=21) has a text that begins with v=analytics1 and names a contact.

    By url (https), tel or email a caller whose number was blocked by mistake has it reviewed.  Typical defects: the
    text is not quoted, so that it ends at its first semicolon; or the URL was configured with http.

    One good contact is enough; a bad one beside it is a warning.  The pass shows the redress data that were found.
    """
    yield from _judged(flow, reason_of)


@purpose("ATIS603P-08", plan=BLOCKED, faults=["blocks_somewhere"])
def test_reason_says_which_network_blocked(flow: Flow) -> Findings:
    """Its Reason has a location: LN, TN, RLN, LPN or RPN (RFC 8606), the network that blocked the call.

    With it an operator finds who blocks.  Typical defect: the name of the operator stands there.

    RFC 8606 defines the parameter for Q.850 only, and reports of 603+ show it with SIP.  Without it: a warning.
    """
    yield from _judged(flow, lambda block: [location_of(block)])


@purpose("ATIS603P-09", plan=BLOCKED, faults=["blocks_after_ringing"])
def test_block_is_returned_at_once(flow: Flow) -> Findings:
    """The 603+ comes immediately: nobody's phone rings before it.

    The rule says so, and gives no figure.  Typical defect: the call is placed first, and the verdict of the analytics
    service ends it while it rings.  A 100 is no ringing; a 183 before it, or two seconds, are a warning.
    """
    yield from _judged(flow, timing_of)


@invariant("ATIS603P-13", faults=["blocks_everything"], roles=["uas", "redirect", "b2bua", "proxy"])
def test_other_refusals_are_no_603plus(flow: Flow) -> Findings:
    """Only what analytics blocked is a 603+: what is declined, unknown or barred for another reason is none.

    Otherwise the caller complains about a block that nobody made.  Typical defect: once switched on, every 603 of the
    product is a 603+.

    Asked of every call that the device answers 3xx-6xx by itself and that is not to ``lab.numbers.blocked``.
    """
    if "blocked" in flow.plan.numbers:
        return
    if any(not event.from_device and (event.status or 0) >= 300 for event in flow.events):
        return  # somebody else refused it
    for one in asked(flow):
        final = one.final
        if final is None or one.status < 300:
            continue
        if Plus603(final).is_plus:
            yield violated(
                code="603plus-for-another-reason",
                expected="no 603+: this call is not one that analytics blocks",
                actual=f"{final.start_line} with Reason: {', '.join(final.headers('Reason'))[:300]}",
                event=final,
                means="the caller complains about a block that nobody made",
                look_at="which refusals the phrase and the Reason are added to",
            )
        else:
            yield satisfied(f"{final.start_line}, no 603+", event=final)
