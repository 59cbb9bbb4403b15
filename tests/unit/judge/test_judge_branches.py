"""A flow read as response contexts: which branches belong to which request of a caller."""

from __future__ import annotations

from dataclasses import replace

import pytest
from proxy_flow import ProxyWire, said

from harness.judge.answers import asked
from harness.judge.branches import context_of, contexts, last_end
from harness.judge.cancels import cancelled
from harness.judge.upstream import lost_values, no_final, outcomes, values
from suites.proxy._plans import FORK_DECLINE, SERIAL_DECLINES


def fork() -> ProxyWire:
    """Three phones; the second one declines after 0.3 s, while the others ring."""
    wire = ProxyWire(FORK_DECLINE).asks()
    for seat in ("callee", "second", "third"):
        wire.calls(0.01, seat)
    for seat in ("callee", "third"):
        wire.says(0.02, seat, 180)
    return wire.says(0.3, "second", 603)


def test_a_context_knows_its_branches() -> None:
    wire = fork().cancels(0.31, "callee").cancels(0.81, "callee").says(0.32, "callee", 487).tells(1.4, 603)
    context = context_of(wire.flow())
    assert context is not None
    assert [branch.seat for branch in context.branches] == ["callee", "second", "third"]
    assert [branch.status for branch in context.branches] == [487, 603, 0]
    assert [len(branch.cancels) for branch in context.branches] == [2, 0, 0]
    assert context.refused is context.branches[1]
    assert [final.status for final in context.finals] == [603, 487]
    assert last_end(context.branches) is None, "the third one is still open"
    assert last_end(context.branches[:2]) is context.branches[0].final


def test_a_branch_is_pending_between_its_first_1xx_and_its_final() -> None:
    context = context_of(fork().flow())
    assert context is not None
    callee, second, third = context.branches
    assert second.final is not None
    assert callee.pending_at(second.final)
    assert third.open_at(second.final)
    assert not second.open_at(second.final)
    silent = context_of(
        ProxyWire(FORK_DECLINE).asks().calls(0.01).calls(0.02, "second").says(0.3, "second", 603).flow()
    )
    assert silent is not None
    final = silent.branches[1].final
    assert final is not None
    assert silent.branches[0].open_at(final)
    assert not silent.branches[0].pending_at(final)


def test_a_late_branch_belongs_to_its_own_call() -> None:
    wire = ProxyWire(SERIAL_DECLINES).asks().calls(0.01).says(0.02, "callee", 603).tells(0.03, 603)
    wire.asks(1.0).calls(1.01).says(1.02, "callee", 600).tells(1.03, 600)
    wire.calls(1.5, "second", call_id="c1").calls(1.6, "second", call_id="another")
    assert [[branch.seat for branch in c.branches] for c in contexts(wire.flow())] == [
        ["callee", "second"],
        ["callee", "second"],
    ]


def test_outcomes_are_finals_less_their_copies() -> None:
    wire = fork().tells(1.0, 603).tells(1.5, 603).tells(1.6, 603, tag="u").tells(1.7, 486)
    (one,) = asked(wire.flow())
    assert [(final.status, final.to_tag) for final in outcomes(one)] == [(603, "t"), (603, "u"), (486, "t")]


def test_values_are_compared_one_by_one() -> None:
    was = fork().flow().events[0]
    was = replace(was, raw="SIP/2.0 603 x\r\nReason: SIP;cause=1,  Q.850;cause=2\r\nReason: SIP;cause=3\r\n\r\n")
    now = replace(was, raw="SIP/2.0 603 x\r\nReason: SIP;cause=1, X, SIP;cause=3,Q.850;cause=2\r\n\r\n")
    assert values(was, "Reason") == ("SIP;cause=1", "Q.850;cause=2", "SIP;cause=3")
    assert lost_values(was, now, "Reason") == ("SIP;cause=3",), "added ones do not count, another order does"
    assert lost_values(was, was, "Reason") == ()


@pytest.mark.parametrize(
    ("was", "now", "same"),
    [
        ('SIP;cause=603;text="a; b"', 'SIP ; cause = 603; text="a; b"', True),
        ('SIP;cause=603;text="a; b"', 'SIP;cause=603;text="a;b"', False),
        ('SIP;cause=603;text="a  b"', 'SIP;cause=603;text="a b"', True),
        (r'SIP;cause=603;text="a \" ; b"', r'SIP; cause=603; text="a \" ; b"', True),
        (r'SIP;cause=603;text="a \" ; b"', r'SIP;cause=603;text="a \";b"', False),
        ("<sip:b@h;user=phone>;q=0.5;expires=60", "<sip:b@h;user=phone> ; q=0.5;\r\n expires=60", True),
        ("<sip:b@h;user=phone>;q=0.5", "<sip:b@h>;user=phone;q=0.5", False),
        ("3600 (on holiday);duration=60", "3600(on holiday) ;duration=60", True),
        ("3600 (on holiday)", "3600 (onholiday)", False),
    ],
)
def test_blanks_around_separators_are_mere_writing(was: str, now: str, same: bool) -> None:
    event = fork().flow().events[0]
    before, after = (replace(event, raw=f"SIP/2.0 603 x\r\nX-Any: {value}\r\n\r\n") for value in (was, now))
    assert (lost_values(before, after, "X-Any") == ()) is same
    assert (values(before, "X-Any") == values(after, "X-Any")) is same


def cancelled_after(wire: ProxyWire, **how: object) -> str:
    flow = wire.flow(**how)  # type: ignore[arg-type]
    context = context_of(flow)
    assert context is not None
    assert context.refused is not None
    assert context.refused.final is not None
    return said([cancelled(flow, context.branches[0], context.refused.final)])[0]


def test_a_cancel_in_time() -> None:
    assert cancelled_after(fork().cancels(0.31, "callee")) == "satisfied"
    assert cancelled_after(fork().cancels(1.9, "callee")) == "satisfied"


def test_no_cancel_or_a_late_one_or_one_that_matches_nothing() -> None:
    assert cancelled_after(fork()) == "violated"
    assert cancelled_after(fork().cancels(3.0, "callee")) == "violated"
    assert cancelled_after(fork().cancels(0.31, "callee", branch="z9hG4bKother")) == "violated"
    assert cancelled_after(fork().says(2.5, "callee", 480)) == "violated", "it had rung for 2.2 s more"


def test_when_a_missing_cancel_proves_nothing() -> None:
    assert cancelled_after(fork().says(1.0, "callee", 480)) == "unseen"
    assert cancelled_after(fork(), closed=1.0) == "unseen"
    assert cancelled_after(fork(), alive=False) == "unseen"


def test_no_final_response_must_be_proven() -> None:
    def missing(**how: object) -> str:
        flow = fork().flow(**how)  # type: ignore[arg-type]
        context = context_of(flow)
        assert context is not None
        assert context.refused is not None
        assert context.refused.final is not None
        return no_final(flow, context.asked, context.refused.final).outcome

    assert missing() == "violated"
    assert missing(closed=1.0) == "unseen"
    assert missing(alive=False) == "unseen"
