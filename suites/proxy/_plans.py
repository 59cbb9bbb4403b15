"""The plans about proxies.

Two kinds.  Where the caller dials ``sip:{token}@{callee}`` the proxy is not responsible for the URI and sends the
request on.  Where it dials ``sip:{token}@{device}`` it is, and its targets are the Contacts that were registered: equal
q asks it to call them at once, different q one after the other.

An endpoint that rings ends its branch by itself after :data:`RINGS_S`, so a proxy that cancels nothing ends its call;
:data:`harness.judge.cancels.CANCEL_S` is shorter.
"""

from __future__ import annotations

from itertools import permutations

from harness.model.plan import Answer, Call, Endpoint, Plan, Response
from suites.plans import MOVED, MOVED_URI, RINGING, SECOND_URI, accept, callee, guard, redirect, refuse, target

OURS = Call(to="sip:{token}@{device}")
"""A call to a user of the proxy's own domain."""

CALLEE = "<sip:{token}@{callee}>"
SECOND = f"<{SECOND_URI}>"
THIRD = "<sip:6{token}@{third}>"

RINGS_S = 4.0
"""So long a branch rings: a CANCEL may take 2 s from the response that asks for it, and the machine is busy."""
COPIES = (0.1, 0.1)
SOON_S = 0.3
"""When the one that decides answers: the other branches are ringing by then."""


def bound(*endpoints: Endpoint, to: tuple[str, ...] = (CALLEE,), calls: tuple[Call, ...] = (OURS,)) -> Plan:
    """Calls to a user with the registered Contacts ``to``."""
    return Plan(endpoints, calls=calls, bindings=to)


def at_once(*contacts: str) -> tuple[str, ...]:
    """Contacts of one q."""
    return tuple(f"{contact};q=0.7" for contact in contacts)


def in_turn(*contacts: str) -> tuple[str, ...]:
    """Contacts of falling q."""
    return tuple(f"{contact};q={q}" for contact, q in zip(contacts, ("1.0", "0.5", "0.1"), strict=False))


def second(*answers: Answer) -> Endpoint:
    """Another one of the user's phones, or a second target."""
    return Endpoint("second", "callee", answers)


def third(*answers: Answer) -> Endpoint:
    """And a third one."""
    return Endpoint("third", "callee", answers)


def rings(cancelled_after: float = 0.0) -> Answer:
    """Rings until it is cancelled; then answers 487 after ``cancelled_after`` seconds."""
    return Answer((RINGING, Response(480, after=RINGS_S)), cancelled_after=cancelled_after)


def later(status: int, *headers: str, after: float = SOON_S, copies: tuple[float, ...] = ()) -> Answer:
    """A final response after a moment, and its copies."""
    return Answer((Response(status, headers=headers, after=after),), copies=copies)


# --- whether and where a request is relayed

ZERO_HOPS = Plan((callee(accept()),), calls=(Call(max_forwards=0),))
"""An INVITE that may not go any further."""

NO_TARGET = Plan((), calls=(Call(to="{unknown}"),))
"""A user of the proxy's domain that it does not know, or that has no phone registered."""

# --- one branch, and which of its responses come back

MARK = "X-Sipverdict-From: callee"
"""A header that distinguishes a 100 of the callee from the proxy's own."""

RICH_DECLINE = Plan(
    (
        callee(
            Answer(
                (
                    Response(100, "Asking Around", headers=(MARK,)),
                    RINGING,
                    Response(
                        603,
                        "Network Blocked",
                        headers=(
                            'Reason: SIP;cause=603;text="v=analytics1;url=https://blocked.test;id=4711"',
                            'Reason: Q.850;cause=21;text="Call Rejected"',
                            "Retry-After: 3600 (on holiday);duration=60",
                            "Error-Info: <sip:sorry@announcements.test>",
                            'Warning: 399 callee.test "not now, thank you"',
                            "Call-Info: <https://blocked.test/card>;purpose=card",
                            "X-Sipverdict-Unknown: one, two",
                        ),
                        body="please do not call again\r\n",
                        after=0.2,
                    ),
                )
            )
        ),
    ),
)
"""A refusal with every header that a refusal can have."""

