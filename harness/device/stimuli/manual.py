"""``kind = "manual"``: a person acts on request, and the run continues when the call has arrived."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from harness.device.stimuli.base import Act, Stimulus, StimulusContext
from harness.device.stimuli.templates import Templated, TemplatedSection
from harness.device.tables.values import Line
from harness.errors import DeviceError

_DONE: Final = {
    "call": "the call has arrived, thank you",
    "hangup": "the call has ended, thank you",
    "reinvite": "the change has arrived, thank you",
    "answer": "the call has been answered, thank you",
    "reject": "the call has been declined, thank you",
}


class ManualStimulus(TemplatedSection):
    """A person at the phone, who does one thing at a time regardless of ``device.max_calls``."""

    kind: Literal["manual"]
    phone: Line
    """The phone, as the person knows it: ``the white desk phone, line 2``."""
    call: Line = "{user}"
    """The text to dial: ``{user}``, or ``{uri}`` on a phone that accepts a URI."""
    hangup: Line | None = "hang up"
    """The instruction to end a call or to give it up; the following keys likewise."""
    reinvite: Line | None = None
    answer: Line | None = None
    reject: Line | None = None
    reaction_s: Annotated[float, Field(gt=0, le=3600)] = 60.0
    """Seconds that a person has for each request."""

    by_hand: ClassVar[bool] = True

    def make(self, context: StimulusContext) -> Stimulus:
        """Requests to the person of ``context``."""
        return Manual(self, context)


class Manual(Templated):
    """Asks the person, and reports the result."""

    def __init__(self, section: ManualStimulus, context: StimulusContext) -> None:
        super().__init__(section, context)
        self.name = f"a person at {section.phone}"
        self._section = section
        self._asked: Act | None = None

    async def settled(self, came: bool) -> None:
        """Tell the person, and let others ask."""
        if self._asked is None:
            return
        act, self._asked = self._asked, None
        self.context.person.done(_DONE[act] if came else "not waited for any longer")
        self.context.person.turn.release()

    async def close(self) -> None:
        """Ask no longer."""
        await self.settled(came=False)

    async def _say(self, act: Act, template: tuple[str, ...], uri: str) -> None:
        person = self.context.person
        if not person.attended:
            raise DeviceError(
                f"cannot ask a person to {act} at {self._section.phone}: this run has no terminal output",
                "run it without -n (pytest-xdist) and with pytest's own terminal output",
            )
        await person.turn.acquire()
        self._asked = act
        what = self._fill(template[0], uri)
        details = (uri,) if act == "call" and what != uri else ()
        person.ask(what, self._section.reaction_s, self._section.phone, details, is_call=act == "call")
