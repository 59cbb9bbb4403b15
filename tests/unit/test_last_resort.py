"""An error that nobody foresaw never ends with the status of a device that does not conform."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import cli
from harness.commands import expect
from harness.model.outcome import ExitStatus
from harness.model.windows import QUICK
from harness.store.stored_run import StoredRun


def test_a_mistake_of_ours_is_said_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> int:
        raise KeyError("finding\nof\x1b nobody")

    monkeypatch.setattr(cli, "_dispatch", broken)
    monkeypatch.delenv(cli.TRACEBACK, raising=False)
    assert cli.main(["list", "devices"]) == ExitStatus.SETUP
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert told.err.startswith("sipverdict: KeyError: ")
    assert "this is a mistake of sipverdict; run again with SIPVERDICT_TRACEBACK=1 for the traceback" in told.err
    assert "\x1b" not in told.err
    monkeypatch.setenv(cli.TRACEBACK, "1")
    with pytest.raises(KeyError):
        cli.main(["list", "devices"])


def test_what_cannot_be_expected_is_said_of_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    row = {"id": "RFC3261-21.6-01", "level": "MUST", "verdict": "fail", "reason": "it rang"}
    record = {"purpose": "", "device": "reference", "role": "uac", "transport": "udp", "family": "ipv4"}
    record |= {"verdict": "fail"}
    record |= {"requirements": [row], "window_s": 5.0, "drives": 1, "evidence": []}
    header = {"window": QUICK.name, "ruling": "certification", "planned": 1}
    run = StoredRun(Path("r"), header, (record,), {})
    monkeypatch.setattr(expect, "read_run", lambda _: run)
    monkeypatch.setattr(expect, "write_whole", lambda *_: pytest.fail("it was written down"))
    assert cli.main(["expect", "r"]) == ExitStatus.EVIDENCE
    assert "r/verdicts.jsonl: expected a verdict about '' and 'RFC3261-21.6-01' whose purpose is" in (
        capsys.readouterr().err
    )
