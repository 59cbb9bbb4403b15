"""Web servers that redirect, ask for ever, never answer, never end, or answer with anything: one sentence each."""

from __future__ import annotations

import asyncio
import datetime
import gzip
import ssl
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from device_bench import MINIMAL, Write

from harness.device import Device
from harness.errors import DeviceError, ProfileError
from harness.net.address import Address

Lease = Callable[[], Address]
URI = "sip:7001@127.0.0.1:5060;x=a&b=c"
SLEEPER = "print('READY', flush=True); import time; time.sleep(60)"
DAY = datetime.timedelta(days=1)
DIGEST = 'Digest realm="x", nonce="n", qop="auth", algorithm='


def profile(write: Write, more: str = "", call: str = '"http://{host}:8080/call?uri={uri}&user={user}"') -> Any:
    start = MINIMAL.index("[stimulus]")
    more = more if "timeout_s" in more else f"{more}\ntimeout_s = 20.0"
    text = f'{MINIMAL[:start]}[stimulus]\nkind = "http"\n{more}\ncall = {call}\n'
    return write(SLEEPER, text)


def answered(status: str, *headers: str, body: bytes = b"") -> bytes:
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "Connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


@asynccontextmanager
async def web(address: Address, answer: bytes | Callable[[asyncio.StreamWriter], Awaitable[None]]) -> Any:
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            asked.append(head + await reader.read(1000) if head.startswith(b"POST") else head)
            if isinstance(answer, bytes):
                writer.write(answer)
                await writer.drain()
            else:
                await answer(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, address.host, 8080)
    try:
        yield asked
    finally:
        server.close()


