"""What is expected of a device and a gate do not mix: the exit status of a gated run is the gate's alone."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.commands.gate import gate
from harness.errors import SetupError
from harness.model.finding import SATISFIED, Finding, Record, Ruled
from harness.model.outcome import ExitStatus
from harness.model.verdict import Verdict
from harness.model.windows import QUICK
from harness.policy.expectations import Expectations
from harness.policy.expected_entry import Known
from harness.policy.gate import Gate
from harness.requirements.ruling import Ruling
from harness.run.publisher import PAYLOAD, Publisher
from harness.run.settings import Settings
from harness.run.specs import device_specs
from harness.store.codec import dump
from harness.store.verdict_lines import VerdictLine

PURPOSE, ROW = "uac/decline_is_final/decline_is_final", "RFC3261-21.6-01"
ITEM = "suites/uac/test_decline_is_final.py::test_decline_is_final[reference-uac-udp]"


def better_than_expected(out: Path, name: str) -> tuple[ExitStatus, Path]:
    """The status of a run with the gate ``name`` in which a known fail passed, and its folder."""
    settings = Settings(device_specs(["reference"], []), QUICK, Ruling(), out, gate=Gate(name))
    publisher = Publisher(settings, SimpleNamespace(version="3.6.1"))  # type: ignore[arg-type]
    known = Known(purpose=PURPOSE, role="uac", requirement=ROW, verdict="fail", reason="it is known")
    publisher.expectations = Expectations(QUICK, {"reference": (known,)}, {"reference": Path("expected.toml")})
    publisher.plan([ITEM])
    ruled = Ruled(Finding(ROW, "satisfied", SATISFIED), "DERIVED", Verdict.PASS, "")
    case = ("reference", "uac", "udp", "ipv4", Verdict.PASS, None, "", (ruled,), 5.0, 1, ())
    report: Any = SimpleNamespace(nodeid=ITEM)
    setattr(report, PAYLOAD, {"troubles": [], "record": dump(VerdictLine.of(Record(PURPOSE, *case))), "waited": 0.0})
    publisher.take(report)
    return publisher.close({}, interrupted=False), publisher.folder.path


def test_a_deviation_makes_a_run_red(tmp_path: Path) -> None:
    assert better_than_expected(tmp_path, "")[0] == ExitStatus.INCONCLUSIVE


@pytest.mark.parametrize("name", ["must", "should"])
def test_a_gated_run_says_what_the_gate_says_of_it_later(name: str, tmp_path: Path) -> None:
    status, folder = better_than_expected(tmp_path, name)
    assert status == ExitStatus.CONFORMING
    assert gate(str(folder), name, None, draft=False, subset=True) == status


@pytest.mark.parametrize(("option", "value"), [("gate", "must"), ("waivers", "w.toml")])
def test_expected_beside_a_gate_is_refused(option: str, value: str) -> None:
    asked = {"contract_exit": True, "repeat": 1, "expected": True, "gate": "", "waivers": None, option: value}
    config: Any = SimpleNamespace(option=SimpleNamespace(**asked))
    with pytest.raises(SetupError, match=rf"cannot be combined with --gate or --waivers; found --{option}"):
        Settings.of(config)
