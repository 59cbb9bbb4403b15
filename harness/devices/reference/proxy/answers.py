"""What goes upstream in the end (RFC 3261 section 16.7 items 4, 6 and 7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..contacts import Contact
from ..headers import canonical, parse_name_addr, split_unquoted
from ..transactions import ServerTransaction, build_response
from ..wire import Fields, Final, InboundResponse, OutboundResponse
from .forwarding import relayed

_CHALLENGES = ("www-authenticate", "proxy-authenticate")


def answer_of(final: Final, stored: Sequence[Final], transaction: ServerTransaction) -> OutboundResponse:
    """Return the response upstream for a final response of a branch; one that never came is made here.

    A 503 speaks of the element that sent it. Upstream it would say that this proxy is of no use, so it becomes a 500.
    """
    request = transaction.request
    if final.code == 503:
        return build_response(request, 500, "Server Internal Error", transaction.tag, (), b"")
    if final.response is None:
        return build_response(request, final.code, final.reason, transaction.tag, (), b"")
    answer = relayed(final.response, request)
    if final.code in (401, 407):
        others = [other.response for other in stored if other is not final and other.code in (401, 407)]
        challenges = [field for other in others if other is not None for field in _challenges(other)]
        answer = replace(answer, fields=(*answer.fields, *challenges))
    return answer


def without_contacts(redirection: InboundResponse, tried: Sequence[Contact]) -> InboundResponse:
    """Return a 3xx without the Contacts that the proxy tries itself."""
    fields: list[tuple[str, str]] = []
    gone = [contact.uri for contact in tried]
    for name, value in redirection.fields:
        if canonical(name) != "contact":
            fields.append((name, value))
            continue
        values = split_unquoted(value, ",")
        left = [part for part in values if not _is_of(part, gone)]
        fields += [(name, value if left == values else ", ".join(left))] if left else []
    return replace(redirection, fields=tuple(fields))


def emptied(redirection: InboundResponse) -> bool:
    """Say whether a 3xx has no Contact left."""
    return not any(canonical(name) == "contact" for name, _ in redirection.fields)


def _is_of(value: str, uris: list[str]) -> bool:
    try:
        return parse_name_addr(value).uri in uris
    except ValueError:
        return False


def _challenges(response: InboundResponse) -> Fields:
    return tuple(field for field in response.fields if canonical(field[0]) in _CHALLENGES)
