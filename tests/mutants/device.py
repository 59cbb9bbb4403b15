"""The device of a mutant: a copy of the package with the change, and a profile that starts the copy.

The suite itself imports the unchanged package.  Only the device's process has the copy first on its path.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from harness.paths import ROOT
from tests.mutants.mutant import PACKAGE, Mutant

_PATH = 'PYTHONPATH = "{suite}"'
_CHANCE = '''"""Python loads this first: what the device leaves to chance is the same in every run: wires compare."""

import random

random.choices = lambda population, weights=None: [population[0]]
'''
_LIMITS = """# A mutant that loops for ever must not take the machine with it.
import resource

resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))
"""
_TRACER = '''"""Python loads this first: writes down each line of the package that is executed, once."""

import os
import sys

_PACKAGE = os.environ["MUTANTS_PACKAGE"]
_OUT = open(os.path.join(os.environ["MUTANTS_LINES"], f"{os.getpid()}.txt"), "w", buffering=1)
_SEEN = set()


def _local(frame, event, argument):
    key = (frame.f_code.co_filename, frame.f_lineno)
    if key not in _SEEN:
        _SEEN.add(key)
        _OUT.write(f"{os.path.relpath(key[0], _PACKAGE)}:{key[1]}\\n")
    return _local


def _entered(frame, event, argument):
    return _local(frame, event, argument) if frame.f_code.co_filename.startswith(_PACKAGE) else None


sys.settrace(_entered)
'''


def unchanged(folder: Path) -> Path:
    """The profile of the device as it is, in ``folder``."""
    first = folder / "first"
    first.mkdir(parents=True, exist_ok=True)
    (first / "sitecustomize.py").write_text(_CHANCE)
    return _profile(folder, {"PYTHONPATH": f"{first}:{ROOT}"})


def mutated(mutant: Mutant, folder: Path) -> Path:
    """The profile of a device with the change, in ``folder``."""
    copy = folder / "device"
    (copy / PACKAGE).parent.mkdir(parents=True)
    for package in ("harness", "harness/devices"):
        shutil.copy2(ROOT / package / "__init__.py", copy / package)
    shutil.copytree(ROOT / PACKAGE, copy / PACKAGE)
    changed = copy / PACKAGE / mutant.file
    changed.write_text(mutant.applied(changed.read_text("utf-8")), "utf-8")
    (copy / "sitecustomize.py").write_text(_CHANCE + _LIMITS)
    return _profile(folder, {"PYTHONPATH": str(copy)})


def traced(folder: Path, lines: Path) -> Path:
    """The profile of the unchanged device that writes the lines it executes into the folder ``lines``."""
    tracer = folder / "tracer"
    tracer.mkdir(parents=True)
    lines.mkdir(parents=True, exist_ok=True)
    (tracer / "sitecustomize.py").write_text(_TRACER)
    path = {"PYTHONPATH": f"{tracer}:{ROOT}", "MUTANTS_PACKAGE": str(ROOT / PACKAGE), "MUTANTS_LINES": str(lines)}
    return _profile(folder, path)


def executed_lines(lines: Path) -> dict[str, set[int]]:
    """The lines that traced devices executed, by file of the package."""
    executed: dict[str, set[int]] = {}
    for written in lines.glob("*.txt"):
        for line in written.read_text().splitlines():
            file, _, number = line.rpartition(":")
            executed.setdefault(file, set()).add(int(number))
    return executed


def _profile(folder: Path, environment: dict[str, str]) -> Path:
    """The reference device's own profile, with another environment."""
    text = (ROOT / PACKAGE / "device.toml").read_text("utf-8")
    if text.count(_PATH) != 1:
        raise RuntimeError(f"{PACKAGE}/device.toml: expected one {_PATH}")
    # A text in JSON is one in TOML as well.
    settings = ", ".join(f"{name} = {json.dumps(value)}" for name, value in environment.items())
    folder.mkdir(parents=True, exist_ok=True)
    profile = folder / "device.toml"
    profile.write_text(text.replace(_PATH, settings), "utf-8")
    return profile
