"""The server transaction: what is a copy on time, what ends the copies, and what cannot be told."""

from __future__ import annotations

import pytest
from answered_flow import CAME_BACK, Line, outcomes

from harness.model.windows import QUICK, STANDARD
from suites.transaction import test_server_transaction as purposes

G = (0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5)
LONGER = (35.5, 39.5)


def refused(*copies: float, status: int = 603, ack: float | None = None) -> Line:
    line = Line().ask().reply(0.01, status)
    for copy in copies:
        line.reply(copy + 0.01, status)
    return line if ack is None else line.ack(ack)


@pytest.mark.parametrize(
    ("copies", "outcome"),
    [
        ((0.5, 1.5), "satisfied"),
        ((0.58, 1.45), "satisfied"),
        ((0.7, 2.0), "satisfied"),
        ((0.25, 1.5), "violated"),
        ((1.0, 3.0), "violated"),
        ((0.5, 1.0), "violated"),
        ((2.0, 4.0), "violated"),
    ],
)
def test_spacing_of_the_first_copies(copies, outcome):
    flow = refused(*copies, ack=copies[-1] + 0.02).flow()
    assert outcomes(purposes.test_refusal_is_repeated_until_its_ack(flow)) == [outcome]


def test_another_final_response_is_no_copy():
    flow = Line().ask().reply(0.01, 603).reply(0.02, 500).reply(0.51, 603).reply(1.51, 603).ack(1.52).flow()
    assert outcomes(purposes.test_refusal_is_repeated_until_its_ack(flow)) == ["satisfied"]
    assert outcomes(purposes.test_ack_ends_the_copies(flow)) == ["satisfied"]


def test_copies_that_never_come():
    judge = purposes.test_refusal_is_repeated_until_its_ack
    assert outcomes(judge(refused().flow())) == ["violated"]
    assert outcomes(judge(refused(0.5).flow())) == ["violated"]
    assert outcomes(judge(refused().flow(alive=False))) == ["unseen"]
    assert outcomes(judge(refused().flow(lost=True))) == ["unseen"]
    assert outcomes(judge(refused().flow(closed=0.6))) == ["unseen"]
    assert outcomes(judge(refused(ack=0.02).flow())) == ["unseen"], "an ACK at once leaves nothing to see"
    assert outcomes(judge(Line().ask().flow())) == ["unseen"]
    early = Line().ask().ack(0.005).reply(0.01, 603).flow()
    assert outcomes(judge(early)) == ["unseen"], "the ACK stands before what it was for"
    assert outcomes(purposes.test_ack_ends_the_copies(early))
    assert outcomes(judge(Line().ask().reply(0.1, 200).flow())) == ["unseen"]


def test_a_copy_is_the_same_response():
    judge = purposes.test_refusal_is_repeated_until_its_ack
    tag = Line().ask().reply(0.01, 302, contact="<sip:a@b>").reply(0.51, 302, contact="<sip:a@b>", to_tag="t2").ack(0.6)
    contact = Line().ask().reply(0.01, 302, contact="<sip:a@b>").reply(0.51, 302, contact="<sip:c@d>").ack(0.6)
    assert outcomes(judge(tag.flow())) == ["violated"]
    assert outcomes(judge(contact.flow())) == ["violated"]


REASON = 'Reason: SIP;cause=603;text="v=analytics1;url=https://redress.example/a";location=TN'


@pytest.mark.parametrize(
    ("first", "copy", "outcome"),
    [
        (("Network Blocked", REASON), ("Network Blocked", REASON), "satisfied"),
        (("Network Blocked", REASON), ("Network Blocked", ""), "violated"),
        (("Network Blocked", REASON), ("Decline", REASON), "violated"),
        (("Decline", "Retry-After: 3600"), ("Decline", "Retry-After: 3599"), "violated"),
        (
            ("Decline", "Date: Sun, 29 Nov 2026 20:00:00 GMT"),
            ("Decline", "Date: Sun, 29 Nov 2026 20:00:01 GMT"),
            "satisfied",
        ),
    ],
)
def test_a_copy_says_what_the_first_said(first, copy, outcome):
    """A proxy was built whose first 603+ was right, and whose copies of it were made anew as 603 Decline."""
    line = Line().ask()
    for at, (phrase, header) in ((0.01, first), (0.51, copy)):
        extra = (header,) if header else ()
        line.say(at, f"SIP/2.0 603 {phrase}", sent=False, to_tag="t1", via=(CAME_BACK,), extra=extra)
    flow = line.ack(0.6).flow()
    assert outcomes(purposes.test_refusal_is_repeated_until_its_ack(flow)) == [outcome]


def test_answers_to_copies_of_the_invite_are_no_copies_of_the_answer():
    judge = purposes.test_refusal_is_repeated_until_its_ack
    flow = Line().ask().reply(0.01, 603).ask(0.2).reply(0.21, 603).reply(0.51, 603).ack(0.6).flow()
    assert outcomes(judge(flow)) == ["unseen"]
    slow = Line().ask().ask(0.5).reply(0.7, 603).reply(0.71, 603).reply(1.2, 603).reply(2.2, 603).ack(2.21)
    assert outcomes(judge(slow.flow())) == ["satisfied"]
    twice = Line().ask().ask(0.5).reply(0.7, 603).reply(0.71, 603).reply(0.72, 603).ack(0.73)
    assert outcomes(judge(twice.flow())) == ["violated"]
    one_answer = Line().ask().ask(0.5).reply(0.7, 603).reply(1.2, 603).reply(2.2, 603).ack(2.21)
    assert outcomes(judge(one_answer.flow())) == ["satisfied"]


