"""The HTTP client for the web servers of phones: credentials, certificates, and a limit on what is read."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final, Literal

import httpx

from harness.errors import ProfileError

MOST_READ: Final = 64 * 1024
"""Bytes of a body that are read.  No answer to a click-to-dial is longer, and some bodies never end."""

Auth = Literal["none", "basic", "digest"]


def client(
    auth: Auth, user: str, password: str, *, verify: ssl.SSLContext | bool, timeout_s: float
) -> httpx.AsyncClient:
    """A client with these credentials.  It follows no redirects and uses no proxy of the environment."""
    return httpx.AsyncClient(
        auth=_credentials(auth, user, password),
        transport=_Capped(verify=verify, trust_env=False),
        follow_redirects=False,
        trust_env=False,
        timeout=timeout_s,
        headers={"User-Agent": "sipverdict", "Accept-Encoding": "identity"},
    )


def certificate_check(verify: bool | str, folder: Path, device: str) -> ssl.SSLContext | bool:
    """``stimulus.verify`` of the profile in ``folder``, as httpx takes it; ProfileError if its file cannot be used."""
    if isinstance(verify, bool):
        return verify
    path = folder / verify
    try:
        return ssl.create_default_context(cafile=str(path))
    except (OSError, ssl.SSLError) as error:
        raise ProfileError(
            f"stimulus.verify of {device}: {path} cannot be used: {error.strerror or error}",
            "expected true, false, or a PEM file with the certificate of the authority",
        ) from error


def certificate_refused(error: BaseException | None) -> bool:
    """Whether the certificate of the device is why: httpx wraps the error of the TLS library."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _credentials(auth: Auth, user: str, password: str) -> httpx.Auth | None:
    if auth == "none":
        return None
    return httpx.BasicAuth(user, password) if auth == "basic" else httpx.DigestAuth(user, password)


class _Capped(httpx.AsyncHTTPTransport):
    """Leaves the rest of an endless body unread, and a compressed body compressed."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await super().handle_async_request(request)
        assert isinstance(answer.stream, httpx.AsyncByteStream)
        headers = [(name, value) for name, value in answer.headers.raw if name.lower() != b"content-encoding"]
        stream = _CappedStream(answer.stream)
        return httpx.Response(answer.status_code, headers=headers, stream=stream, extensions=answer.extensions)


class _CappedStream(httpx.AsyncByteStream):
    """The first :data:`MOST_READ` bytes of another stream."""

    def __init__(self, inner: httpx.AsyncByteStream) -> None:
        self._inner = inner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = MOST_READ
        async for chunk in self._inner:
            yield chunk[:left]
            left -= len(chunk)
            if left <= 0:
                return

    async def aclose(self) -> None:
        await self._inner.aclose()
