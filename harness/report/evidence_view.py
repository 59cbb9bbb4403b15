"""The evidence of a verdict as a page shows it: ladders with the decisive message, and the messages themselves.

Flows may come from a stranger.  Nothing in them may break a page: a flow that cannot be drawn is named instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from harness.errors import EvidenceError
from harness.judge.account.replay import account
from harness.model.flow import Event, Flow
from harness.report.ladder import svg_ladder
from harness.store.stored_run import StoredRun
from harness.store.verdict_lines import RequirementLine, VerdictLine

LADDER_ROWS = 60
MESSAGES = 40
MESSAGE_CHARACTERS = 2000
BUDGET = 3_500_000
"""Characters of all ladders and messages of a page together.  A page stays below 5 MB."""
SHOWN = 3
"""Ladders of one case.  A purpose has up to eleven plans."""


@dataclass(frozen=True)
class Message:
    """A message of a flow."""

    label: str
    from_device: bool
    text: str
    cause: str = ""
    """Why the device sent it."""


@dataclass(frozen=True)
class Evidence:
    """One flow in one case."""

    flow: str
    anchor: str = ""
    """The anchor of its ladder in the page; all cases that show this picture share it."""
    title: str = ""
    svg: Markup | None = None
    """None if the page shows it elsewhere (``repeated``) or has no room for it."""
    repeated: bool = False
    decisive: Message | None = None
    messages: tuple[Message, ...] = ()
    left_out: int = 0
    error: str = ""


@dataclass
class EvidenceRoom:
    """Draws the flows of a run, each picture once, until the page is full."""

    run: StoredRun
    room: int = BUDGET
    _drawn: dict[tuple[str, int | None], Evidence] = field(default_factory=dict)
    _first: dict[str, Evidence] = field(default_factory=dict)
    """The first picture of each flow."""
    _flows: dict[str, Flow | EvidenceError] = field(default_factory=dict)

    def of(self, record: VerdictLine, findings: Sequence[RequirementLine]) -> tuple[list[Evidence], list[str]]:
        """The evidence to show for ``record``, and the ids of the flows that are named without a picture.

        ``findings`` are its requirements that did not pass, worst first.
        """
        flows = list(dict.fromkeys(record.flows))
        marks: dict[str, int | None] = {}
        for finding in findings:
            if (found := self._decisive(finding, flows)) is not None:
                marks.setdefault(*found)
        shown = list(marks) or flows
        # "Not repeatable" is about two drives.  Every other finding is about the first one.
        return [self._show(flow, marks.get(flow)) for flow in shown[:SHOWN]], [
            flow for flow in flows if flow not in shown[:SHOWN]
        ]

    def shown(self, name: str) -> Evidence | None:
        """The picture of a flow that the page shows already, with whatever message marked."""
        return self._first.get(name)

    def show(self, name: str) -> Evidence:
        """The picture of a flow without a marked message."""
        return self._show(name, None)

    def flows(self, names: Iterable[str]) -> list[Flow]:
        """The flows of these ids that can be read."""
        return [flow for name in names if isinstance(flow := self._flow(name), Flow)]

    def _decisive(self, finding: RequirementLine, flows: Sequence[str]) -> tuple[str, int] | None:
        """The flow and the number of the message that ``finding`` names, if the finding identifies the flow."""
        number = finding.message
        if number is None:
            return None
        if finding.flow in flows:
            return finding.flow, number
        found = [(name, flow) for name in flows if _has(flow := self._flow(name), number, finding.where)]
        if not _one_plan(found):
            # A dialled number is unique to its drive, so a finding that quotes it identifies the flow.
            found = [
                (name, flow) for name, flow in found if isinstance(flow, Flow) and flow.places.token in finding.actual
            ]
        # Flows of one plan are a fail and its confirmation: the finding is the first one's.
        return (found[0][0], number) if found and _one_plan(found) else None

    def _flow(self, name: str) -> Flow | EvidenceError:
        if name not in self._flows:
            try:
                self._flows[name] = self.run.flow(name)
            except EvidenceError as error:
                self._flows[name] = error
        return self._flows[name]

    def _show(self, name: str, mark: int | None) -> Evidence:
        if known := self._drawn.get((name, mark)):
            return Evidence(name, known.anchor, known.title, None, True, known.decisive, error=known.error)
        flow = self._flow(name)
        made = Evidence(name, error=flow.cause) if isinstance(flow, EvidenceError) else self._drawn_now(flow, mark)
        self._drawn[name, mark] = made
        self._first.setdefault(name, made)
        return made

    def _drawn_now(self, flow: Flow, mark: int | None) -> Evidence:
        anchor = f"flow-{flow.id}" + (f"-{mark}" if mark is not None else "")
        try:
            title = flow.plan.title
            events = (*flow.events, *flow.late)
            decisive = next((_message(event, flow) for event in events if event.number == mark), None)
            cost = sum(min(len(event.raw), MESSAGE_CHARACTERS) for event in events[:MESSAGES])
            svg = svg_ladder(flow, mark, LADDER_ROWS, embedded=True, tips=False) if cost < self.room else ""
            messages = tuple(_message(event, flow) for event in events[:MESSAGES]) if svg else ()
        except Exception as error:  # a stranger's file must not break the page
            return Evidence(flow.id, anchor, error=f"{type(error).__name__}: {error}")
        if not svg or len(svg) + cost > self.room:
            return Evidence(flow.id, anchor, title, decisive=decisive)
        self.room -= len(svg) + cost
        # The ladder escapes every text itself.
        return Evidence(flow.id, anchor, title, Markup(svg), False, decisive, messages, max(len(events) - MESSAGES, 0))


def _has(flow: Flow | EvidenceError, number: int, where: str) -> bool:
    """Whether ``flow`` has the message ``number`` where the finding saw it."""
    events = (*flow.events, *flow.late) if isinstance(flow, Flow) else ()
    return any(event.number == number and where in ("", event.label) for event in events)


def _one_plan(found: Sequence[tuple[str, Flow | EvidenceError]]) -> bool:
    plans = [flow.plan for _, flow in found if isinstance(flow, Flow)]
    return all(plan == plans[0] for plan in plans)


def _message(event: Event, flow: Flow) -> Message:
    return Message(event.label, event.from_device, event.text, account(flow).phrase(event.number))
