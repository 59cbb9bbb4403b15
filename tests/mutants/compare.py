"""Whether two devices have the same wire: the flows of one against the flows of the other, plan by plan.

Other messages are a difference at once, if they are seen in several plans.  What a busy machine can bring about by
itself (one plan alone, another order, more copies, other times) is one only if further runs show it as well.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from harness.model.flow import Flow
from tests.mutants.wire import Form, Line, form_of, plan_of

Kind = Literal["messages", "order", "copies", "times"]
Forms = Mapping[str, Sequence[Form]]
"""The forms of all drives of a plan, by plan."""
CERTAIN: Final = 3
"""In so many plans other messages are no accident."""
_SLACK_S: Final = 1.0
_SLACK: Final = 0.2
"""What a time may differ by on a machine that is busy with many runs: this much, and this part of it.

What is repeated too early or too late shows in its copies."""


@dataclass(frozen=True)
class Difference:
    """Something in one plan that the other device did not do."""

    plan: str
    kind: Kind
    flow: str
    """The id of the flow that shows it."""
    seat: str
    number: int
    """The number of the message in the flow; 0 for one that did not come."""
    text: str
    """The lines that differ, for people."""
    message: str
    """The message, normalised."""

    @property
    def what(self) -> tuple[str, str, str, str]:
        """What two runs have in common that show the same."""
        return self.plan, self.kind, self.seat, self.message


def forms_of(flows: Iterable[Flow]) -> dict[str, list[Form]]:
    """The forms of ``flows``, by plan."""
    forms: dict[str, list[Form]] = {}
    for flow in flows:
        forms.setdefault(plan_of(flow), []).append(form_of(flow))
    return forms


def differences(changed: Forms, unchanged: Forms) -> list[Difference]:
    """What the first drive of each plan shows on the changed device, and no drive on the unchanged one."""
    return [
        difference
        for plan, forms in changed.items()
        if plan in unchanged
        for difference in _of_plan(plan, forms[0], unchanged[plan])
    ]


def plans_in(found: Iterable[Difference]) -> int:
    """In how many plans something differs."""
    return len({difference.plan for difference in found})


def certain(found: Sequence[Difference]) -> bool:
    """Whether one run is enough to tell: other messages in several plans."""
    return plans_in(difference for difference in found if difference.kind == "messages") >= CERTAIN


def repeated(found: Sequence[Difference], again: Sequence[Difference]) -> list[Difference]:
    """Those that another run shows as well, of the same message in the same plan."""
    seen = {difference.what for difference in again}
    return [difference for difference in found if difference.what in seen]


def _of_plan(plan: str, form: Form, others: Sequence[Form]) -> Iterator[Difference]:
    like = [other for other in others if other.messages == form.messages]
    if not like:
        yield _other_messages(plan, form, others[0])
        return
    yield from _other_order(plan, form, like)
    yield from _other_copies(plan, form, like)
    yield from _other_times(plan, form, like)


def _other_messages(plan: str, form: Form, other: Form) -> Difference:
    for seat in sorted({*form.seats, *other.seats}):
        here, there = form.seats.get(seat, ()), other.seats.get(seat, ())
        known, texts = {line.text for line in there}, {line.text for line in here}
        added = next((line for line in here if line.text not in known), None)
        missing = next((line for line in there if line.text not in texts), None)
        if added or missing:
            message = added or missing
            assert message is not None
            number = added.number if added else 0
            return Difference(plan, "messages", form.flow, seat, number, _told(missing, added), message.text)
    raise AssertionError("forms with equal messages")


def _told(missing: Line | None, added: Line | None) -> str:
    """The lines that make the difference; the start line goes along, so that the message is known."""
    if missing is None or added is None:
        there, line = ("+", added) if added else ("-", missing)
        assert line is not None
        return f"{there} {line.text.splitlines()[0] if line.text else '(empty)'}  (whole message)"
    lines = [
        line.rstrip() for line in difflib.ndiff(missing.text.splitlines(), added.text.splitlines()) if line[:1] in "+-"
    ]
    return "\n".join([f"  {added.text.splitlines()[0]}" if added.text else "  (empty)", *lines[:8]])


def _other_order(plan: str, form: Form, others: Sequence[Form]) -> Iterator[Difference]:
    for (seat, exchange), lines in _exchanges(form).items():
        orders = [_exchanges(other).get((seat, exchange), []) for other in others]
        if not any([line.text for line in lines] == [line.text for line in order] for order in orders):
            first = next(line for line, other in zip(lines, orders[0], strict=True) if line.text != other.text)
            text = f"comes earlier: {_start(first)}"
            yield Difference(plan, "order", form.flow, seat, first.number, text, first.text)


def _exchanges(form: Form) -> dict[tuple[str, tuple[str, ...]], list[Line]]:
    """The lines at each endpoint that belong to one exchange, in their order."""
    exchanges: dict[tuple[str, tuple[str, ...]], list[Line]] = {}
    for seat, line in _lines(form):
        exchanges.setdefault((seat, line.exchange), []).append(line)
    return exchanges


def _other_copies(plan: str, form: Form, others: Sequence[Form]) -> Iterator[Difference]:
    for seat, line in _lines(form):
        there = [same for other in others if (same := _same(other, seat, line))]
        counts = [len(same.times) for same in there]
        # One copy less: what the unchanged device repeated just before the answer to it came.  One more: this time the
        # answer was late.  A response comes as often as it is asked for, and that is the suite's doing.
        asked_more = max(0, line.asked_again - min(same.asked_again for same in there))
        if not max(1, min(counts) - 1) <= len(line.times) <= max(counts) + min(1, line.awaited) + asked_more:
            text = f"comes {len(line.times)} times, not {min(counts)}: {_start(line)}"
            yield Difference(plan, "copies", form.flow, seat, line.number, text, line.text)


def _other_times(plan: str, form: Form, others: Sequence[Form]) -> Iterator[Difference]:
    for seat, line in _lines(form):
        there = [same.times for other in others if (same := _same(other, seat, line))]
        for at, time in enumerate(line.times):
            times = [one[at] for one in there if at < len(one)]
            if times and not min(times) - _slack(min(times)) <= time <= max(times) + _slack(max(times)):
                text = f"comes after {time:.2f} s, not {min(times):.2f} s: {_start(line)}"
                yield Difference(plan, "times", form.flow, seat, line.number, text, line.text)
                break


def _lines(form: Form) -> list[tuple[str, Line]]:
    return [(seat, line) for seat, lines in form.seats.items() for line in lines]


def _same(other: Form, seat: str, line: Line) -> Line | None:
    return next((one for one in other.seats.get(seat, ()) if one.text == line.text), None)


def _slack(time: float) -> float:
    return _SLACK_S + _SLACK * abs(time)


def _start(line: Line) -> str:
    return line.text.splitlines()[0] if line.text else "(empty)"
