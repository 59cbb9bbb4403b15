"""Faults in what is done with responses that no honest server sends (RFC 4475), and with those that are only odd."""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from urllib.parse import unquote

from ..behaviour import Behaviour
from ..contacts import Contact, Target, asked_for
from ..sip_uri import Address, SipUri
from ..wire import Final, InboundResponse, OutboundRequest

_VIA = re.compile(rb"^Via:[^\r\n]*", re.MULTILINE)
_BRANCH = re.compile(rb"branch=([^;,\s]+)")
_CALL = re.compile(rb"^Call-ID: *([^\r\n]*)", re.MULTILINE)
_LENGTH = re.compile(rb"^Content-Length *:[^\r\n]*\r\n", re.MULTILINE)


class _KnowsItsVias(Behaviour):
    """Remembers the Via of each INVITE that it has sent."""

    def __init__(self) -> None:
        super().__init__()
        self._by_branch: dict[bytes, bytes] = {}
        self._by_call: dict[bytes, bytes] = {}

    def worded(self, data: bytes, destination: Address) -> Sequence[tuple[bytes, Address]]:
        """Note the Via."""
        via, call = _VIA.search(data), _CALL.search(data)
        if data.startswith(b"INVITE ") and via and call and (branch := _BRANCH.search(via[0])):
            self._by_branch[branch[1]] = self._by_call[call[1]] = via[0]
        return super().worded(data, destination)


class TakesForeignVia(_KnowsItsVias):
    """Wrong by 18.1.2: the sent-by is compared as well."""

    def datagram(self, data: bytes) -> bytes:
        """Know a response by its branch alone."""
        branch = _BRANCH.search(data)
        own = self._by_branch.get(branch[1]) if branch and _is_response(data) else None
        return super().datagram(data if own is None else _VIA.sub(lambda _: own, data, count=1))


class TakesForeignBranch(_KnowsItsVias):
    """Wrong by 17.1.3: a response belongs to the transaction of its branch."""

    def datagram(self, data: bytes) -> bytes:
        """Know a redirection by its Call-ID alone."""
        call, branch = _CALL.search(data), _BRANCH.search(data)
        own = self._by_call.get(call[1]) if call and data.startswith(b"SIP/2.0 3") else None
        unknown = branch is not None and branch[1] not in self._by_branch
        return super().datagram(_VIA.sub(lambda _: own, data, count=1) if own and unknown else data)


class TakesFinalAfter200(Behaviour):
    """Wrong by RFC 6026 8.4: an answered INVITE has no other final response."""

    hears_refusal_after_answer = True


class ReadsNoFolds(Behaviour):
    """Wrong by 7.3.1: a line that begins with a blank goes on with the one before."""

    def datagram(self, data: bytes) -> bytes:
        """Leave the continuation of a line out."""
        return super().datagram(re.sub(rb"\r\n[ \t][^\r\n]*", b"", data) if _is_response(data) else data)


class NeedsContentLength(Behaviour):
    """Wrong by 18.3: over UDP the body may end with the datagram."""

    def datagram(self, data: bytes) -> bytes:
        """Drop a response that does not say how long it is."""
        known = re.search(rb"^(?:Content-Length|l)[ \t]*:", data, re.MULTILINE | re.IGNORECASE)
        return super().datagram(data if known or not _is_response(data) else b"")


class Reads4Kb(Behaviour):
    """Wrong by 18.1.1: messages are as long as datagrams."""

    def datagram(self, data: bytes) -> bytes:
        """Drop a longer one."""
        return super().datagram(data if len(data) <= 4000 else b"")


class TakesSecondVia(Behaviour):
    """Wrong by 8.1.3.3: it was meant for somebody else."""

    def datagram(self, data: bytes) -> bytes:
        """Read the first Via, and no other."""
        if not _is_response(data):
            return super().datagram(data)
        first, *others = re.split(rb"(?=\r\nVia:)", data, maxsplit=1)
        head, via, rest = (others[0][:2], *others[0][2:].partition(b"\r\n")[::2]) if others else (b"", b"", b"")
        kept = re.sub(rb"(?:^|(?<=\r\n))Via:[^\r\n]*\r\n", b"", rest)
        return super().datagram(first + head + via + b"\r\n" + kept if others else data)


