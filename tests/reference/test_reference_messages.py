"""The faults in the last form of a message: what goes out for it, and that the right device leaves it alone."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from harness.devices.reference.behaviour import Behaviour
from harness.devices.reference.faults import fault_named
from harness.devices.reference.misbehaviour import behaviour_with
from harness.devices.reference.sip_uri import Address
from harness.devices.reference.wire import InboundResponse, OutboundRequest

THERE, ELSEWHERE = Address("127.0.0.2", 5060), Address("127.0.0.4", 5060)
_HEAD = "Via: SIP/2.0/UDP 127.0.0.1;rport=5060;received=127.0.0.1;branch=z9hG4bKa\r\nFrom: <sip:a@b>;tag=f\r\n"


def _message(start: str, cseq: str, extra: str = "", body: str = "") -> bytes:
    head = f"{start}\r\n{_HEAD}To: <sip:c@d>;tag=t\r\nCall-ID: c1\r\nCSeq: {cseq}\r\n{extra}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()


INVITE = _message(
    "INVITE sip:c@d SIP/2.0", "1 INVITE", "Max-Forwards: 70\r\nContent-Type: application/sdp\r\n", "v=0\r\ns=-\r\n"
)
BYE = _message("BYE sip:c@d SIP/2.0", "2 BYE", "Max-Forwards: 70\r\n")
SESSION = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
BARE_SESSION = SESSION.replace(" 127.0.0.1", "")
OFFER = _message("INVITE sip:c@d SIP/2.0", "1 INVITE", "Allow: INVITE, ACK, CANCEL, BYE\r\n", SESSION)
_SDP = "Content-Type: application/sdp\r\n"
ANSWER = _message(
    "SIP/2.0 200 OK", "1 INVITE", "Content-Type: application/sdp\r\n", SESSION + "m=audio 4 RTP/AVP 0\r\n"
)
OK = _message("SIP/2.0 200 OK", "1 INVITE", "Contact: <sip:c@127.0.0.4>\r\n")
MOVED = _message("SIP/2.0 302 Moved", "1 INVITE", "Contact: <sip:c@127.0.0.4>\r\n")
CANCELLED = _message("SIP/2.0 200 OK", "1 CANCEL")
TRYING = _message("SIP/2.0 100 Trying", "1 INVITE")

SHOWS: dict[str, tuple[tuple[bytes, ...], tuple[bytes, ...]]] = {
    # fault: the messages, and what is sent for the last of them
    "no_empty_line": ((BYE,), (BYE[:-2],)),
    "nameless_header": ((BYE,), (BYE[:-2] + b": reference\r\n\r\n",)),
    "two_max_forwards": ((BYE,), (BYE.replace(b"Max-F", b"Max-Forwards: 70\r\nMax-F"),)),
    "counts_characters": ((INVITE,), (INVITE.replace(b"Length: 10", b"Length: 8"),)),
    "no_content_type": ((INVITE,), (INVITE.replace(b"Content-Type: application/sdp\r\n", b""),)),
    "never_repeats_invite": ((INVITE, INVITE), ()),
    "sends_requests_once": ((BYE, BYE), ()),
    "copies_lose_hops": ((INVITE, INVITE), (INVITE.replace(b"wards: 70", b"wards: 69"),)),
    "answers_without_contact": ((OK,), (OK.replace(b"Contact: <sip:c@127.0.0.4>\r\n", b""),)),
    "constant_to_tag": ((OK,), (OK.replace(b"tag=t", b"tag=redirect"),)),
    "bare_answer_to_cancel": ((CANCELLED,), (CANCELLED.replace(b";tag=t", b""),)),
    "rport_without_received": ((OK,), (OK.replace(b";received=127.0.0.1", b""),)),
    "received_is_own_address": ((OK,), (OK.replace(b"received=127.0.0.1", b"received=192.0.2.1"),)),
    "answers_contact_too": ((MOVED,), (MOVED, MOVED)),
    "sends_no_100": ((TRYING,), ()),
    "loses_call_id": ((OK,), (OK.replace(b"Call-ID: c1\r\n", b""),)),
    "doubles_from_tag": ((BYE,), (BYE.replace(b"tag=f", b"tag=f;tag=again"),)),
    "forgets_allowed_methods": ((OFFER,), (OFFER.replace(b"ACK, CANCEL, ", b""),)),
    "garbles_sdp": (
        (OFFER,),
        (_message("INVITE sip:c@d SIP/2.0", "1 INVITE", "Allow: INVITE, ACK, CANCEL, BYE\r\n", BARE_SESSION),),
    ),
    "refuses_media_by_silence": (
        (ANSWER,),
        (_message("SIP/2.0 200 OK", "1 INVITE", _SDP, SESSION),),
    ),
    "answers_without_session": ((ANSWER,), (_message("SIP/2.0 200 OK", "1 INVITE"),)),
}


@pytest.mark.parametrize("fault", SHOWS)
def test_fault_words_a_message_otherwise(fault: str) -> None:
    messages, expected = SHOWS[fault]
    device = behaviour_with([fault_named(fault)])
    sent = [device.worded(message, THERE) for message in messages]
    assert tuple(data for data, _ in sent[-1]) == expected
    assert all(list(Behaviour().worded(message, THERE)) == [(message, THERE)] for message in messages)


def test_what_a_fault_is_not_about_goes_out_as_it_is() -> None:
    for fault in ("never_repeats_invite", "copies_lose_hops"):
        device = behaviour_with([fault_named(fault)])
        assert [list(device.worded(BYE, THERE)) for _ in range(2)] == [[(BYE, THERE)]] * 2
    for fault in ("sends_requests_once", "answers_without_contact", "sends_no_100"):
        device = behaviour_with([fault_named(fault)])
        assert [list(device.worded(INVITE, THERE)) for _ in range(2)] == [[(INVITE, THERE)]] * 2


def test_a_redirection_goes_to_its_contact_as_well() -> None:
    sent = behaviour_with([fault_named("answers_contact_too")]).worded(MOVED, THERE)
    assert [to for _, to in sent] == [THERE, ELSEWHERE]


def test_a_constant_from_tag_is_read_as_the_right_one() -> None:
    device = behaviour_with([fault_named("constant_from_tag")])
    ((sent, _),) = device.worded(INVITE, THERE)
    ((other, _),) = device.worded(INVITE.replace(b"c1", b"c2").replace(b"tag=f", b"tag=g"), THERE)
    assert sent != INVITE
    assert sent.replace(b"c1", b"c2") == other
    assert device.datagram(sent) == INVITE
    assert device.datagram(other).count(b"tag=g") == 1


def _acknowledges(device: Behaviour, branch: str, code: int) -> bool:
    fields = (("Via", f"SIP/2.0/UDP 127.0.0.1;branch={branch}"), ("CSeq", "1 INVITE"))
    invite = OutboundRequest("INVITE", "sip:c@d", fields, b"", THERE)
    response = cast(InboundResponse, SimpleNamespace(code=code, call_id="c1"))
    return device.acknowledge(invite, invite, response) is not None


def test_which_refusals_are_acknowledged() -> None:
    first = behaviour_with([fault_named("acks_only_first_branch")])
    assert [_acknowledges(first, branch, 486) for branch in ("z9hG4bKa", "z9hG4bKb", "z9hG4bKa")] == [True, False, True]
    cancelled = behaviour_with([fault_named("no_ack_of_487")])
    assert [_acknowledges(cancelled, "z9hG4bKa", code) for code in (486, 487)] == [True, False]
    assert _acknowledges(Behaviour(), "z9hG4bKb", 487)


def test_intervals_are_doubled() -> None:
    assert Behaviour.doubles_interval
    assert not behaviour_with([fault_named("repeats_without_doubling")]).doubles_interval


def test_a_cancel_has_one_via() -> None:
    cancel = OutboundRequest("CANCEL", "sip:c@d", (("Via", "SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKa"),), b"", THERE)
    assert Behaviour().cancel(cancel) == cancel
    faulty = behaviour_with([fault_named("cancels_with_two_vias")]).cancel(cancel)
    assert [name for name, _ in faulty.fields] == ["Via", "Via"]


def test_a_provisional_response_ends_the_copies() -> None:
    assert Behaviour.stops_at_provisional
    assert not behaviour_with([fault_named("repeats_while_ringing")]).stops_at_provisional
