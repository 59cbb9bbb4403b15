"""Everything of ours that reads bytes of strangers, as functions that a fuzzer can call.

A reader may refuse its input with the error that it promises, and with no other.  Beyond that each one has a property:
what must hold of whatever it accepts.  A broken property is an AssertionError, and a finding like a crash.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import re
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

from harness.device.profile.loading import checked_profile
from harness.endpoints.sipp.legible import legible
from harness.errors import EvidenceError, SetupError
from harness.evidence.dossier import parse_sums
from harness.evidence.envelope import open_envelope
from harness.evidence.keys import generate, parse_public
from harness.evidence.unpack import MOST_OF_ONE, NAME, unpack
from harness.model.flow import Flow
from harness.policy import expected_file, waivers
from harness.requirements.catalogue import Catalogue
from harness.sip.address import NameAddr, split_outside
from harness.sip.message import SipMessage, close_up, split_list
from harness.sip.uri import SipUri, differences, request_uri_of, same_uri
from harness.sip.via import Via
from harness.store.codec import dump, load
from harness.store.record import record_of, with_messages, without_messages
from harness.store.stored_run import read_run
from tests.report.flows import DECLINED, flow

SCRATCH = Path(tempfile.mkdtemp(prefix="sipverdict-fuzz-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))


def sip(data: bytes) -> None:
    """A SIP message: nothing raises, and what begins like a request or a response is one."""
    message = SipMessage(data.decode("latin-1"))
    _look(message)
    assert not (message.method and message.status), "a message is a request and a response"
    first = data.lstrip(b"\r\n").split(b"\r\n", 1)[0].split(b"\n", 1)[0]
    if first.startswith((b"INVITE sip:", b"ACK sip:", b"BYE sip:")) and first.endswith(b" SIP/2.0"):
        # What looks like a request must not pass for noise: silence would rest on it.
        assert message.method, "a request line was not seen"
    readable = legible(data)
    if readable is not None and message.call_id:
        again = SipMessage(readable.decode("latin-1"))
        assert (again.method, again.status) == (message.method, message.status), "what SIPp reads is another message"


def _look(message: SipMessage) -> None:
    for name in dir(type(message)):
        if not name.startswith("_") and isinstance(getattr(type(message), name), property):
            getattr(message, name)
    for name in ("start_line", "method", "status", "reason", "request_uri", "call_id", "vias", "contact_uris", "body"):
        getattr(message, name)
    for header in ("Via", "v", "Contact", "Retry-After", "Content-Length"):
        for value in message.headers(header):
            split_list(value)
            close_up(value)
            NameAddr.parse(value)
    for via in message.vias:
        _look_at_via(via)


def uri(data: bytes) -> None:
    """Two URIs: equality is symmetric, and each equals itself; the written form of a URI reads back as it."""
    left, _, right = data.decode("latin-1").partition("\n")
    assert same_uri(left, right) == same_uri(right, left), "equality depends on the order"
    for text in (left, right):
        assert same_uri(text, text), "a URI differs from itself"
        request_uri_of(text)
        split_outside(text, ";")
        parsed = SipUri.parse(text)
        # A bare at sign in its headers, which no grammar allows, is taken for the end of a user in what is written.
        if parsed is not None and parsed.well_formed and "@" not in text.partition("?")[2]:
            again = SipUri.parse(str(parsed))
            # Being well formed is a fact about the bytes: empty parameters are not written again.
            assert again is not None, "a URI cannot be read when it is written"
            assert replace(again, well_formed=parsed.well_formed) == parsed, "a URI does not survive being written"
    differences(left, right)


def via(data: bytes) -> None:
    """A Via: nothing raises, and the source that is written into it is read from it."""
    _look_at_via(Via(data.decode("latin-1")))


def _look_at_via(one: Via) -> None:
    for name in ("readable", "transport", "host", "port", "sent_by", "branch", "maddr", "received", "rport"):
        getattr(one, name)
    _ = one.asks_for_rport, one.has_source, one.without_source()
    if one.readable and one.port is not None:
        assert one.port >= 0
    one.with_source("192.0.2.1", 5060)


@cache
def _stored() -> Flow:
    return without_messages(flow(*DECLINED))


def record(data: bytes) -> None:
    """A tap record: refused, or kept to the byte.  The first bit says whether the frames get a right digest."""
    if data[:1] and data[0] & 1:
        body = data[1:]
        whole = b"sipverdict-record 1\n" + body
        for frames in {len(re.findall(rb"^(?:message|late|stray|lost|unreadable) \d", body, re.MULTILINE)), 1}:
            _record(whole + f"end {frames} {hashlib.sha256(whole).hexdigest()}\n".encode())
    else:
        _record(data[1:])


def _record(data: bytes) -> None:
    known = _stored()
    try:
        read = with_messages(known, data, "fuzz.record")
    except EvidenceError:
        return
    again = with_messages(known, record_of(read), "again.record")
    assert again == read, "a record does not survive being written"


def stored_flow(data: bytes) -> None:
    """The JSON of a flow: refused, or the same when it is written again."""
    try:
        read = load(Flow, data, "fuzz.json")
    except EvidenceError:
        return
    assert load(Flow, dump(read), "again.json") == read, "a flow does not survive being written"


def stored_run(data: bytes) -> None:
    """The verdicts of a run: refused, or whole."""
    try:
        run = read_run(Path("fuzz"), parts={"verdicts.jsonl": data})
    except EvidenceError:
        return
    assert run.footer is not None, "a run without its end passes for whole"
    assert sum(line.tested for line in run.records) == run.footer.executed, "a run that lacks verdicts passes for whole"


def profile(data: bytes) -> None:
    """A device profile."""
    with contextlib.suppress(SetupError, UnicodeDecodeError):
        checked_profile(SCRATCH / "device.toml", data.decode())


@cache
def _catalogue() -> Catalogue:
    return Catalogue.load()


def waiver_file(data: bytes) -> None:
    """A file of waivers: refused, or each waiver has an owner, a reason and a date."""
    path = _written("waivers.toml", data)
    with contextlib.suppress(SetupError):
        for waiver in waivers.load(path, _catalogue()):
            assert all((waiver.owner, waiver.reason, waiver.expires))


def expectations(data: bytes) -> None:
    """A file of expectations: refused, or of requirements that there are."""
    path = _written("expected.toml", data)
    with contextlib.suppress(SetupError):
        for known in expected_file.load(path, SCRATCH / "device.toml", _catalogue().rows):
            assert known.requirement in _catalogue()
            assert known.reason


def dossier(data: bytes) -> None:
    """A dossier: refused, or plain files with the names of a dossier's.  The first byte says what is fuzzed of it."""
    kind, rest = data[:1], data[1:]
    if kind == b"s":
        with contextlib.suppress(ValueError):
            parse_sums(rest)
    elif kind == b"k":
        with contextlib.suppress(ValueError):
            parse_public(rest)
    elif kind == b"e":
        with contextlib.suppress(ValueError):
            open_envelope(rest, _key())
            raise AssertionError("an envelope that nobody signed was opened")
    else:
        packed = gzip.compress(_summed(rest), 1, mtime=0) if kind == b"t" else rest
        with contextlib.suppress(EvidenceError):
            for name, content in unpack(_written("dossier.tar.gz", packed)).items():
                assert NAME.fullmatch(name)
                assert len(content) <= MOST_OF_ONE


