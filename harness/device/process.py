"""One start of a device as a process: argv only, a group of its own, output kept, no way to outlive the suite."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import signal
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.errors import DeviceError
from harness.system import clock
from harness.system.environment import inherited

KEPT_LINES: Final = 200
LINE_LIMIT: Final = 500
_ANSI: Final = re.compile(r"\x1b\[[0-9;]*[A-Za-z]?")


@dataclass(frozen=True)
class Death:
    """An exit that the suite did not request."""

    at: float
    """Seconds since the epoch."""
    code: int
    """Exit status; negative: the signal."""

    def __str__(self) -> str:
        if self.code < 0:
            with contextlib.suppress(ValueError):
                return f"was ended by {signal.Signals(-self.code).name}"
        return f"ended with status {self.code}"


def dying_with_parent(argv: Sequence[str], by: str = "KILL") -> list[str]:
    """``argv`` so that it is ended when the suite goes, however it goes: no orphan keeps the address.

    The kernel sends the signal when the *thread* that started it ends, which is the event loop's.  setpriv and no
    preexec_fn, which would make every start a full fork of this process.
    """
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", by, "--", *argv] if setpriv else list(argv)


def redacted(text: str, secrets: Sequence[str]) -> str:
    """``text`` with every secret replaced by ``***``; of two that begin alike the first in order is taken."""
    return re.sub("|".join(map(re.escape, secrets)), "***", text) if secrets else text


class DeviceProcess:
    """A device's process.  Use within one running event loop; start it once."""

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        *,
        folder: Path,
        env: Mapping[str, str] | None = None,
        install: str = "",
        secrets: Sequence[str] = (),
        orphan_signal: str = "KILL",
    ) -> None:
        self.name = name
        self.argv = tuple(argv)
        self.died: asyncio.Future[Death] = asyncio.get_running_loop().create_future()
        """Done when the device ends without a request of the suite."""
        self._folder = folder
        self._env = inherited(**(env or {}))
        self._install = install
        self._orphan_signal = orphan_signal
        self._secrets = tuple(secrets)
        # So that no secret is cut in two where a line is cut: its first half would not be known for what it is.
        self._uncut = LINE_LIMIT + 4 * max(map(len, self._secrets), default=0)
        self._process: asyncio.subprocess.Process | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._kept: deque[str] = deque(maxlen=KEPT_LINES)
        self._said: deque[str] = deque(maxlen=KEPT_LINES)
        self._news = asyncio.Condition()
        self._stopping = False

    @property
    def pid(self) -> int | None:
        """The process id, which is its group's and session's as well; None before the start."""
        return self._process.pid if self._process else None

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.returncode is None

    def tail(self, lines: int = 8) -> str:
        """The last lines of its output, both streams, without secrets."""
        return "\n".join(list(self._kept)[-lines:])

    def last_words(self, lines: int = 8) -> str:
        """Its last output as the last part of an error; says so if there was none."""
        said = [f"    {line}" for line in self.tail(lines).splitlines()]
        return "\n".join(["its last output:", *said]) if said else "it had no output"

    async def heard_out(self) -> None:
        """Return when all that it said before its end is there, or will not come."""
        await asyncio.wait(self._tasks[:2], timeout=0.2)

    async def start(self) -> None:
        """Start it; DeviceError if the program is not there or cannot be executed."""
        program = self.argv[0]
        if shutil.which(program, path=self._env.get("PATH")) is None:
            raise DeviceError(
                f"{self.name} cannot be started: there is no program {program!r}",
                self._install or "install the product, or correct process.argv of its profile",
            )
        try:
            self._process = await asyncio.create_subprocess_exec(
                *dying_with_parent(self.argv, self._orphan_signal),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                cwd=self._folder,
                env=self._env,
                # A group of its own, not a session: under autogroup scheduling a session that competes with a busy one
                # was seen to get no CPU at all for 20 s (Linux 6.18, two busy loops).
                process_group=0,
            )
        except (OSError, ValueError) as error:  # ValueError: a NUL byte in argv
            raise DeviceError(f"{self.name} cannot be started: {error}", "see process.argv of its profile") from error
        assert self._process.stdout
        assert self._process.stderr
        readers = [
            asyncio.ensure_future(self._read(self._process.stdout, self._said)),
            asyncio.ensure_future(self._read(self._process.stderr, None)),
        ]
        self._tasks = [*readers, asyncio.ensure_future(self._wait())]

    async def line(self, beginning: str) -> None:
        """Return when a line of its standard output begins with ``beginning``, also an earlier line."""
        async with self._news:
            await self._news.wait_for(lambda: any(line.startswith(beginning) for line in self._said))

    async def write_line(self, text: str, deadline: float = 5.0) -> None:
        """Write one line to its standard input; DeviceError if it has ended or does not read."""
        if self._process is None or not self.running:
            cause = f"{self.name} is not running; {self.last_words()}"
            raise DeviceError(cause, "the device ended: look at its own log")
        assert self._process.stdin
        try:
            self._process.stdin.write(text.encode() + b"\n")
            await asyncio.wait_for(self._process.stdin.drain(), deadline)
        except (ConnectionError, RuntimeError) as error:
            raise DeviceError(
                f"{self.name} has closed its standard input; {self.last_words()}",
                "the device ended, or does not read lines",
            ) from error
        except TimeoutError:
            raise DeviceError(
                f"{self.name} does not read its standard input: a line could not be written in {deadline:g} s",
                "the device hangs, or its profile wants another stimulus.kind",
            ) from None

    async def stop(self, grace: float) -> None:
        """SIGTERM, ``grace`` seconds, SIGKILL to what is left of its group.  Stopping twice is harmless."""
        process = self._process
        if process is None:
            return
        if process.returncode is None:
            self._stopping = True
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            try:
                await asyncio.wait_for(process.wait(), grace)
            except TimeoutError:  # Kamailio 5.6.3 does so once in about 125 stops
                pass
            finally:
                self._kill_group(process.pid)
            await process.wait()
        else:
            self._kill_group(process.pid)
        # A grandchild that left the group may hold the pipes open: what it says is no longer of interest.
        await asyncio.wait(self._tasks, timeout=0.5)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def kill(self) -> None:
        """SIGKILL to the group, at once; for ways out that cannot wait."""
        self._stopping = True
        if self._process is not None:
            self._kill_group(self._process.pid)

    @staticmethod
    def end_group(process: asyncio.subprocess.Process) -> None:
        """SIGKILL to what is left of the group of ``process``, which was started in a group of its own."""
        DeviceProcess._kill_group(process.pid)

    @staticmethod
    def _kill_group(pid: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)

    async def _read(self, stream: asyncio.StreamReader, said: deque[str] | None) -> None:
        rest = b""
        while chunk := await stream.read(65536):
            *lines, rest = (rest + chunk).split(b"\n")
            rest = rest[: self._uncut]  # a line without an end must not grow without an end
            await self._keep(lines, said)
        if rest:
            await self._keep([rest], said)

    async def _keep(self, lines: Sequence[bytes], said: deque[str] | None) -> None:
        for line in lines:
            text = _ANSI.sub("", line[: self._uncut].decode("utf-8", "replace")).rstrip()
            clean = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
            self._kept.append(redacted(clean, self._secrets)[:LINE_LIMIT])
            if said is not None:
                said.append(clean[:LINE_LIMIT])
        async with self._news:
            self._news.notify_all()

    async def _wait(self) -> None:
        assert self._process
        code = await self._process.wait()
        if not self._stopping and not self.died.done():
            self.died.set_result(Death(clock.now(), code))
