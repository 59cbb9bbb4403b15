"""A phone's side of registering: REGISTER, credentials when asked, and again before it expires (RFC 3261 10.2, 22)."""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
from dataclasses import dataclass

from .diagnostics import complain
from .identity import PRODUCT
from .sip_uri import Address
from .stack import Stack, identity_of
from .tokens import new_branch, new_call_id, new_tag
from .uac_user import UacUser
from .wire import Fields, Final, InboundResponse, OutboundRequest

EXPIRES_S = 600
_TRY_AGAIN_S = 5.0
_PARAMETER = re.compile(r'([\w-]+)\s*=\s*(?:"([^"]*)"|([^\s,"]+))')


@dataclass(frozen=True)
class Account:
    """Where the phone registers, and as whom."""

    registrar: Address
    user: str
    password: str = ""


class Registration(UacUser):
    """Keeps the phone registered for as long as it runs."""

    def __init__(self, stack: Stack, account: Account) -> None:
        self._layer = stack.layer
        self._account = account
        self._call_id = new_call_id(identity_of(stack.layer).uri_host)
        self._tag = new_tag()
        self._sequence = 0
        self._answered_challenge = False

    def start(self) -> None:
        """Send a REGISTER without credentials."""
        self._answered_challenge = False
        self._send(())

    def on_final(self, final: Final) -> None:
        """Answer a challenge once; else come back before what was granted is over, or a little later."""
        if final.code in (401, 407) and final.response is not None and not self._answered_challenge:
            self._answered_challenge = True
            self._send(self._credentials(final.code, final.response))
            return
        loop = asyncio.get_running_loop()
        if final.response is not None and final.code == 200:
            loop.call_later(self._granted(final.response) / 2, self.start)
        else:
            complain(f"not registered: {final.code} {final.reason}")
            loop.call_later(_TRY_AGAIN_S, self.start)

    def _send(self, credentials: Fields) -> None:
        identity = identity_of(self._layer)
        registrar = self._account.registrar
        self._sequence += 1
        aor = f"<sip:{self._account.user}@{registrar.host_port}>"
        own = f"<sip:{self._account.user}@{identity.local.in_uri}>"
        fields: Fields = (
            ("Via", identity.via(new_branch())),
            ("Max-Forwards", "70"),
            ("From", f"{aor};tag={self._tag}"),
            ("To", aor),
            ("Call-ID", self._call_id),
            ("CSeq", f"{self._sequence} REGISTER"),
            ("Contact", own),
            ("Expires", str(EXPIRES_S)),
            ("User-Agent", PRODUCT),
            *credentials,
        )
        request = OutboundRequest("REGISTER", f"sip:{registrar.host_port}", fields, b"", self._account.registrar)
        self._layer.send_request(request, self)

    def _credentials(self, code: int, response: InboundResponse) -> Fields:
        header, name = (
            ("WWW-Authenticate", "Authorization")
            if code == 401
            else (
                "Proxy-Authenticate",
                "Proxy-Authorization",
            )
        )
        asked = {key.lower(): quoted or plain for key, quoted, plain in _PARAMETER.findall(response.headers[header])}
        uri, nonce, cnonce = f"sip:{self._account.registrar.host_port}", asked.get("nonce", ""), secrets.token_hex(8)
        secret = _md5(self._account.user, asked.get("realm", ""), self._account.password)
        answer = _md5(secret, nonce, "00000001", cnonce, "auth", _md5("REGISTER", uri))
        return (
            (
                name,
                f'Digest username="{self._account.user}", realm="{asked.get("realm", "")}", nonce="{nonce}", '
                f'uri="{uri}", response="{answer}", algorithm=MD5, qop=auth, nc=00000001, cnonce="{cnonce}"',
            ),
        )

    def _granted(self, response: InboundResponse) -> float:
        found = re.search(r";\s*expires\s*=\s*(\d{1,6})", ", ".join(response.values("Contact")))
        return max(1.0, float(found[1]) if found else EXPIRES_S)


def _md5(*parts: str) -> str:
    return hashlib.md5(":".join(parts).encode()).hexdigest()
