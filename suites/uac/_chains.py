"""Several redirections in one call: each step shows another code or another way to write a Contact.

The endpoint ``target`` answers one step after the other; the user tells them apart.  A device may follow fewer steps
than there are: what it was not brought to is not judged.
"""

from __future__ import annotations

from harness.model.plan import Answer, Plan, Response
from suites.plans import MOVED, RINGING, accept, callee, redirect, target

CODES = Plan(
    (
        callee(redirect(MOVED, status=301)),
        target(
            redirect("<sip:8{token}@{target}>", status=300, tag="b"),
            redirect("<sip:7{token}@{target}>", status=380, tag="c"),
            redirect("<sip:6{token}@{target}>", status=305, tag="d"),
            Answer((RINGING, Response(200)), copies=(0.2, 0.4)),
        ),
    )
)
"""301, 300, 380 and 305, each with one Contact; then the call is answered, and the 200 comes three times."""

USERS = Plan(
    (
        callee(redirect("<sip:7{token}@{callee}>"), redirect("<sip:9{token}%23@{target}>", tag="b")),
        target(
            redirect("<sip:8{token};phone-context=example.test;odd=1@{target};user=phone>", tag="b"),
            redirect("<sip:{target}>", tag="c"),
            accept(),
        ),
    )
)
"""First another user at the host and port that redirects.  Then users as telephones have them: with an escaped ``#``,
with parameters of a number; and then no user at all."""

FORMS = Plan(
    (
        callee(redirect('sip:9{token}@{target};+sip.instance="<urn:uuid:00000000-0000-1000-8000-000000000001>";q=0.5')),
        target(
            redirect("\"O'Brien, 'Jo'\" <sip:8{token}@{target}>;odd=\"a, b; 'c'\";q=0.5", tag="b"),
            accept(),
        ),
    ),
    # Without brackets a ;transport would be the header's, so that the URI means UDP (RFC 3263 4.1).
    over=("udp",),
)
"""A bare URI with a quoted parameter in which there are brackets; commas, semicolons and apostrophes inside quotes."""
