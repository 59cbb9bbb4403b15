"""A redirect server with a registrar of its own lists what is registered: all of it, and nothing else (8.3, 10.3)."""

from __future__ import annotations

from harness.judge.answers import NOT_REDIRECTED, redirected_here, why_not_refused
from harness.judge.contacts import contact_values
from harness.judge.say import Findings, satisfied, unseen, violated
from harness.judge.targets import address_of, user_of
from harness.model.flow import Event, Flow
from harness.model.verdict import Verdict
from harness.purposes.purpose import purpose
from harness.sip.address import NameAddr
from harness.sip.uri import request_uri_of, same_uri
from suites.answering import redirecting

THREE = redirecting(
    to="sip:{token}@{device}",
    bindings=(
        "<sip:9{token}@{target};transport=udp>;q=0.3",
        "<sip:8{token}@{target}>;q=0.7",
        "<sip:7{token}@{target};user=phone>;q=0.125",
    ),
)
"""Three entries; the order of q is neither that of the list nor that of its digits."""

LOOK_AT = "from what the Contacts of a 3xx are made: the entries of the location service, one by one?"


@purpose(
    "INT-302-BINDINGS-01",
    plan={"redirect": THREE},
    faults=["adds_own_contact", "offers_own_contact", "offers_first_binding"],
)
def test_redirection_lists_what_is_registered(flow: Flow) -> Findings:
    """The Contacts of a redirect server's 3xx are the addresses that the user has registered.

    A caller that follows is to reach the user, and on the phone that the user prefers.  Typical defects: the server
    adds its own address, as a proxy would in a 200, and the call comes back; only the first entry is read.

    An entry that is left out is a warning, and so is an order of q that was turned round: a server may have a policy.
    So is the server's own address with the user of an entry, by which it may keep itself in the path.
    """
    here = redirected_here(flow)
    register = _accepted_register(flow)
    if register is None:
        yield unseen("no REGISTER was accepted in this flow", code="not-registered")
        return
    if here is None:
        yield unseen(why_not_refused(flow, NOT_REDIRECTED), code="not-redirected")
        return
    final = here[1]
    registered, said = register.contact_uris, final.contact_uris
    astray = [uri for uri in said if not any(_same(uri, other) for other in registered)]
    left_out = [uri for uri in registered if not any(_same(uri, other) for other in said)]
    if astray:
        hidden = all(_is_entry_of_its_own(flow, uri, registered) for uri in astray)
        yield violated(
            code="contact-not-registered",
            expected=f"no Contact but {', '.join(registered)}",
            actual=f"Contact: {', '.join(astray)}",
            event=final,
            means="the caller that follows comes to somebody else, or back to the server for ever",
            look_at=LOOK_AT,
            at_most=Verdict.WARN if hidden else Verdict.FAIL,
        )
    elif left_out:
        yield violated(
            code="entry-left-out",
            expected=f"a Contact for each of the {len(registered)} entries",
            actual=f"{', '.join(left_out)} left out of the {final.status}",
            event=final,
            means="some of the user's phones are never called",
            look_at=LOOK_AT,
            at_most=Verdict.WARN,
        )
    elif turned := _turned(register, final):
        yield violated(
            code="preference-turned",
            expected="the entries with the preference (q) that was registered",
            actual=turned,
            event=final,
            means="the phone that was to ring last rings first",
            look_at="is q stored with an entry, and written again as a decimal fraction?",
            at_most=Verdict.WARN,
        )
    else:
        yield satisfied(f"{len(said)} Contacts, as registered", event=final)


def _accepted_register(flow: Flow) -> Event | None:
    """The last REGISTER of the caller that got a 2xx."""
    accepted = {
        event.call_id
        for event in flow.select(received=True, where=lambda e: e.cseq_method == "REGISTER" and e.status == 200)
    }
    sent = flow.select("REGISTER", received=False, where=lambda e: e.call_id in accepted and bool(e.contact_uris))
    return sent[-1] if sent else None


def _same(uri: str, other: str) -> bool:
    return same_uri(request_uri_of(uri), request_uri_of(other))


def _is_entry_of_its_own(flow: Flow, uri: str, registered: tuple[str, ...]) -> bool:
    """Whether ``uri`` is the user of an entry at the address where the caller's request went."""
    asked = next(iter(flow.select("INVITE", received=False)), None)
    own = address_of(asked.request_uri) if asked else ""
    return address_of(uri) == own and user_of(uri) in {user_of(other) for other in registered}


def _preferences(event: Event) -> dict[str, float]:
    """The q of each Contact by its user, where it can be read."""
    found: dict[str, float] = {}
    for value, uri in zip(contact_values(event), event.contact_uris, strict=False):
        q = NameAddr.parse(value).values().get("q")
        try:
            found[user_of(uri)] = float(q) if q else 1.0
        except ValueError:
            continue
    return found


def _turned(register: Event, final: Event) -> str:
    """Which two entries have changed places by their q; "" if none have, or if the server writes no q."""
    wanted, got = _preferences(register), _preferences(final)
    users = [user for user in wanted if user in got]
    for user in users:
        for other in users:
            if wanted[user] > wanted[other] and got[user] < got[other]:
                return f"{user} has q={got[user]:g} and {other} q={got[other]:g}"
    return ""
