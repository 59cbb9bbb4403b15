"""Rendering: from an endpoint or a call of a plan to the SIPp XML that plays it.

The templates are in ``scenarios/``.  Values are escaped twice over: the text of a ``<send>`` is CDATA, in which
SIPp reads ``[keywords]`` and ``\\xHH``; so every bracket and backslash becomes ``\\xHH``, and no value can end the
CDATA section or be taken for a keyword.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from harness.errors import PlanError
from harness.plan import REQUEST_URI, Address, Answer, Call, Endpoint, Places, Response
from harness.sipp.reasons import REASONS

TEMPLATES = Path(__file__).parents[2] / "scenarios"
HANG_UP = "SIPVERDICT-HANGUP"
"""Method of the harness's own request that makes an endpoint say BYE; :mod:`harness.sipp.trace` drops it."""
FOREVER_MS = 2_000_000_000
"""A pause that no run outlives (23 days); SIPp's pauses are 32 bits."""
LONGEST_SCENARIO = 65_535
"""More bytes, and SIPp says no more than that it cannot parse them."""
MEDIA_PORT = 40000

_ESCAPED = re.compile(r"[\[\]\\\x01-\x09\x0b-\x1f\x7f]")
_MESSAGE_OR_LABEL = re.compile(
    r"<!\[CDATA\[.*?\]\]>|<!--.*?-->|<(?P<message>send|recv|nop|pause)\b|<label id=\"(?P<label>\w+)\"/>", re.DOTALL
)
_BLANK_LINES = re.compile(r"\n\s*\n(?= *<)")
_AT = re.compile(r"\[at:(\w+)\]")
_NAME = re.compile(r"[^A-Za-z0-9]")


@dataclass(frozen=True)
class _Response:
    """A response with everything filled in, as the template wants it."""

    status: int
    reason: str
    contacts: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    tag: str = "a"
    sdp: bool = False
    after_ms: int = 0
    contact_header: str = "Contact"


@dataclass(frozen=True)
class _Answer:
    responses: tuple[_Response, ...]
    copies_ms: tuple[int, ...]
    then: str
    final: bool


@dataclass(frozen=True)
class _Reinvite:
    slot: int
    response: _Response


def render_answer(endpoint: Endpoint, places: Places, own: Address) -> str:
    """The scenario of ``endpoint`` at ``own``.  PlanError if it cannot be: the plan's mistake, named."""
    who = f"endpoint {endpoint.name!r}"
    if not endpoint.answers:
        raise PlanError(
            f"{who} has no answers", "an endpoint that is to stay silent has one Answer() without responses"
        )
    answers, reinvites = [], []
    for number, answer in enumerate(endpoint.answers, 1):
        where = f"{who}, answer {number}"
        _check_answer(answer, where)
        answers.append(
            _Answer(
                tuple(_response(r, places, own, where) for r in answer.responses),
                tuple(_ms(seconds, where) for seconds in answer.copies),
                answer.then,
                bool(answer.responses) and answer.responses[-1].status >= 200,
            )
        )
        if answer.reinvites:
            for nth, response in enumerate(answer.reinvites, 1):
                reinvites.append(_Reinvite(number * 1000 + nth, _response(response, places, own, where)))
        else:
            reinvites.append(_Reinvite(number * 1000, _response(Response(200), places, own, where)))
    labels = sorted({r.tag for answer in answers for r in answer.responses} | {"a"})
    for label in labels:
        if not label.isalnum() or not label.isascii():
            raise PlanError(f"{who}: the tag label {label!r} is not made of letters and digits")
    return _render(
        "answer.xml.j2",
        endpoint.name,
        own,
        answers=answers,
        reinvites=reinvites[::-1],
        tags=labels,
        dialogs=any(200 <= r.status < 300 for answer in answers for r in answer.responses),
        cap=endpoint.cap,
        refusal=_Response(480, "Asked Too Often"),
        terminated=_Response(487, REASONS[487]),
    )


def render_call(call: Call, request_uri: str, own: Address, device: Address) -> str:
    """The scenario of a caller at ``own`` that sends an INVITE for ``request_uri`` to ``device``."""
    _check_line(request_uri, "the URI of a call")
    return _render("call.xml.j2", "caller", own, request_uri=request_uri, device=device, act=call.act)


