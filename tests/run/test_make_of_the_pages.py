"""Every ``make run`` of README and docs, as it is written there, and the ``make report`` that follows it.

The folder has what make needs of the checkout.  Its ``sipverdict.toml`` narrows each run to a case or two.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.paths import DEVICES, DOCS
from tests.run.suite import ROOT

OF_THE_CHECKOUT = ("Makefile", "pyproject.toml", "constraints.txt", ".ci", "suites")
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
COMMANDS = sorted(
    {
        line.partition("  #")[0].strip()
        for page in PAGES
        for line in re.findall(r"^    (make run\b.*)$", page.read_text("utf-8"), re.MULTILINE)
    }
)
CASES = (
    "uac/decline_is_final/decline_is_final (uac)",
    "proxy/best_response/decline_of_the_only_branch_goes_up_as_it_is (proxy)",
)


def _folder(folder: Path) -> Path:
    """A folder in which make runs as in a checkout."""
    folder.mkdir()
    for name in OF_THE_CHECKOUT:
        (folder / name).symlink_to(ROOT / name)
    (folder / ".venv").mkdir()
    for path in (ROOT / ".venv").iterdir():
        (folder / ".venv" / path.name).symlink_to(path)
    # What is installed is newer than what it was made of: make must not install this folder instead.
    for stamp in (".base", ".devices"):
        (folder / ".venv" / stamp).unlink(missing_ok=True)
        (folder / ".venv" / stamp).touch()
    reference = (DEVICES / "reference" / "device.toml").read_text("utf-8").partition("[variant")[0]
    (folder / "my-phone.toml").write_text(reference.replace('name = "reference"', 'name = "my-phone"'), "utf-8")
    (folder / "sipverdict.toml").write_text(f"case = {list(CASES)}\nallow-subset = true\n", "utf-8")
    return folder


def _made(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(
        ["bash", "-c", text],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


Done = dict[str, Future[subprocess.CompletedProcess[str]]]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("make")


@pytest.fixture(scope="module")
def done(base: Path) -> Iterator[Done]:
    with ThreadPoolExecutor(3) as pool:
        yield {
            text: pool.submit(lambda at, text: _made(_folder(base / f"{at}"), text), number, text)
            for number, text in enumerate(COMMANDS)
        }


def test_they_are_found() -> None:
    assert len(COMMANDS) > 8


@pytest.mark.parametrize("text", COMMANDS)
def test_it_runs_what_the_page_says(text: str, done: Done) -> None:
    made = done[text].result()
    said = made.stdout + made.stderr
    assert made.returncode == (2 if "FAULT=" in text else 0), said
    assert ("1 fail" if "FAULT=" in text else " pass") in said, said
    assert "report " in said


def test_report_makes_the_page_of_the_last_run(base: Path, done: Done) -> None:
    done["make run"].result()
    folder = base / f"{COMMANDS.index('make run')}"
    page = folder / "reports" / "out" / "latest" / "index.html"
    page.unlink()
    made = _made(folder, "make report")
    assert made.returncode == 0, made.stdout + made.stderr
    assert "sipverdict" in page.read_text("utf-8")
