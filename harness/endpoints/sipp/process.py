"""Starts, watches and ends one SIPp process.  Nothing here judges."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from pathlib import Path

from harness.endpoints.sipp import timer_slack as slack
from harness.endpoints.sipp.group import group
from harness.endpoints.sipp.readiness import Readiness
from harness.endpoints.sipp.values import escape
from harness.endpoints.tap.port import PortTaken
from harness.errors import SetupError, SippError
from harness.net.address import Address
from harness.system import clock
from harness.system.environment import inherited

START_SECONDS = 10.0
"""Seconds in which a SIPp must bind its socket, even on a busy machine; 5 ms on an idle one."""
STOP_SECONDS = 2.0
"""Seconds from SIGTERM to SIGKILL; a SIPp usually ends in 1 ms."""
PORT_TAKEN = 254


class SippProcess:
    """An endpoint's or a caller's SIPp, at the private address ``own``.

    ``peer`` is where a caller sends its one call (client mode); None for an endpoint (server mode).
    ``shown`` is the address that the device sees instead of ``own``.
    ``exact``: it must not be late with any step (see :class:`SippBinary.step_s`).
    ``credentials`` (user and password) are what a caller answers a challenge with, for ``digest_uri``.
    Its files are ``NAME.xml``, ``NAME.errors.log`` and ``NAME.stderr`` in ``folder``.
    """

    def __init__(
        self,
        name: str,
        scenario: str,
        own: Address,
        folder: Path,
        *,
        sipp: Path,
        peer: Address | None = None,
        credentials: tuple[str, str] | None = None,
        digest_uri: str = "",
        shown: Address | None = None,
        exact: bool = False,
    ) -> None:
        self.name = name
        self.own = own
        self.scenario_file = folder / f"{name}.xml"
        self.error_log = folder / f"{name}.errors.log"
        self.bound_at: float | None = None
        """The time at which its socket was found bound, seconds since the epoch."""
        self.ended_at: float | None = None
        self.status: int | None = None
        """Its exit status, negative for a signal; never a verdict on anything."""
        self._stderr = folder / f"{name}.stderr"
        self._scenario = scenario
        self._sipp = sipp
        self._peer = peer
        self._credentials = credentials
        self._digest_uri = digest_uri
        self._shown = shown or own
        self._exact = exact
        self._process: subprocess.Popen[bytes] | None = None
        self._ended: asyncio.Event = asyncio.Event()
        self._pidfd = -1
        self._stopping = False

    @property
    def lost_at(self) -> float | None:
        """The time at which it was found to have ended unexpectedly."""
        return None if self._stopping else self.ended_at

    @property
    def pid(self) -> int:
        """Its process id; RuntimeError before :meth:`start`."""
        if self._process is None:
            raise RuntimeError(f"SIPp {self.name} has not been started")
        return self._process.pid

    async def start(self, readiness: Readiness, deadline: float = START_SECONDS) -> None:
        """Start it and wait until its socket is bound.  PortTaken, or SippError with SIPp's message."""
        self.scenario_file.write_text(self._scenario, encoding="utf-8")
        self._spawn()
        bound = asyncio.ensure_future(readiness.bound(self.own, self.pid, deadline))
        ended = asyncio.ensure_future(self._ended.wait())
        try:
            await asyncio.wait((bound, ended), return_when=asyncio.FIRST_COMPLETED)
            if bound.done() and not bound.exception():
                self.bound_at = clock.now()
        finally:
            for task in (bound, ended):
                task.cancel()
            await asyncio.gather(bound, ended, return_exceptions=True)
            if self.bound_at is None:
                await self.stop()
        if self.bound_at is None:
            raise self._failure(deadline)

    async def stop(self) -> None:
        """End it: SIGTERM, and SIGKILL if it is still running.  Harmless if it has ended or never started."""
        if self.ended_at is None:
            self._stopping = True
        if self._process is None or self.ended_at is not None:
            return
        signal.pidfd_send_signal(self._pidfd, signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self._ended.wait()
        except TimeoutError:
            self._process.kill()
            await self._ended.wait()

    async def wait(self) -> None:
        """Return when it has ended."""
        await self._ended.wait()

    def rest(self) -> None:
        """Note that its calls are over: from now on it may react slowly and use little CPU."""
        slack.give(self.pid, slack.REST_NS)

    def wake(self) -> None:
        """Note that there are calls again."""
        slack.give(self.pid, slack.EXACT_NS if self._exact else slack.ENDPOINT_NS)

    def complaints(self) -> str:
        """SIPp's error log and stderr, for error messages."""
        return "\n".join(filter(None, (_text(self.error_log).strip(), _text(self._stderr).strip())))

    def _command(self) -> list[str]:
        host, port = self.own.host, str(self.own.port)
        command = [
            str(self._sipp),
            *([str(self._peer)] if self._peer else []),
            *("-sf", str(self.scenario_file), "-i", host, "-p", port, "-ci", host, "-mi", host),
            *("-t", "u1" if self.own.transport == "udp" else "t1", "-nostdin"),
            # SIPp sends nothing of its own, and no message of a device ends a call.
            *("-default_behaviors", "none", "-aa", "-deadcall_wait", "0"),
            # The watchdog ends a SIPp that was late 120 times.  A busy machine must not cost an endpoint.
            *("-watchdog_interval", "0"),
            # The scenarios retransmit.  SIPp itself would answer a repeated ACK with a repeated 302.
            "-nr",
            *("-trace_err", "-error_file", str(self.error_log)),
        ]
        if self._credentials:
            # Not in the scenario, which is kept as evidence.  SIPp looks for [keywords] here as well.
            user, password = map(escape, self._credentials)
            command += ["-au", user, "-ap", password]
            # Without it the digest would be for SIPp's own peer, which no device knows.
            command += ["-auth_uri", escape(self._digest_uri.partition(":")[2])]
        if self._peer:
            # A caller starts its one call at once.  SIPp's default Call-ID would contain its private address.
            command += ["-users", "1", "-m", "1", "-cid_str", f"%u-%p@{self._shown.host}"]
        return command

    @property
    def _slack_ns(self) -> int:
        return slack.EXACT_NS if self._exact else slack.CALLER_NS if self._peer else slack.ENDPOINT_NS

    def _spawn(self) -> None:
        try:
            with self._stderr.open("wb") as stderr, slack.inherited(self._slack_ns):
                self._process = subprocess.Popen(
                    self._command(),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=stderr,
                    process_group=group(),
                    env=inherited(TZ="UTC", TERM="dumb"),
                )
        except OSError as error:
            raise SippError(f"SIPp {self.name} cannot be started: {error}", "see `sipverdict doctor`") from error
        # No thread per process, as asyncio's own child watcher has in Python 3.11.
        self._pidfd = os.pidfd_open(self._process.pid)
        asyncio.get_running_loop().add_reader(self._pidfd, self._on_end)

    def _on_end(self) -> None:
        asyncio.get_running_loop().remove_reader(self._pidfd)
        os.close(self._pidfd)
        assert self._process is not None
        self.status = self._process.wait()
        self.ended_at = clock.now()
        self._ended.set()

    def _failure(self, deadline: float) -> SetupError:
        said = self.complaints() or "nothing"
        if self.status == PORT_TAKEN:
            return PortTaken(f"SIPp {self.name}: {self.own} ({self.own.transport}) is taken. SIPp says: {said}")
        if self.lost_at is None:
            return SippError(
                f"SIPp {self.name} did not bind {self.own} within {deadline:g} s. It says: {said}",
                "is the machine overloaded, or the address not one of its own?",
            )
        return SippError(
            f"SIPp {self.name} ended with status {self.status} before it was ready. It says: {said}",
            f"its scenario is {self.scenario_file}",
        )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="latin-1")
    except FileNotFoundError:
        return ""
