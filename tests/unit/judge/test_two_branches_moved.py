"""What becomes of the 302s of two branches of one fork."""

from __future__ import annotations

import pytest
from proxy_flow import ProxyWire, said

from harness.model.windows import QUICK
from suites.proxy import test_recursion_ends as ends

JUDGE = ends.test_each_branch_that_has_moved_is_followed


def forked() -> ProxyWire:
    """Both phones have moved, and the first one's Contact is called and busy."""
    wire = ProxyWire(ends.OF_TWO_BRANCHES, proxy_recurses_3xx=True).asks().calls(0.01).calls(0.01, "second")
    places = wire.places
    wire.says(0.02, "callee", 302, places.fill("Contact: <sip:9{token}@{target}>")).calls(0.03, "target")
    wire.says(0.3, "second", 302, places.fill("Contact: <sip:6{token}@{third}>"))
    return wire


def busy(wire: ProxyWire) -> ProxyWire:
    return wire.says(1.0, "target", 486)


def test_both_are_called() -> None:
    wire = busy(forked().calls(0.31, "third").says(0.6, "third", 404)).tells(1.01, 486)
    assert said(JUDGE(wire.flow())) == ["satisfied"] * 2


def test_the_other_is_handed_back() -> None:
    wire = busy(forked())
    named = wire.places.fill("Contact: <sip:6{token}@{third}>")
    assert said(JUDGE(wire.tells(1.01, 302, named).flow())) == ["satisfied"] * 2


def test_the_other_is_lost() -> None:
    assert said(JUDGE(busy(forked()).tells(1.01, 486).flow())) == ["satisfied", "violated"]
    wire = busy(forked())
    tried = wire.places.fill("Contact: <sip:9{token}@{target}>")
    assert said(JUDGE(wire.tells(1.01, 302, tried).flow())) == ["satisfied", "violated"]


def test_it_may_yet_be_called() -> None:
    assert said(JUDGE(busy(forked()).flow(window=QUICK))) == ["satisfied", "unseen"]


@pytest.mark.parametrize("status", [200, 603])
def test_an_answer_or_a_decline_ends_the_search(status: int) -> None:
    wire = forked().says(0.5, "target", status).tells(0.51, status)
    assert said(JUDGE(wire.flow())) == ["unseen"]


def test_one_redirection_is_another_question() -> None:
    wire = ProxyWire(ends.OF_TWO_BRANCHES, proxy_recurses_3xx=True).asks().calls(0.01).calls(0.01, "second")
    assert said(JUDGE(wire.says(0.02, "second", 404).flow())) == ["unseen"]
