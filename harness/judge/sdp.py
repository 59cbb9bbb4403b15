"""Session descriptions of the device: whether another device can read them (RFC 8866 5 and 9, RFC 3264 6).

The session is not this suite's subject, but a call whose description cannot be read fails all the same.  What a device
passes on as it came is not its own.  Unknown attributes are ignored (RFC 8866 5.13), so attributes are not judged.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from harness.judge.legs import dialogs
from harness.judge.say import Findings, expect
from harness.judge.shape import sent_by_us
from harness.model.finding import Finding
from harness.model.flow import Event, Flow
from harness.model.verdict import Verdict

_LINE = re.compile(r"([a-z])=(.*)", re.DOTALL)
_NUMBER = re.compile(r"[0-9]+")
_TIMES = re.compile(r"[0-9]+ [0-9]+")
_MEDIA = re.compile(r"[!-~]+ [0-9]+(?:/[0-9]+)? [!-~]+(?: [!-~]+)+")
_HOST = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9.\-]+")
_ONCE_AT_FIRST = ("v", "o", "s")
_NO_SUBJECT = "sdp-no-subject"
_MEANS = "the other side cannot read the session description: it answers 400 or 488, or nobody hears anything"
_LOOK_AT = "where the session description is written: is every value there?"


def readable(flow: Flow, requirement: str) -> Findings:
    """Every session description of the device has the lines that it must have, and each can be read."""
    ours = sent_by_us(flow)
    for event in flow.events:
        if _describes(event) and event.body not in ours.bodies:
            wrong = next(_flaws(event.body), None)
            code, expected, actual = wrong or ("", "a session description", "one that can be read")
            yield expect(
                wrong is None,
                code=code,
                expected=expected,
                actual=f"{event.method or f'{event.status} to the {event.cseq_method}'}: {actual}",
                event=event,
                means=_MEANS,
                look_at=_LOOK_AT,
                # Against 5.3, and nearly everybody reads it.
                at_most=Verdict.WARN if code == _NO_SUBJECT else Verdict.FAIL,
                requirement=requirement,
            )


def answers_each_medium(flow: Flow, requirement: str) -> Findings:
    """The answer to an offer has as many media as the offer, those that were refused included (RFC 3264 6)."""
    for leg in dialogs(flow).legs:
        answer = leg.answer
        if answer is None or not answer.from_device or not (_is_sdp(leg.invite) and _describes(answer)):
            continue
        offered, answered = (len(_of_type(event.body, "m")) for event in (leg.invite, answer))
        yield expect(
            offered == answered,
            code="other-number-of-media",
            expected=f"{offered} m= lines, as in the offer (message {leg.invite.number})",
            actual=f"{answered} m= lines in the {answer.status}",
            event=answer,
            means="the caller cannot tell which of its media was accepted, and hangs up",
            look_at="how the answer is made from the offer: a medium that is refused has port 0",
            requirement=requirement,
        )


def answers_each_offer(flow: Flow, requirement: str) -> Findings:
    """The first session description of a call is answered: that of an INVITE by its 2xx, that of a 2xx by its ACK."""
    if flow.role == "proxy":
        return
    for leg in dialogs(flow).legs:
        answer = leg.answer
        if answer is None:
            continue
        if answer.from_device and _is_sdp(leg.invite):
            early = [r for r in flow.events if r.call_id == answer.call_id and r.from_device and (r.status or 0) > 100]
            yield _answered(any(_is_sdp(r) for r in early), leg.invite, answer, requirement)
        elif not answer.from_device and not _is_sdp(leg.invite) and _is_sdp(answer):
            acks = [ack for ack in leg.theirs if ack.method == "ACK" and ack.cseq_number == leg.invite.cseq_number]
            if acks:
                yield _answered(_is_sdp(acks[0]), answer, acks[0], requirement)


def _answered(right: bool, offer: Event, answer: Event, requirement: str) -> Finding:
    name = "ACK" if answer.method else str(answer.status)
    return expect(
        right,
        code="offer-unanswered",
        expected=f"a session description in the {name}, for message {offer.number} had an offer",
        actual=f"a {name} without any" if not right else f"an answer in the {name}",
        event=answer,
        means="the call is up, and neither side knows where to send the media",
        look_at="which message carries the answer: the 2xx, or the ACK if the INVITE had no offer",
        requirement=requirement,
    )


def _describes(event: Event) -> bool:
    return event.from_device and _is_sdp(event)


def _is_sdp(event: Event) -> bool:
    kind = (event.header("Content-Type") or "").partition(";")[0].strip().lower()
    return kind == "application/sdp" and bool(event.body.strip("\r\n\0 "))


def _flaws(body: str) -> Iterator[tuple[str, str, str]]:
    """What is wrong with a description, as code, what is expected and what is there."""
    lines = [line for line in re.split(r"\r?\n", body.rstrip("\r\n\0 ")) if line]
    for line in lines:
        if not _LINE.fullmatch(line):
            yield "sdp-line", "lines like x=value", repr(line[:80])
    first = "".join(line[0] for line in lines[:3])
    if first != "".join(_ONCE_AT_FIRST):
        yield "sdp-order", "v=, o= and s= first, in this order", ", ".join(line[:2] for line in lines[:3]) or "nothing"
    for name in _ONCE_AT_FIRST:
        if len(_of_type(body, name)) != 1:
            yield "sdp-order", f"one {name}= line", f"{len(_of_type(body, name))} of them"
    yield from _malformed(body)
    session, *media = re.split(r"(?m)^(?=m=)", body)
    if not _of_type(session, "t"):
        yield "sdp-no-time", "a t= line before the media", "none"
    if not _of_type(session, "c") and not (media and all(_of_type(one, "c") for one in media)):
        yield "sdp-no-connection", "a c= line, for the session or in each of its media", "none"


def _malformed(body: str) -> Iterator[tuple[str, str, str]]:
    for value in _of_type(body, "v"):
        if value != "0":
            yield "sdp-version", "v=0", f"v={value}"
    for value in _of_type(body, "o"):
        fields = value.split(" ")
        if (
            len(fields) != 6
            or not fields[0]
            or not all(map(_NUMBER.fullmatch, fields[1:3]))
            or not _is_place(*fields[3:])
        ):
            yield "sdp-origin", "o=USER NUMBER NUMBER IN IP4 ADDRESS (or IP6)", f"o={value[:80]}"
    for value in _of_type(body, "s"):
        if not value:
            yield _NO_SUBJECT, "s=-, or a name", "s= with nothing behind it"
    for value in _of_type(body, "c"):
        fields = value.split(" ")
        if len(fields) != 3 or not _is_place(*fields):
            yield "sdp-connection", "c=IN IP4 ADDRESS (or IP6)", f"c={value[:80]}"
    for value in _of_type(body, "t"):
        if not _TIMES.fullmatch(value):
            yield "sdp-time", "t=START STOP, two numbers", f"t={value[:80]}"
    for value in _of_type(body, "m"):
        if not _MEDIA.fullmatch(value):
            yield "sdp-media", "m=MEDIA PORT PROTOCOL FORMAT", f"m={value[:80]}"


def _is_place(net: str, kind: str, address: str) -> bool:
    """Whether it is an address as o= and c= have it; a name, or a multicast address with its scope, is one as well."""
    host = address.partition("/")[0]
    try:
        return net == "IN" and kind == f"IP{ipaddress.ip_address(host).version}"
    except ValueError:
        return net == "IN" and kind in ("IP4", "IP6") and _HOST.fullmatch(host) is not None


def _of_type(body: str, name: str) -> list[str]:
    """The values of all lines ``name=``."""
    return re.findall(rf"(?m)^{name}=([^\r\n]*)", body)
