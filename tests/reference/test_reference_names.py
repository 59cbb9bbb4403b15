"""The reference device and names: what it finds, which server it leaves, and that each fault in that shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from sip_bench import Bench
from sip_caller import own, registered, request
from sip_peer import Peer

from harness.devices.reference.faults import fault_named
from harness.devices.reference.misbehaviour import behaviour_with
from harness.devices.reference.naming import Names
from harness.devices.reference.sip_uri import Address as Place
from harness.lab.resolver import Resolver
from harness.model.zone import Zone
from harness.net.address import Address

Play = Callable[..., None]
RANKED = (
    '{d} NAPTR 20 1 "s" "SIP+D2T" "" _sip._tcp.{d}',
    '{d} NAPTR 10 1 "s" "SIP+D2U" "" _sip._udp.{d}',
    "_sip._udp.{d} SRV 20 1 {second.port} second.{d}",
    "_sip._udp.{d} SRV 10 1 {first.port} first.{d}",
    "first.{d} A {first.host}",
    "second.{d} A {second.host}",
    "{d} A {bare.host}",
)
ACROSS = Zone(tuple(line.replace("first.{d} A ", "first.{d} AAAA ") for line in RANKED))
"""The better server has an IPv6 address only."""
NAMED, WITH_PORT, NOWHERE = "sip:m@{d}", "sip:m@{d}:{bare.port}", "sip:m@nowhere.{d}"


@dataclass
class Scene:
    callee: Peer
    first: Peer
    second: Peer
    bare: Peer
    resolver: Resolver
    told: list[int]
    """What the caller of a proxy was refused with."""

    def reached(self) -> list[str]:
        """Who got INVITEs for the Contact."""
        peers = {"callee": self.callee, "first": self.first, "second": self.second, "bare": self.bare}
        return [name for name, peer in peers.items() for m in peer.of("INVITE")[name == "callee" :]]


async def scene(
    bench: Bench,
    contact: str,
    *faults: str,
    first: str = "200 OK",
    zone: Zone | None = None,
    proxy: bool = False,
    hung_up: bool = False,
) -> Scene:
    """The device has called, and was redirected to ``contact``; as a ``proxy``, for a caller, who may have hung up."""
    across = zone is ACROSS
    callee, one, two, bare = [await bench.peer(ipv6=across and place == 1) for place in range(4)]
    one.says(*first.split("|"))
    for peer in (two, bare):
        peer.says("486 Busy Here")
    places = {name: Address(*peer.address[:2]) for name, peer in (("first", one), ("second", two), ("bare", bare))}
    resolver = await Resolver.open(Address("127.0.0.1", 0))
    resolver.serve(
        "d.test", zone or Zone(RANKED), lambda text: text.format(d="d.test", **places), [places["bare"].host]
    )
    callee.says(f"302 Moved\nContact: <{contact.format(d='d.test', **places)}>")
    role = "recursing-proxy" if proxy else "ua"
    device = await bench.device(*faults, resolver=resolver.address.sockaddr, role=role, across=across)
    if proxy:
        caller = await bench.peer("200 OK")
        await registered(caller, device, f"<sip:700@{callee.uri}>")
        caller.send(request("INVITE", own(device), caller), device.address)
    else:
        caller = callee
        device.do(f"call sip:700@{callee.uri}")
    await callee.until("ACK")
    if hung_up:
        caller.send(request("CANCEL", own(device), caller), device.address)
    if proxy:
        await caller.when(lambda: sum(message.code >= 200 for message in caller.heard) > 1)  # beside its REGISTER's
    await bench.quiet(seconds=0.3, limit=3)
    await resolver.close()
    told = dict.fromkeys(message.code for message in caller.heard if message.code > 200)
    return Scene(callee, one, two, bare, resolver, list(told))


@pytest.mark.parametrize(
    ("contact", "faults", "first", "reached"),
    [
        (NAMED, (), "200 OK", ["first"]),
        (NAMED + ";transport=udp", (), "200 OK", ["first"]),
        (NAMED, ("reverses_srv_priorities",), "200 OK", ["second"]),
        (NAMED, ("ignores_srv_port",), "200 OK", []),
        (NAMED, ("ignores_srv",), "200 OK", []),  # nobody is at port 5060 of that address
        (WITH_PORT, (), "200 OK", ["bare"]),
        (WITH_PORT, ("asks_srv_despite_port",), "200 OK", ["first"]),
        (NAMED, (), "503 Down", ["first", "second"]),
        (NAMED, ("stays_with_dead_server",), "503 Down", ["first"]),
        (NAMED, (), "603 Decline", ["first"]),
        (NAMED, ("next_server_after_603",), "603 Decline", ["first", "second"]),
        (NOWHERE, (), "200 OK", []),
        (NOWHERE, ("unknown_name_to_old_server",), "200 OK", ["callee"]),
    ],
)
@pytest.mark.parametrize("proxy", [False, True])
def test_where_a_name_leads(
    play: Play, contact: str, faults: tuple[str, ...], first: str, reached: list[str], proxy: bool
) -> None:
    async def scenario(bench: Bench) -> None:
        assert (await scene(bench, contact, *faults, first=first, proxy=proxy)).reached() == reached

    play(scenario)


@pytest.mark.parametrize(
    ("faults", "first", "reached"),
    [
        ((), "200 OK", ["first"]),
        (("resolves_one_family",), "200 OK", ["second"]),
        ((), "503 Down", ["first", "second"]),
        ((), "603 Decline", ["first"]),
        (("goes_on_after_603_across",), "603 Decline", ["first", "second"]),
    ],
)
@pytest.mark.parametrize("proxy", [False, True])
def test_names_have_addresses_of_both_families(
    play: Play, faults: tuple[str, ...], first: str, reached: list[str], proxy: bool
) -> None:
    async def scenario(bench: Bench) -> None:
        assert (await scene(bench, NAMED, *faults, first=first, zone=ACROSS, proxy=proxy)).reached() == reached

    play(scenario)


@pytest.mark.parametrize(
    ("contact", "first", "told"),
    [
        (NAMED, "603 Decline", [603]),
        (NAMED, "503 Down", [486]),  # of the second server
        (NOWHERE, "200 OK", [500]),
        (NAMED + ";transport=sctp", "200 OK", [500]),
    ],
)
def test_what_the_caller_of_a_proxy_is_told(play: Play, contact: str, first: str, told: list[int]) -> None:
    async def scenario(bench: Bench) -> None:
        assert (await scene(bench, contact, first=first, proxy=True)).told == told

    play(scenario)


def test_a_proxy_whose_caller_hangs_up_while_it_looks_up_calls_nobody(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        got = await scene(bench, NAMED, zone=Zone(RANKED, unanswered=("{d}",)), proxy=True, hung_up=True)
        assert (got.reached(), got.told) == ([], [487])

    play(scenario)


def test_a_proxy_does_not_go_on_to_the_next_server_of_a_cancelled_branch(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        callee, one = await bench.peer(), await bench.peer()
        two = await bench.peer("486 Busy")
        answers = {"INVITE": ["180 Ringing"], "CANCEL": ["200 OK"]}
        one.script = lambda asked: answers.get(asked.method, [])
        places = {"first": Address(*one.address), "second": Address(*two.address), "bare": Address(*two.address)}
        resolver = await Resolver.open(Address("127.0.0.1", 0))
        resolver.serve("d.test", Zone(RANKED), lambda text: text.format(d="d.test", **places), [])
        callee.says("302 Moved\nContact: <sip:m@d.test>")
        device = await bench.device(resolver=resolver.address.sockaddr, role="recursing-proxy")
        caller = await bench.peer("200 OK")
        await registered(caller, device, f"<sip:700@{callee.uri}>")
        caller.send(request("INVITE", own(device), caller), device.address)
        await caller.until("180")
        caller.send(request("CANCEL", own(device), caller), device.address)
        await one.until("CANCEL")
        one.answer(one.of("INVITE")[0], "503 Down")
        await caller.until("500")
        assert not two.heard
        await resolver.close()

    play(scenario)


def test_the_next_server_gets_the_same_invite_with_another_branch(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        got = await scene(bench, NAMED, first="503 Down")
        one, two = got.first.of("INVITE")[0], got.second.of("INVITE")[0]
        assert one.branch != two.branch
        assert (one.uri, two.uri) == ("sip:m@d.test", "sip:m@d.test")
        assert [one.header(name) == two.header(name) for name in ("Call-ID", "CSeq", "From", "To")] == [True] * 4

    play(scenario)


@pytest.mark.parametrize("proxy", [False, True])
@pytest.mark.parametrize("faulty", [True, False])
def test_looks_up_again(play: Play, faulty: bool, proxy: bool) -> None:
    async def scenario(bench: Bench) -> None:
        got = await scene(bench, NAMED, *(["looks_up_again"] if faulty else []), first="603 Decline", proxy=proxy)
        assert bool(got.second.of("ACK")) is faulty
        assert bool(got.first.of("ACK")) is not faulty

    play(scenario)


@pytest.mark.parametrize("proxy", [False, True])
@pytest.mark.parametrize("faulty", [True, False])
def test_returns_to_first_server(play: Play, faulty: bool, proxy: bool) -> None:
    async def scenario(bench: Bench) -> None:
        got = await scene(bench, NAMED, *(["returns_to_first_server"] if faulty else []), first="503 Down", proxy=proxy)
        assert got.reached() == ["first", "second"]
        assert bool(got.second.of("ACK")) is not faulty
        assert (len(got.first.of("ACK")) > 1) is faulty

    play(scenario)


@pytest.mark.parametrize("proxy", [False, True])
@pytest.mark.parametrize("faulty", [True, False])
def test_calls_closed_domain(play: Play, faulty: bool, proxy: bool) -> None:
    closed = Zone(("_sip._udp.{d} SRV 0 0 0 .", "{d} A {bare.host}"))

    async def scenario(bench: Bench) -> None:
        got = await scene(bench, NAMED, *(["calls_closed_domain"] if faulty else []), zone=closed, proxy=proxy)
        asked = {(one.name, one.kind) for one in got.resolver.lookups("d.test")}
        assert ("_sip._udp.d.test", "SRV") in asked
        assert (("d.test", "A") in asked) is faulty

    play(scenario)


@pytest.mark.parametrize("proxy", [False, True])
@pytest.mark.parametrize("faulty", [True, False])
def test_looks_up_addresses(play: Play, faulty: bool, proxy: bool) -> None:
    async def scenario(bench: Bench) -> None:
        got = await scene(bench, "sip:m@{bare}", *(["looks_up_addresses"] if faulty else []), proxy=proxy)
        assert got.reached() == ["bare"]
        assert bool(got.resolver.lookups("d.test")) is faulty

    play(scenario)


def test_a_silent_name_server_ends_the_call(play: Play, capsys: pytest.CaptureFixture[str]) -> None:
    async def scenario(bench: Bench) -> None:
        got = await scene(bench, NAMED, zone=Zone(unanswered=("{d}",)))
        await bench.quiet(seconds=3.2, limit=6)
        assert got.reached() == []

    play(scenario)
    assert '"event": "failed", "status": 302' in capsys.readouterr().out


def test_servers_of_one_priority_share_by_weight() -> None:
    """RFC 2782: the share of each is its weight, and one without weight is rarely the first."""
    from harness.devices.reference.behaviour import Service
    from harness.devices.reference.naming import _in_order

    services = [
        Service(1, 90, 1, "often"),
        Service(1, 10, 1, "seldom"),
        Service(1, 0, 1, "rare"),
        Service(0, 0, 1, "b"),
    ]
    firsts = Counter(_in_order(services)[1].target for _ in range(2000))
    assert all(_in_order(services)[0].target == "b" for _ in range(20))
    assert 0.8 < firsts["often"] / 2000 < 0.97
    assert 0.03 < firsts["seldom"] / 2000 < 0.2
    assert firsts["rare"] < 20


def test_naptr_chooses_the_transport(play: Play) -> None:
    zone = (
        '{d} NAPTR 10 1 "s" "SIP+D2T" "" _sip._tcp.{d}',
        '{d} NAPTR 20 1 "s" "SIP+D2U" "" _sip._udp.{d}',
        "_sip._tcp.{d} SRV 1 1 5080 a.{d}",
        "_sip._udp.{d} SRV 1 1 5090 a.{d}",
        "a.{d} A 127.0.0.5",
    )

    async def scenario(bench: Bench) -> None:
        resolver = await Resolver.open(Address("127.0.0.1", 0))
        resolver.serve("d.test", Zone(zone), lambda text: text.format(d="d.test"), [])
        found = []
        able = [("udp", "tcp"), ("udp",), ("tls",), ("udp", "tcp")]
        for transports, faults in zip(able, [[], [], [], [fault_named("ignores_naptr")]], strict=True):
            behaviour = behaviour_with(faults)
            behaviour.transports = transports
            found.append(await Names(resolver.address.sockaddr, behaviour, ["127.0.0.1"]).servers("sip:m@d.test"))
        await resolver.close()
        assert found == [[Place("127.0.0.5", 5080, "tcp")], [Place("127.0.0.5", 5090)], [], [Place("127.0.0.5", 5090)]]

    play(scenario)
