"""Responses that are not the device's, come too late, or contradict each other."""

from __future__ import annotations

from harness.judge.attempts import original
from harness.judge.next_call import next_call_works
from harness.judge.odd import ALIVE, CAUSE, harmless, not_sent, odd_of, of_first_call
from harness.judge.say import Findings, expect
from harness.judge.silence import silent
from harness.model.flow import Flow
from harness.purposes.purpose import purpose
from suites.plans import CALLERS
from suites.robustness._oddities import LOOSE, STRAYS
from suites.robustness._plans import AFTER_THE_200, BEFORE_THE_100, RINGING_LAST, TWICE, odd_call, stray_call

_MATCHING = "how responses are matched: sent-by and branch of the top Via, and the method of the CSeq"


@purpose(
    "RFC3261-17.1.3-01",
    "RFC3261-18.1.2-01",
    ALIVE,
    plan=(stray_call(STRAYS[0]), stray_call(STRAYS[1])),
    faults=["takes_foreign_via", "takes_foreign_branch"],
)
def test_response_of_another_transaction_is_dropped(flow: Flow) -> Findings:
    """A 302 with another sent-by or another branch in its Via is not the device's: it is dropped.

    Whoever has seen a Call-ID could else move the call.  Typical defect: responses are matched by Call-ID alone.
    """
    odd = odd_of(flow)
    if odd is None:
        yield not_sent(flow)
        return
    by_branch = "branch" in odd.name
    yield silent(
        flow,
        code="stray-followed",
        after=odd.event,
        at=["elsewhere"],
        expected=f"{odd.name} is dropped",
        means="an attacker who can send a datagram to the device moves its calls",
        look_at=_MATCHING,
        requirement="RFC3261-17.1.3-01" if by_branch else "RFC3261-18.1.2-01",
    )
    yield next_call_works(flow, after=odd.name, look_at=_MATCHING, requirement=ALIVE)


@purpose(
    ALIVE,
    CAUSE,
    plan=tuple(odd_call(oddity, status) for oddity in LOOSE for status in (302, 603)),
    faults=["redials_after_302", "redials_at_once"],
)
def test_response_from_elsewhere_does_no_harm(flow: Flow) -> Findings:
    """A response with a foreign Call-ID or From tag, or from another port, is dropped or taken, and that is all.

    RFC 3261 17.1.3 matches responses by branch and CSeq method, whoever sent them, so both are lawful.
    """
    yield from harmless(flow)


@purpose(
    "RFC3261-17.1.1.2-06",
    ALIVE,
    plan=(AFTER_THE_200, TWICE),
    faults=["acts_on_second_final", "takes_final_after_200"],
    roles=CALLERS,
)
def test_only_the_first_final_response_counts(flow: Flow) -> Findings:
    """A 302 after the 200, or after another 302, is a copy or a stray: its Contact is not called.

    Typical defect: the application hears every final response, in whatever state the call is.
    """
    first, wrong = original(flow), flow.seat("elsewhere").address.host
    later = flow.select(received=False, status=302, where=lambda event: any(wrong in uri for uri in event.contact_uris))
    if first is None or not later or later[0].number < first.finals[0].number:
        yield not_sent(flow)
        return
    what = f"a 302 after the {first.status}"
    yield silent(
        flow,
        code="second-final-followed",
        after=later[0],
        at=["elsewhere"],
        expected=f"{what} changes nothing",
        means="a faulty proxy, or an attacker, moves a call that has been answered",
        look_at="does the transaction hand final responses up in every state?",
        requirement="RFC3261-17.1.1.2-06",
    )
    yield next_call_works(flow, after=what, look_at="what the second final response left behind", requirement=ALIVE)


@purpose(
    "INT-ROBUST-AMPLIFY-01",
    ALIVE,
    plan=(BEFORE_THE_100, RINGING_LAST),
    faults=["follows_every_copy"],
    roles=CALLERS,
)
def test_provisional_response_after_the_final_one_changes_nothing(flow: Flow) -> Findings:
    """A 100 or 180 that comes after the 302, and a copy of the 302 after that, change nothing.

    UDP may deliver them so.  Typical defect: a provisional response takes the transaction back into Proceeding, and the
    copy of the 302 is followed once more.
    """
    first = original(flow)
    if first is None or len(first.finals) < 2:
        yield not_sent(flow)
        return
    opened = of_first_call(flow, first.finals[0])
    late = next(str(r.status) for r in first.responses if r.number > first.finals[0].number)
    yield expect(
        len(opened) <= 1,
        code="amplifies",
        expected="the redirection is followed once",
        actual=f"a {late} between two copies of the 302, and {len(opened)} INVITE transactions after it",
        event=first.finals[0],
        means="the target is rung twice",
        look_at="is Completed left when a provisional response comes?",
        requirement="INT-ROBUST-AMPLIFY-01",
    )
    yield next_call_works(
        flow, after=f"a {late} after the 302", look_at="the states of the client transaction", requirement=ALIVE
    )
