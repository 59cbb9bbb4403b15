"""``sipverdict runs``: lists the stored runs, shows one again, and removes old ones."""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from harness.errors import EvidenceError, SetupError

if TYPE_CHECKING:
    from harness.store.stored_run import StoredRun

_RUN: Final = re.compile(r"(\d{8}T\d{6}Z)-.+")
"""The name of a run's folder: nothing else is ever removed."""


def add_runs_command(commands: Any) -> None:
    """Add it to the subparsers ``commands``."""
    runs = commands.add_parser("runs", help="list the stored runs, show one again, remove old ones")
    actions = runs.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, said in (
        ("list", "list the stored runs, the newest first"),
        ("show", "print the end of a stored run again"),
        ("prune", "remove old runs"),
    ):
        action = actions.add_parser(name, help=said)
        action.add_argument("--out", type=Path, metavar="FOLDER", help="where the runs are (default: reports/out)")
        if name == "show":
            action.add_argument("run", nargs="?", default="latest", help="its folder or its name (default: latest)")
        if name == "list":
            action.add_argument("--json", action="store_true", help="as JSON, for programs")
        if name == "prune":
            action.add_argument("--keep", type=int, metavar="N", help="keep the newest N runs")
            action.add_argument("--days", type=int, metavar="N", help="keep the runs of the last N days")
            action.add_argument("--dry-run", action="store_true", help="only print what would be removed")


def run_runs_command(options: argparse.Namespace) -> int:
    """Run the action of ``options``."""
    from harness.run.options import OUT

    out = options.out or OUT
    if options.action == "show":
        return show(out, options.run)
    if options.action == "prune":
        return prune(out, options.keep, options.days, dry_run=options.dry_run)
    return listed(out, as_json=options.json)


@dataclass(frozen=True)
class Kept:
    """A stored run in a folder of runs."""

    path: Path
    at: datetime
    size: int
    """Bytes."""

    @property
    def read(self) -> StoredRun | None:
        """The run; None for one that cannot be read."""
        from harness.store.stored_run import read_run

        try:
            return read_run(self.path, cut_off=True)
        except EvidenceError:
            return None


def kept(out: Path) -> list[Kept]:
    """The runs in ``out``, the newest first; SetupError if there is no such folder."""
    try:
        folders = [path for path in out.iterdir() if path.is_dir() and not path.is_symlink()]
    except OSError as error:
        raise SetupError(f"{out}: expected a folder with runs: {error.strerror}", "name it with --out") from error
    found = []
    for path in folders:
        if named := _RUN.fullmatch(path.name):
            at = datetime.strptime(named[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            found.append(Kept(path, at, sum(_sizes(path))))
    return sorted(found, key=lambda one: (one.at, one.path.name), reverse=True)


def _sizes(path: Path) -> Iterator[int]:
    for one in path.rglob("*"):
        if one.is_file() and not one.is_symlink():
            yield one.stat().st_size


def listed(out: Path, *, as_json: bool) -> int:
    """Print a line for each run: its name, verdict, counts, window and size."""
    rows = [_row(one) for one in kept(out)]
    if as_json:
        from harness.report import machine

        print(machine.text(rows))
        return 0
    if sys.stdout.isatty() and not rows:
        print(f"no runs in {out}")
    for row in rows:
        counts = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in row["counts"].items())
        cells = (row["verdict"], row["window"], f"{row['bytes'] / 1e6:.1f} MB", counts)
        if sys.stdout.isatty():
            print(f"{row['run']}\n  {'  '.join(filter(None, cells))}")
        else:
            print("\t".join((row["run"], *cells)))
    return 0


def _row(one: Kept) -> dict[str, Any]:
    run = one.read
    return {
        "run": one.path.name,
        "folder": str(one.path),
        "began": one.at.isoformat(),
        "verdict": ("unreadable" if run is None else str(run.tally.verdict) if run.footer else "incomplete"),
        "window": run.header.window if run else "",
        "subset": bool(run and run.header.scope.subset),
        "counts": dict(run.tally.counts) if run else {},
        "bytes": one.size,
    }


def show(out: Path, name: str) -> int:
    """Print the summary of the run ``name``, a folder or the name of one in ``out``; its status is the exit status."""
    from rich.console import Console

    from harness.model.windows import WINDOWS
    from harness.report import summary
    from harness.report.steps import times_of
    from harness.store.stored_run import read_run

    folder = Path(name) if (Path(name) / "verdicts.jsonl").is_file() else out / name
    run = read_run(folder, cut_off=True)
    flows = [run.flow(flow) for flow in run.evidence]
    began, ended, _ = times_of(flows)
    shown = summary.Run(
        records=run.records,
        planned=run.header.planned if run.footer else -1,
        scope=run.header.scope,
        window=str(WINDOWS[run.header.window]),
        wall_s=ended - began,
        waits_s=sum(flow.watch.window.seconds for flow in flows if flow.plan.watched),
        folder=folder,
        pics=run.footer.pics if run.footer else (),
        losses=run.footer.losses if run.footer else (),
    )
    summary.print_summary(shown, Console(highlight=False))
    return int(run.tally.exit_status)


def prune(out: Path, keep: int | None, days: int | None, *, dry_run: bool) -> int:
    """Remove the runs in ``out`` but the newest ``keep``, and those of the last ``days``; print each.

    The run that ``latest`` points at stays.
    """
    if keep is None and days is None:
        raise SetupError("prune: expected --keep N or --days N", "sipverdict runs list shows what there is")
    if (keep or 0) < 0 or (days or 0) < 0:
        raise SetupError("prune: --keep and --days: expected 0 or more")
    runs = kept(out)
    latest = (out / "latest").resolve().name
    freed = 0
    for one in _old(runs, keep, days):
        if one.path.name == latest:
            continue
        if not dry_run:
            try:
                shutil.rmtree(one.path)
            except OSError as error:
                raise SetupError(f"cannot remove {one.path}: {error.strerror}") from error
        freed += one.size
        print(one.path)
    print(f"{'would free' if dry_run else 'freed'} {freed / 1e6:.1f} MB", file=sys.stderr)
    return 0


def _old(runs: Sequence[Kept], keep: int | None, days: int | None) -> Iterator[Kept]:
    since = datetime.now(UTC) - timedelta(days=days) if days is not None else None
    for place, one in enumerate(runs):
        if (keep is None or place >= keep) and (since is None or one.at < since):
            yield one
