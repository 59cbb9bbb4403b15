"""The plans about 603+.

Many notations of one response are asked for by many calls of one plan: a drive costs a window, a call does not.
:data:`FORMS` gives them their names, in the order of the calls.
"""

from __future__ import annotations

from typing import Final

from harness.model.plan import Answer, Call, Plan, Response
from harness.sip.plus603 import PHRASE
from suites.answering import ODD, number
from suites.plans import MOVED, RINGING, SECOND_URI, callee, guard, redirect, target
from suites.proxy._plans import CALLEE, OURS, SECOND, THIRD, at_once, bound, in_turn, later, rings, second, third

URL: Final = "https://redress.example/Block?ref=4711A"
USUAL: Final = f'SIP;cause=603;text="v=analytics1;url={URL}";location=TN'
"""The Reason of a 603+ as it is reported to look."""
_LONG_URL: Final = "https://redress.example/" + "/".join(f"step{place:03d}" for place in range(125))


def said(*reasons: str, phrase: str = PHRASE, after: float = 0.0, headers: tuple[str, ...] = ()) -> Response:
    """A 603 with these Reason lines."""
    return Response(603, phrase, headers=(*(f"Reason: {reason}" for reason in reasons), *headers), after=after)


FORMS: Final[dict[str, Response]] = {
    "usual": said(USUAL),
    "hops": said(USUAL),
    "unheard": said(USUAL),
    "q850": said('Q.850;cause=21;text="v=analytics1;tel=+12155550100";location=RLN'),
    "beside": said(USUAL, 'Q.850;cause=21;text="Call Rejected";location=U'),
    "one-line": said(f"Q.850;cause=21, {USUAL}"),
    "folded": said(f'SIP;cause=603;\r\n text="v=analytics1;url={URL}"\r\n\t;location=LN'),
    "location-first": said(f'SIP;location=LPN;text="v=analytics1;url={URL}";cause=603'),
    "blanks": said(f'SIP ; cause = 603 ; text = "v=analytics1;url={URL}" ; location = RPN'),
    "cases": said(f'sip;Cause=603;TEXT="v=analytics1;url={URL}/Path/CASE";Location=tn'),
    "header-case": Response(603, PHRASE, headers=(f"REASON: {USUAL}",)),
    "no-location": said(f'SIP;cause=603;text="v=analytics1;url={URL}"'),
    "tel": said('SIP;cause=603;text="v=analytics1;tel=+12155550100";location=TN'),
    "email": said('SIP;cause=603;text="v=analytics1;email=Redress@blocks.example";location=TN'),
    "parameters": said(f'SIP;cause=603;text="v=analytics1;url={URL}";location=TN;x-ref=4711;x-flag;x-note="a;b, c"'),
    "long": said(f'SIP;cause=603;text="v=analytics1;url={_LONG_URL}";location=TN'),
    "marks": said(
        f'SIP;cause=603;text="v=analytics1;url={URL}&a=b=c;id=a-1;note=\\"stop; go\\", then x=y";location=TN'
    ),
    "percent": said(f'SIP;cause=603;text="v=analytics1;url={URL}&to=a%2Fb%3Bc%20%s%25;note=100%";location=TN'),
    "utf-8": said(f'SIP;cause=603;text="v=analytics1;url={URL};note=Bloqué — appelez-nous";location=TN'),
}
"""A 603+ in every lawful notation, by what is special about it."""

_SPECIAL: Final = {"hops": Call(vias=ODD["vias"]), "unheard": Call(ack_copy=3)}
VARIED: Final = Plan(
    (callee(*(Answer((form,)) for form in FORMS.values())),),
    calls=tuple(_SPECIAL.get(name, Call()) for name in FORMS),
)
"""A call for each of :data:`FORMS`.  One has come through two other elements; in another one the caller misses the 603+
twice, and acknowledges its second copy."""


def calls_of(*names: str) -> tuple[int, ...]:
    """The places of these forms among the calls of :data:`VARIED`."""
    order = list(FORMS)
    return tuple(order.index(name) for name in names)


