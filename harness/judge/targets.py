"""The targets of a redirection: what its Contacts ask for, and how the attempts of the device relate to that."""

from __future__ import annotations

import re
from dataclasses import replace

from harness.judge.attempts import Attempt, tries
from harness.model.flow import Event, Flow
from harness.net.address import DEFAULT_PORTS, Address
from harness.sip.uri import SipUri, differences, request_uri_of, same_uri, usual_host


def asked_for(redirection: Event) -> tuple[str, ...]:
    """The Request-URIs that the Contacts of a 3xx ask for, in the order of the response."""
    return tuple(map(request_uri_of, redirection.contact_uris))


def user_of(uri: str) -> str:
    """The user of a SIP URI with escapes undone and without a leading ``+``; "" if there is none.

    Every target has a user of its own, so the user identifies the target even where host or parameters are wrong.
    """
    parsed = SipUri.parse(uri)
    user = parsed.user if parsed and parsed.user else ""
    return re.sub("%([0-9A-Fa-f]{2})", lambda found: chr(int(found[1], 16)), user).removeprefix("+")


def repeats(flow: Flow, attempt: Attempt) -> Attempt | None:
    """The earlier attempt of ``flow`` whose Request-URI equals that of ``attempt`` (19.1.4), if there is one."""
    for earlier in tries(flow):
        if earlier.invite.number < attempt.invite.number and same_uri(
            earlier.invite.request_uri, attempt.invite.request_uri
        ):
            return earlier
    return None


def fresh(flow: Flow) -> tuple[Attempt, ...]:
    """The attempts after the first one that try a URI which had not been tried: the targets, each once."""
    return tuple(attempt for attempt in tries(flow)[1:] if repeats(flow, attempt) is None)


def hops(flow: Flow) -> tuple[Attempt, ...]:
    """The attempts that were answered by a redirection to a new user: each is one step of a chain.

    An INVITE that was sent to a wrong address may be redirected to a URI that the device has just called; that is no
    step.
    """
    found, users = [], set()
    for attempt in (*tries(flow)[:1], *fresh(flow)):
        users.add(user_of(attempt.invite.request_uri))
        final = attempt.final
        if final and 300 <= (final.status or 0) < 400 and any(user_of(uri) not in users for uri in asked_for(final)):
            found.append(attempt)
    return tuple(found)


def address_of(uri: str) -> str:
    """Where a SIP URI with a numeric host points to, as ``host:port``; "" if it cannot be read."""
    parsed = SipUri.parse(uri)
    if parsed is None:
        return ""
    host = usual_host(parsed.parameter("maddr") or parsed.host).removeprefix("[").removesuffix("]")
    return str(Address(host, parsed.port or DEFAULT_PORTS["tls" if parsed.scheme == "sips" else "udp"]))


def lapses(expected: str, actual: str, transport: str) -> tuple[tuple[str, ...], bool]:
    """How a Request-URI differs from the expected one, in words, and whether every difference is harmless.

    Harmless are a ``;transport`` that is left out or added but kept on the wire (RFC 3665 shows it left out), a default
    port that is left out or added, and parameters that the device added.
    """
    words = differences(expected, actual)
    want, have = SipUri.parse(expected), SipUri.parse(actual)
    if not words or want is None or have is None:
        return words, False
    names = {name.lower() for name, _ in want.parameters}
    kept = [(name, value) for name, value in have.parameters if name.lower() in names]
    if want.parameter("transport") == transport and have.parameter("transport") is None:
        kept.append(("transport", transport))
    if {want.port, have.port} == {None, 5060}:
        have = replace(have, port=want.port)
    return words, not differences(expected, str(replace(have, parameters=tuple(kept))))
