from __future__ import annotations

from answered_flow import Line
from refused_flow import URI, Wire, outcomes

from suites.b2bua import test_what_the_caller_learns as learns
from suites.invariants import test_dialogs as dialogs
from suites.uac import test_refused_reinvite as reinvite

SDP = "o=- 1 1\r\na=sendonly"


def held(status: int = 603) -> Wire:
    """An established call, and a re-INVITE that is refused with ``status``."""
    wire = Wire(reinvite.REINVITE_DECLINED).invite().answer(0.01, 200).ack(0.02, branch="z9hG4bKack")
    inside = {"branch": "z9hG4bKre", "cseq": "2 INVITE"}
    wire.invite(0.1, to_tag="t1", body=SDP, **inside).answer(0.11, status, **inside)
    return wire.ack(0.12, branch="z9hG4bKre", cseq="2 ACK")


def bye(wire: Wire, at: float, **more: object) -> Wire:
    return wire.request(at, "BYE", to_tag="t1", branch="z9hG4bKbye", **more)


def test_a_refused_reinvite_leaves_the_call():
    judge = reinvite.test_call_survives_a_refused_reinvite
    assert outcomes(judge(held().flow())) == ["satisfied"]
    assert outcomes(judge(bye(held(), 0.2).flow())) == ["violated"]
    assert outcomes(judge(Wire().invite().answer(0.01, 200).ack(0.02).flow())) == ["unseen"]


def test_a_bye_that_somebody_else_wanted_is_not_the_devices_own():
    wire = held().say(0.15, f"BYE {URI} SIP/2.0", seat="caller", sent=True, cseq="3 BYE", call_id="up")
    assert outcomes(reinvite.test_call_survives_a_refused_reinvite(bye(wire, 0.2).flow())) == ["satisfied"]


def test_our_own_request_in_the_dialog_is_accepted():
    def answered(status: int) -> list:
        wire = held().say(1.0, f"BYE {URI} SIP/2.0", sent=True, cseq="1 BYE", branch="z9hG4bKours")
        wire.say(1.01, f"SIP/2.0 {status} Text", cseq="1 BYE", branch="z9hG4bKours", to_tag="f1")
        return list(reinvite.test_call_survives_a_refused_reinvite(wire.flow()))

    assert outcomes(answered(481)) == ["violated"]
    (found,) = answered(200)
    assert (found.outcome, "our BYE" in found.actual) == ("satisfied", True)


def test_a_repeated_reinvite():
    judge = reinvite.test_declined_reinvite_is_not_repeated
    assert outcomes(judge(held().flow())) == ["satisfied"]
    again = {"to_tag": "t1", "branch": "z9hG4bKre2", "cseq": "3 INVITE"}
    assert outcomes(judge(held().invite(2.0, body=SDP.replace("1 1", "1 2"), **again).flow())) == ["violated"]
    assert outcomes(judge(held().invite(2.0, body="o=- 1 2\r\na=sendrecv", **again).flow())) == ["satisfied"]


def bridged(*upstream: tuple[float, int, tuple[str, ...]], target: bool = False) -> Wire:
    wire = Wire(learns.REDIRECT, role="b2bua")
    wire.say(-0.05, f"INVITE {URI} SIP/2.0", seat="caller", sent=True, call_id="up", branch="z9hG4bKup")
    wire.invite(extra=("Contact: <sip:device@127.0.0.9:5060>",)).answer(0.01, 302).ack(0.02)
    if target:
        wire.invite(0.03, seat="target", branch="z9hG4bKt", cseq="2 INVITE")
    for at, status, headers in upstream:
        wire.say(at, f"SIP/2.0 {status} Text", seat="caller", call_id="up", branch="z9hG4bKup", extra=headers)
    return wire


def test_a_redirection_is_passed_on_or_followed():
    def judged(*upstream: tuple[float, int, tuple[str, ...]], target: bool = False) -> list:
        flow = bridged(*upstream, target=target).flow()
        return list(learns.test_redirection_is_passed_on_or_followed_but_not_both(flow))

    moved = ("Contact: <sip:97001@127.0.0.3>",)
    assert outcomes(judged((0.1, 302, moved))) == ["satisfied"]
    assert outcomes(judged((0.1, 200, ()), target=True)) == ["satisfied"]
    assert outcomes(judged((0.1, 302, moved), target=True)) == ["violated"]
    assert outcomes(judged((0.1, 302, ("Contact: <sip:7001@127.0.0.9>",)))) == ["violated"]
    assert outcomes(judged((0.1, 302, (f"Contact: <{URI}>",)))) == ["violated"]
    assert outcomes(judged((0.1, 302, ("Contact: <sip:97001@127.0.0.9>",)))) == ["satisfied"], "its own mapping"
    (neither,) = judged((0.1, 480, ()))
    assert (neither.outcome, bool(neither.note)) == ("satisfied", True)
    assert outcomes(judged()) == ["unseen"]