def _render(template: str, name: str, own: Address, **values: Any) -> str:
    try:
        text = (
            _environment()
            .get_template(template)
            .render(
                name=name,
                name_token=_NAME.sub("", name) or "endpoint",
                own=own,
                reliable=own.transport != "udp",
                media_port=MEDIA_PORT,
                forever=FOREVER_MS,
                hang_up_method=HANG_UP,
                statuses=sorted(REASONS),
                **values,
            )
        )
    except jinja2.UndefinedError as error:
        raise PlanError(
            f"scenario template {template}: {error.message}", "the template and its renderer disagree"
        ) from error
    except jinja2.TemplateError as error:
        raise PlanError(f"scenario template {template} cannot be rendered: {error}") from error
    text = _number_labels(_BLANK_LINES.sub("\n", text.lstrip()))
    if (size := len(text.encode())) > LONGEST_SCENARIO:
        raise PlanError(f"the scenario of {name!r} has {size} bytes, and SIPp reads at most {LONGEST_SCENARIO}")
    return text


def _number_labels(text: str) -> str:
    """``text`` with each ``[at:LABEL]`` replaced by the number that SIPp gives to the message behind the label."""
    count, labels = 0, {}
    for found in _MESSAGE_OR_LABEL.finditer(text):
        if found["label"]:
            labels[found["label"]] = count
        elif found["message"]:
            count += 1
    return _AT.sub(lambda at: str(labels[at[1]]), text)


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # what a send holds is escaped for SIPp, by the filter
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["sipp"] = escape
    return environment


def escape(text: str) -> str:
    """``text`` for a place inside a ``<send>``: it reaches the wire as it is, folded lines included."""
    lines = text.replace("\r\n", "\n").split("\n")
    escaped = [_ESCAPED.sub(_hex, line) for line in lines]
    # SIPp strips the blanks that begin a line of the scenario, so those of a folded line are written as \x20.
    folded = escaped[:1] + [_hex(line[0]) + line[1:] if line[:1] == " " else line for line in escaped[1:]]
    return "\n".join(folded).replace(REQUEST_URI, "[$request_uri]")


def _hex(found: re.Match[str] | str) -> str:
    return f"\\x{ord(found if isinstance(found, str) else found[0]):02X}"


def _response(response: Response, places: Places, own: Address, where: str) -> _Response:
    def fill(text: str) -> str:
        filled = _fill(text, places, where)
        _check_line(filled, where)
        return filled

    success = 200 <= response.status < 300
    contacts = tuple(map(fill, response.contacts))
    if 100 < response.status < 300 and not contacts:
        contacts = (f"<sip:{own}{';transport=tcp' if own.transport == 'tcp' else ''}>",)
    reason = REASONS.get(response.status, "") if response.reason is None else response.reason
    return _Response(
        response.status,
        fill(reason),
        contacts,
        tuple(map(fill, response.headers)),
        response.tag,
        response.sdp or success,
        _ms(response.after, where),
        fill(response.contact_header),
    )


def _fill(text: str, places: Places, where: str) -> str:
    try:
        return places.fill(text)
    except (KeyError, AttributeError, IndexError, ValueError, TypeError) as error:
        known = ", ".join(["{token}", *(f"{{{name}}}" for name in places.seats)])
        raise PlanError(
            f"{where}: a placeholder of {text!r} cannot be filled in ({type(error).__name__}: {error})",
            f"the placeholders here are {known}, and .host and .port of the endpoints; a brace itself is written twice",
        ) from error


def _check_answer(answer: Answer, where: str) -> None:
    for response in answer.responses + answer.reinvites:
        if not 100 <= response.status <= 699:
            raise PlanError(f"{where}: {response.status} is not a SIP status code")
    if any(response.status >= 200 for response in answer.responses) and answer.responses[-1].status < 200:
        raise PlanError(f"{where}: a provisional response cannot be the last one when there is a final one")
    if any(response.status < 200 for response in answer.reinvites):
        raise PlanError(f"{where}: a re-INVITE is answered with one final response")
    if answer.copies and not any(response.status >= 200 for response in answer.responses):
        raise PlanError(f"{where}: it has copies, but no final response to send again")


def _check_line(text: str, where: str) -> None:
    if "\0" in text or re.search(r"\r(?!\n)|\n(?![ \t])|(?<!\r)\n", text):
        raise PlanError(
            f"{where}: {text!r} holds a NUL or a line break that does not fold",
            "a header line is folded by CR LF and a blank",
        )


def _ms(seconds: float, where: str) -> int:
    if seconds < 0:
        raise PlanError(f"{where}: {seconds} s is no time to wait")
    return round(seconds * 1000)
