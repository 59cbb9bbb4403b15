"""Datagrams into messages. Whatever cannot be read is refused with :class:`Unreadable`, never with a crash."""

from __future__ import annotations

import re
from itertools import chain

from sipmessage import Message, Via

from .headers import tag_of
from .sip_uri import Address
from .wire import InboundRequest, InboundResponse

_FOLD = re.compile(rb"\r\n[ \t]+")
_SPACE_BEFORE_COLON = re.compile(rb"^([\w-]+)[ \t]+:", re.MULTILINE)
_STRAY_CONTROL = re.compile(rb"\0|\r(?!\n)|(?<!\r)\n")
_BARE_IPV6 = re.compile(r"(;\s*(?:received|maddr)\s*=\s*)([0-9A-Fa-f]*:[0-9A-Fa-f:.]*)", re.IGNORECASE)
_REQUEST_LINE = re.compile(r"(?P<method>\S+) (?P<uri>\S+) SIP/2\.0")
_STATUS_LINE = re.compile(r"SIP/2\.0 (?P<code>[1-6][0-9]{2})(?: (?P<reason>.*))?")


class Unreadable(ValueError):
    """These bytes are no SIP message that anything could be done with."""


def parse(data: bytes, source: Address) -> InboundRequest | InboundResponse | None:
    """Parse one message; ``None`` for a keep-alive of line ends (section 7.5, RFC 5626 section 3.5.1)."""
    data = data.lstrip(b"\r\n\0")
    if not data:
        return None
    try:
        return _parse(data, source)
    except Unreadable:
        raise
    except Exception as error:
        # The parser was written for honest peers: ``;self`` in a Via is a TypeError in it, not a ValueError.
        raise Unreadable(f"{type(error).__name__}: {error}") from error


def _parse(data: bytes, source: Address) -> InboundRequest | InboundResponse:
    head, separator, body = data.partition(b"\r\n\r\n")
    if not separator:
        raise Unreadable("the headers do not end")
    if _STRAY_CONTROL.search(head):
        raise Unreadable("a line end or a NUL inside a line")
    first, _, rest = _SPACE_BEFORE_COLON.sub(rb"\1:", _FOLD.sub(b" ", head)).partition(b"\r\n")
    start = first.decode()
    # The start line is read here: sipmessage knows no ``mailto:`` in a Request-URI and no host such as ``pc1``,
    # and would forget how the URI was written.
    message = Message.parse(b"SIP/2.0 200 OK\r\n" + rest + b"\r\n\r\n")
    headers = message.headers
    vias = tuple(chain.from_iterable(map(_vias, headers.getlist("Via"))))
    if not vias:
        raise Unreadable("no Via")
    length = message.content_length
    if length is not None and not 0 <= length <= len(body):
        raise Unreadable(f"Content-Length {length}, and {len(body)} bytes came")
    cseq, call_id = message.cseq, headers["Call-ID"]
    from_tag, to_tag = tag_of(headers["From"]), tag_of(headers["To"])
    body = body[:length]
    fields = tuple(_field(line) for line in rest.decode().split("\r\n") if line)
    common = (source, headers, fields, body, vias, cseq, call_id, from_tag, to_tag)
    if status := _STATUS_LINE.fullmatch(start):
        code, reason = int(status["code"]), status["reason"] or ""
        return InboundResponse(*common, code, reason)
    if request := _REQUEST_LINE.fullmatch(start):
        method, uri = request["method"], request["uri"]
        if method != cseq.method:
            raise Unreadable(f"{method} with the CSeq of {cseq.method}")
        return InboundRequest(*common, method, uri)
    raise Unreadable("neither a request line nor a status line")


def _vias(value: str) -> list[Via]:
    """Parse a Via; sipmessage takes an IPv6 address in a parameter in brackets only, which 25.1 does not write."""
    return Via.parse_many(_BARE_IPV6.sub(r"\1[\2]", value))


def _field(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name, value.strip()