@pytest.mark.parametrize(
    ("copies", "spacing", "end"),
    [
        (G, "satisfied", "satisfied"),
        ((*G, *LONGER), "satisfied", "violated"),
        (G[:5], "satisfied", "violated"),
        (G[:-1], "satisfied", "violated"),
        ((0.5, 1.5, 3.5, 7.5, 15.5, 31.5), "violated", "satisfied"),
        (tuple(place / 2 for place in range(1, 64)), "violated", "satisfied"),
        ((), "violated", "unseen"),
    ],
)
def test_a_refusal_without_ack(copies, spacing, end):
    flow = refused(*copies).flow(window=STANDARD)
    assert outcomes(purposes.test_copies_of_a_refusal_become_rarer(flow)) == [spacing]
    assert outcomes(purposes.test_refusal_without_ack_is_given_up(flow)) == [end]


def test_timers_that_are_a_little_late():
    flow = refused(*(copy * 1.008 for copy in G[:-1])).flow(window=STANDARD)
    assert outcomes(purposes.test_refusal_without_ack_is_given_up(flow)) == ["satisfied"]


def test_the_end_must_have_been_watched():
    judge = purposes.test_refusal_without_ack_is_given_up
    assert outcomes(judge(refused(*G[:4]).flow(window=QUICK))) == ["unseen"]
    assert outcomes(judge(refused(*G).flow(window=STANDARD, alive=False))) == ["unseen"]
    assert outcomes(judge(refused(*G, ack=31.6).flow(window=STANDARD))) == ["unseen"]


def test_an_ack_ends_the_copies():
    judge = purposes.test_ack_ends_the_copies
    assert outcomes(judge(refused(0.5, 1.5, ack=1.52).flow())) == ["satisfied"]
    assert outcomes(judge(refused(0.5, 1.5, 3.5, ack=1.52).flow())) == ["violated"]
    assert outcomes(judge(refused(0.5, 1.5, 1.55, ack=1.52).flow())) == ["satisfied"], "it was on its way"
    assert outcomes(judge(refused(0.5).flow())) == ["unseen"]
    assert outcomes(judge(refused(0.5, 1.5, ack=1.52).flow(closed=2.0))) == ["unseen"]
    assert outcomes(judge(refused(0.5, 1.5, ack=1.52).flow(alive=False))) == ["unseen"]


def test_a_copy_of_the_invite():
    judge = purposes.test_copy_of_the_invite_gets_the_same_refusal

    def again() -> Line:
        return Line().ask().reply(0.01, 603).ask(0.11)

    assert outcomes(judge(again().reply(0.12, 603).ack(0.42).flow())) == ["satisfied"]
    assert outcomes(judge(again().ack(0.42).flow())) == ["violated (warn)"]
    assert outcomes(judge(again().reply(0.51, 603).ack(0.6).flow())) == ["unseen"], "it may be Timer G's own copy"
    assert outcomes(judge(again().ack(0.3).reply(0.51, 603).flow())) == ["satisfied"], "a slow machine"
    assert outcomes(judge(again().reply(0.12, 603, to_tag="t2").flow())) == ["violated"]
    assert outcomes(judge(again().reply(0.12, 180, to_tag="t2").flow())) == ["violated"]
    assert outcomes(judge(again().reply(0.12, 482).flow())) == ["violated"]
    assert outcomes(judge(again().flow(alive=False))) == ["unseen"]
    assert outcomes(judge(Line().ask().reply(0.01, 603).ack(0.02).flow())) == ["unseen"]


def test_nobody_is_rung_for_a_copy():
    from suites.answering import REPEATED

    line = Line(REPEATED["b2bua"], "b2bua").ask().request(0.02, "INVITE", "callee").reply(0.05, 603).ask(0.15)
    judge = purposes.test_copy_of_the_invite_gets_the_same_refusal

    def rung(line: Line) -> Line:
        return line.say(0.2, "INVITE sip:7001@127.0.0.2 SIP/2.0", sent=False, seat="callee", branch="z9hG4bKtwo")

    assert outcomes(judge(rung(line).flow())) == ["violated"]
    assert outcomes(judge(line.reply(0.16, 603).flow())) == ["satisfied"], "rung again for another reason"


def test_further_acks():
    judge = purposes.test_further_acks_are_absorbed

    def three() -> Line:
        return Line().ask().reply(0.01, 603).ack(0.02).ack(0.22).ack(0.42)

    assert outcomes(judge(three().flow())) == ["satisfied"]
    assert outcomes(judge(three().reply(0.23, 481, cseq="1 ACK").flow())) == ["violated"]
    assert outcomes(judge(three().reply(0.23, 481).flow())) == ["violated"]
    assert outcomes(judge(three().reply(0.51, 603).flow())) == ["satisfied"], "a copy is another rule's"
    assert outcomes(judge(three().flow(alive=False))) == ["unseen"]
    assert outcomes(judge(refused(ack=0.02).flow())) == ["unseen"]
