"""The orders by HTTP, as phones take them: ``GET /call?uri=...``, or a POST with a form; with a password if wanted.

HTTP/1.1, one request a connection; basic (RFC 7617) or digest authentication (RFC 7616, MD5, qop=auth).
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import os
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote_to_bytes, urlsplit

from .console import Orders
from .sip_uri import Address

Credentials = tuple[str, str, str]
"""Scheme (basic, digest), user name, password."""

_REALM = "reference device"
_REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 405: "Method Not Allowed"}
_MOST = 65_536
_PARAMETER = re.compile(r'(\w+)\s*=\s*(?:"([^"]*)"|([^\s,]+))')


@dataclass(frozen=True)
class _Request:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes


def web_server(address: Address, credentials: Credentials | None = None) -> Callable[[Orders], Awaitable[None]]:
    """Return what opens the server at an address."""

    async def listen(orders: Orders) -> None:
        guard = _Guard(credentials)

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                request = await _read(reader)
                challenge = guard.challenge(request)
                status, text = (401, "who are you?") if challenge else _obeyed(orders, request)
                head = [f"HTTP/1.1 {status} {_REASONS[status]}", "Content-Type: text/plain", "Connection: close"]
                head += [f"WWW-Authenticate: {challenge}"] if challenge else []
                body = f"{text}\n".encode()
                writer.write("\r\n".join([*head, f"Content-Length: {len(body)}", "", ""]).encode() + body)
                await writer.drain()
            except (ConnectionError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                pass  # no HTTP: there is nobody to answer
            finally:
                writer.close()

        await asyncio.start_server(serve, *address[:2])

    return listen


async def _read(reader: asyncio.StreamReader) -> _Request:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    length = int(headers.get("content-length", "0"))
    if length > _MOST:
        raise ValueError(length)
    return _Request(method, target, headers, await reader.readexactly(length))


def _obeyed(orders: Orders, request: _Request) -> tuple[int, str]:
    if request.method not in ("GET", "POST"):
        return 405, "GET or POST"
    url = urlsplit(request.target)
    query = url.query if request.method == "GET" else request.body.decode("utf-8", "replace")
    uri = parse_qs(query).get("uri", [""])[0]
    verb = url.path.strip("/")
    if verb not in ("call", "hangup", "reinvite", "answer", "reject"):
        return 404, "there are /call, /hangup, /reinvite, /answer and /reject"
    wrong = orders.obey(f"{verb} {uri}")
    return (400, wrong) if wrong else (200, f"{verb} {uri}")


class _Guard:
    """Knows who may give orders."""

    def __init__(self, credentials: Credentials | None) -> None:
        self._credentials = credentials
        self._nonce = os.urandom(12).hex()

    def challenge(self, request: _Request) -> str:
        """Return what to ask for; "" if the request has said it."""
        if self._credentials is None:
            return ""
        scheme, user, password = self._credentials
        said, _, rest = request.headers.get("authorization", "").partition(" ")
        if said.lower() == scheme and (
            self._basic(rest, user, password) if scheme == "basic" else self._digest(request, rest, user, password)
        ):
            return ""
        if scheme == "basic":
            return f'Basic realm="{_REALM}"'
        return f'Digest realm="{_REALM}", qop="auth", algorithm=MD5, nonce="{self._nonce}"'

    @staticmethod
    def _basic(rest: str, user: str, password: str) -> bool:
        wanted = base64.b64encode(f"{user}:{password}".encode())
        return hmac.compare_digest(rest.strip().encode(), wanted)

    def _digest(self, request: _Request, rest: str, user: str, password: str) -> bool:
        said = {found[1].lower(): found[2] or found[3] or "" for found in _PARAMETER.finditer(rest)}
        if said.get("nonce") != self._nonce or unquote_to_bytes(said.get("uri", "")) != unquote_to_bytes(
            request.target
        ):
            return False
        secret = _md5(f"{user}:{_REALM}:{password}")
        what = _md5(f"{request.method}:{said['uri']}")
        middle = ":".join(said.get(name, "") for name in ("nonce", "nc", "cnonce", "qop"))
        return said.get("username") == user and said.get("response") == _md5(f"{secret}:{middle}:{what}")


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
