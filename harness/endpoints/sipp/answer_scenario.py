"""The scenario of an endpoint that answers: what each INVITE gets that comes to it, and every other request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from harness.endpoints.sipp import prerendered as stand_ins
from harness.endpoints.sipp.scenario import measured, render
from harness.endpoints.sipp.values import check_answer, check_line, fill, milliseconds
from harness.errors import PlanError
from harness.model.oddity import MARK, Oddity
from harness.model.places import Places
from harness.model.plan import Cancelled, Endpoint, Forgery, Response
from harness.net.address import Address, Family, Transport
from harness.sip.reasons import REASONS

_OTHERS = ("MESSAGE", "PRACK", "PUBLISH", "REFER", "REGISTER", "SUBSCRIBE")
"""The methods that an endpoint accepts without more ado."""
_KNOWN = {*_OTHERS, "INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "INFO", "NOTIFY", "UPDATE"}


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
        return measured(stand_ins.put_in(drawn, places, own), endpoint.name)
    except (PlanError, KeyError):
        # Raised again with the real values, for the message.
        return measured(_answer(endpoint, places, own, asked), endpoint.name)


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
        reinviting=_reinviting(endpoint),
        forged={r.forged for answer in answers for r in answer.responses},
        asked_methods=list(map(re.escape, asked_methods)),
        asked=answers[0].responses[-1] if answers[0].responses else None,
        other_methods=[method for method in _OTHERS if method not in asked_methods],
        cap=endpoint.cap,
        refusal=_Response(480, "Asked Too Often"),
        terminated=_Response(487, REASONS[487]),
    )


def _reinviting(endpoint: Endpoint) -> str:
    """When it holds its calls: ``at once``, ``late`` (when it has answered a re-INVITE), or "" for never."""
    holding = [answer for answer in endpoint.answers if answer.then == "reinvite"]
    return "" if not holding else "late" if any(answer.reinvites for answer in holding) else "at once"


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
