"""REFER to devices that ask for a password, refuse, or say nothing; the SIPp that sends it is a real one."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Callable

import pytest
from device_bench import Answer, Write, listening, response

from harness.device import Device
from harness.errors import DeviceError, ProfileError
from harness.net.address import Address

Lease = Callable[[], Address]
PHONE = """
[device]
name = "phone"
roles = ["uac"]
[lab]
address = "ADDRESS"
[stimulus]
kind = "refer"
to = "sip:7001@{address}"
timeout_s = SECONDS
"""
LOGIN = 'username = "admin"\npassword = "s3cret"\n'
URI = "sip:9001@192.0.2.9:5060;x=[call_id]"


def refer(
    write: Write, lease: Lease, answer: Answer, more: str = "", seconds: float = 20.0, uri: str = URI
) -> list[str]:
    """Tell a phone that answers so to call ``uri``; the requests that it got."""
    address = lease()
    profile = write(profile=PHONE.replace("ADDRESS", str(address)).replace("SECONDS", str(seconds)) + more)

    async def run() -> list[str]:
        async with listening(address, answer) as phone, Device(profile, address=address, lease=lease) as device:
            try:
                await device.call(uri)
            finally:
                heard.extend(phone.heard.get_nowait().decode() for _ in range(phone.heard.qsize()))
            return heard

    heard: list[str] = []
    return asyncio.run(run())


def challenge(message: bytes) -> bytes:
    lines = response(message, "401 Unauthorized").decode()
    asks = 'WWW-Authenticate: Digest realm="phone", nonce="abc123", algorithm=MD5'
    return lines.replace("Content-Length", f"{asks}\r\nContent-Length").encode()


def guarded(message: bytes) -> bytes | None:
    """202 to who knows the password, 401 to others."""
    text = message.decode()
    said = dict(re.findall(r'(\w+)="?([^",\r]*)', text.partition("Authorization: Digest ")[2]))
    if not said:
        return challenge(message)
    first = hashlib.md5(b"admin:phone:s3cret").hexdigest()
    second = hashlib.md5(f"REFER:{said['uri']}".encode()).hexdigest()
    right = hashlib.md5(f"{first}:abc123:{second}".encode()).hexdigest() == said["response"]
    return response(message, "202 Accepted") if right else challenge(message)


def test_a_challenge_is_answered(write: Write, lease: Lease) -> None:
    first, second = refer(write, lease, guarded, LOGIN)
    assert first.startswith("REFER sip:7001@")
    assert f"\r\nRefer-To: <{URI}>\r\n" in first
    assert "Authorization" not in first
    assert "CSeq: 2 REFER" in second
    assert 'username="admin"' in second
    assert "s3cret" not in second


def test_a_request_that_got_lost_is_sent_again(write: Write, lease: Lease) -> None:
    seen: list[bytes] = []

    def deaf_at_first(message: bytes) -> bytes | None:
        seen.append(message)
        return response(message, "202 Accepted") if len(seen) > 1 else None

    first, second = refer(write, lease, deaf_at_first, seconds=20.0)
    assert first == second


@pytest.mark.parametrize(
    ("answer", "more", "seconds", "cause"),
    [
        (challenge, "", 20.0, r"challenged the REFER: SIP/2\.0 401"),
        (challenge, LOGIN, 20.0, r"challenged the REFER: SIP/2\.0 401"),
        (guarded, LOGIN.replace("s3cret", "wrong"), 20.0, r"challenged the REFER: SIP/2\.0 401"),
        (
            lambda message: response(message, "405 Method\x1b[31m"),
            "",
            5.0,
            "refused a REFER to .*: SIP/2.0 405 Method\ufffd",
        ),
        (lambda message: response(message, "100 Trying"), "", 1.0, "did not answer a REFER to sip:7001@.* in 1 s"),
        (lambda message: b"\x00\xff nonsense", "", 1.0, "did not answer a REFER"),
        (challenge, 'username = "a b"\npassword = "x"\n', 20.0, "which SIPp cannot use"),
    ],
)
def test_a_device_that_does_not_take_it(
    write: Write, lease: Lease, answer: Answer, more: str, seconds: float, cause: str
) -> None:
    with pytest.raises(DeviceError, match=cause) as caught:
        refer(write, lease, answer, more, seconds)
    assert caught.value.hint
    assert "s3cret" not in str(caught.value)


def test_a_name_without_a_password(write: Write, lease: Lease) -> None:
    with pytest.raises(ProfileError, match=r"stimulus\.password: missing"):
        refer(write, lease, challenge, 'username = "admin"\n')
