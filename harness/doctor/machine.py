"""Checks of this machine: Python, packages, ports, loopback, clock, limits, permissions, disks, report tools."""

from __future__ import annotations

import contextlib
import os
import platform
import re
import resource
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from harness.doctor.check import Check
from harness.doctor.lab import holders
from harness.drive.bench import SEATS
from harness.net.address import Address
from harness.net.binding import is_free
from harness.net.loopback import BESIDE, PORTS, LoopbackPool
from harness.net.sockets import inode_of
from harness.paths import MAKEFILE, ROOT
from harness.store.provenance import provenance

MEGABYTE = 1 << 20
ROOMY = 200 * MEGABYTE
"""Bytes free on a disk below which a long run may fill it."""
LEAST = MEGABYTE
FILES_OF_A_SEAT = 4
SANE_SINCE = 1_700_000_000
"""A clock before this time is wrong."""
STEP_S = 0.02
"""The most seconds by which wall clock and monotonic clock may differ over a tenth of a second."""


def machine_checks(out: Path) -> list[tuple[str, Callable[[], Iterable[Check]]]]:
    """The checks of this machine by name; runs would be stored below ``out``."""
    return [
        ("Python", _python),
        ("packages", _packages),
        ("suite", _suite),
        ("ports", _ports),
        ("loopback", _loopback),
        ("clock", _clock),
        ("limits", _limits),
        ("permissions", _permissions),
        ("disk", partial(_disks, out)),
        ("load", _load),
        ("Node", _node),
    ]


def _python() -> Iterator[Check]:
    version = platform.python_version()
    if tuple(map(int, platform.python_version_tuple()[:2])) < (3, 11):
        yield Check("Python", "problem", version, "Python 3.11 is the oldest that is supported")
    else:
        yield Check("Python", "ok", version)


def _packages() -> Iterator[Check]:
    pinned = dict(re.findall(r"^([\w.-]+)==(\S+)$", _text(ROOT / "constraints.txt"), re.MULTILINE))
    by_name = {name.lower().replace("_", "-"): version for name, version in pinned.items()}
    missing, other = [], []
    for requirement in map(Requirement, metadata.requires("sipverdict") or ()):
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            version = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            missing.append(requirement.name)
            continue
        tested = by_name.get(requirement.name.lower().replace("_", "-"), version)
        if not requirement.specifier.contains(version, prereleases=True):
            missing.append(f"{requirement.name}{requirement.specifier} (here: {version})")
        elif version != tested:
            other.append(f"{requirement.name} {version} instead of {tested}")
    what = "-e ." if MAKEFILE.exists() else "sipverdict-….whl"
    again = f"install again: {sys.executable} -m pip install -c {shlex.quote(str(ROOT / 'constraints.txt'))} {what}"
    if missing:
        yield Check("packages", "problem", f"missing: {', '.join(missing)}", again)
    elif other:
        yield Check("packages", "warn", f"not those that the suite is tested with: {', '.join(other)}", again)
    else:
        yield Check("packages", "ok", "as tested (constraints.txt)")


def _suite() -> Iterator[Check]:
    suite = provenance()
    if not suite.commit:
        todo = "for certificates: use a git checkout, with git installed, or a wheel built from one"
        yield Check("suite", "warn", f"{suite.version}, of an unknown commit", todo)
    elif suite.dirty:
        todo = "for certificates: commit the changes, or install the release again"
        yield Check("suite", "warn", f"{suite.version}, changed since commit {suite.commit[:12]}", todo)
    else:
        yield Check("suite", "ok", f"{suite.version}, as in commit {suite.commit[:12]}")


# --- the network


def _ports() -> Iterator[Check]:
    """Check that no other program holds the endpoints' ports on every address."""
    free: list[tuple[int, str]] = []
    taken: list[tuple[int, str]] = []
    for port in PORTS:
        who = _taken(port) or _taken(port + BESIDE)
        (taken if who else free).append((port, who))
    if not free:
        ports = ", ".join(str(port) for port, _ in taken)
        yield Check("ports", "problem", f"UDP ports {ports} are all taken: {taken[0][1]}", "end one of these programs")
    elif free[0][0] != PORTS[0]:
        yield Check(
            "ports",
            "warn",
            f"UDP {PORTS[0]} is held by {taken[0][1]}; endpoints go to port {free[0][0]}",
            f"end it: the few cases that need port {PORTS[0]} are inconclusive while it is there",
        )
    else:
        yield Check("ports", "ok", f"UDP {PORTS[0]} is free for the suite's endpoints")


def _taken(port: int) -> str:
    """The program that holds ``port`` on every address; "" if none does."""
    with contextlib.suppress(OSError):
        if is_free(Address("127.15.255.254", port)):
            return ""
    return " and ".join(dict.fromkeys(holders(port))) or "an unknown program"


