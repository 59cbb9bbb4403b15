"""The reference device over TCP, and its faults in what carries a message: each shows, and not without the fault."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from harness.devices.reference.behaviour import Behaviour
from harness.devices.reference.binding import bind
from harness.devices.reference.console import Orders
from harness.devices.reference.contacts import Contact, Target
from harness.devices.reference.device import Device
from harness.devices.reference.faults import fault_named
from harness.devices.reference.misbehaviour import behaviour_with
from harness.devices.reference.parsing import parse
from harness.devices.reference.roles import ROLES
from harness.devices.reference.sip_uri import Address
from harness.devices.reference.timers import Timers
from harness.devices.reference.wire import InboundResponse, OutboundRequest

HOST = "127.0.30.9"
SHORT = Timers(t1=0.02, t2=0.1, t4=0.05, d=0.2)
REQUEST = (
    "{method} sip:{user}@127.0.30.9 SIP/2.0\r\nVia: SIP/2.0/TCP {via};branch=z9hG4bK{method}1\r\nMax-Forwards: 70\r\n"
    "From: <sip:a@b>;tag=f\r\nTo: <sip:{user}@127.0.30.9>\r\nCall-ID: c\r\nCSeq: 1 {method}\r\n"
    "Contact: <sip:a@{via};transport=tcp>\r\nContent-Length: 0\r\n\r\n"
)
REDIRECTION = (
    "SIP/2.0 302 Moved\r\nVia: SIP/2.0/UDP 127.0.30.9:5060;branch=z9hG4bKold\r\nFrom: <sip:a@b>;tag=f\r\n"
    "To: <sip:c@d>;tag=t\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"
)


@asynccontextmanager
async def device(*faults: str, role: str = "uas", port: int = 0) -> AsyncIterator[tuple[Device, Address]]:
    bound = {"tcp": bind(HOST, port, "tcp"), "udp": bind(HOST, 0)}
    one = Device(tuple(bound.items()), behaviour_with(map(fault_named, faults)), timers=SHORT, core=ROLES[role])
    await one.open()
    try:
        yield one, one.stack.layer.transport.local
    finally:
        for sock in bound.values():
            sock.close()


async def message(reader: asyncio.StreamReader) -> str:
    async with asyncio.timeout(5):
        return (await reader.readuntil(b"\r\n\r\n")).decode()


async def count(reader: asyncio.StreamReader, start: str, seconds: float = 0.5) -> int:
    """How many messages begin so, until nothing has come for a while."""
    found = 0
    while True:
        try:
            async with asyncio.timeout(seconds):
                found += (await reader.readuntil(b"\r\n\r\n")).decode().startswith(start)
        except (TimeoutError, asyncio.IncompleteReadError):
            return found


@pytest.mark.parametrize("faults", [(), ("repeats_refusal_over_streams",)])
def test_a_refusal_over_a_stream_is_sent_once_whoever_acknowledges(faults: tuple[str, ...]) -> None:
    async def main() -> None:
        async with device(*faults) as (_, address):
            reader, writer = await asyncio.open_connection(address.host, address.port)
            own = "{}:{}".format(*writer.get_extra_info("sockname"))
            writer.write(REQUEST.format(method="INVITE", user="6037", via=own).encode())
            assert (await count(reader, "SIP/2.0 603") > 1) is bool(faults)
            writer.close()

    asyncio.run(main())


@pytest.mark.parametrize("faults", [(), ("no_length_over_streams",)])
def test_a_message_says_how_long_it_is(faults: tuple[str, ...]) -> None:
    async def main() -> None:
        async with device(*faults) as (_, address):
            reader, writer = await asyncio.open_connection(address.host, address.port)
            own = "{}:{}".format(*writer.get_extra_info("sockname"))
            writer.write(REQUEST.format(method="INVITE", user="6037", via=own).encode())
            assert ("\r\nContent-Length: 0\r\n" in await message(reader)) is not bool(faults)
            writer.close()

    asyncio.run(main())


@pytest.mark.parametrize("faults", [(), ("answers_on_new_connection",)])
def test_a_response_goes_back_on_the_connection_of_its_request(faults: tuple[str, ...]) -> None:
    async def main() -> None:
        elsewhere: asyncio.Queue[str] = asyncio.Queue()

        async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            elsewhere.put_nowait(await message(reader))
            writer.close()

        async with await asyncio.start_server(take, "127.0.31.1", 0) as server, device(*faults) as (_, address):
            via = "{}:{}".format(*server.sockets[0].getsockname())
            reader, writer = await asyncio.open_connection(address.host, address.port)
            writer.write(REQUEST.format(method="OPTIONS", user="7", via=via).encode())
            got = await asyncio.wait_for(elsewhere.get(), 5) if faults else await message(reader)
            assert got.startswith("SIP/2.0 200")
            writer.close()

    asyncio.run(main())


def test_a_call_over_a_stream_takes_one_connection_and_repeats_nothing() -> None:
    async def main() -> None:
        heard: list[str] = []
        connections: list[asyncio.StreamWriter] = []

        async def callee(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connections.append(writer)
            await asyncio.sleep(10 * SHORT.t1)  # Timer A would have sent copies
            while True:
                try:
                    head = await message(reader)
                    length = int(head.rpartition("Content-Length: ")[2])
                    await reader.readexactly(length)
                except (asyncio.IncompleteReadError, TimeoutError):
                    return
                heard.append(head)
                if head.startswith("INVITE"):
                    kept = [line for line in head.split("\r\n") if line[:3] in ("Via", "Fro", "To:", "Cal", "CSe")]
                    answer = "\r\n".join(["SIP/2.0 603 Decline", *kept, "Content-Length: 0", "", ""])
                    writer.write(answer.replace(">\r\nCall", ">;tag=t\r\nCall").encode())

        async with await asyncio.start_server(callee, "127.0.31.2", 0) as server, device(role="ua") as (one, _):
            port = server.sockets[0].getsockname()[1]
            assert Orders(one.stack).call(f"sip:7@127.0.31.2:{port};transport=tcp") == ""
            async with asyncio.timeout(10):
                while len(heard) < 2:  # noqa: ASYNC110 - what has been heard is no event
                    await asyncio.sleep(0.01)
            await asyncio.sleep(5 * SHORT.t1)
        assert [one.split()[0] for one in heard] == ["INVITE", "ACK"]
        assert "Via: SIP/2.0/TCP 127.0.30.9:" in heard[0]
        assert ";transport=tcp>" in heard[0].partition("Contact: ")[2].partition("\r\n")[0]
        assert "To: <sip:7@127.0.31.2:" in heard[0]
        assert ";transport" not in heard[0].partition("To: ")[2].partition("\r\n")[0]
        assert len(connections) == 1

    asyncio.run(main())


def test_a_refused_connection_is_a_failure_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    async def main() -> None:
        async with device(role="ua") as (one, _):
            came: asyncio.Future[int] = asyncio.get_running_loop().create_future()
            Orders(one.stack).call("sip:7@127.0.31.3:5999;transport=tcp", came.set_result)
            assert await asyncio.wait_for(came, 1) == 503

    asyncio.run(main())


def test_pings_are_answered() -> None:
    async def main() -> None:
        async with device() as (_, address):
            reader, writer = await asyncio.open_connection(address.host, address.port)
            writer.write(b"\r\n\r\n")
            assert await asyncio.wait_for(reader.readexactly(2), 5) == b"\r\n"
            writer.close()

    asyncio.run(main())


def redirected(behaviour: Behaviour, uri: str) -> OutboundRequest:
    """The INVITE that follows a redirection from UDP to ``uri``."""
    behaviour.transports = ("udp", "tcp")
    fields = (("Via", "SIP/2.0/UDP 127.0.30.9:5060;branch=z9hG4bKold;rport"), ("CSeq", "1 INVITE"))
    previous = OutboundRequest("INVITE", "sip:c@d", fields, b"", Address("127.0.31.1", 5060))
    new = (("Via", "SIP/2.0/TCP 127.0.30.9:5070;branch=z9hG4bKnew;rport"), ("CSeq", "2 INVITE"))
    invite = OutboundRequest("INVITE", uri, new, b"", Address("::1", 5060, "tcp"))
    response = parse(REDIRECTION.encode(), Address("127.0.31.1", 5060))
    assert isinstance(response, InboundResponse)
    return behaviour.redirected(invite, previous, Target(uri, Contact(uri, ()), response, "sip:c@d"))


@pytest.mark.parametrize(
    ("fault", "transport", "via", "uri"),
    [
        ("", "tcp", "TCP", "sip:9@[::1]:5060;transport=tcp"),
        ("keeps_transport", "udp", "UDP", "sip:9@[::1]:5060;transport=tcp"),
        ("via_of_old_transport", "tcp", "UDP", "sip:9@[::1]:5060;transport=tcp"),
        ("mangles_ipv6", "tcp", "TCP", "sip:9@::1:5060;transport=tcp"),
    ],
)
def test_faults_of_the_redirected_invite(fault: str, transport: str, via: str, uri: str) -> None:
    behaviour = behaviour_with([fault_named(fault)] if fault else [])
    invite = redirected(behaviour, "sip:9@[::1]:5060;transport=tcp")
    assert invite.destination.transport == transport
    assert invite.field("Via").startswith(f"SIP/2.0/{via} ")
    assert invite.branch == "z9hG4bKnew"
    assert invite.uri == uri


def test_a_transport_in_capitals_is_another_word_for_some() -> None:
    for uri, transport in (("sip:9@[::1]:5060;transport=TCP", "udp"), ("sip:9@[::1]:5060;transport=tcp", "tcp")):
        behaviour = behaviour_with([fault_named("knows_small_transports")])
        assert redirected(behaviour, uri).destination.transport == transport
        assert redirected(behaviour_with([]), uri).destination.transport == "tcp"


@pytest.mark.parametrize(("fault", "transport"), [("", "tcp"), ("acks_over_old_transport", "udp")])
def test_where_the_cancel_of_a_redirected_invite_goes(fault: str, transport: str) -> None:
    behaviour = behaviour_with([fault_named(fault)] if fault else [])
    invite = redirected(behaviour, "sip:9@[::1]:5060;transport=tcp")
    assert invite.destination.transport == "tcp"
    assert behaviour.cancel(replace(invite, method="CANCEL")).destination.transport == transport


def test_a_closed_port_has_another_transport_for_some() -> None:
    there = Address("::1", 5060, "tcp")
    assert list(behaviour_with([]).located([there])) == [there]
    assert list(behaviour_with([fault_named("falls_back_to_udp")]).located([there])) == [there, Address("::1", 5060)]