_SOON = said(USUAL, after=0.2)
AFTER_1XX: Final = Plan(
    (
        callee(
            Answer((Response(100, "Trying"), _SOON)),
            Answer((RINGING, _SOON)),
            Answer((Response(183, sdp=True), _SOON)),
            Answer((RINGING, Response(183, sdp=True, after=0.1), _SOON)),
        ),
    ),
    calls=(Call(),) * 4,
)
"""The callee's side says 100, 180, 183, and 180 with 183 after it, and then 603+."""

PARALLEL: Final = bound(
    callee(rings()), second(Answer((said(USUAL, after=0.3),))), third(rings()), to=at_once(CALLEE, SECOND, THIRD)
)
"""Three targets are called at once; one of them is blocked while the others ring."""

_OTHER_URL: Final = "https://appeals.example/Case"
TWICE: Final = bound(
    callee(Answer((said(USUAL, after=0.3),))),
    second(Answer((said(f'SIP;cause=603;text="v=analytics1;url={_OTHER_URL}";location=LN', after=0.5),))),
    third(rings()),
    to=at_once(CALLEE, SECOND, THIRD),
)
"""Three targets are called at once; two networks block the call, one soon after the other, and name different contacts.

Neither says anything before: so there is nothing to cancel (9.1), and both answers come."""

SERIAL: Final = bound(
    callee(later(486)), second(Answer((said(USUAL, after=0.3),))), guard("third"), to=in_turn(CALLEE, SECOND, THIRD)
)
"""Three targets in turn: the first one is busy, the second one is blocked, and nobody calls the third."""

_CONTACTS: Final = (f"{MOVED};q=1.0", f"<{SECOND_URI}>;q=0.5")
REDIRECTED: Final = Plan((callee(redirect(*_CONTACTS, tag="moved")), target(Answer((_SOON,))), guard("second")))
"""A 302 with two Contacts, and the call to the first one is blocked."""
RECURSED: Final = bound(callee(redirect(*_CONTACTS)), target(Answer((_SOON,))), guard("second"), calls=(OURS,))
"""The same for a proxy that follows redirections of its own users."""

BLOCKED_WITH_BACKUP: Final = Plan((callee(Answer((said(USUAL),))),), uses_backup=True)
BLOCKED_RETRY_AFTER: Final = Plan((callee(Answer((said(USUAL, headers=("Retry-After: 3",)),))),))
HALVES: Final = (
    Plan((callee(Answer((Response(603, PHRASE),))),)),
    Plan((callee(Answer((said(USUAL, phrase="Decline"),))),)),
)
"""One sign alone: the phrase without the Reason, and the Reason with another phrase."""

_CARD: Final = "Call-Info: <https://block.example/card.jws>;purpose=jwscard"
NEIGHBOURS: Final = Plan(
    (
        callee(
            Answer((Response(607),)),
            Answer((Response(608, headers=(_CARD,)),)),
            Answer((said(USUAL),)),
            Answer((Response(603),)),
            Answer((Response(603, PHRASE),)),
            Answer((said(USUAL, phrase="Decline"),)),
            Answer((Response(486, headers=(f"Reason: {USUAL}",)),)),
        ),
    ),
    calls=(Call(),) * 7,
)
"""A 603+ and what is none: 607, 608, after it a plain 603, and three that have one of the signs."""
UNWANTED, REJECTED = 0, 1
"""The calls of :data:`NEIGHBOURS` that are answered 607 and 608."""

_BLOCKED: Final = Plan((), (Call(to="{blocked}"), Call(to="{blocked}", ack_copy=3)))
BLOCKED: Final = {"uas": _BLOCKED, "redirect": _BLOCKED, "b2bua": _BLOCKED, "proxy": _BLOCKED}
"""Two calls, one after the other, to a number that the device blocks itself; the second caller hears the third copy."""
_RELEASED: Final = number("isup_rejects")
RELEASED: Final = {"uas": _RELEASED, "b2bua": _RELEASED}
"""A call to a number that the telephone network releases with cause 21, location user."""

CHANGES_IT: Final = [
    *("resets_603plus_phrase", "strips_reason_of_603plus", "makes_plain_603"),
    *("maps_603plus_to_403", "maps_603plus_to_480", "maps_603plus_to_486"),
    *("cuts_reason_at_semicolon", "rewrites_redress", "loses_location", "doubles_quotes", "lowers_reason"),
    "adds_second_reason",
]
"""The faults of a device in the path that show in every 603+."""
