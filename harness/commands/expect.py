"""``sipverdict expect``: what a stored run did not pass, written beside the profile as what is expected from now on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from rich.console import Console
from rich.text import Text

from harness.device.profile.variants import BASE
from harness.device.spec import DeviceSpec
from harness.errors import EvidenceError, SetupError
from harness.model.axes import CaseId
from harness.model.flow import Flow
from harness.model.printable import short
from harness.model.windows import WINDOWS, Window
from harness.policy.expected_file import Case, Known, file_of, load, updated
from harness.requirements.catalogue import Catalogue
from harness.run.options import device_specs
from harness.store.files import write_whole
from harness.store.stored_run import StoredRun, read_run

_WHY = 200
_ADDRESS = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b")
_TOKEN = re.compile(r"\b\d{0,3}7\d{7}\b")
_HEAD = """\
# What {device} is known not to pass, and why.  A run that differs from it, for better or worse, is red.
# Written by: sipverdict expect RUN.  Reasons and dates (until) may be edited and are kept; comments are not.
"""


def expect(folder: str, devices: Sequence[str], *, inconclusive: bool = False) -> int:
    """Bring the expectations of ``devices`` up to date with the run in ``folder``; says what it wrote.

    What came to no verdict is written down on demand (``inconclusive``), and only where nothing was in the way.
    """
    run = read_run(Path(folder))
    specs, rows = device_specs(list(devices) or ["reference"], []), Catalogue.load().rows
    if run.header["ruling"] != "certification" or run.header.get("strict"):
        raise SetupError("expectations are of runs by the ruling certification, and not strict", "run again without")
    window = WINDOWS.get(str(run.header["window"]))
    if window is None:
        raise EvidenceError(f"{folder}: no window is called {str(run.header['window'])[:40]!r}")
    by_source: dict[Path, list[DeviceSpec]] = {}
    for spec in specs.values():
        by_source.setdefault(spec.profile.source, []).append(spec)
    names = {record.get("device") for record in run.records}
    if not names & specs.keys():
        tested = ", ".join(sorted(str(name)[:60] for name in names))
        raise SetupError(f"the run is of {tested}, not of {', '.join(specs)}", "name its device: --device")
    console = Console(highlight=False)
    for source, mine in by_source.items():
        path = file_of(source)
        old = load(path, source, rows) if path.is_file() else ()
        known = [one for one in old if one.variant not in {_variant(spec, mine) for spec in mine}]
        for spec in mine:
            variant = _variant(spec, mine)
            seen, executed = _seen(run, spec.name, variant, window, inconclusive=inconclusive)
            known += updated([one for one in old if one.variant == variant], seen, executed, window)
        if known:
            write_whole(path, written(mine[0].profile.name.partition(":")[0], known))
        elif path.is_file():
            path.unlink()
        told = f"{len(known)} known non-passes" if known else "everything is to pass: no file is needed"
        console.print(Text(f"{path}: {told}"), soft_wrap=True)
    return 0


def _variant(spec: DeviceSpec, mine: Iterable[DeviceSpec]) -> str:
    return spec.name.rpartition(":")[2] if ":" in spec.name else BASE


def _seen(
    run: StoredRun, device: str, variant: str, window: Window, *, inconclusive: bool
) -> tuple[list[Known], list[Case]]:
    """What ``device`` did not pass, and every case in which something was decided.

    What a busy machine may have kept from being seen is no property of the device: it is neither.  A flow does not
    always tell, so a person has to say that it is the device's nature to leave something untold.
    """
    seen, executed = [], []
    for record in run.records:
        if record.get("device") != device or not record["drives"]:
            continue
        undisturbed: bool | None = None
        for row in record["requirements"]:
            verdict = row["verdict"]
            if verdict == "inconclusive":
                if undisturbed is None:
                    undisturbed = inconclusive and not any(map(_disturbed, _flows(run, record)))
                if not undisturbed:
                    continue
            executed.append((record["purpose"], CaseId.of(record).axes, row["id"]))
            if verdict in ("warn", "fail", "inconclusive"):
                seen.append(_known(run, record, row, variant, window))
    return seen, executed


def _known(run: StoredRun, record: Mapping[str, Any], row: Mapping[str, Any], variant: str, window: Window) -> Known:
    try:
        return Known(
            purpose=record["purpose"],
            role=record["role"],
            transport=record["transport"],
            family=record["family"],
            requirement=row["id"],
            verdict=row["verdict"],
            reason=steady(row["reason"] or record.get("reason", "")) or "not passed",
            variant=variant,
            window=window.name,  # type: ignore[arg-type]
        )
    except ValidationError as error:
        # No line is named: records are read in the suite's order, not in the file's.
        detail = error.errors(include_url=False, include_input=False)[0]
        what = f"a verdict about {record['purpose']!r:.80} and {row['id']!r:.80}"
        raise EvidenceError(
            f"{run.folder / 'verdicts.jsonl'}: expected {what} whose {detail['loc'][0]} is usable: {detail['msg']}"
        ) from error


def _flows(run: StoredRun, record: Mapping[str, Any]) -> list[Flow]:
    return [run.flow(Path(path).stem) for path in record["evidence"]]


def _disturbed(flow: Flow) -> bool:
    return bool(flow.troubles) or (flow.plan.watched and flow.life is None)


def steady(reason: str) -> str:
    """``reason`` in one printable line without what is different in every run: addresses and tokens."""
    return short(_TOKEN.sub("TOKEN", _ADDRESS.sub("ADDRESS", reason)), _WHY)


def written(device: str, known: Iterable[Known]) -> str:
    """The text of an ``expected.toml``."""
    entries = []
    for one in known:
        lines = ["[[expected]]"]
        for name, value in one.model_dump(exclude_defaults=True).items():
            # A JSON string is a TOML string, but for DEL, which ``steady`` and a TOML file cannot hold.
            lines.append(f"{name} = {value if name == 'until' else json.dumps(value, ensure_ascii=False)}")
        entries.append("\n".join(lines))
    return _HEAD.format(device=short(device, 60)) + "".join(f"\n{entry}\n" for entry in entries)
