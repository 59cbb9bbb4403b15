"""What may go wrong with the machine, the device and the line while a run goes on: each harm is done to a real run."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.run.suite import ROOT, command

# What a shell starts in the background ignores Ctrl-C, what nohup starts a hangup, and so does all that it starts.
for _number in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(_number) == signal.SIG_IGN:
        signal.signal(_number, signal.SIG_DFL)

SOME = ("-k", "decline_is_final or redirect_is_followed")
FAULTY = ("--device", "reference:base", "--fault", "redials_at_once")
"""A device with a defect: a run of it has passes and fails, so a wrong one of either kind is seen."""

FIXED = Path(__file__).parent / "fixed.toml"
ON_FIXED = ("--device", str(FIXED), "--fault", "redials_at_once")


@dataclass
class Running:
    """A run that goes on."""

    process: subprocess.Popen[str]
    out: Path

    def wait_for_seats(self, number: int = 8) -> None:
        """Return in the middle of the run: so many seats have been taken."""
        deadline = time.monotonic() + 120
        while len([*self.out.glob("2*/work/*/sipp/*.xml")]) < number and self.process.poll() is None:
            assert time.monotonic() < deadline, "the run makes no calls"
            time.sleep(0.02)

    def others(self, what: str) -> list[psutil.Process]:
        """The processes below the run whose command line has ``what`` in it."""
        found = []
        with contextlib.suppress(psutil.Error):
            for child in psutil.Process(self.process.pid).children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    if what in " ".join(child.cmdline()):
                        found.append(child)
        return found


def start(out: Path, words: Sequence[str], before: Sequence[str] = (), **environment: str) -> Running:
    """Begin a run whose arguments are ``words``; ``before`` is put before its command line."""
    process = subprocess.Popen(
        [*before, *command(out, *words)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "CHAOS_NOW": str(out / "now"), **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return Running(process, out)


@functools.cache
def privileged() -> bool:
    """Whether this process may make network namespaces and mount disks."""
    return not subprocess.run(["unshare", "--net", "--mount", "true"], capture_output=True, check=False).returncode


# --- SIPp


def sipps_killed(run: Running) -> None:
    run.wait_for_seats()
    for sipp in run.others("sipp")[::2]:
        with contextlib.suppress(psutil.Error):
            sipp.kill()


def sipps_stopped(run: Running) -> None:
    run.wait_for_seats()
    _stop(run.others("/sipp/"), 2.0)


def sipps_slow(run: Running) -> None:
    run.wait_for_seats(4)
    ends = time.monotonic() + 4
    while time.monotonic() < ends and run.process.poll() is None:
        _stop(run.others("/sipp/"), 0.05)
        time.sleep(0.02)


def _stop(processes: Sequence[psutil.Process], seconds: float) -> None:
    for one in processes:
        with contextlib.suppress(psutil.Error):
            one.suspend()
    time.sleep(seconds)
    for one in processes:
        with contextlib.suppress(psutil.Error):
            one.resume()


# --- this process and this machine


def stalled(run: Running) -> None:
    run.wait_for_seats()
    _stop([psutil.Process(run.process.pid)], 2.0)


def time_jumps(run: Running) -> None:
    run.wait_for_seats()
    (run.out / "now").touch()


def worker_killed(run: Running) -> None:
    run.wait_for_seats()
    # The one that drives the device: the other has nothing to do.
    workers = run.others("exec(eval(sys.stdin.readline()))")
    max(workers, key=lambda worker: len(worker.children())).kill()


def output_closed(run: Running) -> None:
    run.wait_for_seats()
    assert run.process.stdout
    run.process.stdout.close()


# --- the device


def device_killed(run: Running) -> None:
    run.wait_for_seats()
    for device in run.others("harness.devices.reference"):
        with contextlib.suppress(psutil.Error):
            device.kill()


def device_hangs(run: Running) -> None:
    run.wait_for_seats()
    for device in run.others("harness.devices.reference"):
        with contextlib.suppress(psutil.Error):
            device.suspend()


def device_pauses(run: Running) -> None:
    run.wait_for_seats()
    _stop(run.others("harness.devices.reference"), 1.5)


def another_suite(run: Running) -> None:
    """A second run on the same device is refused, and the first one does not notice."""
    run.wait_for_seats(1)
    second = run.out.with_name(f"{run.out.name}-second")
    refused = start(second, (*ON_FIXED, *SOME))
    output, _ = refused.process.communicate(timeout=120)
    assert refused.process.returncode == 3, output
    assert "is being tested by another run" in output


# --- signals


def ended_by(name: str, place: float) -> object:
    """A harm that sends the signal ``name`` at ``place`` (0 to 1) between the start and the usual end of a run."""

    def end(run: Running) -> None:
        time.sleep(place * 12)
        run.process.send_signal(getattr(signal, name))

    return end


# --- the surroundings of a run


@contextlib.contextmanager
def full_disk(folder: Path) -> Iterator[Path]:
    """A disk of 600 kB: enough to begin a run, and too little for its evidence."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def bad_line(**chances: float) -> tuple[str, ...]:
    """What is put before a command to have a line that loses packets between it and its ``{profile}``."""
    return (sys.executable, "-m", "tests.chaos.link", *(f"--{key}={value}" for key, value in chances.items()), "--")


PORTS_TAKEN = (
    "unshare",
    "--net",
    sys.executable,
    "-c",
    "import os, socket, subprocess, sys\n"
    "subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)\n"
    "held = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(3)]\n"
    "for port, one in zip((5060, 5062, 5064), held): one.bind(('0.0.0.0', port)), os.set_inheritable(one.fileno(), 1)\n"
    "os.execv(sys.argv[1], sys.argv[1:])\n",
)
"""Another program has the port that the suite prefers at every address of this machine."""
