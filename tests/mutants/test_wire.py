"""When two flows of one plan have the same wire, and when they have not."""

from __future__ import annotations

import dataclasses

from harness.model.flow import Event, Flow, LifeSign, Seat, Watch
from harness.model.places import Places
from harness.model.plan import Answer, Endpoint, Plan, Response
from harness.model.windows import QUICK
from harness.net.address import Address
from tests.mutants.compare import Difference, certain, differences, forms_of, repeated

PLAN = Plan((Endpoint("callee", "callee", (Answer((Response(603),)),)),))


def message(
    start: str, method: str, *, host: str, branch: str = "b1", tag: str = "t1", to: str = "", body: str = ""
) -> str:
    """A message of a device at ``host`` in the call 7001 to the callee at ``host`` + 1."""
    callee = host[:-1] + str(int(host[-1]) + 1)
    lines = (
        start.format(callee=callee),
        f"Via: SIP/2.0/UDP {host}:5060;branch=z9hG4bK{branch}{host}",
        f"From: <sip:device@{host}>;tag={tag}{host}",
        f"To: <sip:7001@{callee}>{to and f';tag={to}{host}'}",
        f"Call-ID: call@{host}",
        f"CSeq: 1 {method}",
        f"Content-Length: {len(body)}",
    )
    return "\r\n".join((*lines, "", body))


def flow(
    host: str = "127.1.0.1",
    *,
    ack: str = "b1",
    times: tuple[float, ...] = (0.0,),
    first: str = "INVITE",
    late: float = 0.0,
) -> Flow:
    """The device calls, is declined, and sends its ACK; another ``host`` means another run."""
    callee = Address(host[:-1] + str(int(host[-1]) + 1))
    invite = message("INVITE sip:7001@{callee} SIP/2.0", "INVITE", host=host, body=f"c=IN IP4 {host}")
    said = [
        *((at, "received", invite) for at in times),
        (0.1 + late, "sent", message("SIP/2.0 603 Decline", "INVITE", host=host, to="x")),
        (0.2 + late, "received", message("ACK sip:7001@{callee} SIP/2.0", "ACK", host=host, branch=ack, to="x")),
        (0.3 + late, "received", message("BYE sip:7001@{callee} SIP/2.0", "BYE", host=host, branch="b9", to="x")),
    ]
    if first == "BYE":
        said[-2:] = [(0.2, *said[-1][1:]), (0.3, *said[-2][1:])]
    events = [
        Event(raw, number, at, "callee", "received" if direction == "received" else "sent")
        for number, (at, direction, raw) in enumerate(sorted(said), 1)
    ]
    return Flow(
        id=f"flow-{host}",
        plan=PLAN,
        role="uac",
        transport="udp",
        device={"name": "x", "pics": {}},
        places=Places("7001", {"callee": callee}, Address(host)),
        seats=(Seat("callee", "callee", callee, 0.0),),
        calls=(),
        events=tuple(events),
        watch=Watch(QUICK, 0.1, 5.1),
        life=LifeSign(6.0, "a plain call"),
    )


def compared(changed: Flow, *unchanged: Flow) -> list[Difference]:
    return differences(forms_of([changed]), forms_of(unchanged))


def test_other_addresses_tags_branches_and_lengths_are_no_difference() -> None:
    assert compared(flow("127.10.0.13"), flow("127.1.0.1")) == []


def test_the_branch_of_an_ack_is_compared_with_that_of_its_invite() -> None:
    (difference,) = compared(flow("127.2.0.1", ack="b7"), flow())
    assert difference.kind == "messages"
    assert difference.number == 3
    assert "+ Via: SIP/2.0/UDP {device};branch=z9hG4bK{branch 2}" in difference.text


def test_a_message_that_is_missing_is_told() -> None:
    whole = flow()
    (difference,) = compared(dataclasses.replace(whole, events=whole.events[:-1]), whole)
    assert difference.text == "- BYE sip:{token}@{callee.host} SIP/2.0  (whole message)"


def test_copies_differ_from_all_drives_of_the_unchanged_device() -> None:
    thrice = flow(times=(0.0, 0.05, 0.06))
    assert [one.kind for one in compared(thrice, flow())] == ["copies"]
    assert compared(thrice, flow(), flow(times=(0.0, 0.05, 0.06))) == []
    assert [one.kind for one in compared(flow(times=(0.0,)), thrice)] == ["copies"]


