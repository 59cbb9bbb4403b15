"""Allure's report of a run as one file that needs no network: made by npm's ``allure``, without its remote scripts."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from harness.errors import EvidenceError, SetupError
from harness.paths import ROOT
from harness.report.allure_run import CATEGORIES
from harness.store.files import cannot_write, write_whole
from harness.system.environment import inherited

NAME = "allure.html"
HISTORY = "allure-history.jsonl"
"""The history, beside the runs: one line for each reported run."""
KEPT = 30
"""Runs that the history remembers."""
TIMEOUT_S = 300
_TRACKER = re.compile(
    r"<script\b[^>]*\bsrc=[\"']https?://[^>]*>\s*</script>|<script\b[^>]*>(?:(?!</script>)[\s\S]){0,2000}?\bgtag\("
    r"(?:(?!</script>)[\s\S]){0,2000}?</script>",
    re.IGNORECASE,
)
_POLICY = (
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src data: blob: 'unsafe-inline' 'unsafe-eval'; "
    "connect-src data: blob:; form-action 'none'; base-uri 'none'\">"
)


class Missing(SetupError):
    """Allure, or the Node.js that it runs on, is not installed."""


def write_allure(run: Path) -> Path:
    """Write Allure's page of ``run`` and return its path.

    Raises Missing without Allure, EvidenceError if the run has no results, SetupError if Allure fails.
    """
    command = _command()
    results = run / "allure-results"
    if not any(results.glob("*-result.json")):
        raise EvidenceError(f"{results}: expected Allure's results, found none", "name the folder of a run")
    history = run.parent / HISTORY
    _forget(history, run.name)
    with tempfile.TemporaryDirectory(prefix="sipverdict-allure-") as folder:
        made = Path(folder) / "report"
        # Allure 3 takes the kinds of results from a configuration, not from among the results.
        config = Path(folder) / "allurerc.json"
        config.write_text(json.dumps({"categories": CATEGORIES}), encoding="utf-8")
        arguments = [
            "awesome",
            "--config",
            str(config),
            "--single-file",
            "--output",
            str(made),
            "--report-name",
            run.name,
        ]
        arguments += ["--history-path", str(history), "--group-by", "epic,feature,story", str(results)]
        try:
            # A folder of its own, so that Allure finds no other configuration.
            done = subprocess.run(
                [*command, *arguments],
                cwd=folder,
                env=inherited(ALLURE_NO_ANALYTICS="1", DO_NOT_TRACK="1"),
                capture_output=True,
                text=True,
                errors="replace",
                timeout=TIMEOUT_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise SetupError(f"allure could not be run: {error}", "the results are in allure-results") from error
        page = made / "index.html"
        if done.returncode or not page.is_file():
            last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no error message"]
            raise SetupError(f"allure wrote no page: {last[0][:300]}", f"its results are in {results}")
        text = page.read_text(encoding="utf-8")
    path = run / NAME
    write_whole(path, offline(text))
    return path


def offline(page: str) -> str:
    """``page`` without the remote scripts of Allure (allure3 #476), and with a policy that forbids any."""
    head = re.search(r"<head[^>]*>", page)
    # Allure embeds everything as base64, so every apparent tag is a tag.
    cleaned = _TRACKER.sub("", page)
    return cleaned if head is None else cleaned.replace(head[0], head[0] + _POLICY, 1)


def _command() -> list[str]:
    local = ROOT / ".venv" / ".node" / "node_modules" / ".bin" / "allure"
    named = os.environ.get("SIPVERDICT_ALLURE")
    found = named or (str(local) if local.exists() else shutil.which("allure"))
    if not found:
        raise Missing(
            "Allure's page was not made: npm's allure is missing",
            "install Node.js 20 or later with npm (apt install nodejs npm), then: make report",
        )
    if not named and not shutil.which("node"):
        raise Missing("Allure's page was not made: Node.js is missing", "apt install nodejs npm, then: make report")
    return [found]


def _forget(history: Path, run: str) -> None:
    """Remove ``run`` from the history, so that a second report does not count as a second run, and cut the history."""
    try:
        stored = history.read_text(encoding="utf-8").splitlines(keepends=True)
    except FileNotFoundError:
        return
    except (OSError, ValueError):
        stored = []
    kept = [line for line in stored if _name(line) not in (None, run)][-(KEPT - 1) :]
    try:
        write_whole(history, "".join(kept))
    except OSError as error:
        raise cannot_write(history, error) from error


def _name(line: str) -> str | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return str(entry.get("name")) if isinstance(entry, dict) else None
