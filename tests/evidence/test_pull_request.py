"""What a pull request shows of a run: SARIF, code quality, a summary; and the commands' answers as JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from handmade import CATALOGUE, FINAL, Maker, redials

from harness.cli import main
from harness.commands.gate import ask
from harness.report.step_summary import step_summary
from harness.store.stored_run import StoredRun

HOSTILE = "</details><script>x</script> ![i](http://evil) `**b**` | [l](http://evil) @team"


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> StoredRun:
    folder = tmp_path_factory.mktemp("failing")
    return Maker(folder, tries=redials, device={"source": "phones/desk phone.toml"}).make()


def gated(run: StoredRun, folder: Path, *more: str) -> dict[str, Any]:
    options = [f"--{name}={folder / name}" for name in ("sarif", "code-quality", "summary")]
    main(["gate", str(run.folder), "--gate=must", *options, *more])
    read: dict[str, Any] = {name: json.loads((folder / name).read_text()) for name in ("sarif", "code-quality")}
    return read | {"summary": (folder / "summary").read_text()}


def waivers(run: StoredRun, folder: Path) -> str:
    (one,) = ask(run, "must").blocking
    keys = {"owner": "Ada", "reason": "ticket 7", "device": "phone", "transport": "udp", "family": "ipv4"}
    keys |= {"verdict": "fail", "finding": str(one.key)}
    lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items())
    (folder / "w.toml").write_text(f"[[waiver]]\n{lines}expires = 2999-01-01\n")
    return f"--waivers={folder / 'w.toml'}"


def test_sarif_points_at_the_profile_and_knows_the_finding_again(failing: StoredRun, tmp_path: Path) -> None:
    made = gated(failing, tmp_path)["sarif"]
    assert made["version"] == "2.1.0"
    (run,) = made["runs"]
    (result,) = run["results"]
    assert (result["ruleId"], result["level"]) == ("RFC3261-21.6-01", "error")
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    assert run["tool"]["driver"]["rules"][0]["helpUri"].startswith("https://www.rfc-editor.org/rfc/rfc3261")
    (place,) = result["locations"]
    assert place["physicalLocation"]["artifactLocation"]["uri"] == "phones/desk phone.toml"
    assert place["logicalLocations"][0]["fullyQualifiedName"] == f"{FINAL} phone-uac-udp"
    for told in ("Expected: an ACK, and no further INVITE", "For users: ", "Look at: auto-redial"):
        assert told in result["message"]["text"]
    again = gated(failing, tmp_path)["sarif"]["runs"][0]["results"][0]
    assert again["partialFingerprints"] == result["partialFingerprints"]


def test_a_waived_finding_is_suppressed_with_its_reason(failing: StoredRun, tmp_path: Path) -> None:
    made = gated(failing, tmp_path, waivers(failing, tmp_path))
    (result,) = made["sarif"]["runs"][0]["results"]
    assert result["suppressions"] == [
        {"kind": "external", "status": "accepted", "justification": "Ada, until 2999-01-01: ticket 7"}
    ]
    assert made["code-quality"] == []
    assert "Waived until 2999-01-01: " in made["summary"]


def test_code_quality_has_what_gitlab_asks_for(failing: StoredRun, tmp_path: Path) -> None:
    (one,) = gated(failing, tmp_path)["code-quality"]
    assert one.keys() == {"description", "check_name", "fingerprint", "severity", "location"}
    assert (one["severity"], one["location"]) == ("critical", {"path": "phones/desk phone.toml", "lines": {"begin": 1}})


@pytest.mark.parametrize("source", ["", "/home/ada/phone.toml", "../phone.toml"])
def test_what_lies_outside_the_repository_is_no_place_in_it(source: str, tmp_path: Path) -> None:
    run = Maker(tmp_path / "run", tries=redials, device={"source": source}).make()
    assert gated(run, tmp_path)["code-quality"][0]["location"]["path"] == "sipverdict.toml"


def test_the_summary_is_appended_and_says_what_to_run(failing: StoredRun, tmp_path: Path) -> None:
    (tmp_path / "summary").write_text("before\n")
    told = gated(failing, tmp_path)["summary"]
    assert told.startswith("before\n## SIP conformance: gate must: shut (exit status 1), 1 findings count\n")
    assert "| phone | 1.0.7 | **fail** | 1 fail, " in told
    assert f"--case '{FINAL} phone-uac-udp'" in told
    assert "--device 'phones/desk phone.toml'" in told
    assert told.count("<details>") == told.count("</details>") == 1


def test_what_a_device_says_is_no_markup_in_the_summary(failing: StoredRun) -> None:
    line = failing.records[0]
    evil = replace(
        line,
        requirements=(replace(line.requirements[0], verdict="fail", reason=HOSTILE, means=HOSTILE, actual=HOSTILE),),
    )
    run = replace(failing, records=(replace(evil, verdict="fail"),))
    told = step_summary(run, ask(run, "must"), CATALOGUE)
    assert "<script" not in told
    assert told.count("</details>") == 1
    for markup in ("![", " [l](", " **b**", " @team"):
        assert markup not in told, told


@pytest.mark.parametrize("status", [1, 0])
def test_gate_as_json(status: int, failing: StoredRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more = [] if status else [waivers(failing, tmp_path)]
    assert main(["gate", str(failing.folder), "--gate=must", "--format=json", *more]) == status
    told = json.loads(capsys.readouterr().out)
    assert (told["status"], told["open"], told["gate"]) == (status, not status, "must")
    (one,) = told["counts" if status else "waived"]
    assert (one["requirement"], one["purpose"]) == ("RFC3261-21.6-01", FINAL)
    assert not told["waived" if status else "counts"]


def test_replay_as_json(failing: StoredRun, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(failing.folder), "--format=json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["differences"] == []
    assert told["status"] == 1
    assert told["judged"] > 1
