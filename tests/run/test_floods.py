"""A device may send what it likes: a flow that was cut fails no rule that counts, and memory stays bounded."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from pathlib import Path

import psutil

from tests.run.suite import ROOT, Finished, command

RINGING = Path(__file__).parent / "devices" / "ringing.toml"
MOST_MB = 400


def peak_of(process: subprocess.Popen[str], peak: list[float]) -> None:
    """Note the largest memory of ``process``, in MB, until it ends."""
    while process.poll() is None:
        try:
            peak[0] = max(peak[0], psutil.Process(process.pid).memory_info().rss / 1e6)
        except psutil.Error:
            return
        time.sleep(0.05)


def test_ten_thousand_provisional_responses_fail_nothing_and_fit_in_memory(tmp_path: Path) -> None:
    process = subprocess.Popen(
        command(tmp_path, "--device", str(RINGING), "-k", "test_answers or test_cancel or invariants"),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    peak = [0.0]
    watching = threading.Thread(target=peak_of, args=(process, peak))
    watching.start()
    output, _ = process.communicate(timeout=300)
    watching.join()
    run = Finished(process.returncode, output, tmp_path)
    verdicts = [record["verdict"] for record in run.records]
    assert "fail" not in verdicts, output
    assert verdicts.count("pass") > 5, output
    assert any("more came than a flow keeps" in flow.read_text() for flow in run.folder.glob("flows/*.json")), output
    print(f"peak {peak[0]:.0f} MB")
    assert 0 < peak[0] < MOST_MB
