"""How the features that a device may claim (PICS) show on the wire, in one flow."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final, Literal
from urllib.parse import unquote

from harness.judge.attempts import Attempt, attempts
from harness.judge.targets import address_of
from harness.model.flow import Event, Flow
from harness.net.address import family_of
from harness.sip.plus603 import Plus603
from harness.sip.uri import SipUri

Glimpse = Literal["shown", "missed"]
"""In one flow: it showed; it had a chance to show, and did not."""

_METHODS: Final = {
    "message": "MESSAGE",
    "notifier": "NOTIFY",
    "publish": "PUBLISH",
    "registers": "REGISTER",
    "sends_options": "OPTIONS",
    "subscribes": "SUBSCRIBE",
}
_HEADERS: Final = {
    "callerprefs": ("Request-Disposition", "Accept-Contact", "Reject-Contact"),
    "diversion": ("Diversion",),
    "history_info": ("History-Info",),
    "privacy": ("Privacy",),
    "replaces": ("Replaces",),
    "stir": ("Identity",),
    "trust_domain": ("P-Asserted-Identity",),
    "uui": ("User-to-User",),
}
_WITH_A_REDIRECTION: Final = ("diversion", "history_info")
"""Written, where it is written at all, into the INVITE that a redirection leads to."""
_FOLLOWS: Final = {"uac": "follows_redirects", "b2bua": "b2bua_follows", "proxy": "proxy_recurses_3xx"}


def glimpses(flow: Flow) -> dict[str, Glimpse]:
    """What ``flow`` shows of the device's features; nothing where it was sent what no honest network sends."""
    seen: dict[str, Glimpse] = {}
    if flow.plan.oddities:
        return seen
    all_attempts = attempts(flow)
    for look in _LOOKS:
        for key, glimpse in look(flow, all_attempts):
            if seen.get(key) != "shown":
                seen[key] = glimpse
    return seen


Seen = Iterator[tuple[str, Glimpse]]


def _told(key: str, shown: bool) -> tuple[str, Glimpse]:
    return key, "shown" if shown else "missed"


# --- redirections


def _redirections(flow: Flow, all_attempts: tuple[Attempt, ...]) -> Seen:
    """Whether the Contacts of a 3xx are called, and the others when the first ones fail."""
    key = _FOLLOWS.get(flow.role)
    if key is None:
        return
    at = {str(address): name for name, address in flow.places.seats.items()}
    wanted = {e.name for e in flow.plan.endpoints if e.kind == "target" and _accepts(flow, e.name)}
    for attempt in all_attempts:
        final = attempt.final
        if final is None or not 300 <= (final.status or 0) < 400 or attempt.in_dialog:
            continue
        named = [name for uri in final.contact_uris if (name := at.get(address_of(uri))) and name != attempt.seat]
        later = [a for a in all_attempts if a.invite.number > final.number and a.seat in named]
        if later:
            yield key, "shown"
            yield from _headers_of_redirected(flow, final, later)
        elif wanted & set(named) and attempt.acks and len(flow.calls) == 1:
            yield key, "missed"
        yield from _further_contacts(flow, named, later)
        yield from _across(flow, named, wanted, attempt, later)


def _across(flow: Flow, named: list[str], wanted: set[str], attempt: Attempt, later: list[Attempt]) -> Seen:
    """Whether a Contact of the other IP family is called."""
    across = {endpoint.name for endpoint in flow.plan.endpoints if endpoint.crosses}
    if across & {other.seat for other in later}:
        yield "both_families", "shown"
    elif named and set(named) <= across & wanted and attempt.acks and len(flow.calls) == 1:
        yield "both_families", "missed"


def _accepts(flow: Flow, name: str) -> bool:
    answers = flow.plan.endpoint(name).answers
    return bool(answers and answers[0].responses and answers[0].responses[-1].status == 200)


def _further_contacts(flow: Flow, named: list[str], later: list[Attempt]) -> Seen:
    if flow.role == "proxy" or len(set(named)) < 2 or not later:
        return
    called = {attempt.seat for attempt in later}
    if len(called) > 1:
        yield "multi_contact", "shown"
    elif all(400 <= (attempt.status or 0) < 600 and attempt.status != 487 for attempt in later):
        yield "multi_contact", "missed"