def _loopback() -> Iterator[Check]:
    pool = LoopbackPool()
    try:
        address = pool.lease()
    finally:
        pool.close()
    found = f"any address of 127.0.0.0/8 can be bound; this run would be in {address.host.rpartition('.')[0]}.0"
    yield Check("loopback", "ok", found)


# --- the machine itself


def _clock() -> Iterator[Check]:
    if time.time() < SANE_SINCE:
        now = time.strftime("%Y-%m-%d", time.gmtime())
        yield Check("clock", "problem", f"the clock shows {now}", "set the clock: verdicts carry the time")
        return
    wall, steady = time.time(), time.monotonic()
    with contextlib.suppress(subprocess.TimeoutExpired, OSError):
        # A short computation; its exact duration does not matter.
        subprocess.run(["sleep", "0.1"], timeout=10, check=False)
    apart = abs((time.time() - wall) - (time.monotonic() - steady))
    if apart > STEP_S:
        todo = "let ntpd or chronyd slew the clock: traces use wall clock time"
        yield Check("clock", "warn", f"the clock jumped by {apart:.2f} s during the check", todo)
    else:
        yield Check("clock", "ok", f"{time.strftime('%Y-%m-%d %H:%M:%SZ', time.gmtime())}, steady")


def _limits() -> Iterator[Check]:
    _, files = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES_OF_A_SEAT * SEATS
    if files != resource.RLIM_INFINITY and files < wanted:
        todo = f"raise it (ulimit -Hn {wanted}), or test fewer devices at a time"
        yield Check("limits: files", "warn", f"{files} files may be open; a large run takes {wanted}", todo)
    else:
        yield Check(
            "limits: files", "ok", f"{'any number of' if files == resource.RLIM_INFINITY else files} open files"
        )
    _, processes = resource.getrlimit(resource.RLIMIT_NPROC)
    pids = _text(Path("/sys/fs/cgroup/pids.max")).strip()
    most = min([n for n in (processes, int(pids) if pids.isdecimal() else -1) if n > 0], default=-1)
    if 0 < most < SEATS + 100:
        todo = "raise it (ulimit -Hu, the container's pids limit), or choose fewer purposes with -k"
        yield Check("limits: processes", "warn", f"{most} processes; a large run takes {SEATS}", todo)
    else:
        yield Check("limits: processes", "ok", "any number of processes" if most < 0 else f"{most} processes")


def _permissions() -> Iterator[Check]:
    any_port = Address("127.0.0.1", 0)
    with any_port.open_socket() as own:
        own.bind(any_port.sockaddr)
        seen = inode_of(Address.of(own.getsockname())) == os.fstat(own.fileno()).st_ino
    if seen:
        yield Check("permissions: sockets", "ok", "bound sockets are visible")
    else:
        todo = "allow sock_diag(7), or mount /proc with its net folder"
        yield Check("permissions: sockets", "problem", "bound sockets are not visible", todo)
    slack = Path(f"/proc/{os.getpid()}/timerslack_ns")
    try:
        slack.write_bytes(slack.read_bytes())
    except OSError as error:
        todo = "nothing, if the machine has spare cores: idle endpoints poll more often"
        yield Check("permissions: timers", "warn", f"timerslack_ns cannot be set: {error.strerror}", todo)
    else:
        yield Check("permissions: timers", "ok", "idle endpoints can sleep longer")


def _disks(out: Path) -> Iterator[Check]:
    yield _disk("disk: runs", out, "choose another folder with --out")
    yield _disk("disk: temporary files", Path(tempfile.gettempdir()), "set TMPDIR to another folder")


def _disk(name: str, folder: Path, elsewhere: str) -> Check:
    there = next((path for path in (folder, *folder.parents) if path.exists()), Path("/"))
    if not there.is_dir():
        return Check(name, "problem", f"{there} is no folder", elsewhere)
    try:
        with tempfile.NamedTemporaryFile(dir=there) as probe:
            probe.write(b"x" * 4096)
            probe.flush()
        free = shutil.disk_usage(there).free
    except OSError as error:
        return Check(name, "problem", f"{there} cannot be written: {error.strerror}", elsewhere)
    found = f"{free // MEGABYTE:,} MB free in {there}"
    if free < ROOMY:
        return Check(name, "problem" if free < LEAST else "warn", found, f"free some space there, or {elsewhere}")
    return Check(name, "ok", found)


def _load() -> Iterator[Check]:
    cores = len(os.sched_getaffinity(0))
    load = os.getloadavg()[0]
    found = f"load average {load:.1f} on {cores} cores"
    if load > 3 * cores:
        todo = "wait, or expect inconclusive verdicts: a late message can look like a missing one"
        yield Check("load", "warn", found, todo)
    else:
        yield Check("load", "ok", found)


def _node() -> Iterator[Check]:
    node, allure = shutil.which("node"), shutil.which("allure")
    found = ", ".join(f"{name}: {path or 'not installed'}" for name, path in (("node", node), ("allure", allure)))
    yield Check("Node, Allure", "ok", f"{found}{'' if node else ' (optional: for the Allure report only)'}")


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
