"""Options stand in a file, and an option on the command line overrides its key."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import SetupError
from harness.run.options import CommandName, add_to_command
from harness.run.options_file import fill


def parsed(folder: Path, *line: str, command: CommandName = "run") -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_to_command(parser, command)
    given = parser.parse_args(line)
    fill(given, command, folder)
    return given


def test_a_file_sets_what_the_command_line_leaves_open(tmp_path: Path) -> None:
    (tmp_path / "sipverdict.toml").write_text(
        'device = "desk phone.toml"\nwindow = "standard"\nrepeat = 3\nexpected = true\nlevel = ["must", "may"]\n'
        'waivers = "w.toml"\nallow-subset = true\n'
    )
    given = parsed(tmp_path)
    assert (given.device, given.window, given.repeat, given.expected) == (["desk phone.toml"], "standard", 3, True)
    assert (given.level, given.waivers, given.allow_subset) == (["must", "may"], Path("w.toml"), True)
    assert given.strict is None
    given = parsed(tmp_path, "--device=other", "--window=quick", "--no-expected")
    assert (given.device, given.window, given.expected, given.repeat) == (["other"], "quick", False, 3)
    assert not hasattr(parsed(tmp_path, command="smoke"), "window")


def test_the_table_of_a_pyproject(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\n[tool.sipverdict]\nwindow = "extended"\n')
    assert parsed(tmp_path).window == "extended"
    (tmp_path / "sipverdict.toml").write_text("")
    assert parsed(tmp_path).window is None


def test_no_file_and_no_table_set_nothing(tmp_path: Path) -> None:
    assert not any(vars(parsed(tmp_path)).values())
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\n')
    assert not any(vars(parsed(tmp_path)).values())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('widnow = "quick"', "sipverdict.toml: no option is called 'widnow'"),
        ('window = "quik"', "window: expected quick, standard or extended, found 'quik'"),
        ("repeat = true", "repeat: expected a number, found True"),
        ("device = [7]", "device: expected a text in quotes, found 7"),
        ('expected = "yes"', "expected: expected true or false, found 'yes'"),
        ("window", "expected TOML, but "),
    ],
)
def test_a_mistake_names_file_and_key(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "sipverdict.toml").write_text(text)
    with pytest.raises(SetupError, match=said):
        parsed(tmp_path, command="doctor")


def _run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "sipverdict", "run", "--collect-only", *arguments]
    variables = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2]), **environment}
    return subprocess.run(line, cwd=folder, env=variables, capture_output=True, text=True, check=False)


def test_a_run_reads_the_file_of_its_folder(tmp_path: Path) -> None:
    (tmp_path / "sipverdict.toml").write_text('role = "redirect"\nlevel = "must"\nstrict = true\n')
    done = _run(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    found = [line for line in done.stdout.splitlines() if "::" in line]
    assert found
    assert all("-redirect-udp]" in line for line in found)


def test_pytest_addopts_reaches_a_run(tmp_path: Path) -> None:
    done = _run(tmp_path, "--role=redirect", PYTEST_ADDOPTS="-k not_cached -m must --color=yes")
    found = [line for line in done.stdout.splitlines() if "::" in line]
    everything = [line for line in _run(tmp_path, "--role=redirect").stdout.splitlines() if "::" in line]
    assert len(everything) > 0
    assert len(found) < len(everything)
    assert all("not_cached" in line for line in found), done.stdout + done.stderr
