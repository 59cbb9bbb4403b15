"""Runs the suite as a user does - a process of its own - and reads what it leaves behind."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("sipverdict", "harness", "suites", "scenarios", "reports/templates", "conftest.py", "pyproject.toml")
"""What a run of the suite needs."""


@dataclass(frozen=True)
class Finished:
    status: int
    output: str
    out: Path

    @cached_property
    def folder(self) -> Path:
        return (self.out / "latest").resolve()

    @cached_property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "verdicts.jsonl").read_text().splitlines()]

    @property
    def records(self) -> list[dict[str, Any]]:
        return [line for line in self.lines if "purpose" in line]

    def verdicts(self) -> dict[tuple[str, str, str], str]:
        return {(line["purpose"], line["device"], line["role"]): line["verdict"] for line in self.records}


def command(out: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "sipverdict", "run", *arguments, "--out", str(out)]


def committed_suite(folder: Path) -> Path:
    """``folder`` with a copy of the suite in a repository of its own: as committed, as a certificate needs it."""
    without = shutil.ignore_patterns("__pycache__")
    for part in PARTS:
        (folder / part).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, folder / part, ignore=without)
        else:
            shutil.copy(ROOT / part, folder / part)
    (folder / ".gitignore").write_text("__pycache__/\n")
    git = ["git", "-C", str(folder), "-c", "user.name=t", "-c", "user.email=t@localhost"]
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "as released"]):
        subprocess.run([*git, *arguments], check=True)
    return folder


def run_suite(out: Path, *arguments: str, timeout: float = 400, suite: Path = ROOT, **environment: str) -> Finished:
    """``sipverdict run`` with these arguments, stored below ``out``; from ``suite``, where it is another one."""
    done = subprocess.run(
        command(out, *arguments),
        cwd=suite,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    return Finished(done.returncode, done.stdout + done.stderr, out)


def left_behind(out: Path) -> list[str]:
    """Every process that still mentions the run's folder: SIPps (their scenario files are there) and devices."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        line = " ".join(process.info["cmdline"] or [])
        if str(out) in line and process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE:
            found.append(f"{process.pid}: {line}")
    return found
