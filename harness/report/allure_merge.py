"""Allure's results of a merged run: those of both runs.

Allure itself shows the later of two results of one test, and the earlier as its retry.  Where the merged run says
something else than the later one, because it judges over the flows of both, the result is changed to that.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from harness.model.axes import CaseId
from harness.model.outcome import SKIPPED
from harness.model.printable import printable
from harness.store.files import cannot_write, write_whole
from harness.store.verdict_lines import VerdictLine

_RESULTS: Final = "*-result.json"
_ABOUT_A_RUN: Final = ("environment.properties", "categories.json", "executor.json")
_STATUSES: Final = {"pass": "passed", "warn": "passed", "fail": "failed"}


def merged_allure(before: Path, again: Path, path: Path, lines: Iterable[VerdictLine]) -> None:
    """Write what Allure needs of the folders ``before`` and ``again`` to ``path``; ``lines`` are the merged verdicts.

    Nothing where one of them has no results.  SetupError: the disk.
    """
    if not all(any(folder.glob(_RESULTS)) for folder in (before, again)):
        return
    try:
        path.mkdir(exist_ok=True)
        for folder in (before, again):
            for file in sorted(folder.iterdir()):
                if file.is_file() and file.name not in _ABOUT_A_RUN:
                    shutil.copyfile(file, path / file.name)
        _correct(path, {_key_of(line.case): line for line in lines})
    except OSError as error:
        raise cannot_write(path, error) from error


def _correct(folder: Path, lines: Mapping[tuple[str, ...], VerdictLine]) -> None:
    """Have the latest result of each case say what its line says."""
    latest: dict[tuple[str, ...], tuple[int, Path]] = {}
    for file in sorted(folder.glob(_RESULTS)):
        result = json.loads(file.read_text("utf-8"))
        key, start = _key(_labels(result)), int(result.get("start", 0))
        latest[key] = max(latest.get(key, (-1, file)), (start, file))
    for key, (_, file) in latest.items():
        if (line := lines.get(key)) is not None:
            result = json.loads(file.read_text("utf-8"))
            if _labels(result).get("verdict") != line.verdict:
                write_whole(file, json.dumps(_said_by(line, result), ensure_ascii=False))


def _said_by(line: VerdictLine, result: Mapping[str, Any]) -> dict[str, Any]:
    status = "skipped" if line.verdict in SKIPPED else _STATUSES.get(line.verdict, "broken")
    message = printable(f"{line.verdict}, judged over the flows of both runs: {line.reason}")
    labels = [{**one, "value": line.verdict} if one["name"] == "verdict" else one for one in result["labels"]]
    return {**result, "status": status, "statusDetails": {"message": message}, "labels": labels}


def _labels(result: Mapping[str, Any]) -> dict[str, str]:
    return {one["name"]: one["value"] for one in result.get("labels", ())}


def _key(labels: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(labels.get(name, "") for name in ("as_id", "device", "story", "transport", "family"))


def _key_of(case: CaseId) -> tuple[str, ...]:
    return case.purpose, case.device, case.axes.role, case.axes.transport, case.axes.family
