"""How many small changes of the reference device this suite notices, as it was last measured (``make mutants``).

The one place where that is written down: ``suites/mutation.json``.  Each run names it in its header, so a certificate
says it of the suite that judged, and an old dossier goes on saying what it said.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from harness.paths import SUITES
from harness.store.codec import load

PATH: Final = SUITES / "mutation.json"


@dataclass(frozen=True)
class Sample:
    """One sample of mutants, all driven with one version of the suite."""

    caught: int
    lawful: int
    counted: int
    """All whose wire differs from that of the unchanged device, the lawful ones included."""
    mutants: int
    """How many were chosen by chance."""
    of: int
    """How many there are."""
    seed: int
    windows: tuple[str, ...]
    commit: str
    """Of the suite that was measured; "" if it is not known."""
    date: str
    """The day of the measurement, YYYY-MM-DD."""

    @property
    def share(self) -> float | None:
        """C / (N - L), from 0 to 1; None if there was nothing to catch."""
        wrong = self.counted - self.lawful
        return self.caught / wrong if wrong else None

    def __str__(self) -> str:
        """In one line, with all that a reader needs to judge the number."""
        share = "no mutant to catch" if self.share is None else f"{self.share:.0%}"
        return (
            f"{share} ({self.caught} caught of {self.counted - self.lawful} that do wrong; {self.mutants} of {self.of} "
            f"by chance, seed {self.seed}, window {' then '.join(self.windows)}, {self.date}, "
            f"suite {self.commit[:12] or 'of an unknown commit'})"
        )


def recorded(path: Path = PATH) -> Sample | None:
    """What was measured last; None if nothing was.  EvidenceError for a file that is no sample."""
    return load(Sample, path.read_bytes(), str(path)) if path.exists() else None


def sentence(path: Path = PATH) -> str:
    """The same in one line; "" if nothing was measured."""
    return str(recorded(path) or "")


def as_stored(sample: Sample) -> dict[str, object]:
    """``sample`` as the file holds it."""
    return asdict(sample)
