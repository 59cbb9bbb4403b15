"""The lab's resolver: what it answers, what it keeps of the questions, and what it makes of bad input."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable

import pytest
from dnslib import QTYPE, RCODE, RR, A, DNSHeader, DNSRecord

from harness.errors import PlanError, SetupError
from harness.lab.resolver import MOST, Resolver, placed, why_not
from harness.model.zone import CANNOT_LISTEN, Zone
from harness.net.address import Address

ZONE = Zone(
    (
        '{d} NAPTR 10 10 "s" "SIP+D2U" "" _sip._udp.{d}',
        "_sip._udp.{d} SRV 10 0 5070 a.{d}",
        "_sip._udp.{d} SRV 20 0 5060 b.{d}",
        "a.{d} A 127.0.0.8",
        "b.{d} AAAA ::1",
    ),
    unanswered=("mute.{d}",),
)


def fill(text: str) -> str:
    return text.replace("{d}", "t1.test")


@contextlib.asynccontextmanager
async def listening(zone: Zone = ZONE, host: str = "127.0.0.1") -> AsyncIterator[Resolver]:
    resolver = await Resolver.open(Address(host, 0))
    resolver.serve("t1.test", zone, fill, ["127.0.0.8"])
    try:
        yield resolver
    finally:
        await resolver.close()


async def ask(resolver: Resolver, name: str, kind: str, *, tcp: bool = False, patience: float = 5.0) -> DNSRecord:
    def send() -> bytes:
        host, port = resolver.address.sockaddr
        sent: bytes = DNSRecord.question(name, kind).send(host, port, tcp, patience, ipv6=":" in host)
        return sent

    return DNSRecord.parse(await asyncio.to_thread(send))


def play(scenario: Callable[[Resolver], object], **how: object) -> None:
    async def played() -> None:
        async with listening(**how) as resolver:  # type: ignore[arg-type]
            await scenario(resolver)  # type: ignore[misc]

    asyncio.run(played())


def said(answer: DNSRecord) -> list[str]:
    return [f"{QTYPE[record.rtype]} {record.rdata}" for record in answer.rr]


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_it_answers_what_the_zone_says_and_keeps_what_it_was_asked(tcp: bool, host: str) -> None:
    async def scenario(resolver: Resolver) -> None:
        answers = [
            await ask(resolver, name, kind, tcp=tcp)
            for name, kind in (
                ("T1.TEST", "NAPTR"),
                ("_sip._udp.t1.test", "SRV"),
                ("a.t1.test", "A"),
                ("a.t1.test", "AAAA"),
                ("_udp.t1.test", "SRV"),
                ("c.t1.test", "A"),
                ("somewhere.example", "A"),
                ("8.0.0.127.in-addr.arpa", "PTR"),
            )
        ]
        assert [said(answer) for answer in answers] == [
            ['NAPTR 10 10 "s" "SIP+D2U" "" _sip._udp.t1.test.'],
            ["SRV 10 0 5070 a.t1.test.", "SRV 20 0 5060 b.t1.test."],
            ["A 127.0.0.8"],
            *([[]] * 5),
        ]
        codes = ["NOERROR"] * 5 + ["NXDOMAIN", "REFUSED", "REFUSED"]
        assert [RCODE[answer.header.rcode] for answer in answers] == codes
        assert [bool(answer.header.aa) for answer in answers] == [True] * 6 + [False] * 2
        assert [str(lookup) for lookup in resolver.lookups("t1.test")] == [
            't1.test NAPTR: 10 10 "s" "SIP+D2U" "" _sip._udp.t1.test.',
            "_sip._udp.t1.test SRV: 10 0 5070 a.t1.test., 20 0 5060 b.t1.test.",
            "a.t1.test A: 127.0.0.8",
            "a.t1.test AAAA: no such record",
            "_udp.t1.test SRV: no such record",
            "c.t1.test A: NXDOMAIN",
            "8.0.0.127.in-addr.arpa PTR: REFUSED",
        ]
        sources = {(lookup.source.host, lookup.source.transport) for lookup in resolver.lookups("t1.test")}
        assert sources == {(host, "tcp" if tcp else "udp")}
        times = [lookup.at for lookup in resolver.lookups("t1.test")]
        assert times == sorted(times)
        assert resolver.lookups("t2.test") == ()

    play(scenario, host=host)


def test_what_is_never_answered_is_kept_all_the_same() -> None:
    async def scenario(resolver: Resolver) -> None:
        with pytest.raises(TimeoutError):
            await ask(resolver, "_sip._udp.mute.t1.test", "SRV", patience=0.5)
        assert said(await ask(resolver, "a.t1.test", "A")) == ["A 127.0.0.8"]
        assert [lookup.answer for lookup in resolver.lookups("t1.test")] == ["never answered", "127.0.0.8"]

    play(scenario)


def test_a_long_answer_is_cut_over_udp_and_whole_over_tcp() -> None:
    zone = Zone(tuple(f"{{d}} A 127.0.1.{number}" for number in range(1, 60)))

    async def scenario(resolver: Resolver) -> None:
        short, whole = await ask(resolver, "t1.test", "A"), await ask(resolver, "t1.test", "A", tcp=True)
        assert (short.header.tc, len(short.rr)) == (1, 0)
        assert (whole.header.tc, len(whole.rr)) == (0, 59)

    play(scenario, zone=zone)


def test_bad_input_is_not_answered_and_harms_nobody() -> None:
    response = DNSRecord(DNSHeader(qr=1), q=DNSRecord.question("a.t1.test").q, a=RR("a.t1.test", rdata=A("1.2.3.4")))
    bad = [b"", b"x", b"\0" * 12, b"\xff" * 600, response.pack(), DNSRecord.question("a.t1.test").pack()[:-3]]

    async def scenario(resolver: Resolver) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
            wire.setblocking(False)
            for data in bad:
                wire.sendto(data, resolver.address.sockaddr)
            for data in (b"\xff\xff half of one", b"\0", b"\0\0", b"\0\1x"):
                _, writer = await asyncio.open_connection(*resolver.address.sockaddr)
                writer.write(data)
                writer.close()
            assert said(await ask(resolver, "a.t1.test", "A")) == ["A 127.0.0.8"]
            assert said(await ask(resolver, "a.t1.test", "A", tcp=True)) == ["A 127.0.0.8"]
            with pytest.raises(BlockingIOError):
                wire.recv(600)
        assert len(resolver.lookups("t1.test")) == 2

    play(scenario)


def test_the_first_questions_are_kept_of_a_flood() -> None:
    async def scenario(resolver: Resolver) -> None:
        reader, writer = await asyncio.open_connection(*resolver.address.sockaddr)
        for _ in range(MOST + 5):
            question = DNSRecord.question("a.t1.test").pack()
            writer.write(len(question).to_bytes(2, "big") + question)
            await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
        writer.close()
        assert len(resolver.lookups("t1.test")) == MOST

    play(scenario)


def test_a_line_that_is_no_record_is_a_mistake_of_the_plan() -> None:
    async def scenario(resolver: Resolver) -> None:
        for line in ("{d} SRV 10 0 first.{d}", "{d} A 300.1.1.1", "{d} NONSENSE 1"):
            with pytest.raises(PlanError, match="no line of a zone file"):
                resolver.serve("t2.test", Zone((line,)), fill, [])

    play(scenario)


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM], ids=["udp", "tcp"])
def test_a_taken_port_is_said_and_nothing_stays_open(kind: socket.SocketKind) -> None:
    async def open_it(address: Address) -> None:
        await (await Resolver.open(address)).close()

    with socket.socket(socket.AF_INET, kind) as other:
        other.bind(("127.0.0.1", 0))
        if kind is socket.SOCK_STREAM:
            other.listen()
        address = Address.of(other.getsockname())
        with pytest.raises(SetupError, match=CANNOT_LISTEN):
            asyncio.run(open_it(address))
        assert why_not(str(address)) == (
            f"{CANNOT_LISTEN}another program has {'UDP' if kind is socket.SOCK_DGRAM else 'TCP'} {address} (ss -lptun)"
        )
    asyncio.run(open_it(address))
    assert why_not(str(address)) == ""


def test_a_place_that_is_not_of_this_machine_is_said() -> None:
    assert why_not("192.0.2.1:53").startswith(f"{CANNOT_LISTEN}UDP 192.0.2.1:53 cannot be bound (")
    assert why_not("{lease}") == ""


def test_the_port_of_a_lease_may_be_named() -> None:
    def lease() -> Address:
        return Address("127.9.0.1", 5062, "tls")

    assert placed("{lease}", lease) == Address("127.9.0.1", 5062)
    assert placed("{lease}:53", lease) == Address("127.9.0.1", 53)
    assert placed("192.0.2.10:53", lease) == Address("192.0.2.10", 53)
