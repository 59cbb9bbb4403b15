"""Plans in which something comes before the final response: 100 alone, 100 and 180, 183 with a session description."""

from __future__ import annotations

from harness.model.plan import Answer, Call, Plan, Response
from suites.plans import MOVED, RINGING, accept, callee, target

TRYING = Response(100)
EARLY_MEDIA = Response(183, sdp=True)
MOMENT_S = 0.1


def after_progress(*provisional: Response, status: int = 603, contacts: tuple[str, ...] = (), tag: str = "a") -> Answer:
    """These provisional responses, and after a moment a final one; by default all of one To tag."""
    return Answer((*provisional, Response(status, contacts=contacts, tag=tag, after=MOMENT_S)))


_DECLINES = (
    after_progress(TRYING),
    # The 180 and the 603 have one To tag.
    after_progress(TRYING, RINGING),
    # And here they have two.
    after_progress(EARLY_MEDIA, tag="final"),
)

DECLINES = Plan((callee(*_DECLINES),), calls=tuple(Call(to=f"sip:{{token}}{n}@{{callee}}") for n in (1, 2, 3)))
"""Three calls to three numbers, declined after a 100, after 100 and 180, and after a 183 with a session description."""

RELAYED_DECLINES = Plan((callee(*_DECLINES),), calls=(Call(),) * len(_DECLINES))
"""The same through a proxy: three calls to one number, which their Call-IDs tell apart."""

PROGRESS = Plan(
    (
        callee(after_progress(TRYING, status=302, contacts=(MOVED,))),
        target(
            after_progress(TRYING, RINGING, status=302, contacts=("<sip:8{token}@{target}>",)),
            after_progress(EARLY_MEDIA, status=302, contacts=("<sip:7{token}@{target}>",), tag="b"),
            accept(),
        ),
    )
)
"""Three 302 in a row: after a 100, after 100 and 180, and after a 183 with a session description."""

UNKNOWN_PROGRESS = Plan((callee(Answer((Response(188, "Odd Progress"), Response(603, after=0.8)))),))
"""A provisional response of a code that no RFC defines, and a 603 when a first copy of the INVITE would be due."""
