"""Expectations and claims (PICS) in real runs: of a phone that redials, whose profile says more than it does.

One run is written down; then the same phone, and the phone without the defect, are compared with it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.cli import main
from tests.run.suite import ROOT, Finished, left_behind, run_suite

FINAL = "suites/uac/test_decline_is_final.py::test_decline_is_final"
CALLED = "suites/uac/test_redirect_is_followed.py::test_contact_is_called"
DECIDED = "uac/decline_is_final/decline_is_final"
BASE = (ROOT / "harness" / "devices" / "reference" / "device.toml").read_text().partition("# What it is in")[0]
PHONE = (
    BASE.replace('name = "reference"', 'name = "phone"')
    .replace('roles = ["uac", "b2bua"]', 'roles = ["uac"]')
    .replace("[pics]", "[pics]\noutbound_proxy = true")
    .replace("b2bua_follows = true\n", "")
    .replace("sends_603plus = true\ntransports_603plus = true\n", "")
)
FAULTY = PHONE.replace('"{address}"]', '"{address}", "--fault", "redials_at_once"]')


def phone(folder: Path, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "phone.toml"
    path.write_text(text)
    return path


def run_of(folder: Path, *options: str) -> Finished:
    return run_suite(folder / "out", f"--device={folder / 'phone.toml'}", FINAL, CALLED, *options)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Finished]]:
    first, again, forgiven, better = (
        tmp_path_factory.mktemp(name) for name in ("first", "again", "forgiven", "better")
    )
    phone(first, FAULTY)
    known = run_of(first)
    assert main(["expect", str(known.folder), f"--device={first / 'phone.toml'}"]) == 0
    for folder, text in ((again, FAULTY), (forgiven, FAULTY), (better, PHONE)):
        phone(folder, text)
        shutil.copy(first / "phone.expected.toml", folder)
    with ThreadPoolExecutor(3) as pool:
        told: dict[str, Future[Finished]] = {
            "again": pool.submit(run_of, again),
            # Two processes: what the flows show, and what is expected, reach the one that talks to the person.
            "forgiven": pool.submit(run_of, forgiven, "--expected", "-n2"),
            "better": pool.submit(run_of, better, "--expected"),
        }
        yield {"first": known, **{name: run.result() for name, run in told.items()}}


def test_first_run_fails_and_is_written_down(runs: dict[str, Finished]) -> None:
    run = runs["first"]
    assert run.status == 1
    assert run.lines[-1].get("expected") is None
    text = (run.out.parent / "phone.expected.toml").read_text()
    assert f'purpose = "{DECIDED}"' in text
    assert 'verdict = "fail"' in text
    assert "127." not in text, "addresses differ from run to run"


def test_fail_that_is_known_is_a_fail(runs: dict[str, Finished]) -> None:
    run = runs["again"]
    assert run.status == 1
    footer = run.lines[-1]
    assert footer["verdict"] == "fail"
    assert footer["expected"] == {"file": "phone.expected.toml", "known": 1, "deviations": []}
    assert "1 known non-passes as expected (phone.expected.toml)" in run.output


def test_known_fail_is_forgiven_on_demand_and_its_verdict_stays(runs: dict[str, Finished]) -> None:
    run = runs["forgiven"]
    assert run.status == 0, run.output
    assert run.lines[-1]["verdict"] == "fail"
    assert run.verdicts()[DECIDED, "phone", "uac"] == "fail"
    assert run.lines[-1]["expected"]["deviations"] == []


def test_improvement_is_red_and_offered_as_an_update(runs: dict[str, Finished]) -> None:
    run = runs["better"]
    assert run.status == 2, run.output
    assert run.lines[-1]["verdict"] == "pass"
    (one,) = run.lines[-1]["expected"]["deviations"]
    assert (one["purpose"], one["expected"], one["got"], one["kind"]) == (DECIDED, "fail", "pass", "better")
    assert "BETTER    phone  RFC3261-21.6-01" in run.output
    offered = f"sipverdict expect {run.folder} --device {run.out.parent / 'phone.toml'}"
    assert offered in run.output
    assert main(["expect", str(run.folder), f"--device={run.out.parent / 'phone.toml'}"]) == 0
    assert not (run.out.parent / "phone.expected.toml").exists(), "nothing is left to be expected"


def test_what_could_not_be_told_is_written_down_on_demand_only(
    runs: dict[str, Finished], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = phone(tmp_path, PHONE)
    shutil.copytree(runs["again"].folder, tmp_path / "run")
    lines = [json.loads(line) for line in (tmp_path / "run" / "verdicts.jsonl").read_text().splitlines()]
    record = next(line for line in lines if line.get("purpose") == DECIDED)
    record["verdict"] = record["requirements"][0]["verdict"] = "inconclusive"
    lines[-1]["counts"] = {"inconclusive": 1, "pass": 1}
    lines[-1]["verdict"] = "inconclusive"
    (tmp_path / "run" / "verdicts.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    known = tmp_path / "phone.expected.toml"
    asked = ["expect", str(tmp_path / "run"), f"--device={source}"]
    assert main(asked) == 0
    assert not known.exists()
    told = " ".join(capsys.readouterr().out.split())
    assert "left out: 1 inconclusive, which --expected does not forgive" in told
    assert f"RFC3261-21.6-01 in {DECIDED} phone-uac-udp: " in told
    assert main([*asked, "--format=json"]) == 0
    (file,) = json.loads(capsys.readouterr().out)["files"]
    assert (file["known"], len(file["left_out"])) == (0, 1)
    assert main([*asked, "--inconclusive"]) == 0
    assert 'verdict = "inconclusive"' in known.read_text()
    for path in (tmp_path / "run" / "flows").glob("*.json"):
        flow = json.loads(path.read_text()) | {"troubles": [{"blame": "harness", "text": "it was busy"}]}
        path.write_text(json.dumps(flow))
    known.unlink()
    assert main([*asked, "--inconclusive"]) == 0
    assert not known.exists(), "something was in the way"


@pytest.mark.parametrize("name", ["again", "forgiven"])
def test_claim_that_is_never_seen_is_told(runs: dict[str, Finished], name: str) -> None:
    run = runs[name]
    told = {one["key"]: one for one in run.lines[-1]["pics"]}
    assert told["follows_redirects"]["seen"] is True
    assert told["outbound_proxy"]["claimed"] is True
    assert told["outbound_proxy"]["seen"] is False
    assert all((run.folder / "flows" / f"{flow}.json").is_file() for flow in told["outbound_proxy"]["evidence"])
    assert told["backup_proxy"]["seen"] is None
    assert "PICS  phone: outbound_proxy is claimed, and did not show in" in run.output


def test_smoke_before_a_run_leaves_nothing_in_its_evidence(runs: dict[str, Finished]) -> None:
    run = runs["again"]
    used = {path for record in run.records for path in record["evidence"]}
    assert {f"flows/{path.name}" for path in (run.folder / "flows").glob("*.json")} == used
    assert left_behind(run.out) == []


def test_expected_file_that_cannot_be_used_is_said_before_anything_is_started(tmp_path: Path) -> None:
    phone(tmp_path, PHONE)
    (tmp_path / "phone.expected.toml").write_text("")
    run = run_of(tmp_path)
    assert run.status == 3
    assert "phone.expected.toml: is empty" in run.output
    assert "Traceback" not in run.output
    assert list(run.out.iterdir() if run.out.exists() else ()) == []


def test_expected_is_green_where_everything_passes_and_no_file_is_needed(tmp_path: Path) -> None:
    phone(tmp_path, PHONE)
    run = run_of(tmp_path, "--expected")
    assert run.status == 0, run.output
