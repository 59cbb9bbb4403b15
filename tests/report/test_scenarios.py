"""Scenarios are stored compressed, and read back as they were; a damaged one is named."""

from __future__ import annotations

import base64
import json
import zlib
from pathlib import Path

import pytest

from harness.errors import EvidenceError
from harness.store.stored_run import read_run
from tests.report.stored_runs import usual

BOMB = base64.b64encode(zlib.compress(b"x" * (17 * 1024 * 1024))).decode()


def test_a_scenario_comes_back_as_it_was(tmp_path: Path) -> None:
    run = read_run(usual(tmp_path))
    stored = [json.loads(path.read_text()) for path in (run.folder / "flows").glob("*.json")]
    assert all(seat["scenario"].startswith("zlib+base64:") for one in stored for seat in one["seats"])
    for flow in run.evidence:
        assert [seat.scenario for seat in run.flow(flow).seats] == [
            f"<scenario name='{seat.name}'/>" for seat in run.flow(flow).seats
        ]


@pytest.mark.parametrize(
    "damaged", ["<scenario/>", "zlib+base64:!", "zlib+base64:eJw=", f"zlib+base64:{BOMB}"], ids=range(4)
)
def test_a_damaged_scenario_is_named(damaged: str, tmp_path: Path) -> None:
    run = read_run(usual(tmp_path))
    path = run.folder / "flows" / f"{run.evidence[0]}.json"
    stored = json.loads(path.read_text())
    stored["seats"][0]["scenario"] = damaged
    path.write_text(json.dumps(stored))
    with pytest.raises(EvidenceError, match=r"\.json: seats: scenario: expected zlib\+base64: and a packed text: "):
        run.flow(run.evidence[0])
