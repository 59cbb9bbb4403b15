"""A redirect server with a registrar of its own lists what is registered: all of it, and nothing else (8.3, 10.3)."""

from __future__ import annotations

from harness.judge.answers import NOT_REDIRECTED, why_not_refused
from harness.judge.bindings import lists_its_bindings
from harness.judge.say import Findings, unseen
from harness.model.flow import Flow
from harness.purposes.purpose import purpose
from suites.answering import redirecting

THREE = redirecting(
    to="sip:{token}@{device}",
    bindings=(
        "<sip:9{token}@{target.host}:{target.port};transport={transport}>;q=0.3",
        "<sip:8{token}@{target}>;q=0.7",
        "<sip:7{token}@{target};user=phone>;q=0.125",
    ),
)
"""Three entries; the order of q is neither that of the list nor that of its digits."""


@purpose(
    "RFC3261-8.3-09",
    plan={"redirect": THREE},
    faults=["adds_own_contact", "offers_own_contact", "offers_first_binding"],
)
def test_redirection_lists_what_is_registered(flow: Flow) -> Findings:
    """The Contacts of a redirect server's 3xx are the addresses that the user has registered.

    A caller that follows is to reach the user, and on the phone that the user prefers.  Typical defects: the server
    adds its own address, as a proxy would in a 200, and the call comes back; only the first entry is read.
    """
    found = tuple(lists_its_bindings(flow, "RFC3261-8.3-09"))
    yield from found or [unseen(why_not_refused(flow, NOT_REDIRECTED), code="not-redirected")]
