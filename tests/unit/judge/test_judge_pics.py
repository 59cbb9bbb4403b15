"""What a device claims, looked for on the wire: seen, not seen where it could have been, or nothing to say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.device.tables.pics import PICS
from harness.judge.glimpses import OBSERVABLE, glimpses
from harness.judge.observed import UNOBSERVABLE, observe
from harness.model.flow import PlacedCall, Seat
from harness.model.plan import Answer, Call, Plan, Response
from harness.net.address import Address
from suites.plans import MOVED, REDIRECT, SECOND_URI, accept, callee, redirect, refuse, target
from tests.unit.judge.answered_flow import Line
from tests.unit.judge.redirect_flow import Try, drive

FOLLOWED = Try("sip:9{token}@{target}", "target")
TWO = Plan((callee(redirect(MOVED, f"<{SECOND_URI}>")), target(refuse(486)), target(accept(), name="second")))
HEADED = Plan((callee(redirect("<sip:9{token}@{target}?Subject=moved%20on>")), target(accept())))
AGAIN = Plan((callee(redirect(f"{MOVED};expires=60"), accept()), target(accept())), calls=(Call(), Call(after=1.0)))


def test_every_claim_is_looked_for_or_has_a_reason_why_not() -> None:
    assert OBSERVABLE | UNOBSERVABLE.keys() == set(PICS)
    assert OBSERVABLE.isdisjoint(UNOBSERVABLE)


def test_redirection_that_is_followed_shows() -> None:
    seen = glimpses(drive(REDIRECT, Try(), FOLLOWED))
    assert seen["follows_redirects"] == "shown"
    assert seen["diversion"] == seen["history_info"] == "missed"


def test_redirection_that_is_not_followed_is_a_chance_missed() -> None:
    assert glimpses(drive(REDIRECT, Try()))["follows_redirects"] == "missed"


def test_redirection_to_where_nobody_is_to_be_called_is_no_chance() -> None:
    guarded = Plan((callee(redirect(MOVED)), target(refuse(480))))
    assert "follows_redirects" not in glimpses(drive(guarded, Try()))


def test_redirection_that_was_never_acknowledged_is_no_chance() -> None:
    assert "follows_redirects" not in glimpses(drive(REDIRECT, replace(Try(), acked=False)))


def test_what_a_b2bua_and_a_proxy_do_has_names_of_its_own() -> None:
    flow = drive(REDIRECT, Try(), FOLLOWED)
    assert glimpses(replace(flow, role="b2bua"))["b2bua_follows"] == "shown"
    assert glimpses(replace(flow, role="proxy"))["proxy_recurses_3xx"] == "shown"


def test_further_contacts() -> None:
    second = Try("sip:8{token}@{second}", "second")
    assert glimpses(drive(TWO, Try(), FOLLOWED, second))["multi_contact"] == "shown"
    assert glimpses(drive(TWO, Try(), FOLLOWED))["multi_contact"] == "missed"


def test_a_contact_of_the_other_family() -> None:
    across = Plan((REDIRECT.endpoints[0], replace(REDIRECT.endpoints[1], crosses=True)))
    assert glimpses(drive(across, Try(), FOLLOWED))["both_families"] == "shown"
    assert glimpses(drive(across, Try()))["both_families"] == "missed"
    assert "both_families" not in glimpses(drive(REDIRECT, Try(), FOLLOWED))


def test_headers_of_a_contact() -> None:
    honoured = replace(FOLLOWED, headers=(*FOLLOWED.headers, "Subject: moved on"))
    own = replace(FOLLOWED, headers=(*FOLLOWED.headers, "Subject: my own"))
    assert glimpses(drive(HEADED, Try(), honoured))["uri_headers"] == "shown"
    assert glimpses(drive(HEADED, Try(), own))["uri_headers"] == "missed"


def test_memory_of_a_redirection_with_a_lifetime() -> None:
    flow = replace(
        drive(AGAIN, Try(), FOLLOWED, Try(call=1)),
        calls=(PlacedCall("sip:x", 999.0, "test"), PlacedCall("sip:x", 1001.5, "test")),
    )
    assert glimpses(flow)["caches_302"] == "missed"
    kept = replace(drive(AGAIN, Try(), FOLLOWED, replace(FOLLOWED, call=1)), calls=flow.calls)
    assert glimpses(kept)["caches_302"] == "shown"


def test_outbound_proxy_and_route() -> None:
    plain = glimpses(drive(REDIRECT, Try()))
    assert plain["outbound_proxy"] == plain["preloaded_route"] == "missed"
    away = Try("sip:{token}@192.0.2.7", headers=("Route: <sip:127.0.1.1;lr>",))
    seen = glimpses(drive(REDIRECT, away))
    assert seen["outbound_proxy"] == seen["preloaded_route"] == "shown"


def test_call_that_something_of_ours_passes_on_says_nothing_of_an_outbound_proxy() -> None:
    flow = drive(REDIRECT, Try())
    behind = tuple(replace(seat, behind=Address("127.0.7.7")) for seat in flow.seats)
    assert "outbound_proxy" not in glimpses(replace(flow, seats=behind))


def test_a_call_that_arrives_elsewhere_than_its_uri_says_went_through_an_outbound_proxy() -> None:
    flow = drive(REDIRECT, Try(), Try("sip:9{token}@{target}", seat="target"))
    exchange = flow.seat("callee").address
    came = tuple(replace(event, destination=exchange) if event.from_device else event for event in flow.events)
    assert glimpses(replace(flow, events=came))["outbound_proxy"] == "shown"


def test_challenge() -> None:
    flow = drive(Plan((callee(refuse(407), accept()),)), Try())
    asks = "Proxy-Authenticate: Digest realm=r, nonce=n\r\n\r\n"
    asked = tuple(
        replace(e, raw=e.raw.replace("\r\n\r\n", f"\r\n{asks}", 1)) if e.status == 407 else e for e in flow.events
    )
    assert glimpses(replace(flow, events=asked))["digest"] == "missed"
    assert "digest" not in glimpses(replace(flow, events=asked, role="proxy"))
    # Without a challenge there is nothing to answer.
    assert "digest" not in glimpses(flow)
    answered = Try(headers=("Proxy-Authorization: Digest username=x",))
    assert glimpses(drive(flow.plan, Try(), answered))["digest"] == "shown"


def test_headers_and_schemes_that_the_device_writes() -> None:
    names = ("Diversion: <sip:x@y>", "History-Info: <sip:x@y>;index=1", "Privacy: id", "Identity: x", "User-to-User: 1")
    seen = glimpses(drive(REDIRECT, Try("sips:{token}@{callee}", headers=names)))
    assert {key for key in ("diversion", "history_info", "privacy", "stir", "uui", "sips") if seen[key] == "shown"} == {
        *("diversion", "history_info", "privacy", "stir", "uui", "sips")
    }


def test_what_is_only_passed_on_is_not_the_devices() -> None:
    flow = drive(REDIRECT, Try(headers=("Privacy: id",)))
    invite = replace(flow.events[0], number=0, seat="caller", direction="sent")
    through = replace(flow, role="b2bua", events=(invite, *flow.events), seats=(*flow.seats, _caller()))
    assert "privacy" not in glimpses(through)


def test_methods_of_its_own_and_methods_that_it_passes_on() -> None:
    flow = drive(REDIRECT, Try())
    arrived = replace(flow.events[0], raw=flow.events[0].raw.replace("INVITE", "MESSAGE"))
    sent = replace(arrived, seat="caller", direction="sent")
    assert glimpses(replace(flow, events=(arrived,)))["message"] == "shown"
    assert "message" not in glimpses(replace(flow, events=(sent, arrived)))


def _caller() -> Seat:
    return Seat("caller", "caller", Address("127.0.0.8"), 0.0)


@pytest.mark.parametrize(("role", "key"), [("uas", "call_forwarding"), ("redirect", "redirect_server")])
def test_device_that_answers(role: str, key: str) -> None:
    asked = Plan((), (Call("{redirects}"),))
    moved = Line(asked, role).ask().say(0.1, "SIP/2.0 302 Moved", sent=False, to_tag="t").flow()
    busy = Line(asked, role).ask().say(0.1, "SIP/2.0 486 Busy", sent=False, to_tag="t").flow()
    other = Line(Plan((), (Call(),)), role).ask().say(0.1, "SIP/2.0 486 Busy", sent=False, to_tag="t").flow()
    assert glimpses(moved)[key] == "shown"
    assert glimpses(busy)[key] == "missed"
    assert key not in glimpses(other)


def test_reinvite() -> None:
    plan = Plan((callee(Answer((Response(200),), then="wait")),), calls=(Call(act="reinvite"),))
    assert glimpses(drive(plan, Try()))["sends_reinvite"] == "missed"
    again = Try(to_tag="callee.a.1", cseq=2)
    assert glimpses(drive(plan, Try(), again))["sends_reinvite"] == "shown"


def test_observations_of_several_flows() -> None:
    flows = {"f2": {"digest": "missed", "sips": "shown"}, "f1": {"digest": "shown", "privacy": "missed"}}
    claims = dict.fromkeys(PICS, False) | {"digest": True, "privacy": True, "dns": True, "refer": True}
    told = {one.key: one for one in observe("phone", claims, flows)}  # type: ignore[arg-type]
    assert told["digest"].seen is True
    assert told["digest"].evidence == ("f1",)
    assert not told["digest"].differs
    assert told["privacy"].seen is False
    assert told["privacy"].sentence == (
        "phone: privacy is claimed, and did not show in flow f1, in which it had an occasion"
    )
    assert told["sips"].sentence == "phone: sips is not claimed, and was seen in flow f2"
    assert told["dns"].reason.startswith("cannot be seen")
    assert told["refer"].reason.startswith("could not be seen")
    assert [one.key for one in told.values() if one.differs] == ["privacy", "sips"]
    assert told["sips"].evidence == ("f2",)
