"""Session descriptions: what must be caught, and the legal oddities that must pass."""

from __future__ import annotations

import pytest
from answered_flow import Line
from refused_flow import Wire

from harness.judge.sdp import answers_each_medium, answers_each_offer, readable

GOOD = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.9\r\ns=-\r\nc=IN IP4 127.0.0.9\r\nt=0 0\r\n"
    "m=audio 40000 RTP/AVP 0 8\r\na=rtpmap:0 PCMU/8000\r\n"
)
KIND = ("Content-Type: application/sdp",)


def _codes(body: str) -> list[str]:
    return [f.code for f in readable(Wire().invite(extra=KIND, body=body).flow(), "r") if f.outcome == "violated"]


LEGAL = {
    "plain": GOOD,
    "line ends of LF": GOOD.replace("\r\n", "\n"),
    "no line end at the end": GOOD.removesuffix("\r\n"),
    "address of each medium": GOOD.replace("c=IN IP4 127.0.0.9\r\n", "") + "c=IN IP4 127.0.0.9\r\n",
    "IPv6": GOOD.replace("IP4 127.0.0.9", "IP6 ::1"),
    "a name": GOOD.replace("IP4 127.0.0.9", "IP4 phone.example.test"),
    "on hold, as of old": GOOD.replace("c=IN IP4 127.0.0.9", "c=IN IP4 0.0.0.0"),
    "multicast": GOOD.replace("c=IN IP4 127.0.0.9", "c=IN IP4 224.2.1.1/127/3"),
    "an empty name of the session": GOOD.replace("s=-", "s= "),
    "an attribute that nobody knows": GOOD + "a=x-odd\r\n",
    "a medium that is refused": GOOD + "m=video 0 RTP/AVP 31\r\n",
    "several ports": GOOD.replace("40000 ", "40000/2 "),
    "a bandwidth": GOOD.replace("t=0 0", "b=AS:64\r\nt=0 0"),
    "no medium": GOOD.partition("m=")[0],
    "an image": GOOD.replace("audio 40000 RTP/AVP 0 8", "image 40000 udptl t38"),
}
WRONG = {
    "sdp-line": [GOOD + "nonsense\r\n", GOOD.replace("t=0 0", "=0 0")],
    "sdp-order": [GOOD.replace("v=0\r\n", ""), GOOD.replace("s=-\r\n", ""), GOOD + "o=- 1 1 IN IP4 1.2.3.4\r\n"],
    "sdp-version": [GOOD.replace("v=0", "v=1")],
    "sdp-origin": [
        GOOD.replace("1 1 IN IP4 127.0.0.9", "1 1 IN IP4"),
        GOOD.replace("o=- 1 1", "o=- 1 x"),
        GOOD.replace("o=-", "o="),
        GOOD.replace("1 IN IP4", "1 IN IP6"),
    ],
    "sdp-no-subject": [GOOD.replace("s=-", "s=")],
    "sdp-connection": [GOOD.replace("c=IN IP4 127.0.0.9", "c=IN 127.0.0.9"), GOOD.replace("c=IN", "c=")],
    "sdp-no-connection": [GOOD.replace("c=IN IP4 127.0.0.9\r\n", "")],
    "sdp-no-time": [GOOD.replace("t=0 0\r\n", "")],
    "sdp-time": [GOOD.replace("t=0 0", "t=0")],
    "sdp-media": [GOOD.replace("RTP/AVP 0 8", "RTP/AVP"), GOOD.replace("40000", "-1")],
}


@pytest.mark.parametrize("how", LEGAL)
def test_legal_oddities_pass(how):
    assert _codes(LEGAL[how]) == []


@pytest.mark.parametrize(("code", "body"), [(code, body) for code, bodies in WRONG.items() for body in bodies])
def test_what_cannot_be_read_is_a_violation(code, body):
    assert _codes(body) == [code]


def test_what_is_passed_on_is_not_the_devices_own():
    wire = Wire().invite(extra=KIND, body="v=9")
    assert [f.code for f in readable(wire.flow(), "r") if f.outcome == "violated"] == ["sdp-order"]
    wire.answer(0.1, 183, extra=KIND, body="v=9")
    assert list(readable(wire.flow(), "r")) == []


def test_an_answer_has_the_media_of_its_offer():
    def codes(body: str) -> list[str]:
        line = Line().ask(extra=KIND, body=GOOD + "m=video 4 RTP/AVP 31\r\n")
        line.reply(0.1, 200, extra=KIND, body=body)
        return [f.code for f in answers_each_medium(line.flow(), "r") if f.outcome == "violated"]

    assert codes(GOOD + "m=video 0 RTP/AVP 31\r\n") == []
    assert codes(GOOD) == ["other-number-of-media"]


def test_an_offer_in_an_invite_is_answered_in_its_2xx():
    def codes(line: Line) -> list[str]:
        return [f.code for f in answers_each_offer(line.flow(), "r") if f.outcome == "violated"]

    def offered(role: str = "uas") -> Line:
        return Line(role=role).ask(extra=KIND, body=GOOD)

    assert codes(offered().reply(0.1, 200, extra=KIND, body=GOOD)) == []
    assert codes(offered().reply(0.1, 200)) == ["offer-unanswered"]
    assert codes(offered("proxy").reply(0.1, 200)) == [], "the callee's"
    assert codes(offered().reply(0.1, 183, extra=KIND, body=GOOD).reply(0.2, 200)) == []
    assert codes(Line().ask().reply(0.1, 200)) == []


def test_an_offer_in_a_2xx_is_answered_in_its_ack():
    def codes(**ack: object) -> list[str]:
        wire = Wire().invite().answer(0.1, 200, extra=KIND, body=GOOD).ack(0.2, branch="z9hG4bKack", **ack)
        return [f.code for f in answers_each_offer(wire.flow(), "r") if f.outcome == "violated"]

    assert codes(extra=KIND, body=GOOD) == []
    assert codes() == ["offer-unanswered"]
