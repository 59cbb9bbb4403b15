"""The reference device with one lawful habit: ``habits.py HABIT ARGUMENTS-OF-THE-REFERENCE-DEVICE``.

========  ================================================================================================
inside    a phone with a proxy inside: its requests have two Vias, and ACKs of refusals one (16.6, 17.1.1.3)
trusts    P-Asserted-Identity and P-Access-Network-Info to whom it dials, and not to a stranger (RFC 3325 5)
busy      plays busy tone for 3 s after a call that failed, and takes no order meanwhile
ponders   rings for 5 s before it declines or forwards a call
anchors   a B2BUA that answers re-INVITEs by itself: the other leg hears nothing of them
compact   compact header names, lower-case SIP keywords, extra parameters and white space (7.3.1, 7.3.3)
chatty    three provisional responses, with reason phrases of its own, and unknown headers everywhere (8.2.2, 7.2)
scribe    writes a 603+ that it passes on in its own hand: order, fold, case, one line for all Reasons (7.3.1, 25.1);
          blocks with Q.850, a number with hyphens, a small location and a Retry-After
========  ================================================================================================
"""

from __future__ import annotations

import asyncio
import re
import sys

from harness.devices.reference import answering, blocking
from harness.devices.reference.__main__ import main
from harness.devices.reference.b2bua import Bridge
from harness.devices.reference.console import ConsoleCall, Orders
from harness.devices.reference.transport import UdpTransport
from harness.devices.reference.wire import Refusal

HABIT = sys.argv.pop(1)
BUSY_S, RINGS_S = 3.0, 5.0
_BRANCH = re.compile(rb"(?im)^Via: (SIP/2\.0/UDP [^;\r]+);branch=z9hG4bK([^;,\r]+)[^\r]*\r\n")
_send, _received = UdpTransport.send, UdpTransport.datagram_received
_invited: set[bytes] = set()
_calls: dict[bytes, bytes] = {}
"""The Request-URI that was dialled, by Call-ID."""
_busy_until = [0.0]
COMPACT = {b"From": b"f", b"To": b"t", b"Via": b"v", b"Call-ID": b"i", b"Contact": b"m", b"Content-Length": b"l"}


def through_the_proxy_inside(data: bytes) -> bytes:
    """A request with the Via of the proxy; what it makes itself (ACK of a refusal, CANCEL) has no other."""
    via = _BRANCH.search(data)
    if via is None or data.startswith(b"SIP/2.0"):
        return data
    own = b"Via: " + via[1] + b";branch=z9hG4bKin-" + via[2] + b"\r\n"
    if data.startswith(b"INVITE"):
        _invited.add(via[2])
    alone = data.startswith(b"CANCEL") or (data.startswith(b"ACK") and via[2] in _invited)
    return data.replace(via[0], own if alone else own + via[0], 1)


def back_through_it(data: bytes) -> bytes:
    """A response without the topmost Via, which is the proxy's."""
    if not data.startswith(b"SIP/2.0"):
        return data
    if re.search(rb"(?im)^CSeq:\s*\d+\s+CANCEL", data):
        return data.replace(b"z9hG4bKin-", b"z9hG4bK", 1)
    topmost = rb"(?im)^Via:[^,\r]*z9hG4bKin-[^,\r]*(\r\n|,\s*)"
    return re.sub(topmost, lambda found: b"" if found[1] == b"\r\n" else b"Via: ", data, count=1)


def with_identity(data: bytes) -> bytes:
    """The first INVITE of a call with what only the own network may see."""
    call = re.search(rb"(?im)^Call-ID: ([^\r]*)", data)
    if not data.startswith(b"INVITE") or call is None:
        return data
    dialled = _calls.setdefault(call[1], data.split(b" ")[1])
    if dialled != data.split(b" ")[1]:
        return data
    more = b"P-Asserted-Identity: <sip:alice@home.test>\r\nP-Access-Network-Info: IEEE-802.11\r\n"
    return data.replace(b"\r\nTo:", b"\r\n" + more + b"To:", 1)


def compact(data: bytes) -> bytes:
    """The same message in another hand."""
    head, end, body = data.partition(b"\r\n\r\n")
    for name, short in COMPACT.items():
        head = re.sub(rb"(?im)^" + name + rb":", short + b" \t:", head)
    head = re.sub(rb"(?m)^v \t: SIP/2.0/UDP", b"v: sip / 2.0 / udp", head)
    return head + end + body


