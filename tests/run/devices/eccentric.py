"""The reference device with one peculiarity of its wire: ``eccentric.py WAY ARGUMENTS-OF-THE-REFERENCE-DEVICE``.

=========  ==============================================================================================
dies       a segmentation fault when a 3xx has a Contact with ``maddr``
hangs      the same, but it runs on and does nothing any more
slow       sends nothing for 1.5 s after such a 3xx, then goes on
dies_once  a segmentation fault at its fourth final response, and never again
folds      conforming: writes Via, From, CSeq and Call-ID on two lines, and a blank before every colon
lf         writes LF for CRLF
crlf       writes an empty line before every message
rings      sends every 180 ten thousand times
home       a proxy that answers 403 to any request for a URI of another domain
=========  ==============================================================================================
"""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from pathlib import Path

from harness.devices.reference.__main__ import main
from harness.devices.reference.transport import UdpTransport

WAY = sys.argv.pop(1)
_FINALS = [0]
_send, _received = UdpTransport.send, UdpTransport.datagram_received


def written(data: bytes) -> bytes:
    """``data`` as this device writes it."""
    if WAY == "crlf":
        return b"\r\n" + data
    if WAY == "lf":
        return data.replace(b"\r\n", b"\n")
    if WAY != "folds":
        return data
    head, end, body = data.partition(b"\r\n\r\n")
    head = re.sub(rb"(?im)^(Via|From|CSeq|Call-ID): ([^\r]*)", rb"\1:\r\n \2", head)
    return re.sub(rb"(?m)^([A-Za-z-]+):", rb"\1 :", head) + end + body


def send(self: UdpTransport, data: bytes, destination: tuple[str, int]) -> None:
    """Write it in the device's way."""
    if WAY == "rings" and data.startswith(b"SIP/2.0 180"):
        for _ in range(9_999):
            _send(self, data, destination)
    _send(self, written(data), destination)


def received(self: UdpTransport, data: bytes, source: tuple[str, int]) -> None:
    """Meet what the device does not survive."""
    if WAY == "dies_once" and re.match(rb"SIP/2.0 [3-6]", data):
        _FINALS[0] += 1
        mark = Path(sys.argv[sys.argv.index("--mark") + 1]) if "--mark" in sys.argv else Path("/nonexistent")
        if _FINALS[0] == 4 and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGSEGV)
    request = re.match(rb"(?!ACK)[A-Z]+ sip:(?:[^@ ]*@)?([^ ;]+)", data)
    if WAY == "home" and request and request[1].decode() != "{}:{}".format(*self.local):
        lines = re.findall(rb"(?im)^(?:Via|From|Call-ID|CSeq):.*\r\n", data)
        to = re.findall(rb"(?im)^To:[^\r]*", data)[0]
        head = b"SIP/2.0 403 Relaying denied\r\n" + b"".join(lines) + to + b";tag=home\r\nContent-Length: 0\r\n\r\n"
        _send(self, head, source)
        return
    if re.match(rb"SIP/2.0 3", data) and b"maddr" in data:
        if WAY == "dies":
            os.kill(os.getpid(), signal.SIGSEGV)
        if WAY == "hangs":
            time.sleep(3600)
        if WAY == "slow":
            time.sleep(1.5)
    _received(self, data, source)


UdpTransport.send = send  # type: ignore[method-assign]
UdpTransport.datagram_received = received  # type: ignore[method-assign]
sys.exit(main())