def test_a_copy_that_crosses_its_answer_is_no_difference() -> None:
    assert compared(flow(times=(0.0, 0.05)), flow(times=(0.0, 0.05, 0.06))) == []


def test_a_copy_that_was_due_because_our_answer_was_late_is_no_difference() -> None:
    late = flow("127.2.0.1", times=(0.0, 0.5), late=0.6)
    assert compared(late, flow()) == []
    assert [one.kind for one in compared(flow("127.2.0.1", times=(0.0, 0.2), late=0.3), flow())] == ["copies"], "T1"
    assert [one.kind for one in compared(flow("127.2.0.1", times=(0.0, 0.5)), flow())] == ["copies"], "answered"
    assert "copies" in [one.kind for one in compared(flow("127.2.0.1", times=(0.0, 0.5, 1.0), late=1.1), flow())]


def test_a_response_may_come_as_often_as_it_is_asked_for() -> None:
    def called(*said: str) -> Flow:
        one = flow()
        request, response = one.events[0].raw, one.events[1].raw.replace("603 Decline", "100 Trying")
        events = [
            Event(request, number, 0.1 * number, "callee", "sent")
            if what == "asked"
            else Event(response, number, 0.1 * number, "callee", "received")
            for number, what in enumerate(said, 1)
        ]
        return dataclasses.replace(one, events=tuple(events))

    once = called("asked", "answered")
    assert compared(called("asked", "asked", "answered", "answered"), once) == []
    assert [one.kind for one in compared(called("asked", "answered", "answered"), once)] == ["copies"]
    twice = called("asked", "answered", "asked", "answered")
    assert [one.kind for one in compared(called("asked", "asked", "answered", "answered", "answered"), twice)] == [
        "copies"
    ]


def test_an_ack_may_come_as_often_as_our_response_does() -> None:
    def declined(*said: int) -> Flow:
        one = flow()
        events = [
            dataclasses.replace(one.events[which], number=number, time=0.1 * number)
            for number, which in enumerate(said, 1)
        ]
        return dataclasses.replace(one, events=tuple(events))

    once = declined(0, 1, 2)
    assert compared(declined(0, 1, 1, 2, 2), once) == []
    assert [one.kind for one in compared(declined(0, 1, 2, 2), once)] == ["copies"]


def test_the_words_of_a_status_line_count_where_a_603_plus_is_known_by_them() -> None:
    def said(status: str) -> Flow:
        one = flow()
        answer = dataclasses.replace(one.events[-1], raw=message(f"SIP/2.0 {status}", "INVITE", host="127.1.0.1"))
        return dataclasses.replace(one, events=(*one.events[:-1], answer))

    assert compared(said("480 Gone"), said("480 Temporarily Unavailable")) == []
    assert compared(said("603 Network Blocke"), said("603 Network Blocked"))


def test_a_port_of_the_other_family_is_another_one_in_each_run() -> None:
    def across(port: int) -> Flow:
        one = flow()
        text = one.events[0].raw.replace("127.1.0.1:5060", f"[::1]:{port}", 1)
        first = dataclasses.replace(one.events[0], raw=text, source=Address("::1", port))
        return dataclasses.replace(one, events=(first, *one.events[1:]))

    assert compared(across(27100), across(14800)) == []


def test_a_small_delay_is_no_difference_and_a_long_one_is() -> None:
    assert compared(flow(times=(0.0, 0.5)), flow(times=(0.0, 0.7))) == []
    assert [one.kind for one in compared(flow(times=(0.0, 0.5)), flow(times=(0.0, 2.5)))] == ["times"]


def test_the_order_inside_one_exchange_counts() -> None:
    assert [one.kind for one in compared(flow(first="BYE"), flow())] == ["order"]


def test_one_plan_alone_is_no_proof_until_another_run_shows_it() -> None:
    found = compared(flow("127.2.0.1", ack="b7"), flow())
    assert not certain(found)
    assert repeated(found, compared(flow("127.3.0.1", ack="b8"), flow())) == found
    assert repeated(found, compared(flow("127.3.0.1"), flow())) == []


