"""What a redirect server makes of what is registered with it (RFC 3261 8.3): the Contacts of its 3xx."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.judge.answers import asked
from harness.judge.contacts import contact_values
from harness.judge.say import Findings, satisfied, violated
from harness.judge.targets import address_of, user_of
from harness.model.flow import Event, Flow
from harness.model.verdict import Verdict
from harness.sip.address import NameAddr
from harness.sip.message import addr_spec
from harness.sip.uri import SipUri, same_uri

_NOT_IN_A_CONTACT = ("method", "lr")
_LOOK_AT = "how the entries of the location service become the Contacts of a 3xx"


def lists_its_bindings(flow: Flow, requirement: str) -> Findings:
    """Each 3xx to a user whose bindings this suite has registered lists them: all of them, and nobody else.

    Which of them a server offers, and in which order, may be its policy.  So may a mailbox beside them, and its own
    address with the user of a binding, by which it stays in the path: all of these are warnings.
    """
    registered = [flow.places.fill(binding) for binding in flow.plan.bindings]
    for one in asked(flow):
        final = one.final
        if final is None or not 300 <= one.status < 400 or not registered or not contact_values(final):
            continue
        offered = [binding for binding in registered if not _is_asked_for(binding, one.request)]
        if offered:
            yield from _listed(flow, offered, final, requirement)


def _listed(flow: Flow, registered: list[str], final: Event, requirement: str) -> Findings:
    values = contact_values(final)
    lost = [binding for binding in registered if not any(_same(binding, value) for value in values)]
    added = [value for value in values if not any(_same(binding, value) for binding in registered)]
    expected = f"Contact: {', '.join(registered)}"
    if added:
        yield violated(
            code="contact-not-registered",
            expected=expected,
            actual=f"the {final.status} lists {', '.join(added)}, which nobody registered",
            event=final,
            means="the caller rings somebody who is not the user, or comes back to the server for ever",
            look_at=_LOOK_AT,
            at_most=Verdict.FAIL if _misleads(flow, added, registered, all_lost=lost == registered) else Verdict.WARN,
            requirement=requirement,
        )
    elif lost:
        yield violated(
            code="binding-left-out",
            expected=expected,
            actual=f"the {final.status} does not list {', '.join(lost)}",
            event=final,
            means="the user has several phones, and some of them never ring",
            look_at=_LOOK_AT,
            at_most=Verdict.WARN,
            requirement=requirement,
        )
    elif turned := _turned(registered, values):
        yield violated(
            code="preference-turned",
            expected="the entries with the preference (q) that was registered",
            actual=turned,
            event=final,
            means="the phone that was to ring last rings first",
            look_at="is q stored with an entry, and written again as a decimal fraction?",
            at_most=Verdict.WARN,
            requirement=requirement,
        )
    else:
        yield satisfied(f"all {len(registered)} entries, and no other", event=final, requirement=requirement)


def _misleads(flow: Flow, added: list[str], registered: list[str], *, all_lost: bool) -> bool:
    """Whether a caller that follows ``added`` comes back to the server, or reaches nobody who was registered."""
    own, users = str(flow.places.device or ""), {user_of(addr_spec(binding)) for binding in registered}
    at_home = [value for value in added if address_of(addr_spec(value)) == own]
    kept_in_path = [value for value in at_home if user_of(addr_spec(value)) in users]
    return len(at_home) > len(kept_in_path) or (all_lost and len(added) > len(kept_in_path))


def _turned(registered: list[str], values: Sequence[str]) -> str:
    """Which two entries have changed places by their q; "" if none have, or where the server writes no q."""
    said = [
        (binding, value)
        for binding in registered
        for value in values
        if _same(binding, value) and "q" in _parameters(value)
    ]
    for one, first in said:
        for other, second in said:
            if _q(one) > _q(other) and _q(first) < _q(second):
                return f"{first} stands below {second}, and was registered above it"
    return ""


def _parameters(value: str) -> Mapping[str, str]:
    return NameAddr.parse(value).values()


def _is_asked_for(binding: str, request: Event) -> bool:
    """Whether a binding is the URI that was called: nobody is redirected there (8.3)."""
    return same_uri(addr_spec(binding), request.request_uri)


def _same(binding: str, value: str) -> bool:
    """Whether a Contact is that of a binding, without what no Contact of a 3xx may have."""
    return same_uri(_bare(binding), _bare(value))


def _bare(value: str) -> str:
    text = addr_spec(value)
    uri = SipUri.parse(text)
    if uri is None:
        return text
    head, *parts = text.partition("?")[0].split(";")
    return ";".join([head, *(part for part in parts if part.partition("=")[0].lower() not in _NOT_IN_A_CONTACT)])


def _q(value: str) -> float:
    """How much a Contact is preferred; one without q is a 1."""
    try:
        return float(_parameters(value).get("q", "1"))
    except ValueError:
        return 1.0
