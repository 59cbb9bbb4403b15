"""A signal that strikes where Python makes another error of it still ends the command as a signal does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.run.suite import ROOT

STRIKES = """
import os, signal, sys
sys.path.insert(0, {root!r})
from harness.system.signals import end_like_ctrl_c
end_like_ctrl_c()
from harness import cli
class Strikes:
    def __set_name__(self, owner, name):
        os.kill(os.getpid(), signal.{name})
def dispatch(*_):
    if {wrapped}:
        class Made: it = Strikes()
    else:
        exec("import os, signal; os.kill(os.getpid(), signal.{name})")
cli._dispatch = dispatch
sys.exit(cli.main(["schema"]))
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
@pytest.mark.parametrize("wrapped", [True, False], ids=["while a class is made", "in code made by exec"])
def test_a_signal_ends_with_status_2_wherever_it_strikes(tmp_path: Path, name: str, wrapped: bool) -> None:
    (tmp_path / "strikes.py").write_text(STRIKES.format(root=str(ROOT), name=name, wrapped=wrapped))
    done = subprocess.run([sys.executable, "-m", "strikes"], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert done.stderr == f"sipverdict: ended by {name}\n"


def test_what_a_signal_broke_in_pytest_is_no_bug(tmp_path: Path) -> None:
    (tmp_path / "strikes.py").write_text(
        "import os, signal\n"
        "def pytest_collection_modifyitems():\n"
        "    class Strikes:\n"
        "        def __set_name__(self, owner, name): os.kill(os.getpid(), signal.SIGTERM)\n"
        "    class Made: it = Strikes()\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "sipverdict", "run", "--out", str(tmp_path / "out"), "-p", "strikes"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{tmp_path}"},
    )
    said = done.stdout + done.stderr
    assert done.returncode == 2, said
    assert "ended by SIGTERM" in said
    assert "Traceback" not in said
    assert "INTERNALERROR" not in said
