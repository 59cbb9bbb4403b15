"""Messages as frozen data: what goes out as text in order, what came in with the fields that everybody asks for."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sipmessage import CSeq, Headers, Via

from .headers import canonical, split_values
from .sip_uri import Address

Fields = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class OutboundRequest:
    """A request and where it is sent. Its Request-URI is text, so that a Contact is called as it was written."""

    method: str
    uri: str
    fields: Fields
    body: bytes
    destination: Address

    def field(self, name: str) -> str:
        """Return the first value of a header; raises :class:`KeyError` where there is none."""
        wanted = canonical(name)
        for key, value in self.fields:
            if key == name or canonical(key) == wanted:
                return value
        raise KeyError(name)

    def fields_named(self, *names: str) -> Fields:
        """Return the headers of these names, however they are written, in the order of the request."""
        wanted = set(map(canonical, names))
        return tuple(field for field in self.fields if canonical(field[0]) in wanted)

    def with_field(self, name: str, value: str) -> OutboundRequest:
        """Return a copy in which a header that is there has another value."""
        wanted = canonical(name)
        fields = tuple((key, value if canonical(key) == wanted else old) for key, old in self.fields)
        return replace(self, fields=fields)

    def with_only(self, name: str, value: str) -> OutboundRequest:
        """Return a copy in which a header has this value, whether it was there or not."""
        there = any(canonical(key) == canonical(name) for key, _ in self.fields)
        return self.with_field(name, value) if there else self.with_fields(((name, value),))

    def with_fields(self, fields: Fields) -> OutboundRequest:
        """Return a copy with further headers."""
        return replace(self, fields=self.fields + fields)

    def without(self, *names: str) -> OutboundRequest:
        """Return a copy without the headers of these names."""
        unwanted = set(map(canonical, names))
        return replace(self, fields=tuple(field for field in self.fields if canonical(field[0]) not in unwanted))

    @property
    def branch(self) -> str:
        """The branch of the top Via, which this device wrote."""
        return self.field("Via").partition(";branch=")[2].partition(";")[0]

    @property
    def sequence(self) -> int:
        """The number in CSeq."""
        return int(self.field("CSeq").split()[0])

    def __bytes__(self) -> bytes:
        return _serialise(f"{self.method} {self.uri} SIP/2.0", self.fields, self.body)


@dataclass(frozen=True, slots=True)
class OutboundResponse:
    """A response and where it is sent."""

    code: int
    reason: str
    fields: Fields
    body: bytes
    destination: Address

    def __bytes__(self) -> bytes:
        return _serialise(f"SIP/2.0 {self.code} {self.reason}", self.fields, self.body)


@dataclass(frozen=True, slots=True)
class Refusal:
    """What somebody who made no call of his own is answered: a code and what goes with it."""

    code: int
    reason: str
    fields: Fields = ()


@dataclass(frozen=True, slots=True)
class Inbound:
    """What requests and responses have in common: all that a message must have, already parsed."""

    source: Address
    headers: Headers
    fields: Fields
    """The headers once more, in their order and as they were written: what an element that forwards them needs."""
    body: bytes
    vias: tuple[Via, ...]
    cseq: CSeq
    call_id: str
    from_tag: str
    to_tag: str

    @property
    def branch(self) -> str:
        """The branch of the top Via, empty where it has none."""
        return self.vias[0].parameters.get("branch") or ""

    def values(self, name: str) -> list[str]:
        """Return the single values of a header, comma lists taken apart."""
        return split_values(self.headers.getlist(name))

    def body_fields(self) -> Fields:
        """Return the headers that go with the body."""
        kind = self.headers.get("Content-Type")
        return (("Content-Type", kind),) if self.body and kind else ()


@dataclass(frozen=True, slots=True)
class InboundRequest(Inbound):
    """A request as it came."""

    method: str
    uri: str


@dataclass(frozen=True, slots=True)
class InboundResponse(Inbound):
    """A response as it came."""

    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Final:
    """How an INVITE ended: a final response, or what section 8.1.3.1 puts in the place of one that never came."""

    code: int
    reason: str
    response: InboundResponse | None = None

    @classmethod
    def of(cls, response: InboundResponse) -> Final:
        """Wrap a final response."""
        return cls(response.code, response.reason, response)


TIMED_OUT = Final(408, "Request Timeout")
UNREACHABLE = Final(503, "Service Unavailable")
CANCELLED = Final(487, "Request Terminated")


def _serialise(start: str, fields: Fields, body: bytes) -> bytes:
    if not any(name == "Content-Length" for name, _ in fields):
        # No correct request says a length of its own.
        fields = (*fields, ("Content-Length", str(len(body))))
    lines = [start, *(f"{name}: {value}" for name, value in fields), "", ""]
    return "\r\n".join(lines).encode() + body
