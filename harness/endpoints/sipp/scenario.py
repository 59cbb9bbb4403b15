"""Renders an endpoint or a call of a plan as the SIPp XML that plays it.

The templates are in ``scenarios/``.  :mod:`harness.endpoints.sipp.values` checks and escapes every value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final
from urllib.parse import quote

import jinja2

from harness.endpoints.host import Identity
from harness.endpoints.sipp import prerendered as stand_ins
from harness.endpoints.sipp.values import check_answer, check_call, check_line, escape, fill, header_name, milliseconds
from harness.errors import PlanError
from harness.model.oddity import MARK, Oddity
from harness.model.plan import REQUEST_URI, Call, Cancelled, Endpoint, Forgery, Places, Response
from harness.net.address import Address, Family, Transport
from harness.paths import SCENARIOS
from harness.sip.reasons import REASONS

_USER_SAFE: Final = "-_.!~*'()&=+$,;?/"
"""What the user of a SIP URI may hold beside letters and digits (RFC 3261 25.1)."""
HANG_UP = "SIPVERDICT-HANGUP"
"""Method of the harness's own request that makes an endpoint say BYE; :mod:`harness.endpoints.sipp.trace` drops it."""
FOREVER_MS = 2_000_000_000
"""A pause longer than any run (23 days); SIPp's pauses have 32 bits."""
LONGEST_SCENARIO = 65_535
"""The most bytes that SIPp can parse.  Beyond them its error message names no cause."""
MEDIA_PORT = 40000
COPY_MS, LATE_MS, ACKS_MS = 100, 300, 200
"""From a refusal to the copy of its INVITE, and to the ACK where something is done before it; between two ACKs."""
AGAIN_MS = 6000
"""From an ACK to another INVITE with the same identifiers: more than T4 (5 s), so nothing is left of the first."""

RENUMBERED_MS = 300
"""From an ACK to another INVITE with the next CSeq: a caller that follows a redirection does not wait for anything."""

_OF_ANY = ("User-Agent: sipverdict",)
_OF_AN_INVITE = (
    "Subject: sipverdict",
    *_OF_ANY,
    "Supported: replaces",
    "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, NOTIFY, UPDATE",
    "Accept: application/sdp",
)
"""The default header lines of a caller's request."""

