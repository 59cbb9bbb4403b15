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


DECLINE_AFTER_TRYING = Plan((callee(after_progress(TRYING)),))
DECLINE_AFTER_BOTH = Plan((callee(after_progress(TRYING, RINGING)),))
"""100 and 180 come before the 603; the 180 and the 603 have one To tag."""
DECLINE_AFTER_MEDIA = Plan((callee(after_progress(EARLY_MEDIA, tag="final")),))
"""183 with a session description, and a 603 of another To tag."""

DECLINES_AFTER_PROGRESS = (DECLINE_AFTER_TRYING, DECLINE_AFTER_BOTH, DECLINE_AFTER_MEDIA)

DECLINES_IN_A_ROW = Plan(
    (callee(*(answer for plan in DECLINES_AFTER_PROGRESS for answer in plan.endpoints[0].answers)),),
    calls=(Call(),) * len(DECLINES_AFTER_PROGRESS),
)
"""The same in one plan, a call for each: where a SIPp calls, the Call-ID tells them apart."""

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
