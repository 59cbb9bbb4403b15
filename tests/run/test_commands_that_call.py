"""Every command of README and docs that makes calls, as it is written there: in a shell, with a device of that name.

The folder's ``sipverdict.toml`` narrows each run to a case or two, as a user's may; nothing else is changed.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.paths import DEVICES
from tests.manual.test_commands_of_the_pages import COMMANDS
from tests.run.suite import ROOT

WITH_A_DEVICE = {
    " ".join(words).replace("my-device", "my-phone"): text
    for text, words in COMMANDS.items()
    if words[0] in ("run", "smoke", "doctor")
}
"""Each once, whatever the file is called and whatever is said beside it.

``init`` is executed by test_attach_page.py and test_init.py."""
UNWATCHED = "uac/after_decline/next_call_after_a_decline_works (uac)"
"""Needs no window, which may be one of 40 s."""
DECIDED = "uac/decline_is_final/decline_is_final (uac)"
REDIRECTED = "uac/redirected_request/new_invite_is_a_new_transaction (uac)"
"""A MUST of 8.1.3."""
OF_A_FAULT = "strips_reason_of_603plus"


def _folder(folder: Path, text: str) -> Path:
    """A folder with what the command speaks of."""
    folder.mkdir()
    reference = (DEVICES / "reference" / "device.toml").read_text("utf-8").partition("[variant")[0]
    for name in ("my-phone", "my-device"):
        (folder / f"{name}.toml").write_text(reference.replace('name = "reference"', f'name = "{name}"'), "utf-8")
    (folder / "waivers.toml").write_text("", "utf-8")
    chooses = "must" in text and "--gate" not in text
    case = REDIRECTED if chooses else DECIDED if "RFC3261-21.6" in text or "--again" in text else UNWATCHED
    narrowed = "" if OF_A_FAULT in text or DECIDED in text else f"case = {[case]}\n"
    (folder / "sipverdict.toml").write_text(f"{narrowed}allow-subset = true\n", "utf-8")
    if "suites/" in text:  # of the checkout
        (folder / "suites").symlink_to(ROOT / "suites")
    return folder


def _shell(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        ["bash", "-c", text],
        cwd=folder,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def _done(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    made = _folder(folder, text)
    if "--again" in text:
        failing = _shell(made, "sipverdict run --device reference --fault redials_at_once")
        assert "1 fail" in failing.stdout, failing
    return _shell(made, text)


Done = dict[str, Future[subprocess.CompletedProcess[str]]]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Done]:
    base = tmp_path_factory.mktemp("pages")
    with ThreadPoolExecutor(3) as pool:
        yield {
            words: pool.submit(_done, base / f"{number}", text)
            for number, (words, text) in enumerate(WITH_A_DEVICE.items())
        }


def test_they_are_found() -> None:
    assert len(WITH_A_DEVICE) > 12
    assert {shlex.split(words)[0] for words in WITH_A_DEVICE} == {"run", "smoke", "doctor"}


@pytest.mark.parametrize("words", WITH_A_DEVICE)
def test_it_does_what_the_page_says(words: str, done: Done) -> None:
    made = done[words].result()
    said = made.stdout + made.stderr
    assert made.returncode == (1 if "--again" in words or OF_A_FAULT in words else 0), said
    assert "Traceback" not in said
    if "run " in words:
        assert " pass" in said or " fail" in said, said
        assert "report " in said
    elif words.startswith("smoke"):
        assert said.count("ok  ") == 6, said
    else:
        assert "ready for a run" in said
