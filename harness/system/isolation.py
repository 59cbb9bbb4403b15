"""A network of one run's own: a namespace in which every address of some networks is this machine's.

The run enters it by starting itself anew in it (``unshare``), so that whatever it opens and starts is there: endpoints,
SIPps, the device.  The kernel removes it with the last process, however that ends.  As root it needs nothing else; any
other user needs user namespaces.
"""

from __future__ import annotations

import ipaddress
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, NoReturn

from harness.errors import SetupError
from harness.system.environment import inherited

_OUTSIDE: Final = "SIPVERDICT_ISOLATION"
"""The environment variable by which a run that was started anew knows: the namespace that it comes from, the networks
of its own, and the folder of locks outside."""
_NAMESPACE: Final = Path("/proc/self/ns/net")
_BIND_ANY: Final = Path("/proc/sys/net/ipv6/ip_nonlocal_bind")
_TRY_S: Final = 10.0
NOT_ENTERED: Final = "only sipverdict run and sipverdict smoke enter one"
"""Why a run is not in the network that a profile asks for, although this machine has it to give."""


@dataclass(frozen=True)
class Isolation:
    """The network of a run's own."""

    networks: tuple[str, ...]
    """``10.77.0.0/16``, ``fd00:77::/64``: each address of them can be bound and reached, and is nobody else's."""
    sources: tuple[str, ...] = ()
    """From where sockets send that are bound to no address: one of each IP family at most."""

    @property
    def label(self) -> str:
        """It in a word."""
        return f"{','.join(self.networks)}={','.join(self.sources)}"


def is_entered(isolation: Isolation) -> bool:
    """Whether this process is in a network like that."""
    outside, _, label = os.environ.get(_OUTSIDE, "").partition(" ")
    return bool(outside) and outside != namespace() and label.partition(" ")[0] == isolation.label


def namespace() -> str:
    """What tells the network namespace of this process from all others that there are now."""
    return str(_NAMESPACE.stat().st_ino)


def locks_outside() -> str:
    """The folder of locks of the user who has entered a network of its own; "" outside of one."""
    outside, _, rest = os.environ.get(_OUTSIDE, "").partition(" ")
    return rest.partition(" ")[2] if outside and outside != namespace() else ""


@cache
def why_not() -> str:
    """Why this machine gives a run no network of its own; "" if it does."""
    try:
        tried = subprocess.run(
            [*unshare(), "ip", "link", "set", "lo", "up"], capture_output=True, text=True, timeout=_TRY_S, check=False
        )
    except FileNotFoundError:
        return "this machine has no unshare (util-linux)"
    except subprocess.TimeoutExpired:
        return f"unshare did not answer in {_TRY_S:g} s"
    said = " ".join((tried.stderr or tried.stdout).split())
    return f"this machine gives it none: {said or f'unshare ended with {tried.returncode}'}" if tried.returncode else ""


def enter(arguments: Sequence[str], isolation: Isolation, locks: Path) -> NoReturn:
    """Start this program anew, with these arguments, in a network of its own.  The process keeps its number."""
    here = {_OUTSIDE: f"{namespace()} {isolation.label} {locks}"}
    command = [*unshare(), "--", sys.executable, "-m", "sipverdict", *arguments]
    sys.stdout.flush()
    sys.stderr.flush()
    os.execvpe(command[0], command, inherited(**here))


def set_up(isolation: Isolation) -> None:
    """Give the namespace that was entered its addresses; SetupError if that cannot be."""
    if not is_entered(isolation):
        raise SetupError(
            "this is no network of its own: nothing of it is changed", "sipverdict run enters one by itself"
        )
    for command in _commands(isolation):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SetupError(
                f"[isolation]: {' '.join(command)} failed: {' '.join(done.stderr.split())}",
                "isolation.networks: name networks that do not overlap, and addresses of them in isolation.sources",
            )
    if any(":" in network for network in isolation.networks):
        # What is local by a route alone is no address that IPv6 lets a socket be bound to.
        try:
            _BIND_ANY.write_text("1")
        except OSError as error:
            raise SetupError(
                f"[isolation]: {_BIND_ANY} cannot be written: {error.strerror}",
                "leave IPv6 out of isolation.networks, or run where /proc/sys may be written",
            ) from error


def _commands(isolation: Isolation) -> list[list[str]]:
    ip = [["ip", "link", "set", "lo", "up"]]
    sources = {ipaddress.ip_address(source).version: source for source in isolation.sources}
    for version, source in sources.items():
        length, quick = (128, ["nodad"]) if version == 6 else (32, [])
        ip.append(["ip", f"-{version}", "address", "replace", f"{source}/{length}", "dev", "lo", *quick])
        ip.append(["ip", f"-{version}", "route", "replace", "default", "dev", "lo", "src", source])
    for network in isolation.networks:
        version = ipaddress.ip_network(network).version
        by = ["src", sources[4]] if version == 4 and 4 in sources else []
        ip.append(["ip", f"-{version}", "route", "replace", "local", network, "dev", "lo", *by, "table", "local"])
    return ip


def unshare() -> list[str]:
    """The command before another that starts that in a new network namespace, as root of it."""
    return ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--net"]
