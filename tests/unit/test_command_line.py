"""The command line itself: the version, mistyped words, completion."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli import main
from harness.store.provenance import version


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--version"])
    assert left.value.code == 0
    assert capsys.readouterr().out == f"sipverdict {version()}\n"


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("rnu", "argument COMMAND: 'rnu' is unknown: did you mean run?"),
        ("list purposs", "argument what: 'purposs' is unknown: did you mean purposes?"),
        ("gate RUN --wavers=x", "--wavers=x is unknown: did you mean --waivers?"),
        ("run --window quik", "argument --window: 'quik' is unknown: did you mean quick?"),
        ("xyzzy", "argument COMMAND: invalid choice: 'xyzzy' (choose from "),
        ("gate RUN --xyzzy", "unrecognized arguments: --xyzzy"),
    ],
)
def test_mistyped(typed: str, answer: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(typed.split()) == 3
    told = capsys.readouterr().err
    assert told.startswith(f"sipverdict: {answer}"), told
    assert "--help lists the options" in told


def test_mistyped_option_of_a_run_that_pytest_does_not_know_either(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sipverdict", "run", "--windw=quick", f"--out={tmp_path}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert "sipverdict: --windw=quick: did you mean --window?" in done.stderr


BASH = """
source <(sipverdict completion bash)
COMP_WORDS=({words}) COMP_CWORD={last} COMP_LINE={line} COMP_POINT={point} COMP_TYPE=9
_python_argcomplete sipverdict
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("sipverdict ver", {"verify"}),
        ("sipverdict run --win", {"--window"}),
        ("sipverdict run --window ", {"quick", "standard", "extended"}),
        ("sipverdict run --device kam", {"kamailio"}),
        ("sipverdict run --fault redials_at", {"redials_at_once"}),
        ("sipverdict explain RFC3261-21.6-0", {"RFC3261-21.6-01"}),
        ("sipverdict certify RUN --profile ua-r", {"ua-redirect"}),
    ],
)
def test_bash_completes(line: str, words: set[str], tmp_path: Path) -> None:
    program = tmp_path / "sipverdict"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m sipverdict "$@"\n')
    program.chmod(0o755)
    typed = line.split(" ")
    script = BASH.format(words=shlex.join(typed), last=len(typed) - 1, line=shlex.quote(line), point=len(line))
    variables = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", script], env=variables, capture_output=True, text=True, check=False)
    assert words <= {word.strip() for word in done.stdout.splitlines()}, done.stdout + done.stderr


@pytest.mark.parametrize(("shell", "beginning"), [("zsh", "#compdef sipverdict"), ("fish", r"\nfunction ")])
def test_other_shells(shell: str, beginning: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    assert re.search(beginning, capsys.readouterr().out)
