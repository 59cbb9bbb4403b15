"""Telling a device to call: URIs are data, deadlines hold, and errors say whose fault it is."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from device_bench import MINIMAL, Write

from harness.device import Device, Stimulus
from harness.device.stimuli.sipp import ThroughSipp
from harness.errors import DeviceError
from harness.net.address import Address

Lease = Callable[[], Address]
URI = "sip:7001@127.0.0.1:5060"

ECHO = "import sys; print('READY', flush=True)\nfor line in sys.stdin: print('got', line.strip(), flush=True)"

TCP = """
[device]
name = "toy"
roles = ["uac"]
[process]
argv = ["sleep", "60"]
[ready]
control = true
timeout_s = 5.0
[stimulus]
kind = "tcp"
control = "{host}:4444"
timeout_s = 0.5
"""
NETSTRINGS = (
    TCP
    + r"""
framing = "netstring"
escape = "json"
probe = '{"cmd":"ping"}'
reply = '"reply"'
refused = '"ok": false'
find = '{"cmd":"list"}'
id_pattern = '\[(\d+)\] {uri};'
call = '{"cmd":"dial","uri":"{uri}"}'
hangup = ['{"cmd":"line","n":"{id}"}', '{"cmd":"hangup"}']
"""
)


def told(device: Device) -> list[str]:
    return [line.removeprefix("got ") for line in device.output(100).splitlines() if line.startswith("got ")]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - what the device has said is no event
            await asyncio.sleep(0.005)


def test_stdin_lines(write: Write, lease: Lease) -> None:
    profile = write(ECHO, MINIMAL + 'hangup = "bye {uri}"\n')

    async def run() -> list[str]:
        async with Device(profile, address=lease()) as device:
            assert isinstance(device.stimulus, Stimulus)
            assert device.stimulus.name == "stdin"
            assert device.supports == {"call", "hangup"}
            await asyncio.gather(device.call(URI), device.call("sip:{uri}$(id);`x`@h"))
            await device.hangup(URI)
            with pytest.raises(
                DeviceError, match=r"cannot be asked to reinvite: its profile has no stimulus\.reinvite"
            ):
                await device.reinvite(URI)
            await until(lambda: len(told(device)) == 3)
            return told(device)

    assert asyncio.run(run()) == [f"call {URI}", "call sip:{uri}$(id);`x`@h", f"bye {URI}"]


@pytest.mark.parametrize("uri", ["", "sip:a@b\ncall sip:c@d", "sip:a@b\r", "sip:a@b x", "sip:\0@b", "sip:\x7f@b"])
def test_control_characters_and_blanks_are_refused(write: Write, lease: Lease, uri: str) -> None:
    async def run() -> None:
        async with Device(write(ECHO), address=lease()) as device:
            with pytest.raises(DeviceError, match="not in the device"):
                await device.call(uri)
            assert not told(device)

    asyncio.run(run())


def test_a_device_that_does_not_read_its_input(write: Write, lease: Lease) -> None:
    async def run() -> None:
        async with Device(write("import time; print('READY', flush=True); time.sleep(60)"), address=lease()) as device:
            assert device._process
            with pytest.raises(DeviceError, match=r"does not read its standard input.*0\.1 s"):
                await device._process.write_line("x" * 1_000_000, 0.1)

    asyncio.run(run())


def test_a_command_gets_the_uri_as_one_argument(write: Write, lease: Lease, tmp_path: Path) -> None:
    script = "import pathlib, sys; pathlib.Path(sys.argv[1]).write_text(repr(sys.argv[2:]))"
    target = tmp_path / "called"
    profile = command(write, ["/usr/bin/env", "python3", "-c", script, str(target), "--to={uri}"])

    async def run() -> None:
        async with Device(profile, address=lease()) as device:
            await device.call("sip:1;rm$IFS-rf@h")

    asyncio.run(run())
    assert target.read_text() == "['--to=sip:1;rm$IFS-rf@h']"


@pytest.mark.parametrize(
    ("argv", "cause"),
    [
        (
            ["sh", "-c", "echo no trunk; exit 4", "{uri}"],
            "(?s)could not be asked to call: the command ended with 4: no trunk",
        ),
        (["sleep", "60", "{uri}"], "ended with 1: sleep: invalid"),
        (["sh", "-c", "sleep 60", "{uri}"], r"the command did not end in 0\.6 s"),
        (["sh", "-c", r"printf '\033[2J\001\377 no'; exit 3", "{uri}"], r"ended with 3: \ufffd\[2J\ufffd\ufffd no"),
        (["yes", "{uri}"], r"the command did not end in 0\.6 s"),
        (["sh", "-c", "yes {uri} | head -c 300000; echo the end; exit 5"], "ended with 5: .* the end|did not end in"),
        (["no-such-command", "{uri}"], "there is no program 'no-such-command'"),
    ],
)
def test_a_command_that_fails(write: Write, lease: Lease, argv: list[str], cause: str) -> None:
    profile = command(write, argv, 0.6)

    async def run() -> None:
        async with Device(profile, address=lease()) as device:
            began = time.monotonic()
            with pytest.raises(DeviceError, match=cause) as caught:
                await device.call(URI)
            assert time.monotonic() - began < 30
            assert "stimulus.call" in caught.value.hint

    asyncio.run(run())


def command(write: Write, argv: list[str], deadline: float = 10.0) -> Any:
    start = MINIMAL.index("[stimulus]")
    return write(
        ECHO, MINIMAL[:start] + f'[stimulus]\nkind = "command"\ntimeout_s = {deadline}\ncall = {json.dumps(argv)}\n'
    )


def test_a_netstring_control_port(write: Write, lease: Lease) -> None:
    seen: list[dict[str, str]] = []

    async def answer(message: str) -> str:
        asked = json.loads(message)
        seen.append(asked)
        listed = 'a [3] sip:"q"@h; [8] sip:7001@127.0.0.1:5060;'
        return json.dumps({"reply": listed if asked["cmd"] == "list" else "", "ok": asked.get("uri") != "sip:no@h"})

    async def run() -> None:
        address = lease()
        async with (
            control_port(address, netstring(answer)),
            Device(write(profile=NETSTRINGS), address=address) as device,
        ):
            await asyncio.gather(device.call(URI), device.call('sip:"q"@h'))
            await device.hangup(URI)
            with pytest.raises(DeviceError, match="it has no call to sip:9@h"):
                await device.hangup("sip:9@h")
            with pytest.raises(DeviceError, match="refused to call sip:no@h"):
                await device.call("sip:no@h")

    asyncio.run(run())
    assert seen[0] == {"cmd": "ping"}
    assert {"cmd": "dial", "uri": 'sip:"q"@h'} in seen
    assert seen[4:6] == [{"cmd": "line", "n": "8"}, {"cmd": "hangup"}]


def test_a_line_control_port_without_replies(write: Write, lease: Lease) -> None:
    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            seen.append(line)

    async def run() -> None:
        address = lease()
        async with (
            control_port(address, serve),
            Device(write(profile=TCP + 'call = "dial {uri}"'), address=address) as device,
        ):
            await device.call(URI)
            await until(lambda: bool(seen))

    asyncio.run(run())
    assert seen == [f"dial {URI}\n".encode()]


def test_a_control_port_that_is_silent_or_talks_nonsense(write: Write, lease: Lease) -> None:
    async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n")

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def run() -> None:
        for serve, cause in (
            (nonsense, "not a netstring"),
            (silent, r"did not answer on its control port .* in 0\.5 s"),
        ):
            address = lease()
            profile = write(profile=NETSTRINGS.replace("""probe = '{"cmd":"ping"}'""", ""))
            async with control_port(address, serve), Device(profile, address=address) as device:
                with pytest.raises(DeviceError, match=cause):
                    await device.call(URI)

    asyncio.run(run())


def test_sipp_is_only_a_marker() -> None:
    with pytest.raises(DeviceError, match="SIPp caller"):
        asyncio.run(ThroughSipp().perform("call", URI))
    assert not ThroughSipp.supports


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def netstring(answer: Callable[[str], Awaitable[str]]) -> Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'19:{"event":"welcome"},')
        while length := await _until_colon(reader):
            payload = (await reader.readexactly(int(length) + 1))[:-1].decode()
            reply = (await answer(payload)).encode()
            writer.write(b"%d:" % len(reply))
            writer.write(b"%b," % reply)

    return serve


async def _until_colon(reader: asyncio.StreamReader) -> bytes:
    try:
        return (await reader.readuntil(b":"))[:-1]
    except asyncio.IncompleteReadError:
        return b""


@asynccontextmanager
async def control_port(address: Address, serve: Serve) -> Any:
    async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
            await reader.read()  # until the other side has closed
        finally:
            writer.close()
            done.set()

    done = asyncio.Event()
    server = await asyncio.start_server(closing, address.host, 4444)
    try:
        yield
    finally:
        server.close()
        await asyncio.wait_for(done.wait(), 5)