class DiesWithoutCallId(Behaviour):
    """Wrong, as the use of a header is without a look whether it is there."""

    def datagram(self, data: bytes) -> bytes:
        """Crash where it is not."""
        if _is_response(data) and not re.search(rb"^(?:Call-ID|i)[ \t]*:", data, re.MULTILINE | re.IGNORECASE):
            os._exit(1)
        return super().datagram(data)


class DiesOfLongUser(Behaviour):
    """Wrong, as a buffer for 2,000 bytes is."""

    def datagram(self, data: bytes) -> bytes:
        """Crash on a long user."""
        if re.search(rb"sip:[^@\s]{2000}", data):
            os._exit(1)
        return super().datagram(data)


class DiesOfManyContacts(Behaviour):
    """Wrong, as an array for 500 Contacts is."""

    def contacts(self, response: InboundResponse) -> Sequence[Contact]:
        """Crash on more."""
        found = super().contacts(response)
        if len(found) > 500:
            os._exit(1)
        return found


class DiesOfDeepChain(Behaviour):
    """Wrong, as a recursion without a bound is."""

    def __init__(self) -> None:
        super().__init__()
        self._steps: Counter[str] = Counter()

    def follows(self, final: Final) -> bool:
        """Crash in the 40th redirection of a call."""
        if final.response is not None and 300 <= final.code < 400:
            self._steps[final.response.call_id] += 1
            if self._steps[final.response.call_id] >= 40:
                os._exit(1)
        return super().follows(final)


class HangsOnStar(Behaviour):
    """Wrong, as a loop is that waits for the end of what has no beginning."""

    def contacts(self, response: InboundResponse) -> Sequence[Contact]:
        """Read for ever."""
        if "*" in response.values("Contact"):
            time.sleep(3600)
        return super().contacts(response)


class Amplifies(Behaviour):
    """Wrong by 8.1.3.4: a target is tried once."""

    def contacts(self, response: InboundResponse) -> Sequence[Contact]:
        """Take each three times."""
        return [contact for contact in super().contacts(response) for _ in range(3)]

    def admits(self, uri: str, known: Sequence[str], current: str, *, repeated: bool) -> bool:
        """Count in a target up to three times."""
        return known.count(uri) < 3 and not repeated


class CallsWrongPort(Behaviour):
    """Wrong, as a port in 16 bits is that nobody has looked at before."""

    def request_uri(self, contact: Contact) -> str | None:
        """Cut a port to 16 bits."""
        try:
            uri = SipUri.parse(contact.uri)
        except ValueError:
            return super().request_uri(contact)
        if uri.port and int(uri.port) > 65535:
            contact = replace(contact, uri=str(replace(uri, port=str(int(uri.port) & 0xFFFF))))
        return super().request_uri(contact)


class InjectsUriHeaders(Behaviour):
    """Wrong by 19.1.5: a header of a Contact is a value, and no line of the message."""

    def redirected(self, invite: OutboundRequest, previous: OutboundRequest, target: Target) -> OutboundRequest:
        """Undo escapes, and write what comes out of it."""
        invite = super().redirected(invite, previous, target)
        for name, value in _pairs(target.contact):
            invite = invite.with_only(name, unquote(value))
        return invite


class SendsCredentialsToStranger(Behaviour):
    """Careless by 22.3: the target of a redirection has asked for no password."""

    keeps_credentials = True


def _pairs(contact: Contact) -> Iterable[tuple[str, str]]:
    try:
        return asked_for(contact)
    except ValueError:
        return ()


def _is_response(data: bytes) -> bool:
    return data[:4].upper() == b"SIP/"
