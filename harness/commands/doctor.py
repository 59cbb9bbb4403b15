"""``sipverdict doctor``: prints one line per check, with the remedy."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.device import Profile, load_profiles
from harness.device.spec import DeviceSpec
from harness.doctor import Check, examine
from harness.errors import SetupError
from harness.model.outcome import ExitStatus
from harness.model.printable import printable
from harness.run.carriers import AS_PROFILED, Wanted, carried
from harness.run.options import OUT

_STYLES = {"ok": "green", "warn": "yellow", "problem": "bold red"}


def doctor(
    devices: Sequence[str], wanted: Wanted = AS_PROFILED, *, out: Path | None = None, as_json: bool = False
) -> int:
    """Check this machine, and ``devices`` over what is ``wanted``, and print the results.

    Status 3 if a problem prevents a run.
    """
    profiles, broken = _profiles(devices)
    specs = {profile.name: DeviceSpec(profile.name, profile) for profile in profiles}
    over = carried(specs, wanted) if specs else specs
    pairs = [(spec.profile, spec.carried_by) for spec in over.values()]
    checks = _chained(examine(pairs, (out or OUT).resolve()), broken)
    if as_json:
        found = list(checks)
        rows = [asdict(check) for check in found]
        print(json.dumps({"checks": rows, "status": _worst(found)}, indent=1, ensure_ascii=False))
    else:
        found = _printed(checks, Console(highlight=False))
    return int(ExitStatus.SETUP if _worst(found) == "problem" else ExitStatus.CONFORMING)


def _profiles(devices: Sequence[str]) -> tuple[list[Profile], list[Check]]:
    profiles: list[Profile] = []
    broken: list[Check] = []
    for device in devices:
        try:
            profiles += load_profiles(device)
        except SetupError as error:
            broken.append(Check(f"{device}: profile", "problem", error.cause, error.hint))
    return profiles, broken


def _chained(checks: Iterator[Check], more: Sequence[Check]) -> Iterator[Check]:
    yield from checks
    yield from more


def _worst(checks: Sequence[Check]) -> str:
    states = {check.state for check in checks}
    return next(state for state in ("problem", "warn", "ok") if state in states or state == "ok")


def _printed(checks: Iterable[Check], console: Console) -> list[Check]:
    """A coloured table on a terminal; otherwise plain lines, each as soon as its check ends."""
    found: list[Check] = []
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    table.add_column("state", no_wrap=True)
    table.add_column("check", no_wrap=True)
    table.add_column("found", overflow="fold")
    for check in checks:
        found.append(check)
        finding = printable(check.found)
        todo = f"\n→ {printable(check.todo)}" if check.todo else ""
        if console.is_terminal:
            table.add_row(Text(check.state, _STYLES[check.state]), Text(printable(check.name)), Text(finding + todo))
        else:
            lines = f"{check.state:<8} {printable(check.name)}: {finding}{todo.replace(chr(10), chr(10) + ' ' * 9)}"
            console.print(Text(lines), soft_wrap=True)
    if console.is_terminal:
        console.print(table)
    counts = Counter(str(check.state) for check in found)
    conclusion = {"problem": "not ready for a run", "warn": "ready for a run, with warnings", "ok": "ready for a run"}[
        _worst(found)
    ]
    console.print(Text(f"{conclusion}: {', '.join(f'{counts[state]} {state}' for state in _STYLES if counts[state])}"))
    return found