_OTHERS = ("MESSAGE", "PRACK", "PUBLISH", "REFER", "REGISTER", "SUBSCRIBE")
"""The methods that an endpoint accepts without more ado."""
_KNOWN = {*_OTHERS, "INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "INFO", "NOTIFY", "UPDATE"}

_MESSAGE_OR_LABEL = re.compile(
    r"<!\[CDATA\[.*?\]\]>|<!--.*?-->|<(?P<message>send|recv|nop|pause)\b|<label id=\"(?P<label>\w+)\"/>", re.DOTALL
)
_BLANK_LINES = re.compile(r"\n\s*\n(?= *<)")
_AT = re.compile(r"\[at:(\w+)\]")
_NAME = re.compile(r"[^A-Za-z0-9]")


@dataclass(frozen=True)
class _Response:
    """A response with all values filled in, for the template."""

    status: int
    reason: str
    contacts: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    tag: str = "a"
    sdp: bool = False
    after_ms: int = 0
    contact_header: str = "Contact"
    body: str = ""
    forged: Forgery = ""
    odd: str = ""
    """The header line by which the tap knows what to change in it; "" if nothing."""

    @property
    def is_stray(self) -> bool:
        """Whether the device has to drop it.  Then it is sent once and changes nothing."""
        return self.forged in ("branch", "method", "no_via", "cut_short")


@dataclass(frozen=True)
class _Answer:
    number: int
    responses: tuple[_Response, ...]
    copies_ms: tuple[int, ...]
    then: str
    cancelled: Cancelled
    cancelled_ms: int
    crossing: _Response

    @property
    def cancels(self) -> bool:
        """Whether a CANCEL gets a response other than 200 with an immediate 487 to the INVITE."""
        return self.cancelled != "terminate" or self.cancelled_ms > 0


@dataclass(frozen=True)
class _Reinvite:
    slot: int
    response: _Response


def render_answer(endpoint: Endpoint, places: Places, own: Address, methods: Iterable[str] = ()) -> str:
    """The scenario of ``endpoint`` at ``own``.  PlanError names the plan's mistake.

    ``methods``: those of the plan's calls.  One that is no INVITE gets the last response of the first answer, at once
    and as often as it is asked; nothing if there is none.
    """
    asked = tuple(sorted(methods))
    try:
        drawn = _answer_for_all(endpoint, stand_ins.reached(places), own.transport, own.family, asked)
        return _measured(stand_ins.put_in(drawn, places, own), endpoint.name)
    except (PlanError, KeyError):
        # Raised again with the real values, for the message.
        return _measured(_answer(endpoint, places, own, asked), endpoint.name)


@lru_cache(maxsize=4096)
def _answer_for_all(
    endpoint: Endpoint, seats: stand_ins.Reached, transport: Transport, family: Family, methods: tuple[str, ...]
) -> str:
    places, own = stand_ins.places(seats, family), stand_ins.address("own", transport, family)
    return _answer(endpoint, places, own, methods)


def _answer(endpoint: Endpoint, places: Places, own: Address, methods: tuple[str, ...]) -> str:
    who = f"endpoint {endpoint.name!r}"
    if not endpoint.answers:
        raise PlanError(
            f"{who} has no answers", "an endpoint that is to stay silent has one Answer() without responses"
        )
    answers, reinvites = [], []
    for number, answer in enumerate(endpoint.answers, 1):
        where = f"{who}, answer {number}"
        check_answer(answer, where)
        answers.append(
            _Answer(
                number,
                tuple(_response(r, places, own, where, endpoint.oddities) for r in answer.responses),
                tuple(milliseconds(seconds, where) for seconds in answer.copies),
                answer.then,
                answer.cancelled,
                milliseconds(answer.cancelled_after, where),
                _response(answer.crossing, places, own, where),
            )
        )
        if answer.reinvites:
            for nth, response in enumerate(answer.reinvites, 1):
                reply = _response(response, places, own, where, endpoint.oddities)
                reinvites.append(_Reinvite(number * 1000 + nth, reply))
        else:
            reinvites.append(_Reinvite(number * 1000, _response(Response(200), places, own, where)))
    labels = sorted({r.tag for answer in answers for r in (*answer.responses, answer.crossing)} | {"a"})
    for label in labels:
        if not label.isalnum() or not label.isascii():
            raise PlanError(f"{who}: the tag label {label!r} is not made of letters and digits")
    asked_methods = sorted({*methods} - (_KNOWN - {*_OTHERS}))
    return render(
        "answer.xml.j2",
        endpoint.name,
        own,
        answers=answers,
        reinvites=reinvites[::-1],
        tags=labels,
        dialogs=any(200 <= r.status < 300 for answer in answers for r in answer.responses)
        or any(answer.cancelled == "answer" and answer.crossing.status < 300 for answer in answers),
        forged={r.forged for answer in answers for r in answer.responses},
        asked_methods=list(map(re.escape, asked_methods)),
        asked=answers[0].responses[-1] if answers[0].responses else None,
        other_methods=[method for method in _OTHERS if method not in asked_methods],
        cap=endpoint.cap,
        refusal=_Response(480, "Asked Too Often"),
        terminated=_Response(487, REASONS[487]),
    )


def render_call(
    call: Call,
    places: Places,
    own: Address,
    *,
    hangs_up: bool = False,
    authorises: bool = False,
    statuses: Iterable[int] = (),
    identity: Identity | None = None,
) -> str:
    """The scenario of a caller at ``own`` that makes ``call`` through the device.

    ``hangs_up``: it ends a call that is answered, for there is nobody else who would.  ``authorises``: it answers a
    challenge with the credentials of SIPp's command line.  ``statuses``: what it may be answered with; it knows those
    that are registered anyhow, and what it does not know it neither heeds nor acknowledges.  PlanError if it cannot be.
    ``identity``: who calls.
    """
    if places.device is None:
        raise PlanError("a call can only be rendered when the device's address is known")
    way = _Way(hangs_up, authorises, tuple(sorted({*REASONS, *statuses})), identity or Identity())
    try:
        drawn = _call_for_all(call, stand_ins.reached(places), own.transport, own.family, way)
        return _measured(stand_ins.put_in(drawn, places, own), "caller")
    except (PlanError, KeyError):
        return _measured(_call(call, places, own, way), "caller")


@dataclass(frozen=True)
class _Way:
    """The way in which a caller makes its call."""

    hangs_up: bool
    authorises: bool
    statuses: tuple[int, ...]
    identity: Identity


@lru_cache(maxsize=4096)
def _call_for_all(call: Call, seats: stand_ins.Reached, transport: Transport, family: Family, way: _Way) -> str:
    places, own = stand_ins.places(seats, family), stand_ins.address("own", transport, family)
    return _call(call, places, own, way)


def _call(call: Call, places: Places, own: Address, way: _Way) -> str:
    check_call(call)

    def filled_in(text: str) -> str:
        filled = fill(text, places, "a call")
        if REQUEST_URI in filled:
            raise PlanError(f"a call: {text!r} holds {{request_uri}}, which only an answer knows")
        check_line(filled, "a call")
        return filled

    lines = tuple(map(filled_in, call.headers))
    contact = f"Contact: <sip:caller@{own.in_uri}>"
    defaults = (contact, *_OF_AN_INVITE)
    routes = tuple(line for line in lines if header_name(line) == "route")
    names = {header_name(line) for line in lines}
    asserted = (f"P-Asserted-Identity: <{way.identity.asserted}>",) if way.identity.asserted else ()
    given = (*defaults, *asserted) if call.method == "INVITE" else _OF_ANY
    return render(
        "call.xml.j2",
        "caller",
        own,
        call=call,
        request_uri=filled_in(call.to),
        # A To names no transport (19.1.1, table 1).
        to_uri=filled_in(call.to).replace(own.parameters, "", 1),
        lines=(*(line for line in given if header_name(line) not in names), *lines),
        defaults=defaults,
        routes=routes,
        cancel_lines=(*routes, *map(filled_in, call.cancel_headers)),
        vias=tuple(map(filled_in, call.vias)),
        from_params=filled_in(call.from_params),
        hangs_up=way.hangs_up,
        authorises=way.authorises,
        user=quote(way.identity.user, safe=_USER_SAFE),
        display=f'"{way.identity.display}" ' if way.identity.display else "",
        statuses=way.statuses,
        copy_ms=COPY_MS,
        late_ms=LATE_MS,
        acks_ms=ACKS_MS,
        again_ms=AGAIN_MS,
        renumbered_ms=RENUMBERED_MS,
    )


def render(template: str, name: str, own: Address, **values: Any) -> str:
    """The scenario of ``template`` with ``values``; PlanError if it cannot be rendered."""
    try:
        text = (
            _environment()
            .get_template(template)
            .render(
                name=name,
                name_token=_NAME.sub("", name) or "endpoint",
                own=own,
                reliable=own.reliable,
                media_port=MEDIA_PORT,
                forever=FOREVER_MS,
                hang_up_method=HANG_UP,
                **values,
            )
        )
    except jinja2.UndefinedError as error:
        raise PlanError(
            f"scenario template {template}: {error.message}", "the template and its renderer disagree"
        ) from error
    except jinja2.TemplateError as error:
        raise PlanError(f"scenario template {template} cannot be rendered: {error}") from error
    return _number_labels(_BLANK_LINES.sub("\n", text.lstrip()))


def _measured(text: str, name: str) -> str:
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
        loader=jinja2.FileSystemLoader(SCENARIOS),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # what a send holds is escaped for SIPp, by the filter
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["sipp"] = escape
    return environment


def _response(
    response: Response, places: Places, own: Address, where: str, oddities: Sequence[Oddity] = ()
) -> _Response:
    def filled_in(text: str) -> str:
        filled = fill(text, places, where)
        check_line(filled, where)
        return filled

    success = 200 <= response.status < 300
    contacts = tuple(map(filled_in, response.contacts))
    if 100 < response.status < 300 and not contacts:
        contacts = (f"<sip:{own.in_uri}>",)
    body = fill(response.body, places, where)
    if re.search(r"\0|\r(?!\n)", body):
        raise PlanError(f"{where}: the body {body!r} holds a NUL or a CR without LF")
    reason = REASONS.get(response.status, "") if response.reason is None else response.reason
    return _Response(
        response.status,
        filled_in(reason),
        contacts,
        tuple(map(filled_in, response.headers)),
        response.tag,
        response.sdp or success,
        milliseconds(response.after, where),
        filled_in(response.contact_header),
        body,
        response.forged,
        f"{MARK}: {oddities.index(response.odd)}" if response.odd else "",
    )
