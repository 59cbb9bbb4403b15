"""The lines to the devices of a run, where packets get lost on them: measured once, said once, kept in the flows."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from harness.drive.station import Station
from harness.live.progress import Progress
from harness.model.flow import Control, Flow
from harness.model.line import Line


@dataclass
class Lines:
    """What was measured, and the flows that were driven on a line that loses packets."""

    on_flow: Callable[[Flow], None]
    """Stores a flow."""
    progress: Progress
    conditions: list[str]
    """Gets a sentence for each line that is worth one."""
    _flows: dict[str, Line] = field(default_factory=dict)

    async def line(self, station: Station) -> Line | None:
        """The line to the device of ``station`` if packets get lost on it."""
        line = await station.line()
        sentence = ""
        if line is not None:
            sentence = f"{station.spec.name}: {line.sentence}: what it may have done is asked again"
        elif station.line_unknown:
            why = "the device answers no OPTIONS: make sure that the line loses nothing (docs/reliability.md)"
            sentence = f"{station.spec.name}: the line could not be measured, because {why}"
        if sentence and sentence not in self.conditions:
            self.conditions.append(sentence)
            self.progress.news.append(f"LINE  {sentence}")
        return line

    def on(self, line: Line, flow: Flow, controls: Mapping[str, tuple[Control, ...]]) -> Flow:
        """``flow`` with the ``line`` that it was driven on, stored so: it is judged again by what it holds.

        ``controls``: those that were added to a flow meanwhile, by its id.
        """
        if flow.line is None and flow.id not in self._flows:
            self._flows[flow.id] = line
            self.on_flow(dataclasses.replace(flow, line=line, controls=controls.get(flow.id, flow.controls)))
        return dataclasses.replace(flow, line=line)

    def of(self, flow: Flow) -> Line | None:
        """The line that ``flow`` was stored with."""
        return self._flows.get(flow.id, flow.line)