def _headers_of_redirected(flow: Flow, final: Event, later: list[Attempt]) -> Seen:
    for key in _WITH_A_REDIRECTION:
        yield _told(key, any(later[0].invite.headers(name) for name in _HEADERS[key]))
    for uri in final.contact_uris:
        if asked := re.search(r"[?&]subject=([^&]*)", uri, re.IGNORECASE):
            subject = unquote(asked[1])
            yield _told("uri_headers", any(subject in attempt.invite.headers("Subject") for attempt in later))


def _remembered(flow: Flow, all_attempts: tuple[Attempt, ...]) -> Seen:
    """Whether the next call to the same URI begins at the Contact, where the 3xx said for how long it is good."""
    calls = flow.calls
    first = next((a for a in all_attempts if 300 <= (a.status or 0) < 400), None)
    if first is None or first.final is None or len(calls) < 2 or calls[0].uri != calls[1].uri:
        return
    if "expires" not in first.final.text.lower():
        return
    again = next((a for a in all_attempts if a.invite.time >= calls[1].placed_at and not a.in_dialog), None)
    if again is not None:
        yield _told("caches_302", again.seat != first.seat)


# --- calls


def _calls(flow: Flow, all_attempts: tuple[Attempt, ...]) -> Seen:
    """What a call that the device places shows of how it is set up."""
    if flow.role == "uac" and all_attempts:
        first = all_attempts[0]
        yield _told("preloaded_route", bool(first.invite.headers("Route")))
        for attempt in all_attempts:
            arrived, named = attempt.invite.destination, address_of(attempt.invite.request_uri)
            uri = SipUri.parse(attempt.invite.request_uri)
            if uri is None or family_of(uri.host) is None or uri.parameter("maddr") is not None:
                continue  # where it leads is for DNS, or for ;maddr, to say
            # What is dialled names the exchange itself where a device has one: only a redirection shows more.
            seat = flow.seat(attempt.seat)
            if seat.kind == "backup" or arrived in seat.further:
                continue  # it is meant for every call, whomever that names
            if arrived and named and not attempt.in_dialog and (str(arrived) != named or seat.behind is None):
                yield _told("outbound_proxy", str(arrived) != named)
    if any(call.act in ("reinvite", "reinvite_hangup") for call in flow.plan.calls) and any(
        a.status == 200 for a in all_attempts
    ):
        yield _told("sends_reinvite", any(attempt.in_dialog for attempt in all_attempts))
    elif any(attempt.in_dialog for attempt in all_attempts):
        yield "sends_reinvite", "shown"
    if flow.plan.uses_backup and any(seat.kind == "backup" for seat in flow.seats):
        reached = bool(flow.select("INVITE", at="backup", received=True))
        failed = any(attempt.status == 503 for attempt in all_attempts if attempt.seat != "backup")
        if reached or failed:
            yield _told("backup_proxy", reached)


def _challenged(flow: Flow, all_attempts: tuple[Attempt, ...]) -> Seen:
    if any(e.headers("Authorization") or e.headers("Proxy-Authorization") for e in flow.select(received=True)):
        yield "digest", "shown"
    # A proxy passes the challenge of a branch to the caller, whose it is (22.3).
    elif flow.role != "proxy" and any(attempt.final and _challenges(attempt.final) for attempt in all_attempts):
        yield "digest", "missed"


def _challenges(response: Event) -> bool:
    return bool(response.headers("WWW-Authenticate") or response.headers("Proxy-Authenticate"))


