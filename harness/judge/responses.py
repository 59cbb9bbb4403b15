"""What a response takes from its request (RFC 3261 8.2.6.2), and what it must not say twice."""

from __future__ import annotations

from collections import Counter

from harness.model.flow import Event
from harness.sip.address import split_outside
from harness.sip.message import close_up, split_list
from harness.sip.uri import same_uri


def via_changes(request: Event, response: Event) -> tuple[str, bool]:
    """How the Vias of a response differ from those of its request, in words, and whether only their notation differs.

    ``received`` and ``rport`` belong to the topmost one (18.2.1, RFC 3581).
    """
    wanted, came = request.vias, response.vias
    if len(wanted) != len(came):
        kept = {close_up(via.text) for via in came}
        lost = [via.text for via in wanted[1:] if close_up(via.text) not in kept]
        return f"{len(came)} of {len(wanted)} Vias" + (f", without {'; '.join(lost)}" if lost else ""), False
    told, writing = [], True
    for place, (asked, answered) in enumerate(zip(wanted, came, strict=True)):
        ours, theirs = asked.text, answered.text
        if place == 0:  # to which the server adds where it saw the request come from
            ours, theirs = asked.without_source(), answered.without_source()
        if close_up(ours) != close_up(theirs):
            told.append(f"Via {place + 1}: {answered.text}")
            writing = writing and _parts(ours) == _parts(theirs)
    return "; ".join(told), writing


def from_changes(request: Event, response: Event) -> tuple[str, bool]:
    """The From of a response if it differs from that of its request, and whether only its notation differs; else ""."""
    ours, theirs = request.header("From") or "", response.header("From") or ""
    if close_up(ours) == close_up(theirs):
        return "", True
    same = same_uri(request.from_uri, response.from_uri) and request.from_tag == response.from_tag
    return f"From: {theirs or '(none)'}", same and _parts(ours)[1] == _parts(theirs)[1]


def repeated_protocols(message: Event) -> tuple[str, ...]:
    """The protocols that more than one Reason value of ``message`` is about (RFC 3326); STIR may be (RFC 9366)."""
    values = [value for line in message.headers("Reason") for value in split_list(line)]
    counted = Counter(value.partition(";")[0].strip().upper() for value in values)
    return tuple(protocol for protocol, count in counted.items() if count > 1 and protocol != "STIR")


def _parts(text: str) -> tuple[str, tuple[str, ...]]:
    """What stands before the parameters, and the parameters in no order; names and values of tokens ignore case."""
    head, *parameters = split_outside(text, ";")
    return close_up(head).lower(), tuple(sorted(close_up(found).lower() for found in parameters))
