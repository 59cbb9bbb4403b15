"""Whether the messages of a device are well formed, requests and responses alike: shape, length, Contact and Allow."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from harness.judge.say import Findings, expect, satisfied, violated
from harness.judge.shape import Sent, Shape, sent_by_us
from harness.model.flow import Event, Flow
from harness.model.verdict import Verdict
from harness.sip.uri import SipUri

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[^\s<>\"]+\Z")
EVERY_USER_AGENTS = ("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS")
"""The methods of RFC 3261 but REGISTER: a user agent that takes calls understands them all (8.2, 11, 13, 15)."""
_CUT_BY_LENGTH: Final = frozenset({"tcp", "tls"})
"""The transports on which only Content-Length says where a message ends (18.3)."""
_HANDSHAKE: Final = "\x16\x03"
"""How a TLS record of a handshake begins (RFC 8446 5.1)."""
DROPPED = "a strict element drops the message, and the call fails or is never heard of"
BUILT = "where the message is put together: is every line written through one function?"


def well_shaped(flow: Flow, requirement: str) -> Findings:
    """Every message has a start line, header lines with a name, and an empty line behind them."""
    ours = sent_by_us(flow)
    for event in flow.events:
        if event.from_device:
            yield from _shape(event, ours, requirement)
    sources = {event.source.host for event in flow.events if event.from_device and event.source}
    # A device whose every message lacks its Call-ID has no event in the flow.
    sources |= {flow.places.device.host} if flow.places.device else set()
    for one in flow.unreadable:
        if one.source is None or one.source.host in sources:
            if one.text.startswith(_HANDSHAKE):
                yield violated(
                    code="tls-where-none",
                    expected=f"no TLS at {one.seat}, which is called over another transport",
                    actual=f"the first message of a TLS handshake came to {one.seat}",
                    means="the other side takes it for garbage, and the call fails",
                    look_at="is the transport chosen by the URI that is called (RFC 3263 4.1)?",
                    requirement=requirement,
                )
                continue
            said = next(iter(one.label.splitlines()), "")
            yield violated(
                code="no-sip-message",
                expected="a message with a start line of SIP/2.0 and a Call-ID",
                actual=f"{one.size or len(one.text)} bytes that are none, {said[:120]}",
                means=DROPPED,
                look_at=BUILT,
                requirement=requirement,
            )


def _shape(event: Event, ours: Sent, requirement: str) -> Findings:
    shape = Shape.of(event)
    nameless = [line for line in shape.nameless if not ours.has(line)] if shape.ended else []
    start_line_wrong = shape.start_line_wrong and not _from_us(shape.start_line, ours)
    if not shape.ended:
        code, expected, actual = "no-empty-line", "an empty line behind the last header line", "none"
    elif nameless:
        code, expected, actual = "header-without-name", "a name and a colon in every header line", repr(nameless[0])
    elif start_line_wrong:
        code, expected = "bad-start-line", "METHOD URI SIP/2.0, or SIP/2.0 CODE REASON, with single blanks"
        actual = repr(shape.start_line)
    elif shape.bare_lf:
        code, expected, actual = "bare-lf", "lines that end with CR LF", "a line that ends with LF alone"
    else:
        yield satisfied(event=event, requirement=requirement)
        return
    yield violated(
        code=code,
        expected=expected,
        actual=f"{in_words(event)}: {actual[:160]}",
        event=event,
        means="most elements read it all the same" if code == "bare-lf" else DROPPED,
        look_at=BUILT,
        at_most=Verdict.WARN if code == "bare-lf" else Verdict.FAIL,
        requirement=requirement,
    )


def _from_us(start_line: str, ours: Sent) -> bool:
    """Whether a Request-URI outside the grammar is one that we wrote: into a request, or into a Contact."""
    uri = start_line.partition(" ")[2].rpartition(" ")[0]
    return bool(uri) and any(uri in line for line in ours.lines)


def once_each(flow: Flow, requirement: str) -> Findings:
    """No message has two lines of a header that is one value."""
    ours = sent_by_us(flow)
    for event in flow.events:
        if event.from_device:
            counts = Shape.of(event).counts
            twice = [name for name, count in counts.items() if count > 1 and name not in ours.doubled]
            values = " and ".join(event.headers(twice[0])) if twice else ""
            yield expect(
                not twice,
                code="header-twice",
                expected=f"one {twice[0]} line" if twice else "one line of each",
                actual=f"{in_words(event)}: {twice[0]}: {values}" if twice else "one line of each",
                event=event,
                means="one element reads the first and another the last of them; a strict one answers 400",
                look_at="is a header added although it is already there?",
                requirement=requirement,
            )


def sized(flow: Flow, length: str, kind: str) -> Findings:
    """The Content-Length is that of the body, and a body has a Content-Type.

    Over UDP Content-Length may be missing (18.3), and line ends or zero bytes behind the body are nobody's.  Over a
    WebSocket it may be missing as well, for a SIP message is one of its messages (RFC 7118 5); over TCP and TLS it may
    not, for nothing else says where the message ends.
    """
    ours = sent_by_us(flow)
    for event in flow.events:
        if not event.from_device or not Shape.of(event).ended:
            continue
        written, body = event.header("Content-Length"), event.body
        if written is not None:
            wrong = _wrong_length(written.strip(), body)
            if wrong and body in ours.bodies and ours.has(f"Content-Length: {written}"):
                wrong = ""
            yield expect(
                not wrong,
                code="wrong-content-length",
                expected=f"Content-Length: {len(body)}",
                actual=f"{in_words(event)}: Content-Length: {written}, {wrong}",
                event=event,
                means="the session description is cut off, or the message is refused with 400",
                look_at="are bytes counted, and after the body is complete?",
                requirement=length,
            )
        elif event.transport in _CUT_BY_LENGTH:
            yield expect(
                False,
                code="no-content-length",
                expected=f"Content-Length: {len(body)}, as in every message over {event.transport.upper()}",
                actual=f"{in_words(event)}: no Content-Length",
                event=event,
                means="the other side does not know where the message ends: it waits for more, or ends the connection",
                look_at="is the header left out where there is no body?",
                requirement=length,
            )
        kinds = ours.kinds.get(body, ())
        if body.strip("\r\n\0 ") and "" not in kinds:
            told = (event.header("Content-Type") or "").strip()
            yield expect(
                bool(told) and (not kinds or told.lower() in kinds),
                code="other-content-type" if told else "no-content-type",
                expected=f"Content-Type: {' or '.join(kinds) or 'that of the body'}",
                actual=f"{in_words(event)}: {len(body)} bytes, Content-Type: {told or '(none)'}",
                event=event,
                means="the other side cannot tell that this is a session description",
                look_at=BUILT,
                requirement=kind,
            )


def _wrong_length(written: str, body: str) -> str:
    if not re.fullmatch("[0-9]+", written):
        return "which is no number"
    said = int(written)
    if said > len(body) or body[said:].strip("\r\n\0 "):
        return f"and a body of {len(body)} bytes"
    return ""


def contacts(flow: Flow, invite: str, answer: str) -> Findings:
    """An INVITE has one Contact, and a 2xx to an INVITE has one: there the other side sends its next request."""
    for event in flow.events:
        ok = event.status is not None and 200 <= event.status < 300 and event.cseq_method == "INVITE"
        if not event.from_device or not (ok or event.method == "INVITE"):
            continue
        found = event.contact_uris
        sound = len(found) == 1 and is_uri(found[0]) and found[0].lower().startswith(("sip:", "sips:"))
        yield expect(
            sound,
            code="no-contact" if not found else "several-contacts" if len(found) > 1 else "bad-contact",
            expected="one Contact with a SIP URI",
            actual=f"{in_words(event)}: {len(found)} Contacts{': ' if found else ''}{', '.join(found)[:160]}",
            event=event,
            means="the other side cannot send its next request, so it cannot hang up",
            look_at=BUILT,
            requirement=answer if ok else invite,
        )


def is_uri(text: str) -> bool:
    """Whether it is a URI; of a SIP URI a host and a port have to be readable."""
    sip = text.lower().startswith(("sip:", "sips:"))
    return _URI.match(text) is not None and (not sip or SipUri.parse(text) is not None)


def allows_what_it_does(flow: Flow, requirement: str) -> Findings:
    """An Allow that the device writes lists the methods that every user agent understands (20.5)."""
    ours = sent_by_us(flow)
    for event in flow.events:
        lines = [line for line in event.headers("Allow") if not ours.has(f"Allow: {line}")] if event.from_device else []
        if not lines:
            continue
        listed = {method.strip() for line in lines for method in line.split(",")}
        missing = [method for method in EVERY_USER_AGENTS if method not in listed]
        yield expect(
            not missing,
            code="method-not-allowed",
            expected=f"{', '.join(EVERY_USER_AGENTS)} in the Allow",
            actual=f"{in_words(event)}: Allow: {', '.join(lines)}",
            event=event,
            means=f"the other side takes it that it may not send {' or '.join(missing)}",
            look_at="is the Allow made of the methods that are implemented, or written down beside them?",
            requirement=requirement,
        )


def no_value_as_name(flow: Flow, requirement: str) -> Findings:
    """No header is named after a value in a URI that the device was given, as ``moved:`` after ``?Subject=moved``."""
    words = _words(flow)
    if not words:
        return
    ours = sent_by_us(flow)
    for event in flow.events:
        if event.from_device and event.method is not None and event.number > min(words.values()):
            named = [line for line in Shape.of(event).lines if _name(line) in words and not ours.has(line)]
            yield expect(
                not named,
                code="value-as-header",
                expected="headers that are named as in the URI",
                actual=f"{in_words(event)}: {named[0]}" if named else "no such header",
                event=event,
                means="whoever writes the Contact can put headers into the request that nobody asked for",
                look_at="are name and value of ?name=value in the Contact taken the right way round?",
                requirement=requirement,
            )


def _name(line: str) -> str:
    return line.partition(":")[0].strip().lower()


_VALUES = re.compile(r"(?:[?&][^=&>\s]+|;method)=([A-Za-z][A-Za-z0-9\-]*)(?=[&;>?\s]|\Z)", re.IGNORECASE)


def _words(flow: Flow) -> Mapping[str, int]:
    """The values of headers and methods in the URIs of Contacts that we sent, and in which message each came first."""
    found: dict[str, int] = {}
    for event in flow.events:
        if not event.from_device and event.status is not None:
            for uri in event.contact_uris if event.headers("Contact") else ():
                for value in _VALUES.findall(uri):
                    found.setdefault(value.lower(), event.number)
    return found


def in_words(event: Event) -> str:
    """A message of the device in a word or two."""
    return event.method or f"{event.status} to the {event.cseq_method}"
