"""What a device made of a response that is odd on purpose (:mod:`harness.model.oddity`).

The plans of robustness have two calls: the first is given the odd response, the second is a plain one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.judge.attempts import Attempt, tries
from harness.judge.next_call import next_call_works
from harness.judge.redirection import call_index
from harness.judge.say import expect, satisfied, unseen, violated
from harness.model.finding import Finding
from harness.model.flow import Event, Flow
from harness.model.verdict import Verdict

ALIVE = "INT-ROBUST-ALIVE-01"
CAUSE = "INT-ROBUST-CAUSE-01"
"""The rows that every odd response is about: what the device can do afterwards, and what it may send."""
INJECTED = "X-Injected"
"""The header line that a Contact tries to smuggle into the device's request."""


@dataclass(frozen=True)
class Odd:
    """The first odd response of a flow."""

    event: Event
    name: str
    """In words: ``a 302 with a foreign branch``."""
    first: Attempt
    """The call that it was sent in."""


def odd_of(flow: Flow) -> Odd | None:
    """The first odd response; None if none was sent."""
    first = next(iter(tries(flow)), None)
    planned = next((r for e in flow.plan.endpoints for a in e.answers for r in a.responses if r.odd), None)
    sent = flow.select(received=False, where=lambda event: event.fate == "changed")
    if first is None or planned is None or not sent:
        return None
    return Odd(sent[0], f"a {planned.status} with {planned.odd.name}", first)


def not_sent(flow: Flow, requirement: str = "") -> Finding:
    """That no odd response was sent, and why."""
    why = "; ".join(trouble.text for trouble in flow.troubles) or "the odd response was never sent"
    return unseen(why, code="not-sent", requirement=requirement)


def acknowledged(odd: Odd) -> bool:
    """Whether the odd response itself was acknowledged, and not only the plain one that came after it."""
    tags = {final.to_tag for final in odd.first.finals if final.number != odd.event.number} - {odd.event.to_tag}
    return any(ack.number > odd.event.number and ack.to_tag not in tags for ack in odd.first.acks)


def of_first_call(flow: Flow, after: Event) -> tuple[Attempt, ...]:
    """The attempts of the first call that came after ``after``."""
    return tuple(a for a in tries(flow) if a.invite.number > after.number and call_index(flow, a.invite) == 0)


def harmless(flow: Flow) -> Iterator[Finding]:
    """The device can place the next call, and has sent nothing that it should not: :data:`ALIVE`, :data:`CAUSE`."""
    odd = odd_of(flow)
    if odd is None:
        yield not_sent(flow)
        return
    yield nothing_forbidden(flow, odd, requirement=CAUSE)
    yield next_call_works(flow, after=odd.name, look_at="the device's own log at this moment", requirement=ALIVE)


def nothing_forbidden(flow: Flow, odd: Odd, *, requirement: str = "") -> Finding:
    """Whether the device sent nothing that neither what was dialled nor a Contact of ``odd`` can have caused.

    A device may read a broken response generously, and call the Contact.  It may not call again what has answered, call
    a user whom nobody named, or let the response write its headers.
    """
    for code, event, what in _forbidden(flow, odd):
        return violated(
            code=code,
            expected="the response is dropped, or acted upon as it can be read; nothing else follows",
            actual=f"after {odd.name} {what}",
            event=event,
            means="whoever can send the device a response decides what it sends, and to whom",
            look_at="the parser of responses, and what the application does with what it could not read",
            requirement=requirement,
        )
    return satisfied(f"after {odd.name} nothing was sent that it cannot have caused", requirement=requirement)


def _forbidden(flow: Flow, odd: Odd) -> Iterator[tuple[str, Event, str]]:
    for event in flow.select(received=True, where=lambda event: event.number > odd.event.number):
        if event.headers(INJECTED) or any(line.lower().startswith("x-injected") for line in event.raw.splitlines()):
            yield "header-injected", event, f"the device's {event.start_line[:80]} has the header line {INJECTED}"
    for attempt in of_first_call(flow, odd.event):
        seat, uri = attempt.seat, attempt.invite.request_uri
        if seat == odd.first.seat:
            yield "calls-again", attempt.invite, f"the device called {uri[:120]} again"
        elif flow.places.token not in uri and uri not in odd.event.raw:
            yield "calls-nobody", attempt.invite, f"the device called {uri[:120]}, whom nobody named"


def amplified(flow: Flow, redirection: Event, contacts: int, *, what: str, requirement: str = "") -> Finding:
    """Whether one redirection made the device open no more transactions than it has Contacts."""
    opened = of_first_call(flow, redirection)
    more = " and more" if any("more came than a flow keeps" in trouble.text for trouble in flow.troubles) else ""
    limit = f"{contacts} Contact{'s' if contacts != 1 else ''}"
    return expect(
        len(opened) <= contacts,
        code="amplifies",
        expected=f"no more than one INVITE for each of its {limit}",
        actual=f"{what} was followed by {len(opened)}{more} INVITE transactions",
        event=redirection,
        means="one datagram makes the device send many: an attacker has others flooded by it",
        look_at="is each target tried once, whatever it answers?",
        requirement=requirement,
    )


def kept_to_itself(flow: Flow, first: Attempt, *, requirement: str = "") -> Finding:
    """Whether credentials for the server that challenged the call stay away from whom it redirects the call to."""
    names = ("Authorization", "Proxy-Authorization")
    gave = [a for a in tries(flow) if a.seat == first.seat and any(a.invite.headers(name) for name in names)]
    if not gave:
        why = "the device did not answer the challenge, so it had no credentials to give away"
        return unseen(why, code="no-credentials", requirement=requirement)
    strangers = [a for a in tries(flow) if a.seat != first.seat and a.invite.number > gave[0].invite.number]
    if not strangers:
        return unseen("the redirection was not followed", code="not-followed", requirement=requirement)
    told = [a for a in strangers if any(a.invite.headers(name) for name in names)]
    return expect(
        not told,
        code="credentials-to-stranger",
        expected="an INVITE without the credentials for the server that redirected",
        actual=f"{told[0].invite.start_line[:120]} carries them" if told else "none of them went along",
        event=told[0].invite if told else strangers[0].invite,
        means="whom the call is redirected to can try passwords against the digest at leisure",
        look_at="for which realm and host the credentials were made",
        at_most=Verdict.WARN,
        requirement=requirement,
    )
