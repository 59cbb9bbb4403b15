"""REFER to devices that ask for a password, refuse, or say nothing; the SIPp that sends it is a real one."""

from __future__ import annotations

import asyncio
import hashlib
import re
import socket
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


def test_it_comes_from_the_address_of_the_lease_and_nothing_else_shows(write: Write, lease: Lease) -> None:
    """SIPp is behind a tap: the device sees one address of the tester, and its NOTIFYs are answered from there."""
    addresses: list[Address] = []

    def leased() -> Address:
        addresses.append(lease())
        return addresses[-1]

    answers: list[bytes] = []

    def notifies(message: bytes) -> bytes | None:
        if not message.startswith(b"REFER"):
            answers.append(message)
            return None
        own = addresses[-1]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:  # a phone's second port
            other.bind((address.host, 0))
            lines = message.decode().split("\r\n")
            kept = [line for line in lines if line.startswith("Call-ID")]
            via = f"Via: SIP/2.0/UDP {address};branch=z9hG4bKnotify"
            head = [f"NOTIFY sip:x@{own} SIP/2.0", via, "From: <sip:a@h>;tag=x", "To: <sip:b@h>", *kept]
            head += ["CSeq: 7 NOTIFY", "Event: refer", "Content-Type: message/sipfrag"]
            text = "\r\n".join([*head, "Content-Length: 20", "", "SIP/2.0 100 Trying\r\n"])
            other.sendto(text.encode(), (own.host, own.port))
        return response(message, "202 Accepted")

    address = leased()
    text = PHONE.replace("ADDRESS", str(address)).replace("SECONDS", "20.0")
    profile = write(profile=text)

    async def run() -> bytes:
        async with (
            listening(address, notifies) as phone,
            Device(profile, address=address, lease=leased) as device,
            asyncio.timeout(30),
        ):
            await device.call(URI)
            while not answers:  # noqa: ASYNC110 - it is a list
                await asyncio.sleep(0.01)
            return await phone.heard.get()

    refer = asyncio.run(run())
    [own] = addresses[1:]
    assert f"Via: SIP/2.0/UDP {own};".encode() in refer
    assert answers[0].startswith(b"SIP/2.0 200 ")
    hosts = set(re.findall(rb"127\.\d+\.\d+\.\d+", b"".join([refer, *answers])))
    assert hosts <= {own.host.encode(), address.host.encode()}


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
