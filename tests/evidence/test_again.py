"""What of a stored run is to be run again."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from handmade import ACKED, FINAL, Maker, redials

from harness.errors import EvidenceError, SetupError
from harness.model.axes import CaseId
from harness.model.printable import printable
from harness.run.rerun import Again
from harness.run.specs import again_specs
from harness.store.stored_run import StoredRun


def test_what_failed_or_is_missing(tmp_path: Path) -> None:
    again = Again.of(Maker(tmp_path, tries=redials, planned=(ACKED,)).make().folder)
    assert again.cases == {CaseId(name, "phone", "uac", "udp", "ipv4") for name in (FINAL, ACKED)}
    assert again.devices == ["phone"]


def test_nothing_of_a_run_that_passed(run: StoredRun) -> None:
    assert Again.of(run.folder).cases == frozenset()


def test_what_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="expected the verdicts of a run"):
        Again.of(tmp_path)


def test_device_that_is_not_built_in_has_to_be_named(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="the run is of phone, which is no built-in device") as refused:
        again_specs(Again.of(Maker(tmp_path, tries=redials).make().folder))
    assert "--again RUN --device PROFILE" in refused.value.hint


def called(folder: Path, name: str) -> Path:
    """A run whose device failed and is called ``name``."""
    made = Maker(folder, tries=redials).make()
    path = made.folder / "verdicts.jsonl"
    # Flows are not looked at here, and could not be called so.
    text = re.sub(r'"evidence":\[[^\]]*\]', '"evidence":[]', path.read_text())
    path.write_text(text.replace("phone", json.dumps(name)[1:-1]))
    return made.folder


@pytest.mark.parametrize("name", ["../evil.toml", "/nowhere/evil.toml", "evil:base", "reference/../evil", "\x1b[2J"])
def test_run_of_a_stranger_does_not_choose_what_is_executed(name: str, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="which is no built-in device") as refused:
        again_specs(Again.of(called(tmp_path, name)))
    assert refused.value.cause.endswith(f"the run is of {printable(name)}, which is no built-in device")


def test_devices_are_those_of_the_run_with_their_faults(tmp_path: Path) -> None:
    again = Again.of(called(tmp_path, "reference+redials_at_once"))
    assert list(again_specs(again)) == ["reference+redials_at_once"]


def test_run_in_a_window_that_there_is_not(tmp_path: Path) -> None:
    path = called(tmp_path, "phone") / "verdicts.jsonl"
    path.write_text(path.read_text().replace('"window":"standard"', '"window":"long"', 1))
    with pytest.raises(EvidenceError, match="window: expected 'quick', 'standard' or 'extended'"):
        Again.of(path.parent)
