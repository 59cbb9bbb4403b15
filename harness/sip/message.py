"""Reading SIP messages: a tolerant, read-only view.

A device may write what no parser accepts, and that is evidence: nothing here raises on a device's bytes.
A value that is absent or unreadable is ``None`` (or an empty tuple), and :attr:`SipMessage.unreadable` says why.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache

from sipmessage.message import COMPACT_FORMS

from harness.sip.address import split_outside
from harness.sip.via import Via

_FOLD = re.compile(r"\r?\n[ \t]+")
_LINE_END = re.compile(r"\r?\n")
_EMPTY_LINE = re.compile(r"\r?\n\r?\n")
_REQUEST_LINE = re.compile(r"(\S+) (.+) (SIP/2\.0)\Z", re.IGNORECASE)
_STATUS_LINE = re.compile(r"SIP/2\.0 ([0-9]{3})(?: (.*))?\Z", re.IGNORECASE)
_CSEQ = re.compile(r"([0-9]{1,10})\s+(\S+)\Z")
_TAG = re.compile(r";\s*tag\s*=\s*([^;,\s>]*)", re.IGNORECASE)
_QUOTED_OR_BLANKS = re.compile(r'"(?:[^"\\]|\\.)*"|\s*[;=:/,<>()]\s*|\s+', re.DOTALL)


@dataclass(frozen=True)
class SipMessage:
    """One SIP message as text, decoded so that every byte survives (``latin-1``)."""

    raw: str

    @cached_property
    def text(self) -> str:
        """The message for people: UTF-8 where it is UTF-8."""
        return self.raw.encode("latin-1", "replace").decode("utf-8", "replace")

    @cached_property
    def start_line(self) -> str:
        """The first line; empty lines before it do not count (RFC 3261 7.5)."""
        return _LINE_END.split(self.text.lstrip("\r\n"), maxsplit=1)[0]

    @cached_property
    def _headers(self) -> tuple[dict[str, list[str]], bool]:
        """Values by header name (long form, lower case), and whether every line could be read.

        Read here, not by ``sipmessage``: that one refuses the whole message for one bad line or a Request-URI
        outside the grammar, and does not know white space before the colon.  Each of these is a finding at most.
        """
        head = _EMPTY_LINE.split(self.text.lstrip("\r\n"), maxsplit=1)[0]
        values: dict[str, list[str]] = {}
        whole = True
        for line in filter(None, _LINE_END.split(_FOLD.sub(" ", head))[1:]):
            written, colon, value = line.partition(":")
            if colon and written.strip():
                values.setdefault(long_name(written), []).append(value.strip())
            else:
                whole = False
        return values, whole

    @property
    def unreadable(self) -> str | None:
        """Why this is not a SIP message, or None if it is one."""
        if self.method is None and self.status is None:
            return "its first line is neither a SIP request line nor a status line"
        if not self._headers[1]:
            return "a header line could not be read"
        if not (self.call_id and self.cseq_number is not None):
            return "it has no readable Call-ID and CSeq"
        return None

    # --- the start line

    @cached_property
    def _request_line(self) -> re.Match[str] | None:
        # A reason phrase may end in "SIP/2.0", a method cannot begin with it.
        return None if _STATUS_LINE.match(self.start_line) else _REQUEST_LINE.match(self.start_line)

    @cached_property
    def method(self) -> str | None:
        """The method of a request; None for a response."""
        return self._request_line[1] if self._request_line else None

    @cached_property
    def request_uri(self) -> str:
        """The Request-URI exactly as written; "" for a response."""
        return self._request_line[2] if self._request_line else ""

    @cached_property
    def status(self) -> int | None:
        """The status code of a response; None for a request."""
        found = _STATUS_LINE.match(self.start_line)
        return int(found[1]) if found else None

    @cached_property
    def reason(self) -> str:
        """The reason phrase of a response, as written."""
        found = _STATUS_LINE.match(self.start_line)
        return (found[2] or "") if found else ""

    # --- header fields

    def headers(self, name: str) -> tuple[str, ...]:
        """Every value of header ``name``, one per line, unfolded, as written; compact forms are found."""
        return tuple(self._headers[0].get(COMPACT_FORMS.get(name.lower(), name).lower(), ()))

    def header(self, name: str) -> str | None:
        """The first value of header ``name``, or None."""
        values = self.headers(name)
        return values[0] if values else None

    @cached_property
    def call_id(self) -> str:
        """The Call-ID; "" if there is none."""
        return self.header("Call-ID") or ""

    @cached_property
    def _cseq(self) -> tuple[int, str] | None:
        found = _CSEQ.match(self.header("CSeq") or "")
        return (int(found[1]), found[2]) if found else None

    @property
    def cseq_number(self) -> int | None:
        """The number of the CSeq; None if it cannot be read."""
        return self._cseq[0] if self._cseq else None

    @property
    def cseq_method(self) -> str:
        """The method of the CSeq; "" if it cannot be read."""
        return self._cseq[1] if self._cseq else ""

    @cached_property
    def vias(self) -> tuple[Via, ...]:
        """The Via values, topmost first, the unreadable ones too."""
        return tuple(Via(value) for line in self.headers("Via") for value in split_list(line))

    @cached_property
    def branch(self) -> str | None:
        """The branch of the topmost Via; None without one."""
        return self.vias[0].branch if self.vias else None

    @cached_property
    def from_tag(self) -> str | None:
        """The tag of the From; None without one."""
        return _tag(self.header("From"))

    @cached_property
    def to_tag(self) -> str | None:
        """The tag of the To; None without one."""
        return _tag(self.header("To"))

    @property
    def from_uri(self) -> str:
        """The URI of the From, as written."""
        return addr_spec(self.header("From") or "")

    @property
    def to_uri(self) -> str:
        """The URI of the To, as written."""
        return addr_spec(self.header("To") or "")

    @cached_property
    def contact_uris(self) -> tuple[str, ...]:
        """The URIs of every Contact value that can be read, in order, as written."""
        return tuple(addr_spec(value) for line in self.headers("Contact") for value in split_list(line))

    @property
    def next_hop_uri(self) -> str:
        """The URI that says where a request in a dialog goes: its first Route, or else its Request-URI (12.2.1.1)."""
        routes = self.headers("Route")
        return addr_spec(next(iter(split_list(routes[0])), "")) if routes else self.request_uri

    @cached_property
    def body(self) -> str:
        """What follows the empty line, one character per byte."""
        return (*_EMPTY_LINE.split(self.raw.lstrip("\r\n"), maxsplit=1), "")[1]

    def __str__(self) -> str:
        return self.start_line


@lru_cache(maxsize=512)
def long_name(written: str) -> str:
    """The name of a header by which it compares: without blanks, in small letters, and its long form (7.3.3)."""
    name = written.strip().lower()
    return COMPACT_FORMS.get(name, name).lower()


def split_list(line: str) -> tuple[str, ...]:
    """The comma-separated values of one header line; commas in quotes and in angle brackets do not split."""
    return tuple(filter(None, (value.strip() for value in split_outside(line, ","))))


def close_up(text: str) -> str:
    """``text`` without the blanks that the grammar allows around separators (RFC 3261 7.3.1, 25.1).

    Every other run of white space becomes one blank, as any recipient may make it; also in a quoted string, where
    blanks belong to the value.
    """

    def closed(found: re.Match[str]) -> str:
        return " ".join(re.split(r"\s+", found[0])) if found[0].startswith('"') else found[0].strip() or " "

    return _QUOTED_OR_BLANKS.sub(closed, text.strip())


def addr_spec(value: str) -> str:
    """The URI of a From, To or Contact value as written (RFC 3261 20.10: without brackets it ends at ``;``)."""
    uri, _ = _address(value)
    return uri


def _address(value: str) -> tuple[str, str]:
    """The URI of an address and its parameters, which are the header's and not the URI's."""
    plain = _without_quoted(value)
    _, opened, rest = plain.partition("<")
    uri, closed, parameters = rest.partition(">")
    if opened and closed:
        return uri.strip(), parameters
    uri, semicolon, parameters = plain.partition(";")
    return uri.strip(), semicolon + parameters


def _tag(value: str | None) -> str | None:
    found = _TAG.search(_address(value)[1]) if value is not None else None
    return found[1] if found else None


def _without_quoted(text: str) -> str:
    """``text`` less its quoted strings, those in angle brackets excepted; an unclosed quote is kept as it is."""
    if '"' not in text:
        return text
    kept, start, opened, bracketed, escaped = [], 0, -1, False, False
    for place, char in enumerate(text):
        if opened >= 0:
            if escaped:
                escaped = False
            elif char == "\\":
                escaped = True
            elif char == '"':
                kept.append(text[start:opened])
                start, opened = place + 1, -1
        elif char == '"' and not bracketed:
            opened = place
        elif char in "<>":
            bracketed = char == "<"
    return "".join((*kept, text[start:]))
