"""Binding a socket: apart from the transports, because it is done before asyncio is imported."""

from __future__ import annotations

import socket

_RECEIVE_BUFFER = 1 << 22
"""Asked of the kernel, which may give less: bursts of calls overflow the default long before the CPU is busy."""
_BACKLOG = 256


def bind(host: str, port: int, transport: str = "udp") -> socket.socket:
    """Bind a socket that does not block, and listen if it is one of a stream; :class:`OSError` if the port is taken."""
    stream = transport != "udp"
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM if stream else socket.SOCK_DGRAM)
    try:
        if stream:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        else:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        bound.setblocking(False)
        bound.bind((host, port))
        if stream:
            bound.listen(_BACKLOG)
    except OSError:
        bound.close()
        raise
    return bound
