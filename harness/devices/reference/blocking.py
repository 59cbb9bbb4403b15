"""Numbers that this device refuses by itself in every role, as a network does: for their analytics, or by ISUP.

====== ===================================================================
prefix what a call to such a number at this device gets
====== ===================================================================
21     603+: ``603 Network Blocked``, with where to complain (ATIS-1000099)
22     603, as a gateway answers for ISUP cause 21 with location "user"
====== ===================================================================
"""

from __future__ import annotations

from collections.abc import Collection

from .behaviour import Behaviour
from .sip_uri import Address, SipUri, bare, default_port
from .transactions import InviteServerTransaction
from .wire import Refusal

PHRASE = "Network Blocked"
REDRESS = "url=https://redress.example/reference;tel=+12155550100;email=redress@blocks.example"
BLOCKED = Refusal(603, PHRASE, (("Reason", f'SIP;cause=603;text="v=analytics1;{REDRESS}";location=TN'),))
RELEASED = Refusal(603, "Decline", (("Reason", "Q.850;cause=21;location=U"),))


def refuses(transaction: InviteServerTransaction, behaviour: Behaviour, here: Collection[Address]) -> bool:
    """Refuse a new call to a number that is refused here, and say whether it was."""
    request = transaction.request
    if request.to_tag or not (number := _number(request.uri, here)):
        return False
    if number == "22":
        refusal = behaviour.released(RELEASED)
    else:
        refusal = behaviour.blocked(BLOCKED)
        if behaviour.rings_before_block:
            transaction.respond(180, "Ringing", (("Contact", f"<{request.uri}>"),))
    transaction.respond(refusal.code, refusal.reason, refusal.fields)
    return True


def _number(uri: str, here: Collection[Address]) -> str:
    try:
        sip = SipUri.parse(uri)
    except ValueError:
        return ""
    own = any((bare(sip.host), int(sip.port or default_port(one.transport))) == (one.host, one.port) for one in here)
    return next((prefix for prefix in ("21", "22") if own and (sip.user or "").startswith(prefix)), "")
