"""The folder of a run, ``reports/out/<UTC time>-<device>/``, and ``latest``, which points at the newest."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from harness.errors import SetupError
from harness.model.flow import Flow
from harness.store.codec import dump
from harness.store.files import cannot_write, write_whole
from harness.store.record import RECORD, record_of, without_messages
from harness.store.scenarios import packed

FLOW_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
"""The form of a flow's id, which becomes a file name."""


@dataclass(frozen=True)
class RunFolder:
    """The folder into which one run writes."""

    path: Path

    @classmethod
    def create(cls, out: Path, device: str, now: datetime | None = None) -> RunFolder:
        """Make the folder of a run that starts now and point ``latest`` at it; SetupError if the disk refuses.

        ``device`` is any name (several devices: joined by ``+``).  Two runs of one second get ``-2``, ``-3`` …
        """
        started = (now or datetime.now(UTC)).astimezone(UTC)
        slug = re.sub(r"[^A-Za-z0-9._+]+", "-", device).strip("-.")[:60] or "device"
        base = f"{started:%Y%m%dT%H%M%SZ}-{slug}"
        try:
            out.mkdir(parents=True, exist_ok=True)
            path = _new(out, base)
            (path / "flows").mkdir()
            (path / "allure-results").mkdir()
        except OSError as error:
            raise cannot_write(out, error) from error
        _point(out / "latest", path.name)
        return cls(path)

    @property
    def name(self) -> str:
        """The name of the run."""
        return self.path.name

    @property
    def verdicts(self) -> Path:
        """The stream of verdicts."""
        return self.path / "verdicts.jsonl"

    @property
    def flows(self) -> Path:
        """The folder of the stored flows."""
        return self.path / "flows"

    @property
    def allure_results(self) -> Path:
        """The folder that Allure's reports are made from."""
        return self.path / "allure-results"

    @property
    def junit(self) -> Path:
        """The JUnit file, written by pytest."""
        return self.path / "junit.xml"

    def discard(self) -> None:
        """Remove the folder of a run in which nothing was planned, and let ``latest`` point at the one before."""
        out = self.path.parent
        shutil.rmtree(self.path, ignore_errors=True)
        with contextlib.suppress(OSError, SetupError):
            if (out / "latest").readlink() == Path(self.name):
                # Hidden ones are no runs: pytest keeps its cache there.
                before = sorted(
                    path.name
                    for path in out.iterdir()
                    if path.is_dir() and not path.is_symlink() and not path.name.startswith(".")
                )
                if before:
                    _point(out / "latest", before[-1])
                else:
                    (out / "latest").unlink()

    def write_flow(self, flow: Flow) -> Path:
        """Store ``flow``, whole; SetupError if it cannot be written, ValueError if its id is no file name."""
        if not FLOW_ID.fullmatch(flow.id):
            raise ValueError(f"a flow cannot be called {flow.id!r}")
        path = self.flows / f"{flow.id}.json"
        # The record first: where the flow is, its messages are.
        write_whole(path.with_suffix(RECORD), record_of(flow))
        write_whole(path, dump(packed(without_messages(flow))) + b"\n")
        return path


def _new(out: Path, base: str) -> Path:
    number = 1
    while True:
        path = out / (base if number == 1 else f"{base}-{number}")
        try:
            path.mkdir()
        except FileExistsError:
            number += 1
        else:
            return path


def _point(link: Path, name: str) -> None:
    """Let ``link`` point at ``name``, atomically: a reader never finds it missing."""
    fresh = link.with_name(f".{link.name}.{os.getpid()}")
    try:
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(name)
        fresh.replace(link)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        if link.is_dir() and not link.is_symlink():
            raise SetupError(
                f"{link} is a folder, not a link", "move it away: sipverdict makes it a link to the newest run"
            ) from error
        raise cannot_write(link, error) from error
