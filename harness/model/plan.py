"""What a purpose wants to happen, as data: endpoints, what each answers, and the calls the device places.

A plan names no address, no port, no transport and no process.  Its strings may hold placeholders in braces, filled in
when the plan is driven: see :mod:`harness.model.places`.

Plans are frozen, comparable and can be saved: purposes with equal plans share one drive.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cached_property
from itertools import groupby
from typing import Literal

from harness.model.oddity import NOTHING_ODD, Oddity
from harness.model.weather import CALM, Weather
from harness.model.zone import Zone
from harness.net.address import Transport
from harness.net.certificate import RIGHT, Certificate

Kind = Literal["callee", "target", "guard"]
Then = Literal["bye", "wait", "reinvite"]
Act = Literal[
    "none",
    "reinvite",
    "reinvite_hangup",
    "cancel",
    "hangup",
    "cancel_late",
    "repeat",
    "repeat_late",
    "again",
    "renumbered",
]
Cancelled = Literal["terminate", "ignore", "deaf", "answer"]
Forgery = Literal["", "branch", "method", "no_via", "one_via", "cut_short"]


NUMBERS = (
    "redirects",
    "declines",
    "rings_then_redirects",
    "rings_then_declines",
    "rings",
    "redirects_to_itself",
    "unknown",
    "blocked",
    "isup_rejects",
)
"""The names of ``lab.numbers``: whom a caller calls to have the device itself answer in this way."""


@dataclass(frozen=True)
class Response:
    """One response to an INVITE."""

    status: int
    reason: str | None = None
    """The reason phrase; None for the usual one, "" for an empty one."""
    contacts: tuple[str, ...] = ()
    """Whole values of Contact, one header line each (``<sip:{token}@{target}>;q=0.5``)."""
    headers: tuple[str, ...] = ()
    """Further header lines, whole (``Retry-After: 3``).  A 2xx to an INVITE gets its Contact by itself."""
    tag: str = "a"
    """A label for the To tag: responses with one label share a tag, other labels get other tags."""
    sdp: bool = False
    """Whether it carries a session description.  A 200 to an INVITE always does."""
    after: float = 0.0
    """Seconds to wait after the response (or the INVITE) before it."""
    contact_header: str = "Contact"
    """How the header name is written (the compact form is ``m``)."""
    body: str = ""
    """A text/plain body; for responses without a session description."""
    forged: Forgery = ""
    """What is wrong with it on purpose: a foreign ``branch`` in the top Via, another ``method`` in CSeq, no Via at all,
    only the topmost one, or a Content-Length larger than its body (``cut_short``)."""
    odd: Oddity = NOTHING_ODD
    """What the tap changes in it, for what SIPp cannot write."""


@dataclass(frozen=True)
class Answer:
    """Everything an endpoint does with one INVITE: its responses, in order, the last one final (or none at all)."""

    responses: tuple[Response, ...] = ()
    copies: tuple[float, ...] = ()
    """Send the final response again after so many seconds each (from the one before), ACK or no ACK."""
    then: Then = "bye"
    """After a 2xx: say BYE as soon as the ACK is here; wait until the device hangs up; or send a re-INVITE that holds
    the call, and BYE when that has been answered: as soon as the ACK is here or, where :attr:`reinvites` are expected,
    when the first of them has been answered."""
    reinvites: tuple[Response, ...] = ()
    """After a 2xx: how re-INVITEs are answered, one each, the last one repeated; none: 200."""
    cancelled: Cancelled = "terminate"
    """What a CANCEL gets while the INVITE is pending: 200, and 487 to the INVITE; 200 alone (``ignore``); nothing
    (``deaf``); 200, and :attr:`crossing` to the INVITE (``answer``: what the callee answers crosses the CANCEL)."""
    cancelled_after: float = 0.0
    """Seconds from the CANCEL's 200 to the final response it leads to."""
    crossing: Response = Response(200)
    """The final response to the INVITE that crosses the CANCEL, where ``cancelled`` is ``answer``."""

    @property
    def finals(self) -> int:
        """How many final responses it sends, copies included."""
        return sum(response.status >= 200 for response in self.responses) + len(self.copies)

    @property
    def seconds(self) -> float:
        """How long it is, if it is not cut short."""
        return sum(response.after for response in self.responses) + sum(self.copies) + self.cancelled_after


