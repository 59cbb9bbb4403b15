"""A device in this process with fast timers, and peers around it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sip_peer import Address, Peer, Script

from harness.devices.reference.behaviour import Behaviour
from harness.devices.reference.binding import bind
from harness.devices.reference.console import Console, Orders
from harness.devices.reference.device import Device
from harness.devices.reference.faults import fault_named
from harness.devices.reference.misbehaviour import behaviour_with
from harness.devices.reference.naming import Names
from harness.devices.reference.roles import ROLES
from harness.devices.reference.sip_uri import Address as SipAddress
from harness.devices.reference.timers import Timers

FAST = Timers(t1=0.02, t2=0.08, t4=0.1, d=0.5, c=30)


@dataclass
class Bench:
    """The device's surroundings in one test."""

    peers: list[Peer]
    timers: Timers = FAST
    pipes: list[int] = field(default_factory=list)

    async def peer(self, *answers: str | Sequence[str], script: Script | None = None, ipv6: bool = False) -> Peer:
        """Open a peer that gives its first INVITE the first answer and so on, the last one again and again."""
        counted = iter(answers)
        last: list[Sequence[str]] = [()]

        def answer(request: Any) -> Sequence[str]:
            if request.method != "INVITE":
                return ["200 OK"]
            following = next(counted, None)
            if following is not None:
                last[0] = [following] if isinstance(following, str) else following
            return last[0]

        peer = Peer(script or answer)
        address = ("::1" if ipv6 else f"127.0.31.{len(self.peers) + 1}", 0)
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: peer, local_addr=address)
        self.peers.append(peer)
        return peer

    def close(self) -> None:
        for descriptor in self.pipes:
            os.close(descriptor)
        for peer in self.peers:
            peer.transport.close()

    async def quiet(self, seconds: float = 0.1, limit: float = 0.5) -> None:
        """Wait until nobody has heard anything for so long; give up on a device that never stops."""
        # Counted in rounds of the loop, not by the clock: a process that got no CPU meanwhile has heard nothing either.
        idle = rounds = heard = 0
        while idle < seconds / 0.01 and rounds < limit / 0.01:
            await asyncio.sleep(0.01)
            before, heard = heard, sum(len(peer.heard) for peer in self.peers)
            idle = idle + 1 if heard == before else 0
            rounds += 1

    async def device(
        self,
        *faults: str,
        backup: Peer | None = None,
        role: str = "ua",
        resolver: tuple[str, int] | None = None,
        across: bool = False,
    ) -> Driven:
        """``across``: it is over IPv6 as well."""
        behaviour: Behaviour = behaviour_with(fault_named(name) for name in faults)
        address = None if backup is None else SipAddress(*backup.address)
        hosts = ("127.0.30.9", "::1") if across else ("127.0.30.9",)
        names = Names(resolver, behaviour, hosts) if resolver else None
        bound = [("udp", bind(host, 0)) for host in hosts]
        device = Device(bound, behaviour, timers=self.timers, backup=address, core=ROLES[role], names=names)
        await device.open()
        read, write = os.pipe()
        self.pipes += [write, read]
        console = Console(Orders(device.stack), lambda: None)
        console.listen(read)
        return Driven(device, write)


@dataclass
class Driven:
    """A device with its standard input."""

    device: Device
    stdin: int

    @property
    def address(self) -> Address:
        return self.device.stack.layer.transport.local[:2]

    def do(self, command: str) -> None:
        os.write(self.stdin, command.encode() + b"\n")
