"""Answers a server that asks for a password (RFC 3261 section 22, RFC 2617 with MD5 and qop=auth or none)."""

from __future__ import annotations

import hashlib
import re

from .wire import Final, OutboundRequest

USER, PASSWORD = "reference", "no-secret"
"""The one account of the device, for every realm."""
ANSWERS = {401: ("WWW-Authenticate", "Authorization"), 407: ("Proxy-Authenticate", "Proxy-Authorization")}
_PARAMETER = re.compile(r'(\w+)\s*=\s*(?:"([^"]*)"|([^\s,]+))')


def answered(invite: OutboundRequest, final: Final) -> tuple[str, str] | None:
    """Return the header that answers a challenge of ``invite``; ``None`` where there is none, or it was answered."""
    asks, answers = ANSWERS.get(final.code, ("", ""))
    challenge = final.response.headers.get(asks) if final.response is not None and asks else None
    if challenge is None or not challenge.lower().startswith("digest ") or invite.fields_named(answers):
        return None
    said = {name.lower(): quoted or plain for name, quoted, plain in _PARAMETER.findall(challenge[7:])}
    if said.get("algorithm", "MD5").upper() != "MD5" or "nonce" not in said:
        return None
    realm, nonce = said.get("realm", ""), said["nonce"]
    ours = {"username": USER, "realm": realm, "nonce": nonce, "uri": invite.uri}
    secret, request = _md5(f"{USER}:{realm}:{PASSWORD}"), _md5(f"{invite.method}:{invite.uri}")
    extra = ""
    if "auth" in said.get("qop", "").split(","):
        extra = ', qop=auth, nc=00000001, cnonce="0a4f113b"'
        ours["response"] = _md5(f"{secret}:{nonce}:00000001:0a4f113b:auth:{request}")
    else:
        ours["response"] = _md5(f"{secret}:{nonce}:{request}")
    return answers, "Digest " + ", ".join(f'{name}="{value}"' for name, value in ours.items()) + extra


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
