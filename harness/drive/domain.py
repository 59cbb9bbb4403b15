"""How a caller reaches the callee through a proxy: as a user of the proxy's own domain, where that can be.

Most proxies relay for their own users only, and refuse a URI of strangers.  Where the callee can be registered with the
proxy, it is, and the user is dialled at the proxy.  The profile says ``relays_foreign`` of a proxy that relays any URI.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from harness.device import Profile
from harness.model.plan import Plan
from harness.purposes.strangers import STRANGER, redirects_strangers

USER: Final = "sip:{token}@{device}"
BINDING: Final = f"<{STRANGER}>"


def as_driven(plan: Plan, role: str, profile: Profile) -> Plan:
    """``plan`` as the callers of a device in ``role`` carry it out."""
    stranger = not plan.bindings and any(call.to == STRANGER for call in plan.calls)
    met = role == "proxy" and profile.lab.registrar and not profile.claims("relays_foreign")
    if not (met and stranger) or redirects_strangers(plan):
        return plan
    calls = tuple(replace(call, to=USER) if call.to == STRANGER else call for call in plan.calls)
    return replace(plan, calls=calls, bindings=(BINDING,))
