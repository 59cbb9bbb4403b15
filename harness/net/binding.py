"""Whether an address can be bound: asked by binding it."""

from __future__ import annotations

import errno
import socket
from collections.abc import Mapping
from typing import Final

from harness.net.address import Address, Family

ANY_OF_OURS: Final[Mapping[Family, str]] = {"ipv4": "127.254.0.1", "ipv6": "::1"}
"""Hosts of loopback, where it is tried what can be bound.  No run leases the first one."""


def is_free(address: Address) -> bool:
    """Whether a socket of the transport can be bound to ``address`` now; False if another socket has it.

    OSError if this machine cannot bind it at all.
    """
    with address.open_socket() as probe:
        if address.transport != "udp":
            # A connection that lingers after its end (TIME_WAIT) keeps nobody from listening.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address.sockaddr)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise
    return True


def why_not_ours(host: str) -> str:
    """Why nothing can be bound at ``host`` on this machine; "" if something can."""
    try:
        is_free(Address(host, 0))
    except OSError as error:
        if error.errno == errno.EADDRNOTAVAIL:
            return "is no address of this machine"
        return f"cannot be bound on this machine: {error.strerror}"
    return ""