async def hangs(_writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(30)


async def floods(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b"\x1b[2Jfour thousand lines " * 1000)
        await writer.drain()


async def floods_headers(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X-More: and more\r\n" * 1000)
        await writer.drain()


LOGIN = 'auth = "digest"\nusername = "admin"\npassword = "s3cret"'


@pytest.mark.parametrize(
    ("answer", "more", "cause"),
    [
        (answered("302 Found", "Location: https://192.0.2.7/login"), "", r"leads to https://192\.0\.2\.7/login: redir"),
        (
            answered("401 Unauthorized", 'WWW-Authenticate: Basic realm="p"'),
            "",
            r"answered 401 .* asks for Basic realm",
        ),
        (answered("401 Unauthorized", f"WWW-Authenticate: {DIGEST}MD5"), LOGIN, "rejects the user name and"),
        (answered("401 Unauthorized", f"WWW-Authenticate: {DIGEST}ROT13"), LOGIN, "could not be asked to call by HTTP"),
        (answered("401 Unauthorized", "WWW-Authenticate: Digest x"), LOGIN, "could not be asked to call by HTTP"),
        (answered("403 Forbidden", body=b"no remote control"), LOGIN, "answered 403"),
        (
            answered("404 Not Found", body=b"<h1>\x1b[31mNo</h1>"),
            "",
            "answered 404 to GET .*: <h1>\N{REPLACEMENT CHARACTER}",
        ),
        (answered("500 Oops", body=bytes(range(256))), "", "answered 500"),
        (answered("200 OK", body=b"busy, try later"), 'refused = "busy"', "refused to call: busy, try later"),
        (answered("200 OK"), "expect = [202]", "answered 200 to GET"),
        (b"SIP/2.0 200 OK\r\n\r\n", "", "could not be asked to call by HTTP"),
        (b"\x00\xff" * 40, "", "could not be asked to call by HTTP"),
        (b"", "", "could not be asked to call by HTTP"),
        (hangs, "timeout_s = 0.5", r"no answer in 0\.5 s"),
        (floods_headers, "", "could not be asked to call by HTTP"),
    ],
)
def test_an_answer_that_says_no(write: Write, lease: Lease, answer: Any, more: str, cause: str) -> None:
    async def run() -> int:
        address = lease()
        async with web(address, answer) as asked, Device(profile(write, more), address=address) as device:
            with pytest.raises(DeviceError, match=cause) as caught:
                await device.call(URI)
            assert caught.value.hint
            assert "\x1b" not in str(caught.value)
            assert "s3cret" not in str(caught.value)
            return len(asked)

    # A request that is sent twice would be two calls: only a challenge is answered.
    assert asyncio.run(run()) == (
        2 if more == LOGIN and b"MD5" in (answer if isinstance(answer, bytes) else b"") else 1
    )


@pytest.mark.parametrize(
    "answer",
    [floods, answered("200 OK", "Content-Encoding: gzip", body=gzip.compress(b"\0" * 50_000_000))],
)
def test_a_body_without_an_end_is_not_read_to_its_end(write: Write, lease: Lease, answer: Any) -> None:
    async def run() -> str:
        address = lease()
        async with web(address, answer), Device(profile(write), address=address) as device:
            await device.call(URI)
            return device.remark()

    said = asyncio.run(run())
    assert said.startswith("it answered the HTTP request 200")
    assert len(said) < 400
    assert "\x1b" not in said


def test_a_password_that_is_never_asked_for_is_told(write: Write, lease: Lease) -> None:
    async def run() -> str:
        address = lease()
        async with (
            web(address, answered("200 OK", body=b"welcome")),
            Device(profile(write, LOGIN), address=address) as device,
        ):
            await device.call(URI)
            return device.remark()

    assert asyncio.run(run()) == "it answered the HTTP request 200: welcome, and never asked for the password"


def test_a_uri_is_data_wherever_it_stands(write: Write, lease: Lease) -> None:
    """In a URL percent-encoded, in a body as its type wants it."""
    uri = 'sip:7001&x="<a>"@h;y?z=%41'

    async def said(call: str) -> bytes:
        address = lease()
        async with (
            web(address, answered("200 OK")) as asked,
            Device(profile(write, call=call), address=address) as device,
        ):
            await device.call(uri)
        found: bytes = asked[0]
        return found

    async def run() -> list[bytes]:
        post = '{{ method = "POST", url = "http://{{host}}:8080/", body_type = "{0}", body = \'{1}\' }}'
        return [
            await said('"http://{host}:8080/call?uri={uri}&user={user}"'),
            await said(post.format("form", "uri={uri}")),
            await said(post.format("json", '{"uri": "{uri}"}')),
            await said(post.format("xml", "<a>{uri}</a>")),
        ]

    get, form, json, xml = asyncio.run(run())
    encoded = b"sip%3A7001%26x%3D%22%3Ca%3E%22%40h%3By%3Fz%3D%2541"
    assert get.startswith(b"GET /call?uri=" + encoded + b"&user=7001%26x%3D%22%3Ca%3E%22 HTTP/1.1\r\n")
    assert form.endswith(b"uri=" + encoded)
    assert b"application/x-www-form-urlencoded" in form
    assert json.endswith(b'{"uri": "sip:7001&x=\\"<a>\\"@h;y?z=%41"}')
    assert xml.endswith(b"<a>sip:7001&amp;x=&quot;&lt;a&gt;&quot;@h;y?z=%41</a>")


def test_no_proxy_of_the_environment_is_used(write: Write, lease: Lease, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")

    async def run() -> None:
        address = lease()
        async with web(address, answered("200 OK")), Device(profile(write), address=address) as device:
            await device.call(URI)

    asyncio.run(run())


def test_a_certificate_that_nobody_signed(write: Write, lease: Lease, tmp_path: Path) -> None:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(self_signed(tmp_path))

    async def run() -> None:
        address = lease()
        async with (
            await asyncio.start_server(lambda _, writer: writer.close(), address.host, 8080, ssl=server),
            Device(profile(write, call='"https://{host}:8080/{uri}"'), address=address) as device,
        ):
            await device.call(URI)

    with pytest.raises(DeviceError, match="could not be asked to call by HTTP") as caught:
        asyncio.run(run())
    assert "stimulus.verify" in caught.value.hint


def self_signed(folder: Path) -> Path:
    """A file with a key and a certificate that it signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "phone")])
    now = datetime.datetime.now(datetime.UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + DAY)
    path = folder / "phone.pem"
    path.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        + made.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    )
    return path


def test_nobody_listens(write: Write, lease: Lease) -> None:
    async def run() -> None:
        async with Device(profile(write), address=lease()) as device:
            await device.call(URI)

    with pytest.raises(DeviceError, match="could not be asked to call by HTTP"):
        asyncio.run(run())


@pytest.mark.parametrize(
    ("more", "call", "cause"),
    [
        ("", '"192.0.2.7/call?{uri}"', "stimulus.call.url: expected a URL that begins with http"),
        ("", '{ url = "http://h/{uri}", methd = "GET" }', "stimulus.call.methd: unknown key"),
        ("", '{ url = "http://h/{uri}", body = "x" }', "stimulus.call.body: a GET has no body"),
        ("", '"http://h/{url}"', "stimulus.call: expected {uri} in it"),
        ("", '"http://h/{uri}{id}"', "stimulus.call: {id} is no placeholder here"),
        ('auth = "digest"', '"http://h/{uri}"', 'stimulus.username: missing with auth = "digest"'),
        ('password = "x"', '"http://h/{uri}"', 'stimulus.password: needs auth = "basic"'),
        ('refused = "("', '"http://h/{uri}"', "stimulus.refused: expected a regular expression"),
        ('id_pattern = "x"', '"http://h/{uri}"', "stimulus.id_pattern: expected a regular expression with exactly one"),
        ("expect = [99]", '"http://h/{uri}"', "stimulus.expect.0: expected otherwise"),
    ],
)
def test_a_profile_that_cannot_be(write: Write, more: str, call: str, cause: str) -> None:
    with pytest.raises(ProfileError) as caught:
        profile(write, more, call)
    assert cause in caught.value.cause
    if "unknown key" in cause:
        assert caught.value.hint == "the nearest is stimulus.call.method"
