"""The plans of robustness: a call that is given an odd response, and a plain call after it.

0.6 s after the odd response the callee is busy: whoever has dropped the odd one has an end of the call all the same.
"""

from __future__ import annotations

from harness.model.oddity import Oddity, Rewrite
from harness.model.plan import Answer, Call, Endpoint, Plan, Response
from suites.plans import MOVED, accept, callee, guard, refuse, target

ELSEWHERE = "<sip:8{token}@{elsewhere}>"
THEN_A_PLAIN_ONE = (Call(), Call(after=0.5))
_BUSY = Response(486, tag="late", after=0.6)


def odd_call(
    odd: Oddity, status: int = 302, *, to: str = MOVED, endpoint: Endpoint | None = None, watched: bool = False
) -> Plan:
    """A call that is answered with an odd ``status`` (a 3xx: with the Contact ``to``), and a plain one."""
    contacts = (to,) if status < 400 else ()
    first = Answer((Response(status, contacts=contacts, tag="odd", odd=odd, after=0.05), _BUSY))
    return Plan((callee(first, accept()), endpoint or target(accept())), THEN_A_PLAIN_ONE, watched=watched)


def stray_call(odd: Oddity) -> Plan:
    """The same with a Contact that nobody may call."""
    return odd_call(odd, to=ELSEWHERE, endpoint=guard("elsewhere"), watched=True)


def in_turn(*responses: Response, then: str = "bye", guarded: bool = True) -> Plan:
    """A call that is answered with ``responses`` in turn, the last one twice, and a plain one."""
    answer = Answer(responses, copies=(0.2,), then="wait" if then == "wait" else "bye")
    guards = (guard("elsewhere"),) if guarded else ()
    return Plan((callee(answer, accept()), target(accept()), *guards), THEN_A_PLAIN_ONE)


_302 = Response(302, contacts=(MOVED,), tag="first")
AFTER_THE_200 = in_turn(
    Response(200, tag="first"), Response(302, contacts=(ELSEWHERE,), tag="second", after=0.3), then="wait"
)
TWICE = in_turn(_302, Response(302, contacts=(ELSEWHERE,), tag="second", after=0.2))
BEFORE_THE_100 = in_turn(
    _302, Response(100, after=0.1), Response(302, contacts=(MOVED,), tag="first", after=0.1), guarded=False
)
RINGING_LAST = in_turn(
    _302, Response(180, tag="first", after=0.1), Response(302, contacts=(MOVED,), tag="first", after=0.1), guarded=False
)


def listing(contacts: int, *, same: bool = False) -> Oddity:
    """A 302 with so many Contacts, each for a user of its own; or all for the ``same``."""
    users = ("9{token}" if same else f"9{{token}}-{number}" for number in range(1, contacts + 1))
    listed = ", ".join(f"<sip:{user}@{{target}}>" for user in users)
    name = f"{contacts} times the same Contact" if same else f"{contacts} Contact{'s' if contacts != 1 else ''}"
    put = f"Contact: {listed}\r\n" if contacts else ""
    return Oddity(name, (Rewrite(r"^Contact:[^\r\n]*\r\n", put),))


def refused_everywhere(odd: Oddity) -> Plan:
    """A call whose targets are all busy, and a plain one."""
    busy = Endpoint("target", "target", (refuse(486),), cap=2_000)
    return odd_call(odd, endpoint=busy)


MANY = {number: odd_call(listing(number)) for number in (0, 2, 100, 1000)}
BUSY_TARGETS = {number: refused_everywhere(listing(number)) for number in (1, 2, 100)}
ONE_NAMED_FIVE_TIMES = refused_everywhere(listing(5, same=True))

DEPTH = 70
_NEXT = Response(
    302,
    contacts=(MOVED,),
    odd=Oddity("ever new targets", (Rewrite(r"^Contact:.*$", "Contact: <sip:9{token}-{n}@{target}>\r"),)),
)
DEEP = Plan(
    (
        callee(Answer((Response(302, contacts=(MOVED,)),)), accept()),
        Endpoint("target", "target", (Answer((_NEXT,)),), cap=DEPTH),
    ),
    THEN_A_PLAIN_ONE,
)
"""Every target redirects to another user at the same place, 70 times; the next one is refused."""


def _challenge(status: int, header: str) -> Plan:
    asks = Response(
        status, headers=(f'{header}: Digest realm="sipverdict", nonce="7d1a0f", algorithm=MD5, qop="auth"',)
    )
    return Plan((callee(Answer((asks,)), Answer((_302,)), accept()), target(accept())), (Call(),), watched=False)


CHALLENGED = (_challenge(401, "WWW-Authenticate"), _challenge(407, "Proxy-Authenticate"))
"""The callee asks for a password, and then redirects the call to somebody who has not asked for any."""

SECURE = tuple(
    odd_call(Oddity(name, (Rewrite(r"(?<=^Contact: )[^\r\n]*", f"<{uri}>"),)), endpoint=guard("target"), watched=True)
    for name, uri in (
        ("a sips Contact", "sips:9{token}@{target}"),
        ("a sips Contact in capital letters", "SIPS:9{token}@{target}"),
        ("a sips Contact that asks for UDP", "sips:9{token}@{target};transport=udp"),
    )
)
