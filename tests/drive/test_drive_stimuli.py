"""Drives in which the stimulus matters: a ringing device that is told to decline, one that is late, and a person."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

from harness.device import load_profile
from harness.device.spec import DeviceSpec
from harness.drive.bench import Bench
from harness.drive.calling import QUIET_S
from harness.drive.station import Station
from harness.endpoints.sipp.binary import find_sipp
from harness.live.person import Request
from harness.live.progress import Progress
from harness.model.flow import Flow
from harness.model.plan import Answer, Call, Endpoint, Plan, Response
from harness.model.windows import Window

WINDOW = Window("test", 0.5, "enough for a test")
DECLINED = Plan((Endpoint("callee", "callee", (Answer((Response(603),)),)),))
PHONE = """
[device]
name = "toy"
roles = ["ROLE"]
max_calls = 10
[process]
argv = ["{python}", "-m", "harness.devices.reference", "--role", "KIND", "--listen", "{address}"]
env = { PYTHONPATH = "{suite}" }
[ready]
stdout = "READY"
"""
PERSON = PHONE.replace("ROLE", "uac").replace("KIND", "ua") + '[stimulus]\nkind = "manual"\nphone = "the white one"\n'

Answering = Callable[[Station], Awaitable[None]]


def drive(folder: Path, profile: str, *plans: Plan, role: str = "uac", beside: Answering | None = None) -> list[Flow]:
    """The flows of ``plans``; ``beside`` runs meanwhile, and plays the person."""
    path = folder / "device.toml"
    path.write_text(profile)

    async def driven() -> list[Flow]:
        progress = Progress(1, WINDOW)
        progress.person.attended = True
        async with (
            Bench.open(folder, find_sipp()) as bench,
            Station(DeviceSpec("toy", load_profile(path), ()), bench, WINDOW, progress) as station,
        ):
            person = asyncio.create_task(beside(station)) if beside else None
            flows = await asyncio.gather(*(station.drive(plan, role) for plan in plans))
            if person:
                person.cancel()
            return list(flows)

    flows = asyncio.run(asyncio.wait_for(driven(), 60))
    for flow in flows:
        print(flow.troubles, *flow.events, sep="\n")
    return flows


RINGS = (
    PHONE.replace("ROLE", "uas").replace("KIND", "uas")
    + """
