"""The reference device over IPv4 and IPv6 at once: where it calls, and what it says of itself there."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sip_bench import Bench
from sip_caller import own, registered, request

from harness.devices.reference.behaviour import Behaviour
from harness.devices.reference.contacts import Contact, Target
from harness.devices.reference.faults import fault_named
from harness.devices.reference.misbehaviour import behaviour_with
from harness.devices.reference.parsing import parse
from harness.devices.reference.sip_uri import Address
from harness.devices.reference.wire import Final, InboundResponse, OutboundRequest

Play = Callable[..., None]
V4, V6 = "127.0.30.9", "[::1]"
HERE, THERE = Address("127.0.31.1", 5060), Address("::1", 5062)


@pytest.mark.parametrize("over_ipv6", [False, True])
def test_a_call_goes_to_the_other_family_and_its_bye_comes_back_from_there(play: Play, over_ipv6: bool) -> None:
    async def scenario(bench: Bench) -> None:
        target = await bench.peer("200 OK", ipv6=not over_ipv6)
        callee = await bench.peer(f"302 M\nContact: <sip:9@{target.uri}>", ipv6=over_ipv6)
        device = await bench.device(across=True)
        device.do(f"call sip:7@{callee.uri}")
        await target.until("ACK")
        [first], [again] = callee.of("INVITE"), target.of("INVITE")
        old, new = (V6, V4) if over_ipv6 else (V4, V6)
        assert again.uri == f"sip:9@{target.uri}"
        assert again.header("Via").startswith(f"SIP/2.0/UDP {new}:")
        assert again.header("Contact").startswith(f"<sip:reference@{new}:")
        assert first.header("Via").startswith(f"SIP/2.0/UDP {old}:")
        [refused] = await callee.until("ACK")
        assert refused.branch == first.branch
        [acknowledged] = target.of("ACK")
        assert acknowledged.header("Via").startswith(f"SIP/2.0/UDP {new}:")
        device.do(f"hangup sip:7@{callee.uri}")
        [bye] = await target.until("BYE")
        assert bye.header("Via").startswith(f"SIP/2.0/UDP {new}:")
        device.do(f"call sip:7@{callee.uri}")
        await callee.until("INVITE", 2)

    play(scenario)


@pytest.mark.parametrize("fault", ["", "via_of_old_family", "records_old_family"])
def test_a_proxy_forwards_to_the_other_family(play: Play, fault: str) -> None:
    async def scenario(bench: Bench) -> None:
        caller, target = await bench.peer("200 OK"), await bench.peer("603 No", ipv6=True)
        callee = await bench.peer(f"302 M\nContact: <sip:9@{target.uri}>")
        device = await bench.device(*filter(None, [fault]), role="recursing-proxy", across=True)
        await registered(caller, device, f"<sip:700@{callee.uri}>")
        caller.send(request("INVITE", own(device), caller), device.address)
        await caller.until("603")
        [invite] = target.of("INVITE")
        vias = [line for line in invite.text.split("\r\n") if line.startswith("Via: ")]
        assert vias[0].startswith(f"Via: SIP/2.0/UDP {V4 if fault == 'via_of_old_family' else V6}:")
        lines = [line for line in invite.text.split("\r\n") if line.startswith("Record-Route: ")]
        recorded = [line.removeprefix("Record-Route: <sip:").rpartition(":")[0] for line in lines]
        assert recorded == ([V4] if fault == "records_old_family" else [V6, V4])
        assert vias[1].startswith(f"Via: SIP/2.0/UDP {caller.uri};branch=z9hG4bKb")

    play(scenario)


def redirection(source: Address, status: str = "302 Moved") -> InboundResponse:
    text = f"""SIP/2.0 {status}
Via: SIP/2.0/UDP 127.0.30.9:5060;branch=z9hG4bKold
From: <sip:a@b>;tag=1
To: <sip:c@d>;tag=2
Call-ID: x
CSeq: 1 INVITE
Contact: <sip:9@[::1]:5062>
Content-Length: 0

