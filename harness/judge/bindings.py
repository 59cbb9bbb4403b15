"""What a redirect server makes of what is registered with it (RFC 3261 8.3): the Contacts of its 3xx."""

from __future__ import annotations

from harness.judge.answers import asked
from harness.judge.contacts import contact_values
from harness.judge.say import Findings, satisfied, violated
from harness.judge.targets import address_of
from harness.model.flow import Event, Flow
from harness.model.verdict import Verdict
from harness.sip.address import NameAddr
from harness.sip.message import addr_spec
from harness.sip.uri import SipUri, same_uri

_NOT_IN_A_CONTACT = ("method", "lr")
_LOOK_AT = "how the entries of the location service become the Contacts of a 3xx"


def lists_its_bindings(flow: Flow, requirement: str) -> Findings:
    """Each 3xx to a user whose bindings this suite has registered lists them: all of them, and nobody else.

    Which of them a server offers may be its policy, so a missing one is a warning as long as another is there.
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
        own = str(flow.places.device or "")
        yield violated(
            code="contact-not-registered",
            expected=expected,
            actual=f"the {final.status} lists {', '.join(added)}, which nobody registered",
            event=final,
            means="the caller rings somebody who is not the user, or comes back to the server",
            look_at=_LOOK_AT,
            # A server may keep itself in the path, or add a mailbox; but somebody of the user's has to be there.
            at_most=Verdict.FAIL
            if len(lost) == len(registered) and not all(address_of(addr_spec(value)) == own for value in added)
            else Verdict.WARN,
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
    elif astray := [f"{b} as {v}" for b in registered for v in values if _same(b, v) and _q(b) != _q(v)]:
        yield violated(
            code="preference-changed",
            expected=expected,
            actual=f"the {final.status} lists {', '.join(astray)}",
            event=final,
            means="the caller tries the user's phones in another order than the user wants",
            look_at=f"{_LOOK_AT}: the q of each",
            at_most=Verdict.WARN,
            requirement=requirement,
        )
    else:
        yield satisfied(f"all {len(registered)} entries, and no other", event=final, requirement=requirement)


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
        return float(NameAddr.parse(value).values().get("q", "1"))
    except ValueError:
        return 1.0
