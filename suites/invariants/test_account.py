"""Every message of the device is accounted for: each has a cause, or is shown (see harness/judge/account)."""

from __future__ import annotations

from harness.judge.account.entry import Entry, Unexplained
from harness.judge.account.replay import account
from harness.judge.say import Findings, satisfied, violated
from harness.model.flow import Event, Flow
from harness.purposes.invariant import invariant

CAUSE = "INT-ACCOUNT-01"
LATE = "INT-ACCOUNT-02"
KNOWN = "INT-ACCOUNT-03"


@invariant(
    CAUSE,
    faults=[
        *("answers_ack", "answers_contact_too", "bends_foreign_scheme", "cuts_display_name", "follows_485"),
        *("cuts_user_at_semicolon", "keeps_old_host", "mangles_ipv6", "message_after_603", "redirect_also_forwards"),
        "loses_brackets_across",
        "reuses_branch",
    ],
)
def test_every_message_has_a_cause(flow: Flow) -> Findings:
    """Whatever the device sends has a cause in its flow: a call that was wanted, a response, a request, a timer.

    This is the net below all other rules, for what nobody has thought of.  What another rule judges is left to it.
    Typical defect: a MESSAGE or INFO that no user asked for, a response to a request that was never sent.
    """
    known, entries = account(flow), 0
    for event in flow.events:
        entry = known.entries.get(event.number)
        entries += entry is not None
        if isinstance(entry, Unexplained) and not entry.elsewhere:
            yield violated(
                code=f"unexplained-{entry.code}",
                expected="a message with a cause: a call that was wanted, a request or response of ours, a timer",
                actual=f"{event.start_line[:160]}: {entry.sentence}",
                event=event,
                means="nobody knows yet whether this does harm; somebody has to look at it",
                look_at="the ladder of this flow, and the state in which the device was when it sent this",
            )
    if entries:
        yield satisfied(f"{entries} messages accounted for")


@invariant(LATE)
def test_no_call_comes_when_its_drive_is_over(flow: Flow) -> Findings:
    """When a call is over and its window has been watched, the device does not call again for it.

    Seats go on listening until the device's run ends.  How long that is for one drive is chance, so that nothing came
    says nothing, and this rule never holds: it is broken, or it is not tested.
    """
    known = account(flow)
    late = [event for event in flow.late if _opens(event) and _is_new(known.entries[event.number])]
    if late:
        first = late[0]
        after = first.time - (flow.watch.opened_at or flow.watch.closed_at)
        calls = "a call" if len(late) == 1 else f"{len(late)} calls"
        watched = f"the window of {flow.watch.window.seconds:g} s" if flow.plan.watched else "the drive"
        yield violated(
            code="calls-when-over",
            expected="no call for a drive that is over",
            actual=f"{calls} arrived after {watched}, {after:.1f} s after the last final response: "
            f"{known.phrase(first.number)}",
            event=first,
            means="the window is too short to judge this device by: it calls again later",
            look_at="run again with a longer --window; auto-redial and route advance with a delay",
        )


@invariant(KNOWN)
def test_every_call_belongs_to_a_drive(flow: Flow) -> Findings:
    """A device calls what it was asked to call, or what it was redirected to, and no other number.

    Where it sends all calls to one address, an unknown number is seen there.  Whose call it was is not known, so
    silence is not proven for any drive that went on then.
    """
    strange = list(dict.fromkeys(event.start_line[:160] for event in flow.strays if _opens(event)))
    if strange:
        others = f", and {len(strange) - 1} others" if len(strange) > 1 else ""
        yield violated(
            code="call-to-unknown-number",
            expected="calls to numbers of this run",
            actual=f"{strange[0]}{others} came to an address that all drives share",
            means="the device may have called again under another number, or somebody else uses it",
            look_at="number translation, speed dials and forwarding of the device; who else can use it during the run?",
        )
    elif any(seat.behind or seat.kind == "backup" for seat in flow.seats):
        yield satisfied("no call to an unknown number came to the addresses that all drives share")


def _is_new(entry: Entry) -> bool:
    """Whether it is an INVITE that nothing explains, and no copy of one that came before."""
    return isinstance(entry, Unexplained) and entry.code != "copy-after-response"


def _opens(event: Event) -> bool:
    return event.from_device and event.method == "INVITE" and event.to_tag is None
