"""Every command of README and docs that makes no calls is taken as it is written there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from harness import cli

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
CALLS = {"run", "smoke", "doctor", "init"}
"""Those take long, or are executed by tests/run/test_commands_that_call.py, test_attach_page.py, test_init.py."""
COMMANDS = {
    line.strip(): shlex.split(line.partition(" > ")[0], comments=True)[1:]  # the shell's own part is not ours
    for page in PAGES
    for line in page.read_text("utf-8").replace("\\\n", " ").splitlines()
    if re.match(r"    sipverdict (?!.*[|…])\w", line)
}
QUIET = [text for text, words in COMMANDS.items() if words[0] not in CALLS]


def test_they_are_found() -> None:
    assert len(QUIET) > 15


@pytest.mark.parametrize("text", QUIET)
def test_command_is_taken(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It does what it is for, or comes as far as looking for what it is about, which is not there."""
    monkeypatch.chdir(tmp_path)
    status = cli.main(COMMANDS[text])
    told = capsys.readouterr()
    assert not re.search(r"usage:|unrecognized|invalid choice|Traceback|required", told.err), told.err
    assert status == 0 or "sipverdict: " in told.err or told.out, told
