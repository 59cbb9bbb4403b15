"""Whether each request has the headers that all requests have, and each says what it must (RFC 3261 8.1.1, 16.6)."""

from __future__ import annotations

import re

from harness.judge.form import BUILT, DROPPED, in_words, is_uri
from harness.judge.say import Findings, expect
from harness.judge.shape import Sent, sent_by_us
from harness.model.flow import Event, Flow

_COOKIE = "z9hG4bK"
_MOST_FORWARDS = 255


def complete_requests(flow: Flow, requirement: str) -> Findings:
    """Every request has the headers that all requests have, and each says what it must (8.1.1, 16.6)."""
    ours = sent_by_us(flow)
    for event in flow.events:
        if event.from_device and event.method is not None:
            wrong = _incomplete(event, ours)
            code, expected, actual = wrong or ("", "", "")
            yield expect(
                not wrong,
                code=code,
                expected=expected,
                actual=f"{in_words(event)}: {actual}",
                event=event,
                means=DROPPED,
                look_at=BUILT,
                requirement=requirement,
            )


def _incomplete(event: Event, ours: Sent) -> tuple[str, str, str] | None:
    """The first thing that is wrong with a request, as code, what is expected and what is there."""
    for name in ("Via", "From", "To", "Call-ID", "CSeq", "Max-Forwards"):
        if not event.header(name):
            return f"no-{name.lower()}", f"a {name}", f"no {name}"
    via = next(iter(event.vias), None)
    line = f"Via: {event.header('Via')}"
    if via is None or not via.readable:
        return "bad-via", "SIP/2.0/TRANSPORT HOST in the Via", line
    if not (via.branch or "").startswith(_COOKIE) or via.branch == _COOKIE:
        return "no-magic-cookie", f"a branch that begins with {_COOKIE} and goes on", line
    if via.transport.lower() != event.transport:
        return "other-transport", f"{event.transport.upper()} in the Via, by which it was sent", line
    for name, uri, tag in (("From", event.from_uri, event.from_tag), ("To", event.to_uri, event.to_tag)):
        line = f"{name}: {event.header(name)}"
        if ours.has(line):
            continue
        if not is_uri(uri):
            return f"bad-{name.lower()}", f"a URI in the {name}", line
        if tag == "" or (tag is None and name == "From"):
            return f"{name.lower()}-without-tag", f"a tag in the {name}, with a value", line
    if event.cseq_method != event.method or event.cseq_number is None or event.cseq_number >= 2**31:
        return "wrong-cseq", f"CSeq: a number below 2**31, and {event.method}", f"CSeq: {event.header('CSeq')}"
    hops = (event.header("Max-Forwards") or "").strip()
    if not re.fullmatch("0*[0-9]{1,3}", hops) or int(hops) > _MOST_FORWARDS:
        return "bad-max-forwards", "Max-Forwards: a number up to 255", f"Max-Forwards: {hops}"
    return None
