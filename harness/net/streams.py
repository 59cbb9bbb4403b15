"""What everybody needs who reads SIP from a connection: its limit, its failure, and what a WebSocket has agreed."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from typing import Final

LARGEST: Final = 1 << 18
"""The most bytes of one message.  What is longer is not read: a device must not fill this machine's memory."""
TOO_LONG: Final = f"a message of more than {LARGEST} bytes"

TOO_LATE: Final = (TimeoutError, ConnectionAbortedError)
"""What a connection that is not established in time ends with."""


def what_failed(error: BaseException) -> str:
    """What ``error`` says of a connection, in a few words."""
    if isinstance(error, ssl.SSLError):
        return (error.reason or str(error)).lower().replace("_", " ")
    if isinstance(error, ConnectionResetError):
        return "reset by the device"
    if isinstance(error, TOO_LATE):
        return "not established in time"
    number = getattr(error, "errno", None)
    return (os.strerror(number) if number else str(error) or type(error).__name__).lower()


class Broken(Exception):
    """Nothing more can be read on a connection; the text says why."""


@dataclass(frozen=True)
class Upgrade:
    """What a WebSocket handshake came to, and how the device ended the WebSocket."""

    offered: tuple[str, ...] = ()
    """The subprotocols that the client named, in its order (RFC 6455 1.9)."""
    agreed: str = ""
    """The subprotocol that the server named; "" for none."""
    path: str = ""
    """What the client asked for, as in ``/ws``."""
    status: int = 0
    """The status of the server's answer: 101 if it accepted, 0 if it gave none."""
    close_code: int | None = None
    """The code of the Close frame that the device sent (RFC 6455 7.4.1); None if it sent none."""
    close_reason: str = ""
