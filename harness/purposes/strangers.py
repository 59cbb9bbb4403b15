"""Plans that only a proxy which relays for strangers can carry out."""

from __future__ import annotations

from typing import Final

from harness.model.plan import Plan

STRANGER: Final = "sip:{token}@{callee}"
"""A callee that the proxy is not responsible for."""
NOT_RELAYED: Final = "{} does not claim relays_foreign: it need not relay a call to a URI of strangers"
"""Why a purpose is not tested on a proxy whose callees are users of its own domain."""
NO_WEBSOCKETS: Final = "{} opens no WebSockets (lab.opens_websockets): over {} it reaches only who has registered"
"""Why a purpose is not tested where the device would have to open a WebSocket to an endpoint."""


def redirects(plan: Plan) -> bool:
    """Whether an endpoint of ``plan`` answers with a 3xx."""
    answers = (answer for endpoint in plan.endpoints for answer in endpoint.answers)
    return any(300 <= response.status < 400 for answer in answers for response in answer.responses)


def redirects_strangers(plan: Plan) -> bool:
    """Whether ``plan`` has a URI of another domain redirected: only a relay for strangers ever sees the 3xx."""
    return redirects(plan) and any(call.to == STRANGER for call in plan.calls)