def chatty(data: bytes) -> bytes:
    """The same message with headers that no RFC knows."""
    return data.replace(b"\r\nCall-ID:", b'\r\nX-Habit: 1, "a;b" <x>;y\r\nCall-ID:', 1)


def outside(separator: str, text: str) -> list[str]:
    """The parts of a value between the separators that are in no quotation marks."""
    parts = re.findall(rf'(?:"(?:[^"\\]|\\.)*"|[^"{separator}])+', text)
    return [part.strip() for part in parts]


def scribe(data: bytes) -> bytes:
    """A 603+ with the same content."""
    head, end, body = data.partition(b"\r\n\r\n")
    lines = re.sub(r"\r\n[ \t]+", " ", head.decode()).split("\r\n")
    said = [line.partition(":")[2] for line in lines if re.match(r"(?i)reason\s*:", line)]
    if not lines[0].startswith("SIP/2.0 603 Network Blocked") or not said:
        return data
    values = [outside(";", value) for line in said for value in outside(",", line)]
    # The names in capitals, the last parameter first, each on a line of its own.
    written = [
        "\r\n  ;".join(
            [
                protocol.lower(),
                *(
                    f"{name.upper()} = {rest}" if rest else name
                    for name, _, rest in (one.partition("=") for one in reversed(rest_of))
                ),
            ]
        )
        for protocol, *rest_of in values
    ]
    kept = [line for line in lines[1:] if not re.match(r"(?i)reason\s*:", line)]
    reason = "REASON:  " + " ,\r\n\t".join(written)
    return "\r\n".join(["SIP/2.0 603 NETWORK BLOCKED", reason, *kept]).encode() + end + body


WRITTEN = {
    "scribe": scribe,
    "inside": through_the_proxy_inside,
    "trusts": with_identity,
    "compact": compact,
    "chatty": chatty,
}


def send(self: UdpTransport, data: bytes, destination: tuple[str, int]) -> None:
    """Write it in the device's way."""
    if HABIT == "chatty" and re.match(rb"SIP/2.0 180", data):
        for line in (b"SIP/2.0 181 Call Is Being Forwarded", b"SIP/2.0 183 On Its Way", b"SIP/2.0 182 Have Patience"):
            _send(self, chatty(re.sub(rb"^[^\r]*", line, data)), destination)
    _send(self, WRITTEN.get(HABIT, bytes)(data), destination)


def received(self: UdpTransport, data: bytes, source: tuple[str, int]) -> None:
    """Take it as the device does."""
    if HABIT == "inside":
        data = back_through_it(data)
    elif HABIT == "compact":  # it reads its own hand; the reference device does not
        data = data.replace(b"sip / 2.0 / udp", b"SIP/2.0/UDP")
    _received(self, data, source)


UdpTransport.send = send  # type: ignore[method-assign]
UdpTransport.datagram_received = received  # type: ignore[method-assign]

if HABIT == "busy":
    _failed, _obey = ConsoleCall.on_failed, Orders.obey

    def on_failed(self, final) -> None:  # type: ignore[no-untyped-def]
        """Play busy tone."""
        _busy_until[0] = asyncio.get_running_loop().time() + BUSY_S
        _failed(self, final)

    def obey(self, line: str) -> str:  # type: ignore[no-untyped-def]
        """Take no order meanwhile."""
        return "busy tone" if asyncio.get_running_loop().time() < _busy_until[0] else _obey(self, line)

    ConsoleCall.on_failed, Orders.obey = on_failed, obey  # type: ignore[method-assign]

if HABIT == "ponders":
    for number, manner in list(answering._MANNERS.items()):
        if 0 < manner.rings < RINGS_S:
            answering._MANNERS[number] = answering.Manner(manner.code, RINGS_S)

if HABIT == "scribe":
    contacts = "v=analytics1;tel=+1-215-555-0100;email=a.b+c@blocks.example"
    fields = (("Reason", f'Q.850;location=rln;cause=21;text="{contacts}"'), ("Retry-After", "86400 (ask first)"))
    blocking.BLOCKED = Refusal(603, blocking.PHRASE, fields)

if HABIT == "anchors":
    from harness.devices.reference.identity import answering_direction

    def on_reinvite(self, leg, transaction, request) -> None:  # type: ignore[no-untyped-def]
        """Answer it here."""
        session = leg.identity.sdp(2, answering_direction(request.body))
        leg.answer(transaction, answering._SDP, session)

    Bridge.on_reinvite = on_reinvite  # type: ignore[method-assign]

sys.exit(main())
