"""Every message that the device sends is well formed (RFC 3261 7, 8.1.1, 8.2.6, 20, 25.1)."""

from __future__ import annotations

from harness.judge.form import (
    allows_what_it_does,
    contacts,
    no_value_as_name,
    once_each,
    sized,
    well_shaped,
)
from harness.judge.form_details import addresses_can_be_read, contact_of_early_dialogs, one_via
from harness.judge.form_of_requests import complete_requests
from harness.judge.form_of_responses import complete_responses
from harness.judge.say import Findings
from harness.judge.sdp import answers_each_medium, answers_each_offer, readable
from harness.model.flow import Flow
from harness.purposes.invariant import invariant


@invariant("RFC3261-7-01", faults=["no_empty_line", "nameless_header", "loses_call_id"])
def test_every_message_has_the_shape_of_one(flow: Flow) -> Findings:
    """A message is a start line, header lines with a name, an empty line, and the body.

    The empty line is there without a body, too.  Typical defects: a message without body ends with its last header; a
    header whose name is empty, because a template has no value for it.
    """
    yield from well_shaped(flow, "RFC3261-7-01")


@invariant("RFC3261-7.3.1-02", faults=["two_max_forwards", "appends_uri_headers"])
def test_no_message_has_a_header_twice_that_is_one_value(flow: Flow) -> Findings:
    """From, To, Call-ID, CSeq, Max-Forwards, Content-Length and the like come once in a message.

    Typical defect: a proxy adds its own Max-Forwards and leaves the old one.
    """
    yield from once_each(flow, "RFC3261-7.3.1-02")


@invariant("RFC3261-25.1-01", faults=["doubles_from_tag"])
def test_every_address_can_be_read(flow: Flow) -> Findings:
    """From, To and Contact have balanced quotes and brackets, and no parameter twice.

    Typical defect: the tag of the new leg is appended to the From of the old one, which has one.
    """
    yield from addresses_can_be_read(flow, "RFC3261-25.1-01")


@invariant("RFC3261-9.1-08", faults=["cancels_with_two_vias"])
def test_no_request_has_a_via_of_another_leg(flow: Flow) -> Findings:
    """A CANCEL has one Via, and no request of a user agent has a Via of a request that it got.

    Typical defect: a B2BUA copies the headers of the other leg.
    """
    yield from one_via(flow, "RFC3261-9.1-08")


@invariant(
    "RFC3261-8.1.1-01",
    faults=[
        *("no_max_forwards", "ack_without_max_forwards", "empty_from", "honours_every_uri_header"),
        "plain_via_when_secure",
        "plain_via_over_tls",
    ],
)
def test_every_request_is_complete(flow: Flow) -> Findings:
    """Every request has Via, From with a tag, To, Call-ID, CSeq and Max-Forwards; ACK, CANCEL and BYE too.

    Typical defects: the ACK has no Max-Forwards, because it is no request of the application; the From of the second
    call is empty.
    """
    yield from complete_requests(flow, "RFC3261-8.1.1-01")


@invariant("RFC3261-8.2.6.2-04", faults=["no_to_tag", "changes_via", "changes_cseq_from", "bare_answer_to_cancel"])
def test_every_response_is_made_of_its_request(flow: Flow) -> Findings:
    """Every response has the Vias, From, To, Call-ID and CSeq of its request, and above 100 a To tag.

    Typical defects: the 200 to a CANCEL or the 481 has no To tag; a 487 has the CSeq of the CANCEL.
    """
    yield from complete_responses(flow, "RFC3261-8.2.6.2-04")


@invariant("RFC3261-8.1.1.8-02", "RFC3261-12.1.1-01", faults=["drops_contact_header", "answers_without_contact"])
def test_every_invite_and_its_2xx_have_one_contact(flow: Flow) -> Findings:
    """An INVITE and a 2xx to an INVITE have one Contact: there the other side sends its next request.

    Typical defect: the re-INVITE or the second INVITE of a call is built without what the first one got from the
    application.
    """
    yield from contacts(flow, "RFC3261-8.1.1.8-02", "RFC3261-12.1.1-01")
    yield from contact_of_early_dialogs(flow, "RFC3261-12.1.1-01")


@invariant(
    "RFC3261-20.14-01",
    "RFC3261-20.15-01",
    faults=["counts_characters", "no_content_type", "honours_every_uri_header", "no_length_over_streams"],
)
def test_every_body_has_its_length_and_type(flow: Flow) -> Findings:
    """Content-Length is the number of bytes of the body, and a body has a Content-Type.

    Over TCP and TLS every message has a Content-Length.

    Typical defects: the length is that of the body before it was changed; an empty line is counted.
    """
    yield from sized(flow, "RFC3261-20.14-01", "RFC3261-20.15-01")


@invariant("RFC3261-19.1.5-10", faults=["swaps_uri_headers"])
def test_no_header_is_named_after_a_value(flow: Flow) -> Findings:
    """A Contact with ``?Subject=moved`` makes no header ``moved``, and one with ``;method=INVITE`` none of that name.

    Typical defect: name and value are taken the wrong way round.
    """
    yield from no_value_as_name(flow, "RFC3261-19.1.5-10")


@invariant("RFC8866-5-01", faults=["garbles_sdp"])
def test_every_session_description_can_be_read(flow: Flow) -> Findings:
    """A session description begins with v=, o= and s=, has t= and an address for each medium, and every line parses.

    Typical defects: the c= line of a device without an address, or of one that holds a call; a line from a template
    with nothing filled in.
    """
    yield from readable(flow, "RFC8866-5-01")


@invariant("RFC3264-6-01", faults=["refuses_media_by_silence"])
def test_every_medium_that_is_offered_is_answered(flow: Flow) -> Findings:
    """The answer to an offer has its number of media; one that is not wanted has port 0.

    Typical defect: a medium that the device does not know is left out of the answer.
    """
    yield from answers_each_medium(flow, "RFC3264-6-01")


@invariant("RFC3261-13.2.1-01", faults=["answers_without_session"])
def test_every_offer_of_a_call_is_answered(flow: Flow) -> Findings:
    """The offer of an INVITE is answered in its 2xx; the offer of a 2xx, in its ACK.

    Typical defect: a B2BUA takes the answer from the leg that was redirected, which has none.
    """
    yield from answers_each_offer(flow, "RFC3261-13.2.1-01")


@invariant("RFC3261-20.5-01", faults=["forgets_allowed_methods", "honours_every_uri_header"])
def test_every_allow_lists_what_a_user_agent_understands(flow: Flow) -> Findings:
    """An Allow lists INVITE, ACK, CANCEL, BYE and OPTIONS, for every user agent understands these.

    Typical defect: the list was written down once, and nobody thought of ACK and CANCEL.
    """
    yield from allows_what_it_does(flow, "RFC3261-20.5-01")
