"""``kind = "stdin"``: a line on the standard input of the process that the suite started."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from harness.device.stimuli.base import Act, Stimulus, StimulusContext
from harness.device.stimuli.templates import Templated, TemplatedSection
from harness.device.tables.profile_tables import ProfileTables
from harness.device.tables.values import Line
from harness.errors import ProfileError


class StdinStimulus(TemplatedSection):
    """A line on the device's standard input."""

    kind: Literal["stdin"]
    call: Line | None = None
    hangup: Line | None = None
    reinvite: Line | None = None
    answer: Line | None = None
    reject: Line | None = None

    def contradictions(self, profile: ProfileTables) -> Iterator[tuple[str, str]]:
        """Those of every kind; no process."""
        yield from super().contradictions(profile)
        if profile.process is None:
            yield "stimulus.kind", 'kind = "stdin" needs a [process] whose standard input the suite has'

    def make(self, context: StimulusContext) -> Stimulus:
        """Lines to the process of ``context``."""
        return Stdin(self, context)


class Stdin(Templated):
    """Writes lines to the process."""

    name = "stdin"

    def __init__(self, section: StdinStimulus, context: StimulusContext) -> None:
        super().__init__(section, context)
        if context.process is None:
            raise ProfileError('kind = "stdin" needs a [process] whose standard input the suite has')
        self._process = context.process

    async def _say(self, act: Act, template: tuple[str, ...], uri: str) -> None:
        for line in template:
            await self._process.write_line(self._fill(line, uri))
