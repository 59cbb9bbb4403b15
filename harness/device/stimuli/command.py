"""``kind = "command"``: a command for each act (argv, no shell) that must succeed before its deadline."""

from __future__ import annotations

import asyncio
import shutil
from typing import ClassVar, Final, Literal

from harness.device.process import DeviceProcess, dying_with_parent
from harness.device.stimuli.base import Act, Stimulus, StimulusContext, shown
from harness.device.stimuli.templates import Templated, TemplatedSection
from harness.device.tables.placeholders import START
from harness.device.tables.values import CommandArgv, Seconds
from harness.errors import DeviceError

LAST: Final = 200
"""The last bytes of a command's output that are kept.  The output may be endless."""


class CommandStimulus(TemplatedSection):
    """A command per call, ended by its own deadline."""

    kind: Literal["command"]
    call: CommandArgv | None = None
    hangup: CommandArgv | None = None
    reinvite: CommandArgv | None = None
    answer: CommandArgv | None = None
    reject: CommandArgv | None = None
    timeout_s: Seconds = 10.0

    start_names: ClassVar[frozenset[str]] = START

    def make(self, context: StimulusContext) -> Stimulus:
        """Commands in the private folder of ``context``."""
        return Command(self, context)


class Command(Templated):
    """Runs a program and waits for its end."""

    name = "a command"

    def __init__(self, section: CommandStimulus, context: StimulusContext) -> None:
        super().__init__(section, context)
        self._timeout = section.timeout_s
        self._said = ""

    def remark(self) -> str:
        """The output of the last command."""
        return f"the command said: {self._said}" if self._said else ""

    async def _say(self, act: Act, template: tuple[str, ...], uri: str) -> None:
        argv = [self._fill(part, uri) for part in template]
        where = f"stimulus.{act} of its profile ({argv[0]!r})"
        cannot = f"{self.device} could not be asked to {act}"
        if shutil.which(argv[0]) is None:
            raise DeviceError(f"{cannot}: there is no program {argv[0]!r}", f"correct {where}")
        try:
            process = await asyncio.create_subprocess_exec(
                *dying_with_parent(argv),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                cwd=self.context.folder,
                process_group=0,
            )
        except (OSError, ValueError) as error:
            raise DeviceError(f"{cannot}: {argv[0]!r} cannot be run: {error}", f"see {where}") from error
        assert process.stdout
        reading = asyncio.ensure_future(_last_of(process.stdout))
        try:
            await asyncio.wait_for(process.wait(), self._timeout)
            # A child that it left behind may hold the pipe open: what that says is of no interest.
            await asyncio.wait({reading}, timeout=0.2)
        except TimeoutError:
            raise DeviceError(
                f"{cannot}: the command did not end in {self._timeout:g} s",
                f"try {where} by hand, or raise stimulus.timeout_s",
            ) from None
        finally:
            DeviceProcess.end_group(process)
            await process.wait()
            await asyncio.wait({reading}, timeout=0.2)
            reading.cancel()
        said = reading.result() if reading.done() and not reading.cancelled() else b""
        self._said = shown(said[-LAST:])  # a program says at its end what went wrong
        if process.returncode:
            raise DeviceError(
                f"{cannot}: the command ended with {process.returncode}: {self._said or 'no output'}",
                f"try {where} by hand",
            )


async def _last_of(stream: asyncio.StreamReader) -> bytes:
    """The last bytes of ``stream``.  All of it is read, or the program would block."""
    kept = b""
    while chunk := await stream.read(65536):
        kept = (kept + chunk)[-LAST:]
    return kept