def _branches(flow: Flow, all_attempts: tuple[Attempt, ...]) -> Seen:
    """Whether a proxy has two targets pending at one time, where two of one q are registered."""
    if flow.role != "proxy":
        return
    if flow.select(at=_callers(flow), status=100, received=True):
        yield "stateful_proxy", "shown"
    callee = flow.places.seats.get("callee")
    asked = flow.select("INVITE", at=_callers(flow), received=False)
    if callee is not None and asked and address_of(asked[0].request_uri) == str(callee):
        yield _told("relays_foreign", any(attempt.seat == "callee" for attempt in all_attempts))
    bound = flow.plan.bindings
    equal = len(bound) > 1 and len({value.partition(";q=")[2] for value in bound}) == 1
    ends = [(a, a.final.number if a.final else len(flow.events) + 1) for a in all_attempts if not a.in_dialog]
    beside = any(b.seat != a.seat and a.invite.number < b.invite.number < end for a, end in ends for b, _ in ends)
    if beside:
        yield "forking_proxy", "shown"
    elif equal and any(a.final and a.final.time - a.invite.time > 1 for a, _ in ends):
        yield "forking_proxy", "missed"


# --- what it answers, and what stands in its messages


def _answers(flow: Flow, _: tuple[Attempt, ...]) -> Seen:
    if flow.role not in ("uas", "redirect"):
        return
    answers = [e for e in flow.select(at=_callers(flow), received=True) if (e.status or 0) >= 200]
    to_invite = [e for e in answers if e.cseq_method == "INVITE"]
    key = "call_forwarding" if flow.role == "uas" else "redirect_server"
    if any(300 <= (e.status or 0) < 400 for e in to_invite):
        yield key, "shown"
    elif to_invite and "redirects" in flow.plan.numbers:
        yield key, "missed"
    if any(e.status == 608 for e in to_invite):
        yield "call_blocker_608", "shown"
    if any(300 <= (e.status or 0) < 400 for e in answers if e.cseq_method == "REGISTER"):
        yield "redirecting_registrar", "shown"


def _blocks(flow: Flow, _: tuple[Attempt, ...]) -> Seen:
    if "blocked" not in flow.plan.numbers:
        return
    for event in flow.select(at=_callers(flow), received=True):
        if (event.status or 0) >= 200 and event.cseq_method == "INVITE":
            yield _told("sends_603plus", Plus603(event).is_plus)


def _messages(flow: Flow, _: tuple[Attempt, ...]) -> Seen:
    """Methods, headers, schemes and transports of what the device writes itself: not what it was sent before."""
    sent = flow.select(received=False)
    methods = {event.method for event in sent}
    fields = {key for key, names in _HEADERS.items() if any(e.headers(name) for e in sent for name in names)}
    for event in flow.select(received=True):
        if event.method is None:
            continue
        for key, method in _METHODS.items():
            if event.method == method and method not in methods:
                yield key, "shown"
        for key, names in _HEADERS.items():
            if key not in fields and any(event.headers(name) for name in names):
                yield key, "shown"
        if event.request_uri.lower().startswith("sips:"):
            yield "sips", "shown"
        if any(";gr" in uri.lower() for uri in event.contact_uris):
            yield "gruu", "shown"
        if event.transport in ("tcp", "tls"):
            yield event.transport, "shown"
    if any(e.cseq_method == "REFER" and 200 <= (e.status or 0) < 300 for e in flow.select(received=True)):
        yield "refer", "shown"


def _callers(flow: Flow) -> Iterable[str]:
    return [seat.name for seat in flow.seats if seat.kind == "caller"]


_LOOKS: Final[tuple[Callable[[Flow, tuple[Attempt, ...]], Seen], ...]] = (
    _redirections,
    _remembered,
    _calls,
    _challenged,
    _branches,
    _answers,
    _blocks,
    _messages,
)

OBSERVABLE: Final = frozenset(
    {*_METHODS, *_HEADERS, "refer", *_FOLLOWS.values(), "backup_proxy", "both_families", "caches_302"}
    | {"call_blocker_608"}
    | {"call_forwarding", "digest", "forking_proxy", "gruu", "multi_contact", "outbound_proxy", "preloaded_route"}
    | {
        "relays_foreign",
        "redirect_server",
        "redirecting_registrar",
        "sends_603plus",
        "sends_reinvite",
        "sips",
        "stateful_proxy",
        "tcp",
        "tls",
    }
    | {"uri_headers"}
)
"""Claims that a flow can show."""
