"""What makes a device act: small classes behind one Protocol.  URIs are inserted as data, never through a shell."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from harness.device import models
from harness.device.control import ControlPort
from harness.device.placeholders import fill
from harness.device.process import DeviceProcess, dying_with_parent
from harness.errors import DeviceError

_ACTS = ("call", "hangup", "reinvite")


@runtime_checkable
class Stimulus(Protocol):
    """A way to make the device place a call, hang it up, or re-INVITE within it.

    Each returns when the device has been asked, not when it has done it.  DeviceError if it could not be asked.
    """

    name: str
    """For people: ``stdin``, ``a SIPp caller``."""
    supports: frozenset[str]
    """Which of "call", "hangup", "reinvite" it can do."""

    async def call(self, uri: str) -> None:
        """Make the device call ``uri``."""

    async def hangup(self, uri: str) -> None:
        """Make it end (or give up) its call to ``uri``."""

    async def reinvite(self, uri: str) -> None:
        """Make it send a re-INVITE within its call to ``uri``."""


def checked(uri: str) -> str:
    """``uri`` if it may be handed to a device; DeviceError for control characters and blanks, which no URI has."""
    if not uri or any(ord(char) <= 32 or ord(char) == 127 for char in uri):
        raise DeviceError(
            f"{uri!r} was not handed to the device: a URI has no blanks and no control characters",
            "this is the suite's or the plan's fault, not the device's",
        )
    return uri


class _Templated:
    """What the kinds have in common: templates by act, and what is not supported."""

    name = ""

    def __init__(self, device: str, templates: Mapping[str, Sequence[str]]) -> None:
        self._device = device
        self._templates = templates
        self.supports = frozenset(templates)

    async def call(self, uri: str) -> None:
        await self._do("call", checked(uri))

    async def hangup(self, uri: str) -> None:
        await self._do("hangup", checked(uri))

    async def reinvite(self, uri: str) -> None:
        await self._do("reinvite", checked(uri))

    async def _do(self, act: str, uri: str) -> None:
        if act not in self._templates:
            raise DeviceError(
                f"{self._device} cannot be told to {act}: its profile has no stimulus.{act}",
                f"add stimulus.{act} to the profile if the device can do it",
            )
        await self._perform(act, self._templates[act], uri)

    async def _perform(self, act: str, template: Sequence[str], uri: str) -> None:
        raise NotImplementedError


class Stdin(_Templated):
    """A line on the standard input of the process that the suite started."""

    name = "stdin"

    def __init__(self, section: models.StdinStimulus, device: str, process: DeviceProcess) -> None:
        super().__init__(device, _templates(section))
        self._process = process

    async def _perform(self, act: str, template: Sequence[str], uri: str) -> None:
        for line in template:
            await self._process.write_line(fill(line, {"uri": uri}))


class Tcp(_Templated):
    """Messages to the device's control port, over one connection that stays open."""

    def __init__(self, section: models.TcpStimulus, device: str, port: ControlPort) -> None:
        super().__init__(device, _templates(section))
        self.name = f"its control port {port.address}"
        self._section = section
        self._port = port
        self._ids: dict[str, str] = {}

    async def _perform(self, act: str, template: Sequence[str], uri: str) -> None:
        values = {"uri": self._escaped(uri)}
        async with self._port.exclusive():
            if act != "call" and self._section.id_pattern:
                values["id"] = self._escaped(await self._id(act, uri))
            for message in template:
                reply = await self._ask(fill(message, values))
                if self._section.refused and re.search(self._section.refused, reply):
                    raise DeviceError(
                        f"{self._device} refused to {act} {uri}: {reply[:200]}",
                        f"see stimulus.{act} of its profile, and whether the device carries that many calls",
                    )
                if act == "call" and not self._section.find and (found := self._found(reply, uri)):
                    self._ids[uri] = found

    async def _id(self, act: str, uri: str) -> str:
        reply = await self._ask(self._section.find) if self._section.find else ""
        found = self._found(reply, uri) or self._ids.get(uri)
        if found is None:
            said = f" (it says: {reply[:200]})" if reply else ""
            raise DeviceError(
                f"{self._device} could not be told to {act}: it has no call to {uri}{said}",
                "the call ended before, or stimulus.id_pattern of its profile does not match",
            )
        return found

    async def _ask(self, message: str) -> str:
        return await self._port.ask(message, self._section.reply, self._section.timeout_s)

    def _found(self, reply: str, uri: str) -> str | None:
        pattern = fill(self._section.id_pattern or "(?!)", {"uri": re.escape(self._escaped(uri))})
        found = re.search(pattern, reply)
        return found[1] if found and found.groups() else None

    def _escaped(self, text: str) -> str:
        return json.dumps(text)[1:-1] if self._section.escape == "json" else text


class Command(_Templated):
    """A command of its own for each act (argv, no shell), which must end well before its deadline."""

    name = "a command"

    def __init__(self, section: models.CommandStimulus, device: str, folder: Path) -> None:
        super().__init__(device, _templates(section))
        self._timeout = section.timeout_s
        self._folder = folder

    async def _perform(self, act: str, template: Sequence[str], uri: str) -> None:
        argv = [fill(part, {"uri": uri}) for part in template]
        where = f"stimulus.{act} of its profile ({argv[0]!r})"
        if shutil.which(argv[0]) is None:
            raise DeviceError(
                f"{self._device} could not be told to {act}: there is no program {argv[0]!r}", f"correct {where}"
            )
        try:
            process = await asyncio.create_subprocess_exec(
                *dying_with_parent(argv),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                cwd=self._folder,
                process_group=0,
            )
        except OSError as error:
            raise DeviceError(
                f"{self._device} could not be told to {act}: {argv[0]!r} cannot be run: {error.strerror}",
                f"see {where}",
            ) from error
        try:
            output, _ = await asyncio.wait_for(process.communicate(), self._timeout)
        except TimeoutError:
            raise DeviceError(
                f"{self._device} could not be told to {act}: the command did not end in {self._timeout:g} s",
                f"try {where} by hand, or raise stimulus.timeout_s",
            ) from None
        finally:
            DeviceProcess.end_group(process)
        if process.returncode:
            said = output.decode("utf-8", "replace").strip()[-400:]
            raise DeviceError(
                f"{self._device} could not be told to {act}: the command ended with {process.returncode}: {said}",
                f"try {where} by hand",
            )


class ThroughSipp:
    """A marker: calls are placed by a SIPp caller through the device, which the driver does itself."""

    name = "a SIPp caller"
    supports: frozenset[str] = frozenset()

    async def call(self, uri: str) -> None:
        """Not here."""
        raise _driver_does_it(uri)

    async def hangup(self, uri: str) -> None:
        """Not here."""
        raise _driver_does_it(uri)

    async def reinvite(self, uri: str) -> None:
        """Not here."""
        raise _driver_does_it(uri)


def _driver_does_it(uri: str) -> DeviceError:
    return DeviceError(
        f"the device was to be told about {uri}, but its calls are placed by a SIPp caller through it",
        'this is the suite\'s fault: with stimulus.kind = "sipp" the driver starts a caller',
    )


def _templates(section: models.Section) -> dict[str, tuple[str, ...]]:
    found = {act: getattr(section, act, None) for act in _ACTS}
    return {act: (value,) if isinstance(value, str) else tuple(value) for act, value in found.items() if value}