""".replace("\n", "\r\n")
    parsed = parse(text.encode(), source)
    assert isinstance(parsed, InboundResponse)
    return parsed


def moved(behaviour: Behaviour, there: Address) -> OutboundRequest:
    """The INVITE that follows a redirection to ``there`` of a call over IPv4."""
    old = (("Via", "SIP/2.0/UDP 127.0.30.9:5060;branch=z9hG4bKold"), ("Contact", "<sip:r@127.0.30.9:5060>"))
    new = (("Via", "SIP/2.0/UDP [::1]:5070;branch=z9hG4bKnew"), ("Contact", "<sip:r@[::1]:5070>"))
    uri = f"sip:9@{there}"
    previous = OutboundRequest("INVITE", "sip:c@d", old, b"", HERE)
    invite = OutboundRequest("INVITE", uri, new, b"", there)
    return behaviour.redirected(invite, previous, Target(uri, Contact(uri, ()), redirection(HERE), "sip:c@d"))


@pytest.mark.parametrize(
    ("fault", "uri", "host", "via", "contact"),
    [
        ("", "sip:9@[::1]:5062", "::1", "[::1]:5070", "<sip:r@[::1]:5070>"),
        ("old_host_across", "sip:9@[::1]:5062", "127.0.31.1", "127.0.30.9:5060", "<sip:r@[::1]:5070>"),
        ("loses_brackets_across", "sip:9@::1:5062", "::1", "[::1]:5070", "<sip:r@[::1]:5070>"),
        ("via_of_old_family", "sip:9@[::1]:5062", "::1", "127.0.30.9:5060", "<sip:r@[::1]:5070>"),
        ("contact_of_old_family", "sip:9@[::1]:5062", "::1", "[::1]:5070", "<sip:r@127.0.30.9:5060>"),
    ],
)
def test_faults_show_when_the_family_changes_and_not_otherwise(
    fault: str, uri: str, host: str, via: str, contact: str
) -> None:
    behaviour = behaviour_with([fault_named(fault)] if fault else [])
    invite = moved(behaviour, THERE)
    assert (invite.uri, invite.destination) == (uri, Address(host, 5062))
    assert invite.field("Via") == f"SIP/2.0/UDP {via};branch=z9hG4bKnew"
    assert invite.field("Contact") == contact
    stayed = Address("127.0.31.2", 5062)
    assert moved(behaviour, stayed) == moved(behaviour_with([]), stayed)


def test_a_call_that_changes_its_family_is_changed_from_where_it_is() -> None:
    wrong = behaviour_with([fault_named("reinvites_from_old_family")])
    moved(wrong, THERE)
    there, here = (
        OutboundRequest(method, "sip:9@x", (("Contact", "<sip:r@[::1]:5070>"),), b"", to)
        for method, to in (("INVITE", THERE), ("INVITE", HERE))
    )
    assert wrong.in_dialog(there).field("Contact") == "<sip:r@127.0.30.9:5060>"
    assert wrong.in_dialog(here) == here
    assert behaviour_with([]).in_dialog(there) == there


def test_a_contact_of_the_other_family_is_passed_over_by_a_device_that_stays() -> None:
    right, wrong = behaviour_with([]), behaviour_with([fault_named("stays_in_family")])
    across, here = Contact("sip:9@[::1]:5062", ()), Contact("sip:9@127.0.31.2", ())
    assert [one.request_uri(across) for one in (right, wrong)] == ["sip:9@[::1]:5062", None]
    assert [one.request_uri(here) for one in (right, wrong)] == ["sip:9@127.0.31.2"] * 2
    wrong.over_ipv6 = True
    assert [wrong.request_uri(here), wrong.request_uri(across)] == [None, "sip:9@[::1]:5062"]


def test_a_603_from_the_other_family_alone_is_no_end() -> None:
    right, wrong = behaviour_with([]), behaviour_with([fault_named("goes_on_after_603_across")])
    here, there = (Final.of(redirection(one, "603 Decline")) for one in (HERE, THERE))
    other = Final.of(redirection(THERE, "600 Busy"))
    assert [right.ends_call(one) for one in (here, there, other)] == [True] * 3
    assert [wrong.ends_call(one) for one in (here, there, other)] == [True, False, True]
    assert [wrong.ends_search(there, recursed=one) for one in (True, False)] == [False, True]
