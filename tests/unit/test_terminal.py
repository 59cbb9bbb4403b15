"""A terminal that knows only ASCII gets readable lines from every command, and no traceback."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

ASCII = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C"}


@pytest.mark.parametrize(
    "command", ["explain RFC3261-21.6-01", "list requirements", "list requirements --json", "run --help", "list pics"]
)
def test_a_command_on_an_ascii_terminal(command: str) -> None:
    line = [sys.executable, "-m", "sipverdict", *command.split()]
    done = subprocess.run(line, env={**os.environ, **ASCII}, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    said = done.stdout.decode("ascii")
    assert said
    assert b"Error" not in done.stderr
    if command.startswith("explain"):
        assert "RFC 3261 section 7.2 (6xx), section 21.6" in said
