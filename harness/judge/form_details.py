"""What is easily overlooked in a message: parameters that come twice, tags that change, a Via too many (RFC 3261 7.3.1,
8.1.1, 8.2.6.2, 9, 12.1.1).

What a device passes on as it came is not its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from harness.judge.answers import asked
from harness.judge.calls import calls
from harness.judge.form import in_words
from harness.judge.say import Findings, expect
from harness.judge.served import served
from harness.judge.shape import Sent, sent_by_us
from harness.model.flow import Event, Flow
from harness.model.verdict import Verdict
from harness.sip.address import NameAddr
from harness.sip.message import split_list

_ADDRESSES = ("From", "To", "Contact")


def addresses_can_be_read(flow: Flow, requirement: str) -> Findings:
    """From, To and Contact are addresses by the grammar, and none has a parameter twice (7.3.1, 20.10)."""
    ours = sent_by_us(flow)
    for event in flow.events:
        if event.from_device:
            wrong = next(_flaws(event, ours), None)
            code, expected, actual = wrong or ("", "an address", "addresses that can be read")
            yield expect(
                wrong is None,
                code=code,
                expected=expected,
                actual=f"{in_words(event)}: {actual[:160]}",
                event=event,
                means="a strict element answers 400, and of two values one reads the first, another the last",
                look_at="how the header is put together: quotes, brackets, and what is appended behind them",
                # A tag and q can be read all the same.
                at_most=Verdict.WARN if code == "bad-parameter" else Verdict.FAIL,
                requirement=requirement,
            )


def _flaws(event: Event, ours: Sent) -> Iterator[tuple[str, str, str]]:
    """What is wrong with the addresses of a message, as code, what is expected and what is there."""
    # A response repeats the From and To of its request, whatever they are like.
    for name in _ADDRESSES if event.method is not None else ("Contact",):
        for line in event.headers(name):
            written = f"{name}: {line}"
            if ours.has(written) or line in ours.tagged:
                continue
            for value in split_list(line) if name == "Contact" else (line,):
                address = NameAddr.parse(value)
                names = Counter(text.partition("=")[0].strip().lower() for text in address.parameters)
                twice = [key for key, count in names.items() if count > 1]
                if twice:
                    yield "parameter-twice", f"one ;{twice[0]}", written
                elif value.strip() != "*" and not _is_sound(address):
                    yield "bad-address", 'a URI, or "NAME" <URI>', written
                elif any(not text.lower().startswith("tag") for text in address.unreadable_parameters):
                    yield "bad-parameter", "parameters NAME or NAME=VALUE, of letters and digits or in quotes", written


def _is_sound(address: NameAddr) -> bool:
    """Whether it can be read.  Letters of other alphabets without quotes are against the grammar, and everybody can."""
    if not address.bracketed:
        # A question mark would begin the headers of the URI: such a URI is in brackets (20.10).
        return address.closed and not any(char in address.uri for char in '"<> ?')
    quotes = address.readable_name or '"' not in address.display_name
    return address.closed and quotes and not address.surplus


def one_via(flow: Flow, requirement: str) -> Findings:
    """A CANCEL has one Via, for it goes from hop to hop (9.1); no request of a user agent has a Via of another leg.

    Further Vias of the device's own may come of a proxy that belongs to the product (16.6).
    """
    sent = [event for event in flow.events if not event.from_device and event.method is not None]
    ours = {via.branch for event in sent for via in event.vias}
    for event in flow.events:
        if not event.from_device or event.method is None or (flow.role == "proxy" and event.method != "CANCEL"):
            continue
        cancels = event.method == "CANCEL"
        count = len(event.vias)
        copied = count > 1 and any(via.branch in ours for via in event.vias)
        yield expect(
            count <= 1 if cancels else not copied,
            code="several-vias",
            expected=f"one Via in the {event.method}"
            if cancels
            else f"no Via of another request in the {event.method}",
            actual=f"{event.method}: {count} Vias" + (", one of them of the leg that it belongs to" if copied else ""),
            event=event,
            means="the response goes on to somebody who has sent no such request",
            look_at="are the Vias of another leg copied into the request?",
            at_most=Verdict.FAIL if cancels else Verdict.WARN,
            requirement=requirement,
        )


def one_tag(flow: Flow, requirement: str) -> Findings:
    """All responses of a user agent to one request have one To tag, 100 excepted (8.2.6.2).

    A B2BUA that calls several targets may show its caller a dialog for each.
    """
    hunted = {call.asked.request.number for call in calls(flow) if call.asked is not None and len(call.tries) > 1}
    for one in asked(flow):
        tagged = [response for response in one.responses if (response.status or 0) > 100 and response.to_tag]
        if flow.role not in ("uas", "b2bua") or one.request.number in hunted or len(tagged) < 2:
            continue
        other = next((response for response in tagged if response.to_tag != tagged[0].to_tag), None)
        yield expect(
            other is None,
            code="other-to-tag",
            expected=f"the tag of the {tagged[0].status} (message {tagged[0].number}) in every response",
            actual=f"{tagged[0].to_tag}, and {other.to_tag} in the {other.status}" if other else "one tag",
            event=other or tagged[0],
            means="the caller's phone may go on showing a call that rings",
            look_at="where the tag of the final response is made: is the tag of the 180 known there?",
            requirement=requirement,
        )


def contact_of_early_dialogs(flow: Flow, requirement: str) -> Findings:
    """A 101-199 with a To tag makes a dialog, so it has a Contact (12.1.1).  Without it little is lost: a warning."""
    for one in asked(flow) if flow.role in ("uas", "b2bua") else ():
        for early in one.provisionals:
            if one.request.method == "INVITE" and (early.status or 0) > 100 and early.to_tag:
                found = early.contact_uris
                yield expect(
                    len(found) == 1,
                    code="early-without-contact" if not found else "several-contacts",
                    expected=f"one Contact in the {early.status}",
                    actual=f"{len(found)} Contacts in the {early.status}",
                    event=early,
                    means="the caller cannot send a request in the early dialog: no PRACK, no UPDATE",
                    look_at="which headers a provisional response has",
                    at_most=Verdict.WARN,
                    requirement=requirement,
                )


def tag_of_the_answer_to_cancel(flow: Flow, requirement: str) -> Findings:
    """The 200 to a CANCEL has the To tag of the final response to its INVITE (9.2)."""
    finals = {(one.request.call_id, one.request.branch): one.final for one in asked(flow) if one.final is not None}
    for one in served(flow) if flow.role in ("uas", "redirect", "b2bua") else ():
        final = finals.get((one.request.call_id, one.request.branch))
        if one.request.method == "CANCEL" and one.status == 200 and one.final and final and final.to_tag:
            yield expect(
                one.final.to_tag == final.to_tag,
                code="cancel-has-other-tag",
                expected=f"tag={final.to_tag} in the {one.status}, as in the {final.status} (message {final.number})",
                actual=f"To: {one.final.header('To')}",
                event=one.final,
                means="a caller that looks at tags takes it for the answer of another phone",
                look_at="which transaction makes the tag of the response to a CANCEL",
                requirement=requirement,
            )