def _summed(tar: bytes) -> bytes:
    """``tar`` with right checksums in its headers, as far as their sizes lead from one to the next."""
    made, at = bytearray(tar), 0
    while at + 512 <= len(made) and made[at : at + 512].strip(b"\0"):
        header = made[at : at + 512]
        header[148:156] = b" " * 8
        made[at + 148 : at + 156] = b"%06o\0 " % sum(header)
        digits = bytes(header[124:136]).strip(b" \0")
        size = int(digits, 8) if digits and all(48 <= digit < 56 for digit in digits) else 0
        at += 512 + size + -size % 512
    return bytes(made)


@cache
def _key():  # type: ignore[no-untyped-def]
    name = SCRATCH / f"key{os.getpid()}"
    generate(name)
    return parse_public(Path(f"{name}.pub").read_bytes())


def _written(name: str, data: bytes) -> Path:
    path = SCRATCH / f"{os.getpid()}-{name}"
    path.write_bytes(data)
    return path


READERS: dict[str, Callable[[bytes], None]] = {
    "sip": sip,
    "uri": uri,
    "via": via,
    "record": record,
    "flow": stored_flow,
    "run": stored_run,
    "profile": profile,
    "waivers": waiver_file,
    "expected": expectations,
    "dossier": dossier,
}
