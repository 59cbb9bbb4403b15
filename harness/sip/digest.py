"""Digest access authentication, the server's side (RFC 3261 section 22, RFC 7616)."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping

_PARAMETER = re.compile(r'([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
_ALGORITHMS = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}


class Challenger:
    """Asks for credentials and checks them; knows the nonces that it has given."""

    def __init__(self, user: str, password: str, realm: str) -> None:
        self._user = user
        self._password = password
        self._realm = realm
        self._nonces: set[str] = set()

    def challenge(self, *, stale: bool = False) -> str:
        """The value of a WWW-Authenticate header with a new nonce."""
        nonce = secrets.token_hex(16)
        self._nonces.add(nonce)
        again = ", stale=true" if stale else ""
        return f'Digest realm="{self._realm}", nonce="{nonce}", algorithm=MD5, qop="auth"{again}'

    def knows_nonce(self, authorization: str) -> bool:
        """Whether the nonce in an Authorization header was given here."""
        return parameters(authorization).get("nonce", "") in self._nonces

    def accepts(self, authorization: str, method: str) -> bool:
        """Whether the value of an Authorization header proves that its sender knows the password."""
        said = parameters(authorization)
        if said.get("username") != self._user or said.get("realm") != self._realm:
            return False
        expected = response_of(said, method, self._password)
        return hmac.compare_digest(expected, said.get("response", "").lower())


def parameters(authorization: str) -> dict[str, str]:
    """The parameters of a Digest header value, names in lower case; empty if it is of another scheme."""
    scheme, _, rest = authorization.strip().partition(" ")
    if scheme.lower() != "digest":
        return {}
    return {name.lower(): quoted or plain for name, quoted, plain in _PARAMETER.findall(rest)}


def response_of(said: Mapping[str, str], method: str, password: str) -> str:
    """The response that belongs to the parameters ``said``; "" for an algorithm that is not known here."""
    algorithm = _ALGORITHMS.get(said.get("algorithm", "MD5").upper())
    if algorithm is None:
        return ""

    def digest(*parts: str) -> str:
        return algorithm(":".join(parts).encode("latin-1", "replace")).hexdigest()

    secret = digest(said.get("username", ""), said.get("realm", ""), password)
    asked = digest(method, said.get("uri", ""))
    if "qop" in said:
        middle = (said.get("nonce", ""), said.get("nc", ""), said.get("cnonce", ""), said["qop"])
        return digest(secret, *middle, asked)
    return digest(secret, said.get("nonce", ""), asked)
