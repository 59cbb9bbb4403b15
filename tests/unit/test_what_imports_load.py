"""Judging a run, gating it and showing it need neither pytest nor what drives devices."""

from __future__ import annotations

import subprocess
import sys

import pytest

DRIVING = {"pytest", "_pytest", "allure", "harness.drive", "harness.run", "harness.smoke", "harness.endpoints"}
DEVICES = {"harness.device", "harness.devices", "harness.live", "harness.lab"}
LOADED = "import importlib, sys; importlib.import_module(sys.argv[1]); print(*sys.modules)"


@pytest.mark.parametrize(
    ("module", "foreign"),
    [
        ("harness.policy.gate", DRIVING | DEVICES),
        ("harness.policy.waivers", DRIVING | DEVICES),
        ("harness.policy.profiles", DRIVING | DEVICES),
        ("harness.policy.expectations", DRIVING),  # reads the profile beside which its file lies
        ("harness.report.page", DRIVING | DEVICES),
        ("harness.report.matrix", DRIVING | DEVICES),
        ("harness.report.at_end", DRIVING),
        ("harness.purposes.discovery", DRIVING | DEVICES),
        ("harness.purposes.settle", DRIVING | DEVICES),
        ("harness.store.stored_run", DRIVING | DEVICES),
        ("harness.evidence.rejudge", DRIVING | DEVICES),
        ("harness.run.options", {"pytest", "_pytest", "harness.drive", *DEVICES}),
    ],
)
def test_nothing_foreign_is_loaded(module: str, foreign: set[str]) -> None:
    done = subprocess.run([sys.executable, "-c", LOADED, module], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) & foreign == set()
