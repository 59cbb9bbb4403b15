"""The files for Allure about a run as a whole: environment, kinds of results, and the run's name.

Each file is written once, when the run is over; ``--alluredir`` holds the results of the tests beside them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from harness.model.printable import printable
from harness.store.files import write_whole

_SETUP = r"[\s\S]*(SetupError|ProfileError|SippError|PlanError|DeviceError)[\s\S]*"
# Allure 2 reads these expressions as Java does, Allure 3 as JavaScript does.
CATEGORIES: tuple[Mapping[str, object], ...] = (
    {"name": "The device does not conform", "matchedStatuses": ["failed"]},
    {"name": "Inconclusive", "matchedStatuses": ["broken"], "messageRegex": r"[\s\S]*Inconclusive[\s\S]*"},
    {"name": "Wrong set-up, or the device did not start", "matchedStatuses": ["broken"], "messageRegex": _SETUP},
    {"name": "Bug in sipverdict", "matchedStatuses": ["broken"]},
    {"name": "Not tested in this run", "matchedStatuses": ["skipped"], "messageRegex": r"[\s\S]*not tested: [\s\S]*"},
    {"name": "Not applicable to this device", "matchedStatuses": ["skipped"]},
)
"""Kinds of results for Allure's front page."""


def write_environment(folder: Path, mapping: Mapping[str, object]) -> None:
    """``environment.properties``, which the front page of the report shows."""
    text = "".join(f"{_property(key, ' :=#!')}={_property(str(value))}\n" for key, value in mapping.items())
    write_whole(folder / "environment.properties", text)


def write_categories(folder: Path) -> None:
    """``categories.json``: device failures, inconclusive tests and wrong set-up are separate categories."""
    write_whole(folder / "categories.json", json.dumps(CATEGORIES, indent=2) + "\n")


def write_executor(folder: Path, run: str, version: str) -> None:
    """``executor.json``: the name of the run."""
    executor = {
        "name": f"sipverdict {version}",
        "type": "sipverdict",
        "buildName": run,
        "reportName": f"sipverdict: {run}",
    }
    write_whole(folder / "executor.json", json.dumps(executor, indent=2) + "\n")


def _property(text: str, special: str = "") -> str:
    """``text`` as a key or a value of a Java properties file, which is ASCII with UTF-16 escapes."""
    units = printable(text).encode("utf-16-be")
    codes = [units[place] << 8 | units[place + 1] for place in range(0, len(units), 2)]
    return "".join(
        f"\\u{code:04x}" if code > 126 else f"\\{chr(code)}" if chr(code) in f"\\{special}" else chr(code)
        for code in codes
    )
