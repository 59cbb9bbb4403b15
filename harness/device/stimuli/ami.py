"""``kind = "ami"``: Asterisk originates calls, requested over its manager interface."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from harness.device.control import ControlPort
from harness.device.stimuli.base import Act, Stimulus, StimulusContext, shown
from harness.device.stimuli.originator import Originator
from harness.device.stimuli.templates import TemplatedSection
from harness.device.tables.profile_tables import ProfileTables
from harness.device.tables.values import Filled, Line, Seconds
from harness.errors import DeviceError


class AmiStimulus(TemplatedSection):
    """Action: Originate, and Hangup for a call that it placed."""

    kind: Literal["ami"]
    control: Filled
    """The manager port, IPv4:port (Asterisk's default is 5038)."""
    username: Line
    """The section of ``manager.conf``."""
    secret: Line
    """Preferably ``{secret:NAME}``."""
    channel: Line
    """The channel to originate, ``PJSIP/{user}@sipverdict``: technology, number and endpoint."""
    application: Line | None = None
    """The application of the calling side when the call is answered: ``Wait``; or ``context`` instead."""
    data: Line | None = None
    """The argument of ``application``."""
    context: Line | None = None
    """The place in the dial plan where the calling side continues; with ``exten`` and ``priority``."""
    exten: Line = "s"
    priority: Annotated[int, Field(ge=1)] = 1
    caller_id: Line | None = None
    ring_s: Seconds = 180.0
    """Seconds that Asterisk lets a call ring: longer than any plan does."""
    timeout_s: Seconds = 5.0

    has_control: ClassVar[bool] = True

    @property
    def acts(self) -> frozenset[str]:
        """The acts of Asterisk on a call that it originated."""
        return frozenset({"call", "hangup"})

    def texts(self, act: str) -> tuple[str, ...]:
        """The templates of an Originate."""
        given = (self.channel, self.application, self.data, self.context, self.exten, self.caller_id)
        return tuple(filter(None, given)) if act == "call" else ()

    def contradictions(self, profile: ProfileTables) -> Iterator[tuple[str, str]]:
        """Those of every kind; ``application`` and ``context`` both or neither."""
        yield from super().contradictions(profile)
        if (self.application is None) == (self.context is None):
            yield "stimulus.application", 'expected either application (and data), as in "Wait", or context'

    def make(self, context: StimulusContext) -> Stimulus:
        """A manager session.  The connection is not open yet."""
        return Ami(self, context)


class Ami(Originator):
    """A manager session."""

    def __init__(self, section: AmiStimulus, context: StimulusContext) -> None:
        self._section = section
        super().__init__(section, context, section.control, "ami", "manager interface")

    async def _log_in(self, port: ControlPort) -> None:
        section = self._section
        user, secret = self.context.fill(section.username), self.context.fill(section.secret)
        message, reply = _action("Login", Username=user, Secret=secret, Events="off")
        said = await port.exchange(message, reply)
        if not _succeeded(said):
            raise DeviceError(
                f"{self.device} refused the login on its manager interface {port.address}: {_message(said)}",
                "check stimulus.username and stimulus.secret against manager.conf, and its permit= lines",
            )

    async def _originate(self, uri: str) -> str:
        section, channel = self._section, f"sipverdict-{secrets.token_hex(6)}"
        where = {
            "Application": section.application and self._fill(section.application, uri),
            "Data": section.data and self._fill(section.data, uri),
            "Context": section.context and self._fill(section.context, uri),
            "Exten": section.context and self._fill(section.exten, uri),
            "Priority": section.context and str(section.priority),
            "CallerID": section.caller_id and self._fill(section.caller_id, uri),
        }
        await self._ask(
            "call",
            uri,
            "Originate",
            Channel=self._fill(section.channel, uri),
            Async="true",  # else the session is blocked until the call is answered
            ChannelId=channel,
            Timeout=str(round(section.ring_s * 1000)),
            **{name: value for name, value in where.items() if value},
        )
        return channel

    async def _hang_up(self, uri: str, call: str) -> None:
        # Asterisk finds a channel by its unique id as well, and that is the ChannelId.
        await self._ask("hangup", uri, "Hangup", Channel=call)

    async def _ask(self, act: Act, uri: str, action: str, **headers: str) -> None:
        message, reply = _action(action, **headers)
        async with self._port.exclusive():
            said = await self._port.ask(message, reply, self._section.timeout_s)
        if not _succeeded(said):
            raise DeviceError(
                f"{self.device} refused to {act} {uri}: {_message(said)}",
                "see stimulus.channel of its profile, the rights of the manager user (write = originate,call), "
                "and the console (asterisk -rvvv)",
            )


def _action(action: str, **headers: str) -> tuple[str, str]:
    """A manager action, and the regular expression of its response."""
    number = secrets.token_hex(6)
    lines = [f"Action: {action}", f"ActionID: {number}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines), rf"(?mi)^ActionID: *{number}\s*$"


def _succeeded(said: str) -> bool:
    return re.search(r"(?mi)^Response: *Success\s*$", said) is not None


def _message(said: str) -> str:
    found = re.search(r"(?mi)^Message: *(.*)$", said)
    return shown(found[1] if found else said)