def test_the_port_of_a_connection_is_no_difference_and_a_wrong_rport_is() -> None:
    def answered(port: int, rport: int) -> Flow:
        one = flow()
        there = Address("127.1.0.2", port, "tcp")
        text = one.events[0].raw.replace(":5060;branch", f":5060;rport={rport};branch", 1)
        first = dataclasses.replace(one.events[0], raw=text, destination=there)
        return dataclasses.replace(one, events=(first, *one.events[1:]))

    assert compared(answered(40001, 40001), answered(40002, 40002)) == []
    assert compared(answered(40001, 7), answered(40002, 40002))


def test_the_port_of_an_endpoint_in_a_response_that_is_passed_on_is_no_difference() -> None:
    def passed_on(port: int, rport: int) -> Flow:
        one = flow()
        text = one.events[0].raw.replace(":5060;branch", f":5060;rport={rport};branch", 1)
        seats = (*one.seats, Seat("first", "target", Address("::1", port), 0.0))
        return dataclasses.replace(
            one, seats=seats, events=(dataclasses.replace(one.events[0], raw=text), *one.events[1:])
        )

    assert compared(passed_on(30403, 30403), passed_on(30003, 30003)) == []
    assert compared(passed_on(30403, 7), passed_on(30003, 30003))


def test_the_port_of_an_endpoint_behind_a_name_is_no_difference() -> None:
    def named(port: int, written: int) -> Flow:
        one = flow()
        text = one.events[0].raw.replace("127.1.0.2", f"t7001.test:{written}", 1)
        seats = (*one.seats, Seat("first", "target", Address("::1", port), 0.0))
        return dataclasses.replace(
            one, seats=seats, events=(dataclasses.replace(one.events[0], raw=text), *one.events[1:])
        )

    assert compared(named(30403, 30403), named(30003, 30003)) == []
    assert compared(named(30403, 30003), named(30003, 30003))


def test_the_port_of_a_callers_connection_is_no_difference() -> None:
    def passed_on(port: int, rport: int) -> Flow:
        one = flow()
        text = one.events[0].raw.replace(":5060;branch", f":5060;rport={rport};branch", 1)
        asked = Event(one.events[0].raw, 9, 0.0, "caller", "sent", source=Address("127.1.0.8", port, "tls"))
        return dataclasses.replace(one, events=(dataclasses.replace(one.events[0], raw=text), *one.events[1:], asked))

    assert compared(passed_on(59133, 59133), passed_on(44783, 44783)) == []
    assert compared(passed_on(59133, 7), passed_on(44783, 44783))


def test_the_port_over_another_transport_is_another_one_in_each_run() -> None:
    def over_udp(port: int) -> Flow:
        one = flow()
        text = one.events[0].raw.replace("127.1.0.1:5060", f"127.1.0.1:{port}", 1)
        first = dataclasses.replace(one.events[0], raw=text, source=Address("127.1.0.1", port, "udp"))
        there = dataclasses.replace(one.places, device=Address("127.1.0.1", 5061, "tls"))
        return dataclasses.replace(one, places=there, events=(first, *one.events[1:]))

    assert compared(over_udp(44753), over_udp(55211)) == []


def test_what_a_route_notes_of_a_connection_is_no_difference() -> None:
    def noted(note: str) -> Flow:
        one = flow()
        text = one.events[0].raw.replace("Call-ID:", f"Record-Route: <sip:{note}@127.1.0.1;lr>\r\nCall-ID:")
        return dataclasses.replace(one, events=(dataclasses.replace(one.events[0], raw=text), *one.events[1:]))

    assert (
        compared(noted("7564702035303630203132372e34352e312e3332"), noted("7564702035303630203132372e39392e312e31"))
        == []
    )
    assert compared(noted("alice"), noted("bob"))


def test_when_a_call_begins_is_not_the_devices_doing() -> None:
    def with_second_call(at: float) -> Flow:
        one = flow()
        raw = one.events[0].text.replace("Call-ID: call@", "Call-ID: next@").replace(";tag=t1", ";tag=t2")
        return dataclasses.replace(one, events=(*one.events, Event(raw, 9, at, "callee", "received")))

    assert compared(with_second_call(7.3), with_second_call(5.5)) == []
