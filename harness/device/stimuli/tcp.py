"""``kind = "tcp"``: messages to the device's control port, over one connection that stays open."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from harness.device.control import ControlPort
from harness.device.stimuli.base import Act, Stimulus, StimulusContext, shown
from harness.device.stimuli.patterns import found_by, id_regex, regex
from harness.device.stimuli.templates import ESCAPES, Templated, TemplatedSection
from harness.device.tables.placeholders import fill, names_in
from harness.device.tables.profile_tables import ProfileTables
from harness.device.tables.values import Filled, Line, Seconds
from harness.errors import DeviceError

Lines = Line | Annotated[tuple[Line, ...], Field(strict=False, min_length=1)]


class TcpStimulus(TemplatedSection):
    """Messages to a control port, one at a time.  Each is answered before the next one is sent."""

    kind: Literal["tcp"]
    control: Filled
    """The control port, IPv4:port."""
    framing: Literal["line", "netstring"] = "line"
    escape: Literal["none", "json"] = "none"
    """How ``{uri}`` is escaped: not at all, or for a JSON string."""
    call: Lines | None = None
    hangup: Lines | None = None
    reinvite: Lines | None = None
    answer: Lines | None = None
    reject: Lines | None = None
    login: Lines | None = None
    """The first messages after the connection was opened.  A reply is awaited to each."""
    probe: Line | None = None
    """The message that ``ready.control`` sends and expects a reply to.  Absent: a connection is enough."""
    reply: Annotated[Line, AfterValidator(regex)] | None = None
    """A regular expression that matches replies and none of the port's other messages.  Absent: no reply is awaited."""
    refused: Annotated[Line, AfterValidator(regex)] | None = None
    """A regular expression for a reply that means refusal."""
    find: Line | None = None
    """The message that requests the list of calls, before ``hangup`` and ``reinvite``."""
    id_pattern: Annotated[str, AfterValidator(id_regex)] | None = None
    """Finds ``{id}`` for ``hangup`` and ``reinvite`` in the reply to ``find`` or, without one, in that to ``call``.

    It may hold ``{uri}``, the called URI.
    """
    timeout_s: Seconds = 5.0

    has_control: ClassVar[bool] = True

    def names(self, act: str) -> frozenset[str]:
        """``{id}`` as well, if it can be found."""
        has_id = act not in ("call", "login") and self.id_pattern and (self.find or act in ("hangup", "reinvite"))
        return super().names(act) | (frozenset({"id"}) if has_id else frozenset())

    def contradictions(self, profile: ProfileTables) -> Iterator[tuple[str, str]]:
        """Those of every kind; keys that read a reply, without ``reply``."""
        yield from super().contradictions(profile)
        if self.refused and not self.reply:
            yield "stimulus.refused", "expected stimulus.reply beside it: without it no reply is awaited"
        if self.find and not self.id_pattern:
            yield "stimulus.find", "expected stimulus.id_pattern beside it: what to look for in its reply"
        if self.id_pattern and not self.reply:
            yield "stimulus.id_pattern", "expected stimulus.reply beside it: without it no reply is awaited"

    def make(self, context: StimulusContext) -> Stimulus:
        """Messages to the port.  The connection is not open yet."""
        return Tcp(self, context)


class Tcp(Templated):
    """Sends messages to the control port."""

    def __init__(self, section: TcpStimulus, context: StimulusContext) -> None:
        super().__init__(section, context)
        hello = self._log_in if section.login else None
        self._port = ControlPort(context.device, context.control(section.control), section.framing, hello)
        self.name = f"its control port {self._port.address}"
        self._section = section
        self._ids: dict[str, str] = {}
        self._said = ""

    async def probe(self, deadline: float) -> None:
        """Connect, and send the probe of the profile."""
        await self._port.answers(deadline)
        if self._section.probe:
            await self._port.ask(self._section.probe, self._section.reply or ".", deadline)

    def remark(self) -> str:
        """Its last reply."""
        return f"its control port said: {shown(self._said)}" if self._said else ""

    async def close(self) -> None:
        """Close the connection."""
        await self._port.close()

    async def _log_in(self, port: ControlPort) -> None:
        for line in self._section.texts("login"):
            reply = await port.exchange(self._fill(line, "", ESCAPES[self._section.escape]), self._section.reply)
            if self._section.refused and re.search(self._section.refused, reply):
                raise DeviceError(
                    f"{self.device} refused the login on its control port {port.address}: {shown(reply)}",
                    "see stimulus.login of its profile, and the secrets in it",
                )

    async def _say(self, act: Act, template: tuple[str, ...], uri: str) -> None:
        more: dict[str, str] = {}
        async with self._port.exclusive():
            if any("id" in names_in(message) for message in template):
                more["id"] = await self._id(act, uri)
            for message in template:
                reply = self._said = await self._ask(self._fill(message, uri, ESCAPES[self._section.escape], **more))
                if self._section.refused and re.search(self._section.refused, reply):
                    raise DeviceError(
                        f"{self.device} refused to {act} {uri}: {shown(reply)}",
                        f"see stimulus.{act} of its profile, and whether the device carries so many calls",
                    )
                if act == "call" and not self._section.find and (found := self._found(reply, uri)):
                    self._ids[uri] = found

    async def _id(self, act: str, uri: str) -> str:
        reply = await self._ask(self._section.find) if self._section.find else ""
        found = self._found(reply, uri) or self._ids.get(uri)
        if found is None:
            said = f" (it says: {shown(reply)})" if reply else ""
            raise DeviceError(
                f"{self.device} could not be asked to {act}: it has no call to {uri}{said}",
                "the call ended before, or stimulus.id_pattern of its profile does not match",
            )
        return found

    async def _ask(self, message: str) -> str:
        return await self._port.ask(message, self._section.reply, self._section.timeout_s)

    def _found(self, reply: str, uri: str) -> str | None:
        pattern = fill(self._section.id_pattern or "(?!)", {"uri": re.escape(ESCAPES[self._section.escape](uri))})
        return found_by(pattern, reply)
