"""A bad line between the suite and the reference device: two network namespaces joined by a tunnel that loses packets.

    python -m tests.chaos.link --loss 0.05 --seed 1 -- sipverdict run --device {profile} --out out

Needs root, and no kernel module beside tun (many kernels have no netem).  Here nothing of the suite knows what is lost,
as on a real line: the taps do not do it.  SIPps are not behind the line.
"""

from __future__ import annotations

import argparse
import ctypes
import fcntl
import heapq
import os
import random
import selectors
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from harness.devices import reference

_CLONE_NEWNET = 0x40000000
_TUNSETIFF = 0x400454CA
_IFF_TUN, _IFF_NO_PI = 0x0001, 0x1000
_PROFILE = Path(reference.__file__).parent / "device.toml"


@dataclass
class Line:
    """What happens to each packet, in either direction; chances from 0 to 1, seconds."""

    loss: float = 0.0
    delay: float = 0.0
    copies: float = 0.0
    reorder: float = 0.0
    seed: int = 0
    passed: int = 0
    lost: int = 0
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def delays(self) -> list[float]:
        chance = self._random.random
        if chance() < self.loss:
            self.lost += 1
            return []
        self.passed += 1
        late = 0.03 if chance() < self.reorder else 0.0
        return [late + chance() * self.delay for _ in range(2 if chance() < self.copies else 1)]


def carry(one: int, other: int, line: Line) -> None:
    """Carry packets between two tunnels until one of them is closed."""
    waiting: list[tuple[float, int, int, bytes]] = []
    number = 0
    with selectors.DefaultSelector() as ready:
        ready.register(one, selectors.EVENT_READ, other)
        ready.register(other, selectors.EVENT_READ, one)
        while True:
            left = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
            for key, _ in ready.select(left):
                try:
                    packet = os.read(key.fd, 65536)
                except OSError:
                    return
                for delay in line.delays():
                    number += 1
                    heapq.heappush(waiting, (time.monotonic() + delay, number, key.data, packet))
            while waiting and waiting[0][0] <= time.monotonic():
                _, _, to, packet = heapq.heappop(waiting)
                try:
                    os.write(to, packet)
                except OSError:
                    return


def _tunnel(own: str, others: str) -> int:
    """A tunnel in this namespace: every address of ``own`` is here, those of ``others`` at its far end."""
    tunnel = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tunnel, _TUNSETIFF, struct.pack("16sH22x", b"chaos", _IFF_TUN | _IFF_NO_PI))
    for words in (
        "link set lo up",
        f"address add {own}/16 dev lo",
        "link set chaos up mtu 65000",
        f"route add {others}/16 dev chaos",
    ):
        subprocess.run(["ip", *words.split()], check=True)
    return tunnel


def _unshare_network() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "unshare")


def _far_end(ours: socket.socket) -> None:
    """In a child: the namespace of the device, until the parent is gone."""
    _unshare_network()
    socket.send_fds(ours, [b"x"], [_tunnel("10.99.0.1", "10.98.0.0")])
    ours.recv(1)
    os._exit(0)


def profile_for(namespace: str) -> str:
    """The reference device in ``namespace``, all of its variants at addresses of their own."""
    text = _PROFILE.read_text().replace(
        '["{python}", "-m", "harness', f'["nsenter", "--net={namespace}", "--", "{{python}}", "-m", "harness'
    )

    def lab(place: int) -> tuple[str, str, str]:
        return f'"10.99.{place}.2:5060"', f'"10.98.{place}.1-10.98.{place}.250"', '"5060-5069"'

    address, tester, ports = lab(1)
    text = text.replace('address = "{lease}"', f"address = {address}\ntester = {tester}\nports = {ports}")
    head, *variants = text.split("[variant.")
    for place, variant in enumerate(variants, start=2):
        address, tester, ports = lab(place)
        table = f"lab = {{ address = {address}, tester = {tester}, ports = {ports}, backup"
        dotted = f"lab.address = {address}\nlab.tester = {tester}\nlab.ports = {ports}\nlab.backup"
        head += "[variant." + variant.replace("lab = { backup", table).replace("lab.backup", dotted)
    return head


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("loss", "delay", "copies", "reorder"):
        parser.add_argument(f"--{name}", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("command", nargs="+", help="{profile} stands for the profile of the device behind the line")
    options = parser.parse_args()
    line = Line(options.loss, options.delay, options.copies, options.reorder, options.seed)
    _unshare_network()
    here, there = socket.socketpair()
    child = os.fork()
    if not child:
        here.close()
        _far_end(there)
    there.close()
    _, [far], _, _ = socket.recv_fds(here, 1, 1)
    near = _tunnel("10.98.0.1", "10.99.0.0")
    threading.Thread(target=carry, args=(near, far, line), daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        profile = Path(folder) / "reference.toml"
        profile.write_text(profile_for(f"/proc/{child}/ns/net"))
        words = [word.replace("{profile}", str(profile)) for word in options.command]
        process = subprocess.Popen(words)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda number, _frame: process.send_signal(number))
        status = process.wait()
    print(f"line: {line.lost} of {line.lost + line.passed} packets lost", file=sys.stderr)
    here.close()
    os.waitpid(child, 0)
    return status


if __name__ == "__main__":
    sys.exit(main())
