"""Binding a socket: apart from the transports, because it is done before asyncio is imported."""

from __future__ import annotations

import socket

_RECEIVE_BUFFER = 1 << 22
"""Asked of the kernel, which may give less: bursts of calls overflow the default long before the CPU is busy."""


def bind_udp(host: str, port: int) -> socket.socket:
    """Bind a UDP socket that does not block; raises :class:`OSError` where the port is taken."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        bound.setblocking(False)
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound
