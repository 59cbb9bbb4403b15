"""Messages of several SIPps as one sequence: no cause after its effect, however late SIPp wrote its time."""

from __future__ import annotations

from harness.drive.captured import Heard
from harness.drive.ordering import in_causal_order
from harness.endpoints.sipp.trace import TracedMessage

from harness.model.plan import Answer, Call, Endpoint, Plan, Response
from harness.sip.message import SipMessage

PLAN = Plan((Endpoint("callee", "callee", (Answer((Response(180), Response(603, after=0.2))),)),))


def heard(at: float, seat: str, line: str, branch: str = "z1", cseq: str = "1 INVITE") -> Heard:
    """``<`` before the start line: sent by the seat."""
    raw = f"{line.removeprefix('<')}\r\nVia: SIP/2.0/UDP h;branch={branch}\r\nCall-ID: c\r\nCSeq: {cseq}\r\n\r\n"
    return Heard(seat, TracedMessage(at, "sent" if line[0] == "<" else "received", "udp", raw), SipMessage(raw))


def order(*messages: Heard, plan: Plan = PLAN, began: dict[str, float] | None = None) -> list[str]:
    return [f"{one.seat} {one.message.start_line[:11]}" for one in in_causal_order(messages, plan, began)]


INVITE = "INVITE sip:1@h SIP/2.0"


def test_a_callers_request_stands_before_what_the_device_makes_of_it() -> None:
    # The device was quicker than the callers' SIPps with their notes.
    assert order(
        heard(10.02, "caller", f"<{INVITE}"),
        heard(10.01, "callee", INVITE, "z2"),
        heard(10.04, "callee", "<SIP/2.0 180 Ringing", "z2"),
        heard(10.03, "caller", "SIP/2.0 180 Ringing"),
        heard(10.08, "caller", "<CANCEL sip:1@h SIP/2.0", cseq="1 CANCEL"),
        heard(10.06, "callee", "CANCEL sip:1@h SIP/2.0", "z2", "1 CANCEL"),
    ) == [
        "caller INVITE sip:",
        "callee INVITE sip:",
        "callee SIP/2.0 180",
        "caller SIP/2.0 180",
        "caller CANCEL sip:",
        "callee CANCEL sip:",
    ]


def test_a_relayed_response_stands_behind_the_one_that_was_sent() -> None:
    assert order(
        heard(9.9, "caller", f"<{INVITE}"),
        heard(10.00, "callee", INVITE, "z2"),
        heard(10.30, "callee", "<SIP/2.0 603 Decline", "z2"),
        heard(10.25, "caller", "SIP/2.0 603 Decline"),
        heard(10.27, "caller", "<ACK sip:1@h SIP/2.0", cseq="1 ACK"),
        heard(10.26, "callee", "ACK sip:1@h SIP/2.0", "z2", "1 ACK"),
    )[2:4] == ["callee SIP/2.0 603", "caller SIP/2.0 603"]


def test_a_second_caller_says_nothing_before_it_was_started() -> None:
    messages = (
        heard(10.0, "caller", f"<{INVITE}"),
        heard(10.1, "caller", "SIP/2.0 603 Decline"),
        heard(11.0, "caller2", f"<{INVITE}", "z9"),
        heard(11.1, "caller2", "SIP/2.0 603 Decline", "z9"),
    )
    assert order(*messages, began={"caller": 9.9, "caller2": 10.9}) == [
        "caller INVITE sip:",
        "caller SIP/2.0 603",
        "caller2 INVITE sip:",
        "caller2 SIP/2.0 603",
    ]


def test_a_copy_by_a_timer_is_not_drawn_to_the_first_one() -> None:
    messages = (
        heard(10.0, "caller", f"<{INVITE}"),
        heard(10.01, "callee", INVITE, "z2"),
        heard(10.5, "caller", f"<{INVITE}"),
        heard(10.51, "callee", INVITE, "z2"),
    )
    began = {"caller": 9.95}
    assert [one.split()[0] for one in order(*messages, began=began)] == ["caller", "callee", "caller", "callee"]
    # A copy that the plan wants sooner may be.
    soon = Plan((), (Call(act="repeat"),))
    refused = (
        heard(10.0, "caller", f"<{INVITE}"),
        heard(10.1, "caller", "SIP/2.0 603 Decline"),
        heard(10.25, "caller", f"<{INVITE}"),
        heard(10.22, "callee", INVITE, "z2"),
    )
    assert order(*refused, plan=soon)[2:] == ["caller INVITE sip:", "callee INVITE sip:"]


def test_a_message_is_not_drawn_further_than_sipp_may_be_late() -> None:
    assert order(
        heard(10.0, "callee", INVITE),
        heard(10.0, "other", INVITE, "z7"),
        heard(12.0, "other", "CANCEL sip:1@h SIP/2.0", "z7", "1 CANCEL"),
        heard(15.0, "callee", "<BYE sip:1@h SIP/2.0", "z3", "1 BYE"),
    ) == ["callee INVITE sip:", "other INVITE sip:", "other CANCEL sip:", "callee BYE sip:1@h"]
