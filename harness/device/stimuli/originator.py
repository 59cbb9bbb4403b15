"""A PBX that originates calls, requested over a control port: the part that all such ports share."""

from __future__ import annotations

from abc import abstractmethod

from harness.device.control import ControlPort, Framing
from harness.device.stimuli.base import Act, StimulusContext
from harness.device.stimuli.templates import Templated, TemplatedSection
from harness.errors import DeviceError


class Originator(Templated):
    """Logs in when it is first needed, without events, and keeps the id of each call."""

    def __init__(
        self, section: TemplatedSection, context: StimulusContext, control: str, framing: Framing, named: str
    ) -> None:
        """``control``: the profile's address of the port; ``named``: what the port is called in messages."""
        super().__init__(section, context)
        self._port = ControlPort(context.device, context.control(control), framing, self._log_in)
        self.name = f"its {named} {self._port.address}"
        self._ids: dict[str, str] = {}

    async def probe(self, deadline: float) -> None:
        """Log in."""
        await self._port.answers(deadline)

    async def close(self) -> None:
        """Close the connection."""
        await self._port.close()

    async def _say(self, act: Act, template: tuple[str, ...], uri: str) -> None:
        if act == "call":
            self._ids[uri] = await self._originate(uri)
        elif uri in self._ids:
            await self._hang_up(uri, self._ids[uri])
        else:
            raise DeviceError(f"{self.device} has no call to {uri} to {act}", "this is a bug in sipverdict")

    @abstractmethod
    async def _log_in(self, port: ControlPort) -> None:
        """Log in on a connection that has just been opened; DeviceError if the login is refused."""

    @abstractmethod
    async def _originate(self, uri: str) -> str:
        """Originate a call to ``uri`` and return the PBX's id of it; DeviceError if the PBX refuses."""

    @abstractmethod
    async def _hang_up(self, uri: str, call: str) -> None:
        """End the call of this id, to ``uri``."""
