"""Every kind of stimulus makes a real device send a real INVITE, and ends the call again where it can."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from device_bench import Listener, Write, listening, response

from harness.device import Device, Profile
from harness.errors import DeviceError
from harness.net.address import Address

Lease = Callable[[], Address]
PBX = Path(__file__).parent / "toys" / "pbx.py"

REFERENCE = """
[device]
name = "reference"
roles = ["uac"]
[pixit]
password = "s3cret"
[process]
argv = ["{python}", "-m", "harness.devices.reference", "--listen", "{address}", "--control", "{host}:4444",
        "--http", "{host}:8080", "--http-auth", "AUTH:admin:s3cret", "--refer"]
env = { PYTHONPATH = "{suite}", PYTHONUNBUFFERED = "1" }
[ready]
control = true
timeout_s = 30.0
[stimulus]
"""
HTTP = """
kind = "http"
username = "admin"
password = "s3cret"
call = "http://{host}:8080/call?uri={uri}"
hangup = { method = "POST", url = "http://{host}:8080/hangup", body = "uri={uri}" }
"""
TCP = """
kind = "tcp"
control = "{host}:4444"
reply = "^(ok|error)"
refused = "^error"
call = "call {uri}"
hangup = "hangup {uri}"
"""
REFER = """
kind = "refer"
"""
PBX_PROFILE = """
[device]
name = "toy PBX"
roles = ["uac"]
[process]
argv = ["{python}", "PBX", "KIND", "{address}", "{host}:5038"]
env = { PYTHONPATH = "{suite}" }
[ready]
control = true
timeout_s = 30.0
[stimulus]
control = "{host}:5038"
"""
AMI = """
kind = "ami"
username = "tester"
secret = "s3cret"
channel = "PJSIP/trunk/{uri}"
application = "Wait"
data = "60"
caller_id = "sipverdict <100>"
"""
ESL = """
kind = "esl"
password = "ClueCon-s3cret"
dial = "sofia/external/{uri}"
variables = { origination_caller_id_number = "100" }
"""


def pbx(kind: str, stimulus: str) -> str:
    return PBX_PROFILE.replace("PBX", str(PBX)).replace("KIND", kind) + stimulus


PROFILES = {
    "http-digest": REFERENCE.replace("AUTH", "digest") + HTTP + 'auth = "digest"\n',
    "http-basic": REFERENCE.replace("AUTH", "basic") + HTTP + 'auth = "basic"\n',
    "tcp": REFERENCE.replace("AUTH", "basic") + TCP,
    "refer": REFERENCE.replace("AUTH", "basic").replace("control = true", 'stdout = "READY"') + REFER,
    "ami": pbx("ami", AMI),
    "esl": pbx("esl", ESL),
}


def ringing(message: bytes) -> bytes | None:
    """180 to an INVITE, 200 to a CANCEL; the INVITE itself then ends in nothing, which ends with the device."""
    method = message.split(b" ")[0]
    return response(message, "180 Ringing" if method == b"INVITE" else "200 OK") if method != b"ACK" else None


async def next_request(listener: Listener, method: str) -> str:
    while not (message := await listener.next(10)).startswith(f"{method} "):
        pass
    return message.split("\r\n")[0]


@pytest.mark.parametrize("kind", PROFILES)
def test_a_call_begins_and_ends(write: Write, lease: Lease, kind: str) -> None:
    profile = write(profile=PROFILES[kind])

    async def run() -> None:
        callee = lease()
        uri = f"sip:7001@{callee}"
        async with (
            Device(profile, address=lease(), lease=lease) as device,
            listening(callee, ringing) as listener,
        ):
            await device.call(uri)
            assert await next_request(listener, "INVITE") == f"INVITE {uri} SIP/2.0"
            if "hangup" in device.supports:
                await device.hangup(uri)
                assert await next_request(listener, "CANCEL")
            else:
                assert kind == "refer"
            if kind == "refer":
                async with asyncio.timeout(5):
                    while "it reported of its call" not in device.remark():  # noqa: ASYNC110 - a log is no event
                        await asyncio.sleep(0.01)

    asyncio.run(run())


@pytest.mark.parametrize(
    ("kind", "old", "new", "cause"),
    [
        ("http-digest", 'password = "s3cret"\ncall', 'password = "wrong"\ncall', r"answered 401 .* rejects the"),
        ("http-basic", 'password = "s3cret"\ncall', 'password = "wrong"\ncall', r"answered 401 .* rejects the"),
        ("http-basic", 'auth = "basic"\n', 'auth = "digest"\n', r"asks for Basic realm=.* rejects the"),
        ("tcp", '"call {uri}"', '"dial {uri}"', r"refused to call .*: error: not a command"),
        ("ami", 'secret = "s3cret"', 'secret = "wrong"', "refused the login .*: Authentication failed"),
        ("esl", "ClueCon-s3cret", "ClueCon", "refused the login .*: -ERR invalid"),
    ],
)
def test_a_device_that_refuses(write: Write, lease: Lease, kind: str, old: str, new: str, cause: str) -> None:
    assert old in PROFILES[kind]
    text = PROFILES[kind].replace(old, new)
    # A wrong login is known when it gets ready, where that is asked; here the act is what is to be told.
    profile = write(profile=text.replace("control = true", "udp_bound = true"))

    async def run() -> None:
        async with Device(profile, address=lease(), lease=lease) as device:
            async with asyncio.timeout(10):
                while True:
                    try:
                        await device.call("sip:7001@127.0.0.1:5060")
                    except DeviceError as error:
                        if "could not be reached" in error.cause or "connection" in error.cause:  # not there yet
                            await asyncio.sleep(0.02)
                            continue
                        raise
                    pytest.fail("the call was accepted")

    with pytest.raises(DeviceError, match=cause) as caught:
        asyncio.run(run())
    assert caught.value.hint
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("kind", ["ami", "esl"])
def test_a_number_that_the_pbx_does_not_know(write: Write, lease: Lease, kind: str) -> None:
    profile = write(profile=PROFILES[kind])

    async def run() -> None:
        async with Device(profile, address=lease()) as device:
            with pytest.raises(DeviceError, match="refused to call sip:7000@"):
                await device.call("sip:7000@127.0.0.1:5060")
            with pytest.raises(DeviceError, match="has no call to"):
                await device.hangup("sip:7000@127.0.0.1:5060")
            if kind == "esl":
                with pytest.raises(DeviceError, match=r"misread its '\|'"):
                    await device.call("sip:1|2@127.0.0.1")

    asyncio.run(run())


def test_ready_by_a_login_that_fails(write: Write, lease: Lease) -> None:
    profile = write(profile=PROFILES["ami"].replace('secret = "s3cret"', 'secret = "wrong"'))

    async def run(profile: Profile) -> None:
        async with Device(profile, address=lease()):
            pass

    with pytest.raises(DeviceError, match="refused the login"):
        asyncio.run(run(profile))
