"""The mutation report: how many mutants the suite noticed, by operator, and what it did not notice."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from tests.mutants.trial import UNDECIDED, Outcome, Result

_NOT_COUNTED: Final[tuple[Outcome, ...]] = ("equivalent", "unusable", "not executed")
_LAWFUL: Final[tuple[Outcome, ...]] = ("lawful", "false alarm")
_CAUGHT: Final[tuple[Outcome, ...]] = ("caught", "warned")


@dataclass(frozen=True)
class Score:
    """C / (N - L): of the mutants that do wrong, how many a case failed or warned for."""

    caught: int
    lawful: int
    counted: int
    """All whose wire differs from that of the unchanged device."""

    @classmethod
    def of(cls, results: Iterable[Result]) -> Score:
        """The score of ``results``."""
        outcomes = Counter(result.outcome for result in results)
        return cls(
            sum(outcomes[one] for one in _CAUGHT),
            sum(outcomes[one] for one in _LAWFUL),
            sum(number for one, number in outcomes.items() if one not in _NOT_COUNTED),
        )

    @property
    def share(self) -> float | None:
        """From 0 to 1; None if there is nothing to catch."""
        wrong = self.counted - self.lawful
        return self.caught / wrong if wrong else None

    def __str__(self) -> str:
        share = "no mutant to catch" if self.share is None else f"{self.share:.0%}"
        return f"{share}  ({self.caught} caught of {self.counted - self.lawful} that do wrong)"


def write(results: Sequence[Result], folder: Path, about: Mapping[str, object]) -> Score:
    """Write ``report.json`` and ``report.txt`` into ``folder``."""
    score = Score.of(results)
    stored: dict[str, Any] = {
        **about,
        "score": score.share,
        "caught": score.caught,
        "lawful": score.lawful,
        "counted": score.counted,
        "outcomes": Counter(result.outcome for result in results),
        "operators": {name: Counter(one.outcome for one in some) for name, some in _by_operator(results).items()},
        "mutants": [asdict(result) for result in results],
    }
    (folder / "report.json").write_text(json.dumps(stored, indent=1) + "\n", "utf-8")
    (folder / "report.txt").write_text("\n".join(_lines(results, score, about)) + "\n", "utf-8")
    return score


def _by_operator(results: Iterable[Result]) -> dict[str, list[Result]]:
    groups: dict[str, list[Result]] = {}
    for result in sorted(results, key=lambda result: result.operator):
        groups.setdefault(result.operator, []).append(result)
    return groups


def _lines(results: Sequence[Result], score: Score, about: Mapping[str, object]) -> Iterator[str]:
    yield f"Mutation score: {score}"
    yield ", ".join(f"{name} {value}" for name, value in about.items())
    yield ""
    yield "  ".join(f"{number} {outcome}" for outcome, number in Counter(r.outcome for r in results).most_common())
    yield ""
    yield f"{'operator':18} {'mutants':>7} {'caught':>7} {'warned':>7} {'missed':>7} {'lawful':>7} {'equal':>7}"
    for name, some in _by_operator(results).items():
        count = Counter(one.outcome for one in some)
        missed, lawful = (sum(count[one] for one in group) for group in (UNDECIDED, _LAWFUL))
        numbers = (len(some), count["caught"], count["warned"], missed, lawful, count["equivalent"])
        yield f"{name:18} " + " ".join(f"{number:7}" for number in numbers)
    for title, outcome, with_difference in (
        ("Gaps: the wire differs, and every case passed", "gap", True),
        ("Inconclusive: not caught either", "inconclusive", True),
        ("False alarms: lawful, and a case failed", "false alarm", True),
        ("Lawful", "lawful", True),
        ("Caught", "caught", False),
        ("Warned", "warned", False),
        ("Equivalent: the wire does not differ", "equivalent", False),
        ("Unusable: not even a plain call could be made", "unusable", False),
        ("Not executed in any role", "not executed", False),
    ):
        yield from _section(title, [one for one in results if one.outcome == outcome], full=with_difference)


def _section(title: str, results: Sequence[Result], *, full: bool) -> Iterator[str]:
    if not results:
        return
    yield ""
    yield f"{title} ({len(results)})"
    for result in sorted(results, key=lambda result: (result.file, result.line)):
        yield ""
        by = f", by {result.purpose}" if result.purpose else ""
        where = f"  {result.part}{by}" if result.part else ""
        yield f"{result.id}{where}"
        if result.reason:
            yield f"    {result.reason}"
        if full:
            yield from (f"    {line}" for line in result.diff.splitlines()[2:])
            if result.difference:
                yield f"    first difference ({result.differing_plans} plans differ; {result.flow or 'no flow'}):"
                yield from (f"      {line}" for line in result.difference.splitlines())
