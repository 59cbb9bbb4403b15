"""What every request of the suite's is answered: once, in time, and where it came from (RFC 3261 17.2, 18.2, 19.3)."""

from __future__ import annotations

from collections.abc import Callable

from harness.judge.answers import Asked
from harness.judge.bindings import lists_its_bindings
from harness.judge.copies import ack_ends_copies, further_acks_absorbed, repeated_on_time
from harness.judge.form_details import one_tag, tag_of_the_answer_to_cancel
from harness.judge.replies import first_response_in_time, one_final, seen_from, tags_are_new, went_where_they_belong
from harness.judge.say import Findings
from harness.judge.served import served, strayed
from harness.model.finding import Finding
from harness.model.flow import Flow
from harness.purposes.invariant import invariant


def _of_each_refusal(flow: Flow, judge: Callable[[Flow, Asked], Finding]) -> Findings:
    for one in served(flow):
        # A second, other final response is another rule's: its copies would be mistaken for those of the first.
        alike = len({final.status for final in one.finals}) == 1
        if one.request.method == "INVITE" and one.status >= 300 and alike and one not in strayed(flow):
            found = judge(flow, one)
            if found.outcome != "unseen":
                yield found


@invariant("RFC3261-17.2.1-07", faults=["sends_no_100"])
def test_every_invite_gets_some_response_at_once(flow: Flow) -> Findings:
    """An INVITE gets a 100, if nothing else comes within 200 ms.

    Typical defect: a script that looks a number up in a database before it answers anything.
    """
    yield from first_response_in_time(flow, "RFC3261-17.2.1-07")


@invariant("RFC3261-17.2.1-08", faults=["second_final_upstream", "late_cancel_ends_call"])
def test_every_request_gets_one_final_response(flow: Flow) -> Findings:
    """A request gets one final response, and copies of that one only.

    Typical defects: a 487 follows the 603 that a CANCEL crossed; each copy of a refusal is built anew, with a new tag.
    """
    yield from one_final(flow, "RFC3261-17.2.1-08")


@invariant("RFC3261-17.2.1-01", faults=["final_not_repeated", "forgets_603plus_in_copies"], side="inbound")
def test_every_refusal_is_repeated_until_its_ack(flow: Flow) -> Findings:
    """On UDP a refusal without ACK is sent again after 0.5 s, then after 1 s more, and so on, unchanged.

    Typical defect: only refusals of calls that have rung are sent by a transaction.
    """
    yield from _of_each_refusal(flow, repeated_on_time)


@invariant("RFC3261-17.2.1-03", faults=["final_repeated_after_ack"], side="inbound")
def test_every_ack_ends_the_copies(flow: Flow) -> Findings:
    """Nothing follows the ACK of a refusal, in whatever call of the flow.

    Typical defect: the ACK of a 487 after CANCEL does not find its transaction.
    """
    yield from _of_each_refusal(flow, ack_ends_copies)


@invariant("RFC3261-17.2.1-06", faults=["answers_ack"], side="inbound")
def test_no_ack_is_answered(flow: Flow) -> Findings:
    """No ACK is answered, be it the first or a copy.

    Typical defect: the second ACK finds no transaction, and gets 481.
    """
    yield from _of_each_refusal(flow, further_acks_absorbed)


@invariant("RFC3261-18.2.2-01", faults=["answers_contact_too", "answers_on_new_connection"])
def test_every_response_goes_back_where_its_request_came_from(flow: Flow) -> Findings:
    """A response goes to the address of its request: to the source port with rport, else to the port of the Via.

    Over a stream it goes back on the connection of its request.  Typical defects: a redirect server sends its 302 to
    the host of a Contact or of the From; a stack opens a connection for each response.
    """
    yield from went_where_they_belong(flow, "RFC3261-18.2.2-01")


@invariant("RFC3261-18.2.1-01", "RFC3581-4-01", faults=["rport_without_received", "received_is_own_address"])
def test_topmost_via_says_where_the_request_came_from(flow: Flow) -> Findings:
    """Whoever fills in rport fills in the source port, and adds received; and received is the source address.

    Typical defects: received is left out where it equals the host of the Via, although rport asks for it; rport repeats
    the port of the Via or of the device.
    """
    yield from seen_from(flow, "RFC3261-18.2.1-01", "RFC3581-4-01")


@invariant("RFC3261-19.3-01", faults=["constant_to_tag", "constant_from_tag"])
def test_no_tag_is_used_twice(flow: Flow) -> Findings:
    """Every call has tags of its own.

    Typical defects: the tag is made of the time in seconds, of the user's name, or once when the device starts.
    """
    yield from tags_are_new(flow, "RFC3261-19.3-01")


@invariant("RFC3261-8.3-09", faults=["adds_own_contact", "offers_own_contact", "offers_first_binding", "odd_contact"])
def test_every_redirection_lists_what_is_registered(flow: Flow) -> Findings:
    """The 3xx to a user who has registered lists all entries of that user, each with its q, and nobody else.

    Typical defects: only the first row of the answer of the database is read; the server writes its own address.

    Which entries are offered may be policy: one that is missing, or one more, is a warning.  No entry at all, and an
    address of the server that leads back to it, are fails.
    """
    yield from lists_its_bindings(flow, "RFC3261-8.3-09")


@invariant("RFC3261-8.2.6.2-03", faults=["other_to_tag"])
def test_every_response_to_a_request_has_one_tag(flow: Flow) -> Findings:
    """All responses of a user agent to one request have the same To tag, 100 excepted.

    Typical defect: another part of the device sends the final response, and makes a tag of its own.
    """
    yield from one_tag(flow, "RFC3261-8.2.6.2-03")


@invariant("RFC3261-9.2-04", faults=["bare_answer_to_cancel"])
def test_every_answer_to_a_cancel_has_the_tag_of_its_invite(flow: Flow) -> Findings:
    """The 200 to a CANCEL has the To tag of the 487. The clause says SHOULD: a warning."""
    yield from tag_of_the_answer_to_cancel(flow, "RFC3261-9.2-04")
