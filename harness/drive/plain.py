"""The plain call, which every device must be able to make, pass on or answer."""

from __future__ import annotations

from typing import Final

from harness.device import Profile
from harness.model.plan import Answer, Call, Endpoint, Plan, Response

PLAIN_CALL: Final = Plan((Endpoint("callee", "callee", (Answer((Response(200),)),)),), calls=(Call(),), watched=False)
"""A call that is answered 200."""
PLAIN_QUESTION: Final = Plan((), calls=(Call("sip:{token}@{device}"),), watched=False)
"""The same for a device that answers calls itself; any answer will do."""
CALLED: Final = ("uas", "redirect")
"""The roles of a device that answers calls itself."""
_OURS: Final = Call("sip:{token}@{device}")
_BOUND: Final = ("<sip:{token}@{callee}>",)


def plain_call(role: str, profile: Profile) -> Plan:
    """The call that every device in ``role`` must be able to make, pass on or answer."""
    if role in CALLED:
        return PLAIN_QUESTION
    return through(PLAIN_CALL.endpoints, role, profile, watched=False)


def through(endpoints: tuple[Endpoint, ...], role: str, profile: Profile, *, watched: bool) -> Plan:
    """A call to ``endpoints``; through a proxy with a registrar, to one of its own users."""
    if role == "proxy" and profile.lab.registrar:
        return Plan(endpoints, (_OURS,), watched=watched, bindings=_BOUND)
    return Plan(endpoints, watched=watched)
