"""Faults in the last form of a message: what is written, how often it is sent, and where to (RFC 3261 7, 8.1.1, 18)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from ..behaviour import Behaviour
from ..contacts import Target
from ..headers import tag_of
from ..sip_uri import Address, destination_of
from ..tokens import new_tag
from ..wire import OutboundRequest

Datagrams = Sequence[tuple[bytes, Address]]
_END = b"\r\n\r\n"
_CONTACT = re.compile(rb"\r\nContact: <([^>]*)>")
_FROM_TAG = re.compile(rb"(?<=\r\nFrom: )([^\r]*;tag=)([^;\r]*)")
_CALL_ID = re.compile(rb"\r\nCall-ID: ([^\r]*)", re.IGNORECASE)
_BRANCH = re.compile(rb";branch=([^;,\r]*)")


class NoEmptyLine(Behaviour):
    """Wrong by 7: the line is there even without a body."""

    def worded(self, data: bytes, destination: Address) -> Datagrams:
        """Cut it off."""
        return super().worded(data[:-2] if data.endswith(_END) else data, destination)


class NamelessHeader(Behaviour):
    """Wrong by 7.3.1: a header is a name, a colon and a value."""

    def worded(self, data: bytes, destination: Address) -> Datagrams:
        """Write the value of a header that has lost its name."""
        return super().worded(data.replace(_END, b"\r\n: reference" + _END, 1), destination)


class LosesCallId(Behaviour):
    """Wrong by 8.2.6.2: nobody can tell to which call a response belongs."""

    def worded(self, data: bytes, destination: Address) -> Datagrams:
        """Leave it out of a response."""
        if data.startswith(b"SIP/2.0 "):
            data = re.sub(rb"\r\nCall-ID: [^\r]*", b"", data, count=1)
        return super().worded(data, destination)


class TwoMaxForwards(Behaviour):
    """Wrong by 7.3.1: it is one value."""

    def worded(self, data: bytes, destination: Address) -> Datagrams:
        """Add another one to a request."""
        if not data.startswith(b"SIP/2.0 "):
            data = data.replace(b"\r\nMax-Forwards: ", b"\r\nMax-Forwards: 70\r\nMax-Forwards: ", 1)
        return super().worded(data, destination)


class EmptyFrom(Behaviour):
    """Wrong by 8.1.1.3: From names the caller."""

    def redirected(self, invite: OutboundRequest, previous: OutboundRequest, target: Target) -> OutboundRequest:
        """Keep the tag alone."""
        invite = super().redirected(invite, previous, target)
        return invite.with_field("From", f";tag={tag_of(invite.field('From'))}")


class DoublesFromTag(Behaviour):
    """Wrong by 7.3.1: a parameter comes once."""

    def worded(self, data: bytes, destination: Address) -> Datagrams:
        """Append another one to whatever it asks for."""
        if not data.startswith(b"SIP/2.0 "):
            data = re.sub(rb"(\r\nFrom: [^\r]*)", rb"\1;tag=again", data, count=1)
        return super().worded(data, destination)


class CountsCharacters(Behaviour):
    """Wrong by 20.14: bytes are counted."""

    def worded(self, data: bytes, destination: Address) -> Datagrams:
        """Count what a text file would have."""
        head, _, body = data.partition(_END)
        length = len(body.replace(b"\r\n", b"\n"))
        head = re.sub(rb"(?<=\r\nContent-Length: )[0-9]+", b"%d" % length, head)
        return super().worded(head + _END + body if body else data, destination)


class NoContentType(Behaviour):
    """Wrong by 20.15: nobody can tell what the body is."""

    def worded(self, data: bytes, destination: Address) -> Datagrams:
        """Leave the header out."""
        return super().worded(re.sub(rb"\r\nContent-Type: [^\r]*", b"", data, count=1), destination)


class GarblesSdp(Behaviour):
    """Wrong by RFC 8866 sections 5.2 and 5.7: nobody knows where to send the media."""

    def worded(self, data: bytes, destination: Address) -> Datagrams:
        """Leave the address out."""
        head, end, body = data.partition(_END)
        if body.startswith(b"v=0"):
            body = re.sub(rb"(?<=IN IP4) [0-9.]+", b"", body)
            head = re.sub(rb"(?<=\r\nContent-Length: )[0-9]+", b"%d" % len(body), head)
        return super().worded(head + end + body, destination)


class AnswersWithoutSession(Behaviour):
    """Wrong by 13.2.1: the caller does not know where to send its media."""

    def worded(self, data: bytes, destination: Address) -> Datagrams:
        """Cut it off."""
        if _answers(data, b"200", b"INVITE"):
            head, end, _ = data.partition(_END)
            head = re.sub(rb"\r\nContent-Type: [^\r]*", b"", head, count=1)
            data = re.sub(rb"(?<=\r\nContent-Length: )[0-9]+", b"0", head) + end
        return super().worded(data, destination)


class ForgetsAllowedMethods(Behaviour):
    """Wrong by 20.5: all methods are listed, ACK and CANCEL too."""

    def worded(self, data: bytes, destination: Address) -> Datagrams:
        """Leave the two out."""
        return super().worded(data.replace(b"Allow: INVITE, ACK, CANCEL, ", b"Allow: INVITE, ", 1), destination)


class RefusesMediaBySilence(Behaviour):
    """Wrong by RFC 3264 section 6: a medium that is refused has port 0."""

    def worded(self, data: bytes, destination: Address) -> Datagrams:
        """Leave them out of an answer."""
        if _answers(data, b"200", b"INVITE"):
            head, end, body = data.partition(_END)
            body = body.partition(b"m=")[0]
            head = re.sub(rb"(?<=\r\nContent-Length: )[0-9]+", b"%d" % len(body), head)
            data = head + end + body
        return super().worded(data, destination)


class ConstantFromTag(Behaviour):
    """Wrong by 19.3: two calls with one tag."""

    def __init__(self) -> None:
        super().__init__()
        self._one = new_tag().encode()
        self._right: dict[bytes, bytes] = {}

    def worded(self, data: bytes, destination: Address) -> Datagrams:
        """Write the one tag, and keep the right one of the call."""
        if not data.startswith(b"SIP/2.0 ") and (found := _FROM_TAG.search(data)):
            self._right[_value(_CALL_ID, data)] = found[2]
            data = data.replace(b";tag=" + found[2], b";tag=" + self._one)
        return super().worded(data, destination)

    def datagram(self, data: bytes) -> bytes:
        """Read the right one instead."""
        right = self._right.get(_value(_CALL_ID, data))
        return super().datagram(data.replace(b";tag=" + self._one, b";tag=" + right) if right else data)


class NeverRepeatsInvite(Behaviour):
    """Wrong by 17.1.1.2: a datagram may be lost."""

    def __init__(self) -> None:
        super().__init__()
        self._sent: set[bytes] = set()

    def worded(self, data: bytes, destination: Address) -> Datagrams:
        """Send what has been sent no more."""
        return super().worded(data, destination) if _first(self._sent, data, _is_invite) else ()


class SendsRequestsOnce(Behaviour):
    """Wrong by 17.1.2.2: a datagram may be lost."""

    def __init__(self) -> None:
        super().__init__()
        self._sent: set[bytes] = set()

    def worded(self, data: bytes, destination: Address) -> Datagrams:
        """Send what has been sent no more."""
        return super().worded(data, destination) if _first(self._sent, data, _is_other) else ()


class CopiesLoseHops(Behaviour):
    """Wrong by 17.1.1.2: it is the same request again."""

    def __init__(self) -> None:
        super().__init__()
        self._sent: set[bytes] = set()

    def worded(self, data: bytes, destination: Address) -> Datagrams:
        """Count the copy as a hop."""
        if not _first(self._sent, data, _is_invite):
            data = re.sub(rb"(?<=\r\nMax-Forwards: )[0-9]+", lambda hops: b"%d" % (int(hops[0]) - 1), data, count=1)
        return super().worded(data, destination)


class AnswersWithoutContact(Behaviour):
    """Wrong by 12.1.1: the caller cannot send its BYE."""

    def worded(self, data: bytes, destination: Address) -> Datagrams:
        """Leave it out of a 200."""
        if _answers(data, b"200", b"INVITE"):
            data = _CONTACT.sub(b"", data)
        return super().worded(data, destination)


class ConstantToTag(Behaviour):
    """Wrong by 19.3: two calls with one tag."""

    def worded(self, data: bytes, destination: Address) -> Datagrams:
        """Write the one tag into what has one."""
        if data.startswith(b"SIP/2.0 ") and not data.startswith(b"SIP/2.0 100"):
            data = re.sub(rb"(\r\nTo: [^\r]*;tag=)[^;\r]*", rb"\1redirect", data, count=1)
        return super().worded(data, destination)


class BareAnswerToCancel(Behaviour):
    """Wrong by 8.2.6.2 and 9.2: every response but a 100 has one."""

    def worded(self, data: bytes, destination: Address) -> Datagrams:
        """Leave it out."""
        if _answers(data, b"200", b"CANCEL"):
            data = re.sub(rb"(\r\nTo: [^\r]*?);tag=[^;\r]*", rb"\1", data, count=1)
        return super().worded(data, destination)


class RportWithoutReceived(Behaviour):
    """Wrong by RFC 3581 section 4: received is added even if it is the host of the Via."""

    def worded(self, data: bytes, destination: Address) -> Datagrams:
        """Leave it out of a response."""
        if data.startswith(b"SIP/2.0 "):
            data = re.sub(rb"(\r\nVia: [^\r,]*?);received=[^;,\r]*", rb"\1", data, count=1)
        return super().worded(data, destination)


class ReceivedIsOwnAddress(Behaviour):
    """Wrong by 18.2.1: it is the source of the request."""

    def worded(self, data: bytes, destination: Address) -> Datagrams:
        """Write another address into a response."""
        if data.startswith(b"SIP/2.0 "):
            data = re.sub(rb"(\r\nVia: [^\r,]*?;received=)[^;,\r]*", rb"\g<1>192.0.2.1", data, count=1)
        return super().worded(data, destination)


class AnswersContactToo(Behaviour):
    """Wrong by 18.2.2: a response goes where its request came from."""

    def worded(self, data: bytes, destination: Address) -> Datagrams:
        """Send a redirection to its Contact."""
        contact = _CONTACT.search(data) if _answers(data, b"302", b"INVITE") else None
        other = destination_of(contact[1].decode()) if contact else None
        return (*super().worded(data, destination), *([(data, other)] if other else []))


class SendsNo100(Behaviour):
    """Wrong by 17.2.1: the caller asks again after half a second."""

    def worded(self, data: bytes, destination: Address) -> Datagrams:
        """Send none."""
        return () if _answers(data, b"100", b"INVITE") else super().worded(data, destination)


def _value(pattern: re.Pattern[bytes], data: bytes) -> bytes:
    found = pattern.search(data)
    return found[1] if found else b""


def _is_invite(data: bytes) -> bool:
    return data.startswith(b"INVITE ")


def _is_other(data: bytes) -> bool:
    return not data.startswith((b"INVITE ", b"ACK ", b"SIP/2.0 "))


def _first(sent: set[bytes], data: bytes, kind: Callable[[bytes], bool]) -> bool:
    """Say whether a message is none of this kind, or the first with its method and branch."""
    key = data.partition(b" ")[0] + _value(_BRANCH, data)
    first = not kind(data) or key not in sent
    sent.add(key)
    return first


def _answers(data: bytes, code: bytes, method: bytes) -> bool:
    return data.startswith(b"SIP/2.0 " + code) and b" " + method + b"\r\n" in data