RICH_REDIRECT = Plan(
    (
        callee(
            Answer(
                (
                    Response(100),
                    Response(183, sdp=True),
                    Response(
                        302,
                        after=0.1,
                        contacts=(
                            '"Desk, 1" <sip:9{token}@{nobody};user=phone;odd=x>;q=0.5;expires=60;odd="a,b"',
                            '<sip:8{token}@{nobody}>;q=0.9;+sip.instance="<urn:uuid:1>"',
                        ),
                        headers=(
                            "Expires: 120",
                            "Diversion: <sip:{token}@{callee}>;reason=unconditional;counter=1",
                            'Reason: SIP;cause=302;text="moved"',
                            "X-Sipverdict-Unknown: one, two",
                        ),
                        body="ask at the desk\r\n",
                    ),
                )
            )
        ),
        guard("nobody"),
    ),
)
"""A redirection after early media, with every header that it can have, for a URI that is not the proxy's own."""

WHY = 'Reason: SIP;cause=603;text="Declined elsewhere"'

CANCELLED = Plan((callee(rings()),), calls=(Call(act="cancel", cancel_headers=(WHY,)),))
"""The caller hangs up while the callee rings, and says why."""

# --- several branches, and one of them is declined

SIX_HUNDREDS = (603, 600, 604, 606, 607, 608, 699)

SERIAL_DECLINES = bound(
    callee(*map(later, SIX_HUNDREDS)),
    guard("second"),
    to=in_turn(CALLEE, SECOND),
    calls=(OURS,) * len(SIX_HUNDREDS),
)
"""Two phones, one after the other; the first one declines, after a moment: a proxy that calls both at once has done so.
A call for each code of the class, known and unknown."""

FORK_DECLINE = bound(
    callee(rings(cancelled_after=1.0)),
    second(later(603, copies=COPIES)),
    third(rings()),
    to=at_once(CALLEE, SECOND, THIRD),
)
"""Three phones ring at once, and one of them declines, three times over; another takes a second to stop when cancelled.
"""

FORK_UNENDING = bound(callee(Answer((RINGING,), cancelled="ignore")), second(later(603)), to=at_once(CALLEE, SECOND))
"""Two phones; one declines, the other one accepts the CANCEL and never ends its INVITE."""

FORK_CROSSING = bound(
    callee(Answer((RINGING, Response(200, after=RINGS_S)), cancelled="answer")),
    second(later(603)),
    to=at_once(CALLEE, SECOND),
)
"""Two phones; one declines, and the other is answered in the moment in which it is cancelled, or later if it is not."""

FORK_ANSWER = bound(callee(rings()), second(Answer((RINGING, Response(200, after=SOON_S)))), to=at_once(CALLEE, SECOND))
"""Two phones; one is answered."""

FORK_LATE_RINGING = bound(
    callee(Answer((Response(180, after=1.0), Response(480, after=RINGS_S)))),
    second(later(603, after=0.2)),
    to=at_once(CALLEE, SECOND),
)
"""Two phones; one declines before the other one has said a word."""

FORK_STORED = bound(
    callee(Answer((Response(180, after=0.5), Response(183, after=0.2), Response(486, after=0.2)))),
    second(Answer((Response(302, contacts=(MOVED,)),), copies=COPIES)),
    third(refuse(503)),
    target(refuse(404)),
    to=at_once(CALLEE, SECOND, THIRD),
)
"""Three phones: one has moved and one fails before the third one rings, and is busy."""

_MOMENTS = (0.0, 0.08, 0.16)
_MOVED_AT = {after: Answer((Response(302, contacts=(MOVED,), after=after),)) for after in _MOMENTS}
_WHO_AT = {after: later(407, 'Proxy-Authenticate: Digest realm="x", nonce="1"', after=after) for after in _MOMENTS}
_DECLINED_AT = {after: later(603, after=after) for after in _MOMENTS}
_ORDERS = tuple(permutations(_MOMENTS))

FORK_ORDERS = bound(
    callee(*(_MOVED_AT[moved] for moved, _, _ in _ORDERS)),
    second(*(_WHO_AT[asked] for _, asked, _ in _ORDERS)),
    third(*(_DECLINED_AT[declined] for _, _, declined in _ORDERS)),
    target(rings()),
    to=at_once(CALLEE, SECOND, THIRD),
    calls=(OURS,) * len(_ORDERS),
)
"""Three phones answer 302, 407 and 603: six calls, in every order."""