@dataclass(frozen=True)
class Endpoint:
    """One SIPp process on an address of its own, in server mode: it acts and records, it asserts nothing."""

    name: str
    kind: Kind
    answers: tuple[Answer, ...]
    """What the first, second, … INVITE transaction gets; the last one is repeated."""
    cap: int = 20
    """After so many INVITE transactions every further one is answered 480: no device loops for ever."""
    beside: str = ""
    """The name of the endpoint whose host it shares, on port 5070; empty: a host of its own."""
    by: Transport | Literal[""] = ""
    """The transport by which it is reached, where that is not the drive's own: for calls that change theirs."""
    at: str = ""
    """The name of the endpoint whose host and port it shares, by another transport; with ``beside``, whose port."""
    crosses: bool = False
    """Whether it is reached over the other IP family than the drive's: for calls that change theirs."""
    certificate: Certificate = RIGHT
    """What it shows over TLS; its names may hold placeholders."""

    @property
    def oddities(self) -> tuple[Oddity, ...]:
        """What is odd about its responses, each once: the tap knows them by their place."""
        responses = (response for answer in self.answers for response in (*answer.responses, *answer.reinvites))
        return tuple(dict.fromkeys(response.odd for response in responses if response.odd))


@dataclass(frozen=True)
class Call:
    """One call that the device places."""

    to: str = "sip:{token}@{callee}"
    """The URI that is dialled."""
    after: float = 0.0
    """Seconds to wait after the end of the call before it."""
    act: Act = "none"
    """What the calling side does later: re-INVITE once established, CANCEL while ringing, hang up.

    ``reinvite_hangup``: re-INVITE, and hang up when that has been answered; only where the device's own user calls.

    By a SIPp caller only: ``cancel_late``, a CANCEL after the final response and before its ACK; ``repeat``, the same
    INVITE once more 0.1 s after the final response and before its ACK; ``repeat_late``, the same 0.3 s after the ACK,
    as a slow network delivers a second datagram; ``again``, another INVITE with the Call-ID, From tag and CSeq of the
    first, 6 s after the ACK; ``renumbered``, another INVITE with the Call-ID and From tag of the first and the next
    CSeq, 0.3 s after the ACK, as from a caller whom a redirection leads back (8.1.3.4).
    """
    method: str = "INVITE"
    """The request of a SIPp caller: INVITE, or a method without ACK (MESSAGE, OPTIONS, an unknown one)."""
    headers: tuple[str, ...] = ()
    """Further header lines of a SIPp caller's request, whole."""
    cancel_headers: tuple[str, ...] = ()
    """Further header lines of its CANCEL, whole (``Reason: SIP;cause=603``)."""
    vias: tuple[str, ...] = ()
    """Values of Via below the caller's own, as if the request had come through other elements."""
    from_params: str = ""
    """Parameters of From beside the tag (``;x=1``)."""
    max_forwards: int = 70
    acks: int = 1
    """How many ACKs a SIPp caller sends to a refusal, each 0.2 s after the one before; 0: none, ever."""
    ack_copy: int = 1
    """Which copy of the refusal is acknowledged: 2 lets the device repeat it once."""

    @property
    def repeats_seconds(self) -> float:
        """How long a refusal is repeated (after T1, which doubles) until the copy that is acknowledged."""
        return 0.5 * (2.0 ** (self.ack_copy - 1) - 1)

    @property
    def numbers(self) -> tuple[str, ...]:
        """The numbers (keys of ``lab.numbers``) that its URI names."""
        return tuple(name for name in NUMBERS if f"{{{name}}}" in self.to)