[lab.numbers]
rings = "sip:180{token}@{device}"
[stimulus]
kind = "stdin"
reaction_s = 2.0
reject = "VERB {uri}"
"""
)


def said(flow: Flow) -> list[int | None]:
    """What the device answered, copies left out."""
    return list(dict.fromkeys(event.status for event in flow.select(at="caller", received=True)))


def test_a_device_that_rings_is_told_to_decline(tmp_path: Path) -> None:
    plans = Plan((), (Call(to="{declines}"),)), Plan((), (Call(to="{rings_then_declines}", acks=0),))
    for flow in drive(tmp_path, RINGS.replace("VERB", "reject"), *plans, role="uas"):
        assert not flow.troubles
        assert said(flow) == [180, 603]


def test_a_device_that_does_not_decline_is_no_failure_of_it(tmp_path: Path) -> None:
    [flow] = drive(tmp_path, RINGS.replace("VERB", "nonsense"), Plan((), (Call(to="{declines}"),)), role="uas")
    [trouble] = flow.troubles
    assert trouble.text == "it was asked to decline the call, but sent no final response within 2 s"
    assert set(said(flow)) <= {180}


async def requested(station: Station, after: Request | None = None) -> Request:
    """What the person is asked next."""
    person = station.context.progress.person
    while person.request is None or person.request == after:  # noqa: ASYNC110 - a terminal looks just so
        await asyncio.sleep(0.01)
    return person.request


def dial(station: Station, number: str) -> None:
    """Press the keys of the phone: the reference device calls what it reads on its standard input."""
    device = station.context.devices.shared
    assert device
    assert device._process
    process = device._process._process
    assert process
    assert process.stdin
    process.stdin.write(f"{number}\n".encode())


def test_a_person_dials_one_number_after_the_other(tmp_path: Path) -> None:
    asked: list[Request] = []

    async def person(station: Station) -> None:
        last = None
        while True:
            last = await requested(station, last)
            asked.append(last)
            dial(station, f"call {last.details[0]}")

    plans = [Plan(DECLINED.endpoints, (Call(), Call())), DECLINED]
    flows = drive(tmp_path, PERSON, *plans, beside=person)
    assert [flow.troubles for flow in flows] == [(), ()]
    assert [len(flow.select("INVITE")) for flow in flows] == [2, 1]
    assert [request.number for request in asked] == [1, 2, 3]
    assert all(request.where == "the white one" for request in asked)
    assert {request.headline for request in asked} == {flow.places.token for flow in flows}
    assert flows[0].calls[0].by == "a person at the white one"


def test_a_wrong_number_is_no_failure_of_the_device(tmp_path: Path) -> None:
    async def person(station: Station) -> None:
        request = await requested(station)
        dial(station, f"call {request.details[0].replace('sip:', 'sip:999').replace(request.headline, '1')}")

    [wrong] = drive(tmp_path, PERSON, DECLINED, beside=person)
    [trouble] = wrong.troubles
    assert trouble.blame == "stimulus"
    assert trouble.text == f"a wrong number was dialled: '9991' instead of {wrong.places.token}"
    assert not wrong.events


def test_no_number_is_no_failure_of_the_device(tmp_path: Path) -> None:
    [nothing] = drive(tmp_path, PERSON + "reaction_s = 0.5\n", DECLINED)
    [trouble] = nothing.troubles
    assert trouble.blame == "stimulus"
    assert f"no person placed the call: sip:{nothing.places.token}@" in trouble.text
    assert trouble.text.endswith("was requested, and no INVITE arrived within 0.5 s")


def test_a_person_hangs_up(tmp_path: Path) -> None:
    """The call goes on until the person has done it: a window that began before would be no evidence."""

    async def person(station: Station) -> None:
        request = await requested(station)
        uri = request.details[0]
        dial(station, f"call {uri}")
        request = await requested(station, request)
        assert not request.is_call
        assert request.headline == "hang up"
        await asyncio.sleep(3 * QUIET_S)  # people are slow
        dial(station, f"hangup {uri}")

    ringing = Endpoint("callee", "callee", (Answer((Response(180),)),))
    [flow] = drive(tmp_path, PERSON, Plan((ringing,), (Call(act="cancel"),)), beside=person)
    assert not flow.troubles
    [cancel] = flow.select("CANCEL")
    assert flow.watch.opened_at
    assert flow.watch.opened_at >= cancel.time


SLOW = """
import socket, sys
print("READY", flush=True)
wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
wire.bind((sys.argv[1].split(":")[0], int(sys.argv[1].split(":")[1])))
sys.stdin.read()
"""


def test_how_long_a_device_may_take_is_its_profiles(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(SLOW)
    profile = PHONE.replace("ROLE", "uac").replace(
        '"-m", "harness.devices.reference", "--role", "KIND", "--listen"', '"{here}/slow.py"'
    )
    [flow] = drive(tmp_path, profile + '[stimulus]\nkind = "stdin"\ncall = "{uri}"\nreaction_s = 0.3\n', DECLINED)
    [trouble] = flow.troubles
    assert trouble.blame == "device"
    assert "no INVITE arrived within 0.3 s" in trouble.text


def test_what_the_device_said_is_told_when_no_call_comes(tmp_path: Path) -> None:
    """A phone that shows its login page with a 200 has accepted nothing."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 17\r\nConnection: close\r\n\r\nPlease log in\x1b[2J")
        writer.close()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

        async def web(_station: Station) -> None:
            server = await asyncio.start_server(serve, sock=listening)
            await server.serve_forever()

        stimulus = f'kind = "http"\ncall = "http://127.0.0.1:{port}/?dial={{user}}"\nreaction_s = 0.5\n'
        profile = PHONE.replace("ROLE", "uac").replace("KIND", "ua") + f"[stimulus]\n{stimulus}"
        [flow] = drive(tmp_path, profile, DECLINED, beside=web)
    [trouble] = flow.troubles
    assert trouble.text.endswith("(it answered the HTTP request 200: Please log in\N{REPLACEMENT CHARACTER}[2J)")