# --- a user of the proxy who has moved: recursion

NO_CONTACT = bound(callee(redirect()))
"""A 302 without Contact."""

RECURSION = bound(
    callee(redirect(f"{SECOND};q=0.5", f"{MOVED};q=1.0")),
    target(Answer((RINGING, Response(486, after=SOON_S)))),
    second(later(404)),
    calls=(Call(to=OURS.to, max_forwards=30),),
)
"""A 302 with two Contacts, the preferred one last, and both fail."""

RECURSION_ODD_CONTACT = bound(
    callee(
        redirect(
            f"<{MOVED_URI};lr;method=INVITE;target=sip:bob%40x.test;cause=486;foo=1?Subject=moved>"
            ';audio;video;+sip.instance="<urn:uuid:1>";expires=60;q=0.8'
        )
    ),
    target(accept()),
    calls=(Call(to=OURS.to, headers=("X-Sipverdict-Kept: as it was",)),),
)
"""A 302 whose Contact has what table 1 of 19.1.1 does not allow in a Request-URI, the parameters of a voice mailbox,
and those of the header."""

RECURSION_AGAIN = bound(
    callee(redirect("<{request_uri}>;q=1.0", f"{MOVED};q=0.5")),
    target(redirect(f"{CALLEE};q=1.0", "<{request_uri}>;q=0.9", f"{SECOND};q=0.5", tag="b")),
    second(refuse(486)),
)
"""The callee points to itself and to the target, the target to the callee, to itself and to a busy phone."""

RECURSION_DECLINED = bound(
    callee(redirect(f"{MOVED};q=1.0", f"{SECOND};q=0.5")),
    target(later(603, after=0.2)),
    guard("second"),
)
"""A 302 with two Contacts, and the first one declines."""

RECURSION_DECLINES = bound(
    callee(redirect(f"{MOVED};q=1.0", f"{SECOND};q=0.5")),
    target(*(later(status, after=0.1) for status in (600, 607, 699))),
    guard("second"),
    calls=(OURS,) * 3,
)
"""The same with other codes of the class, known and unknown: a call for each."""

FAILURES = (404, 408, 480, 486, 500, 504, 503)
"""What ends one branch and no search.  503 comes last: a device may take the whole server for down (21.5.4)."""

RECURSION_FAILS = bound(
    callee(redirect(f"{MOVED};q=1.0", f"{SECOND};q=0.5")),
    target(*(later(status, after=0.1) for status in FAILURES)),
    second(accept()),
    calls=(OURS,) * len(FAILURES),
)
"""A 302 with two Contacts: the first one fails, in each call with another code, and the second one would answer."""

RECURSION_AT_ONCE = bound(
    callee(redirect(*at_once(MOVED, SECOND))),
    target(later(603)),
    second(rings(cancelled_after=0.5)),
)
"""A 302 with two Contacts of one q; one declines while the other one rings."""

RECURSION_CANCELLED = bound(
    callee(redirect(f"{MOVED};q=1.0", f"{SECOND};q=0.5")),
    target(rings()),
    guard("second"),
    calls=(Call(to=OURS.to, act="cancel"),),
)
"""A 302 with two Contacts; the caller hangs up while the first one rings."""

RECURSION_UNREACHABLE = bound(
    callee(redirect("<sip:9{token}@{target.host}:5099{target.parameters}>;q=1.0", "<sip:8{token}@{target}>;q=0.5")),
    target(accept()),
)
"""A 302 with two Contacts; nothing listens at the address of the first one."""

RECURSION_RINGING = Plan(
    (callee(redirect(MOVED)), target(Answer((RINGING, Response(200, after=182.0))))),
    calls=(OURS,),
    bindings=(CALLEE,),
    watched=False,
)
"""A 302, and the target rings for three minutes before it answers."""

RECURSION_MESSAGE = bound(callee(redirect(MOVED)), target(Answer()), calls=(Call(to=OURS.to, method="MESSAGE"),))
"""A MESSAGE that is redirected to a target that never answers."""