@dataclass(frozen=True)
class Plan:
    """What one drive does.  ``watch`` seconds of silence are added by the run's window."""

    endpoints: tuple[Endpoint, ...]
    calls: tuple[Call, ...] = (Call(),)
    watched: bool = True
    """Whether the run's window is watched after the last final response; else the flow ends with its calls."""
    uses_backup: bool = False
    """Whether the device's configured backup address takes part: messages there belong to the flow as well."""
    weather: Weather = CALM
    """What the taps do to messages; without any, what the run asks for."""
    over: tuple[Transport, ...] = ()
    """The transports over which it asks what it is for; empty: every one."""
    bindings: tuple[str, ...] = ()
    """Contact values registered for ``sip:{token}@{device}`` before the first call, where the device is a registrar.

    Not needed by a plan that calls nothing but numbers which the profile names: there they are left out.
    """
    zone: Zone | None = None
    """The names of ``{domain}``, for a device that is pointed at the lab's resolver; None: no name is used."""

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        # Plans are keys wherever cases meet flows, and as deep as a scenario.
        return hash(tuple(getattr(self, field.name) for field in fields(self)))

    @property
    def title(self) -> str:
        """One line for people: ``callee 302, target 200``."""
        return ", ".join(map(_title, self.endpoints)) or ", ".join(f"{call.method} {call.to}" for call in self.calls)

    @property
    def numbers(self) -> tuple[str, ...]:
        """The numbers (keys of ``lab.numbers``) that it calls."""
        return tuple(dict.fromkeys(name for call in self.calls for name in call.numbers))

    @property
    def statuses(self) -> frozenset[int]:
        """Every status that its endpoints answer with."""
        answers = (answer for endpoint in self.endpoints for answer in endpoint.answers)
        return frozenset(response.status for answer in answers for response in (*answer.responses, *answer.reinvites))

    @property
    def oddities(self) -> tuple[Oddity, ...]:
        """What is odd on purpose about the responses that it sends."""
        return tuple(dict.fromkeys(odd for endpoint in self.endpoints for odd in endpoint.oddities))

    def texts(self) -> Iterator[str]:
        """Every string in which placeholders may stand."""
        yield from self.bindings
        if self.zone:
            yield from (*self.zone.records, *self.zone.unanswered)
        for call in self.calls:
            yield from (call.to, call.from_params, *call.headers, *call.cancel_headers, *call.vias)
        for endpoint in self.endpoints:
            yield from endpoint.certificate.names
            for answer in endpoint.answers:
                for response in (*answer.responses, *answer.reinvites, answer.crossing):
                    yield from (response.reason or "", response.body, response.contact_header)
                    yield from (*response.contacts, *response.headers)
                    yield from (rewrite.put for rewrite in response.odd.rewrites)

    @property
    def crossing(self) -> int:
        """How many of its endpoints are reached over the other IP family than the drive's."""
        return sum(endpoint.crosses for endpoint in self.endpoints)

    @property
    def dialled(self) -> tuple[str, ...]:
        """The endpoints that its calls name."""
        return tuple(e.name for e in self.endpoints if any(f"{{{e.name}" in call.to for call in self.calls))

    def endpoint(self, name: str) -> Endpoint:
        """The endpoint called ``name``; KeyError if the plan has none."""
        for endpoint in self.endpoints:
            if endpoint.name == name:
                return endpoint
        raise KeyError(name)

    def busy_seconds(self) -> float:
        """A lower bound of the time its calls take."""
        longest = max((answer.seconds for endpoint in self.endpoints for answer in endpoint.answers), default=0.0)
        return longest + sum(call.after + call.repeats_seconds for call in self.calls)


def _title(endpoint: Endpoint) -> str:
    if endpoint.kind == "guard":
        return f"{endpoint.name} silent"
    answers = ("-".join(map(_named, answer.responses)) or "no answer" for answer in endpoint.answers)
    return f"{endpoint.name} " + "/".join(_together(said, len(list(alike))) for said, alike in groupby(answers))


def _together(said: str, times: int) -> str:
    return f"{said} ({times} times)" if times > 2 else "/".join((said,) * times)


def _named(response: Response) -> str:
    return f"{response.status} ({response.odd.name})" if response.odd else str(response.status)