def test_what_the_caller_is_told_of_the_targets_decline():
    def judged(status: int | None) -> list[str]:
        wire = Wire(learns.MOVED_TO_DECLINE, role="b2bua")
        wire.say(-0.05, f"INVITE {URI} SIP/2.0", seat="caller", sent=True, call_id="up")
        wire.invite().answer(0.01, 302).ack(0.02)
        target = {"seat": "target", "branch": "z9hG4bKt", "cseq": "2 INVITE"}
        wire.invite(0.03, **target).answer(0.04, 603, **target)
        if status:
            wire.say(0.1, f"SIP/2.0 {status} Text", seat="caller", call_id="up")
        return outcomes(learns.test_decline_of_the_redirect_target_reaches_the_caller(wire.flow()))

    assert [judged(status) for status in (603, 403, 503, 302, None)] == [
        ["satisfied"],
        ["satisfied"],
        ["violated"],
        ["violated"],
        ["violated"],
    ]


def test_a_refusal_ends_the_callers_call():
    def judged(status: int | None) -> list[tuple[str, str]]:
        wire = Wire(role="b2bua").invite().answer(0.01, 699).ack(0.02)
        wire.say(-0.05, f"INVITE {URI} SIP/2.0", seat="caller", sent=True, call_id="up")
        if status:
            wire.say(0.1, f"SIP/2.0 {status} Text", seat="caller", call_id="up")
        findings = learns.test_refusal_ends_the_callers_call(wire.flow())
        return [(found.outcome, found.requirement) for found in findings]

    def challenged(status: int) -> list[str]:
        asks = {"seat": "caller", "sent": True, "call_id": "up"}
        wire = Wire(role="b2bua").invite().answer(0.01, 603).ack(0.02)
        wire.say(-0.05, f"INVITE {URI} SIP/2.0", branch="z9hG4bKa", **asks)
        wire.say(-0.04, "SIP/2.0 401 Unauthorized", seat="caller", call_id="up", branch="z9hG4bKa")
        wire.say(
            -0.03, f"INVITE {URI} SIP/2.0", branch="z9hG4bKb", cseq="2 INVITE", extra=("Authorization: x",), **asks
        )
        if status:
            wire.say(0.1, f"SIP/2.0 {status} Text", seat="caller", call_id="up", branch="z9hG4bKb", cseq="2 INVITE")
        return outcomes(learns.test_refusal_ends_the_callers_call(wire.flow()))

    assert [challenged(status) for status in (480, 200, 0)] == [["satisfied"], ["violated"], ["violated"]]
    assert judged(480) == [("satisfied", "RFC3261-8.1.3.2-01")]
    assert judged(200) == [("violated", "RFC3261-8.1.3.2-01")]
    assert judged(None) == [("violated", "RFC3261-8.1.3.2-01")]


def reinvited(status: int, *, bye_at: float = 0.0) -> list[str]:
    """Our re-INVITE in a call that the device has answered, and our BYE before it is answered."""
    line = Line().ask().reply(0.1, 200).ack(0.2, branch="z9hG4bKack")
    inside = {"branch": "z9hG4bKre", "cseq": "2 INVITE", "to_tag": "t1"}
    line.ask(1.0, "INVITE", **inside).reply(1.1, status, **inside)
    if bye_at:
        over = {"branch": "z9hG4bKbye", "cseq": "3 BYE", "to_tag": "t1"}
        line.ask(bye_at, "BYE", **over).reply(1.2, 200, **over)
    return outcomes(dialogs.test_our_requests_in_a_dialog_are_answered(line.flow()))


def test_a_reinvite_may_be_refused_but_not_as_one_of_no_dialog():
    assert reinvited(481) == ["violated"]
    assert "violated" not in [*reinvited(200), *reinvited(488), *reinvited(500)]


def test_a_reinvite_that_our_bye_has_overtaken_may_be_refused_as_well():
    assert "violated" not in reinvited(481, bye_at=1.05)
    assert "violated" in reinvited(481, bye_at=1.15)
