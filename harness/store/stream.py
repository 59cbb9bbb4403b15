"""``verdicts.jsonl``: a header, one line per purpose and device as soon as it is judged, a footer.

A stream without its footer was cut off.  The writer appends one whole line per verdict: Ctrl-C, a kill or a full disk
lose no earlier verdict.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

from harness.errors import SetupError
from harness.judge.observed import Observation
from harness.model.axes import CaseId
from harness.model.outcome import Tally
from harness.store.codec import dump
from harness.store.files import cannot_write
from harness.store.verdict_lines import Compared, Footer, Gated, Header, LostLine, VerdictLine


class VerdictStream:
    """Writes the stream of one run.  As a context manager it writes the footer, unless an error ended the run."""

    def __init__(self, path: Path, header: Header) -> None:
        """Begin the stream at ``path``, which must not exist; SetupError if it cannot be written."""
        self.path = path
        self._planned = header.planned
        self._lock = threading.Lock()
        self._seen: set[CaseId] = set()
        # Ctrl-C can strike between any two steps.  What was said is one append here, what is safely in the file is
        # one assignment to _safe, and the rest is put right by the next write, close or abandon.
        self._said: list[tuple[str, bytes]] = []
        self._safe = _Safe()
        try:
            self._file: int | None = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
        except OSError as error:
            raise cannot_write(path, error) from error
        try:
            self._append("", header)
        except BaseException:
            self.abandon()
            raise

    @property
    def tally(self) -> Tally:
        """The verdicts so far."""
        return Tally.of((name for name, _ in self._said if name), self._planned)

    def write(self, line: VerdictLine) -> None:
        """Append ``line``.  SetupError if the disk refuses: it is kept, and goes into the file with the next one.

        ValueError for a second line of the same case: a bug in the harness, which would hide a case without verdict.
        """
        with self._lock:
            if line.case in self._seen:
                raise ValueError(f"a second verdict for {line.case}")
            self._append(line.verdict, line)
            self._seen.add(line.case)

    def close(
        self,
        pics: Sequence[Observation] = (),
        expected: Compared | None = None,
        gate: Gated | None = None,
        losses: Sequence[LostLine] = (),
        conditions: Sequence[str] = (),
    ) -> Tally:
        """Write the footer and close.  SetupError, and no footer, if the disk refuses."""
        with self._lock:
            tally = replace(self.tally, lost=len(losses))
            try:
                if self._file is not None:
                    counts, verdict = tally.counts, tally.verdict.word
                    footer = Footer(
                        tally.executed, counts, verdict, tuple(pics), expected, gate, tuple(losses), tuple(conditions)
                    )
                    self._append("", footer)
                    os.fsync(self._file)
            except OSError as error:
                raise cannot_write(self.path, error) from error
            finally:
                self.abandon()
            return tally

    def abandon(self) -> None:
        """Close without a footer: the missing footer shows that the run was cut off."""
        if self._file is not None:
            with contextlib.suppress(SetupError):
                self._flush(self._file)
            file, self._file = self._file, None
            with contextlib.suppress(OSError):
                os.close(file)

    def __enter__(self) -> VerdictStream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self.abandon()

    def _append(self, name: str, entry: Header | VerdictLine | Footer) -> None:
        if self._file is None:
            raise ValueError(f"{self.path} is closed")
        self._said.append((name, dump(entry) + b"\n"))
        self._flush(self._file)

    def _flush(self, file: int) -> None:
        """Write every line that is not yet in the file, each whole; SetupError if the disk refuses."""
        while self._safe.lines < len(self._said):
            line = self._said[self._safe.lines][1]
            try:
                _put(file, line, self._safe.size)
            except OSError as error:
                raise cannot_write(self.path, error) from error
            self._safe = _Safe(self._safe.lines + 1, self._safe.size + len(line))


@dataclass(frozen=True)
class _Safe:
    """How many lines, and bytes, are in the file for good."""

    lines: int = 0
    size: int = 0


def _put(file: int, line: bytes, size: int) -> None:
    """Append ``line`` whole to a file of ``size`` bytes, or leave it as it was."""
    if os.fstat(file).st_size != size:
        os.ftruncate(file, size)
    try:
        rest = line
        while rest:
            rest = rest[os.write(file, rest) :]
    except BaseException:
        # Half a line, from a disk that is full half-way, would make the whole stream invalid.
        with contextlib.suppress(OSError):
            os.ftruncate(file, size)
        raise
