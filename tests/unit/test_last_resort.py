"""An error that nobody foresaw never ends with the status of a device that does not conform."""

from __future__ import annotations

import pytest

from harness import cli
from harness.model.outcome import ExitStatus


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
    assert "this is a bug in sipverdict; run again with SIPVERDICT_TRACEBACK=1 for the traceback" in told.err
    assert "\x1b" not in told.err
    monkeypatch.setenv(cli.TRACEBACK, "1")
    with pytest.raises(KeyError):
        cli.main(["list", "devices"])
