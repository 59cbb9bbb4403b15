"""``kind = "esl"``: FreeSWITCH originates calls, requested over its event socket."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from harness.device.control import ControlPort
from harness.device.stimuli.base import Act, Stimulus, StimulusContext, shown
from harness.device.stimuli.originator import Originator
from harness.device.stimuli.templates import TemplatedSection
from harness.device.tables.profile_tables import ProfileTables
from harness.device.tables.values import Filled, Line, Seconds
from harness.errors import DeviceError

_SEPARATORS = re.compile(r"[,|'\"{}\[\]<>^\\`$&()]")
_REPLY = r"(?mi)^Content-Type: *(command/reply|text/disconnect-notice|text/rude-rejection)"


class EslStimulus(TemplatedSection):
    """``bgapi originate``, and ``uuid_kill`` for a call that it placed."""

    kind: Literal["esl"]
    control: Filled
    """The event socket, IPv4:port (FreeSWITCH's default is 8021)."""
    password: Line
    """Preferably ``{secret:NAME}``."""
    dial: Line
    """The dial string: ``sofia/external/{uri}``, ``sofia/gateway/sipverdict/{user}``."""
    then: Line = "&park()"
    """The application, or extension of the dial plan, of the calling side when the call is answered."""
    variables: dict[str, Line] = Field(default_factory=dict)
    """Channel variables (``origination_caller_id_number``)."""
    ring_s: Seconds = 180.0
    """Seconds that FreeSWITCH lets a call ring: longer than any plan does."""
    timeout_s: Seconds = 5.0

    has_control: ClassVar[bool] = True

    @property
    def acts(self) -> frozenset[str]:
        """The acts of FreeSWITCH on a call that it originated."""
        return frozenset({"call", "hangup"})

    def texts(self, act: str) -> tuple[str, ...]:
        """The templates of an originate."""
        return (self.dial, self.then, *self.variables.values()) if act == "call" else ()

    def contradictions(self, profile: ProfileTables) -> Iterator[tuple[str, str]]:
        """Those of every kind; blanks and separators that FreeSWITCH would misread."""
        yield from super().contradictions(profile)
        if " " in self.dial:
            yield "stimulus.dial", "expected one word: FreeSWITCH reads the text after a blank as the next argument"
        for name, value in self.variables.items():
            if not re.fullmatch(r"\w+", name) or re.search(
                r"[,'{}\s]", value.replace("{uri}", "").replace("{user}", "")
            ):
                yield f"stimulus.variables.{name}", "expected a name of letters, and a value without , ' { } and blanks"

    def make(self, context: StimulusContext) -> Stimulus:
        """An event socket.  The connection is not open yet."""
        return Esl(self, context)


class Esl(Originator):
    """An event socket."""

    def __init__(self, section: EslStimulus, context: StimulusContext) -> None:
        self._section = section
        super().__init__(section, context, section.control, "esl", "event socket")

    async def _log_in(self, port: ControlPort) -> None:
        asked = await port.exchange(None, r"(?mi)^Content-Type: *(auth/request|text/rude-rejection)")
        said = asked
        if "auth/request" in asked:
            said = await port.exchange(f"auth {self.context.fill(self._section.password)}", _REPLY)
        if not re.search(r"(?mi)^Reply-Text: *\+OK", said):
            raise DeviceError(
                f"{self.device} refused the login on its event socket {port.address}: {_reply(said)}",
                "check stimulus.password, and listen-ip and apply-inbound-acl in event_socket.conf.xml",
            )

    async def _originate(self, uri: str) -> str:
        section, number = self._section, str(uuid.uuid4())
        if wrong := _SEPARATORS.search(uri):
            raise DeviceError(
                f"{self.device} cannot be asked to call {uri}: FreeSWITCH would misread its {wrong[0]!r}",
                "such a URI can only be called in another way",
            )
        variables = {
            "origination_uuid": number,
            "originate_timeout": str(round(section.ring_s)),
            **{name: self._fill(value, uri) for name, value in section.variables.items()},
        }
        written = ",".join(f"{name}={value}" for name, value in variables.items())
        dial, then = self._fill(section.dial, uri), self._fill(section.then, uri)
        said = await self._ask(f"bgapi originate {{{written}}}{dial} {then}", _REPLY)
        self._check("call", uri, _reply(said), accepted="+OK" in said)
        return number

    async def _hang_up(self, uri: str, call: str) -> None:
        said = await self._ask(f"api uuid_kill {call}", r"(?mi)^Content-Type: *(api/response|text/dis)")
        body = said.partition("\n\n")[2]
        self._check("hangup", uri, shown(body), accepted=body.startswith("+OK"))

    async def _ask(self, message: str, reply: str) -> str:
        async with self._port.exclusive():
            return await self._port.ask(message, reply, self._section.timeout_s)

    def _check(self, act: Act, uri: str, said: str, *, accepted: bool) -> None:
        if not accepted:
            raise DeviceError(
                f"{self.device} refused to {act} {uri}: {said}",
                "see stimulus.dial of its profile, and the console (fs_cli)",
            )


def _reply(said: str) -> str:
    found = re.search(r"(?mi)^Reply-Text: *(.*)$", said)
    return shown(found[1] if found else said)
