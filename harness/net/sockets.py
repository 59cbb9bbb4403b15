"""Which socket of this network namespace has an address: asked of the kernel, one question for one address.

The question goes to sock_diag(7) and costs 10 us, however many sockets there are.  Where that is not allowed (some
sandboxes), the table of all sockets in /proc/net is read instead, at 1 ms and more.
"""

from __future__ import annotations

import os
import re
import socket
import struct
from contextlib import suppress
from functools import cache
from pathlib import Path

from harness.net.address import Address

_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_REQUEST = 1
_ANY_COOKIE = b"\xff" * 8
_ANSWER = struct.Struct("=IHHII")
"""nlmsghdr: length, type, flags, sequence number, port id."""
_INODE_AT = _ANSWER.size + 4 + 48 + 16
"""Behind the header: four bytes, inet_diag_sockid, expires, rqueue, wqueue and uid of struct inet_diag_msg."""
_LISTENING = {"udp": "07", "tcp": "0A"}
_LINE = re.compile(r"^ *\d+: (?P<address>\S+) \S+ (?P<state>\S+) \S+ \S+ \S+ +\d+ +\d+ (?P<inode>\d+)", re.MULTILINE)
"""A line of /proc/net/udp or tcp: slot, addresses, state, queues, timer, retransmits, uid, timeout, inode."""


def inode_of(address: Address) -> int:
    """The inode of the socket on which something sent to ``address`` arrives; 0 if there is none."""
    return _from_kernel(address) if _kernel_answers() else _from_table(address)


def owns(pid: int, inode: int) -> bool:
    """Whether process ``pid`` has the socket ``inode``; False if that may not be seen, or the process is gone."""
    wanted = f"socket:[{inode}]"
    with suppress(OSError):
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                if str(entry.readlink()) == wanted:
                    return True
    return False


@cache
def _kernel_answers() -> bool:
    """Whether this kernel answers, and as we read it."""
    own = Address("127.0.0.1", 0)
    with suppress(OSError, AttributeError), own.open_socket() as known:
        known.bind(own.sockaddr)
        return _from_kernel(Address.of(known.getsockname())) == os.fstat(known.fileno()).st_ino
    return False


def _from_kernel(address: Address) -> int:
    ours, nobody = (_packed(address), address.port), (bytes(len(_packed(address))), 0)
    # The kernel takes source and destination of UDP the other way round ("for historical reasons").
    (source, sport), (to, dport) = (nobody, ours) if address.transport == "udp" else (ours, nobody)
    sockid = struct.pack("!HH16s16sI", sport, dport, source, to, 0) + _ANY_COOKIE
    protocol = socket.IPPROTO_UDP if address.transport == "udp" else socket.IPPROTO_TCP
    request = struct.pack("=BBBxI", address.socket_family, protocol, 0, 0xFFFFFFFF) + sockid
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as kernel:
        kernel.send(_ANSWER.pack(_ANSWER.size + len(request), _SOCK_DIAG_BY_FAMILY, _REQUEST, 0, 0) + request)
        answer = kernel.recv(4096)
    if _ANSWER.unpack_from(answer)[1] != _SOCK_DIAG_BY_FAMILY:
        return 0
    return int(struct.unpack_from("=I", answer, _INODE_AT)[0])


def _from_table(address: Address, proc: Path = Path("/proc")) -> int:
    transport = "udp" if address.transport == "udp" else "tcp"
    six = address.family == "ipv6"
    keys = {_key(address), _key(Address("::" if six else "0.0.0.0", address.port))}
    for line in _LINE.finditer((proc / "net" / f"{transport}{'6' if six else ''}").read_text()):
        if line["address"] in keys and line["state"] == _LISTENING[transport]:
            return int(line["inode"])
    return 0


def _key(address: Address) -> str:
    """``address`` as /proc/net writes it: 32-bit words in this machine's byte order, in hexadecimal."""
    words = struct.iter_unpack("=I", _packed(address))
    return f"{''.join(f'{word:08X}' for (word,) in words)}:{address.port:04X}"


def _packed(address: Address) -> bytes:
    return socket.inet_pton(address.socket_family, address.host)
