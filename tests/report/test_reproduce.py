"""The command of a FAIL runs this case and no other, wherever it is typed and whatever the device is called."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from harness.model.axes import CaseId
from harness.paths import ROOT
from harness.report.reproduce import reproduce
from harness.run.selection import is_case, named

DECLINE = "uac/decline_is_final/decline_is_final"


def case(device: str, purpose: str = DECLINE) -> CaseId:
    return CaseId(purpose, device, "uac", "udp", "ipv4")


def words(command: str) -> dict[str, str]:
    line = shlex.split(command)
    assert line[:2] == ["sipverdict", "run"]
    return dict(zip(line[2::2], line[3::2], strict=True))


DEVICES = [
    ("reference", "", "reference"),
    ("reference:proxy", "", "reference:proxy"),
    ("desk phone", "my phones/desk phone.toml", "my phones/desk phone.toml"),
    ("desk phone:recurses", "/lab/it's.toml", "/lab/it's.toml:recurses"),
    ("phone", "$(touch x).toml", "$(touch x).toml"),
]


@pytest.mark.parametrize(("device", "source", "asked"), DEVICES)
def test_outside_a_checkout(
    device: str, source: str, asked: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    given = words(reproduce(case(device), window="standard", source=source))
    assert (given["--device"], given["--window"]) == (asked, "standard")
    assert is_case(given["--case"])
    assert named(case(device), given["--case"])
    others = [
        case("other"),
        case(f"{device}:v"),
        case(device, f"{DECLINE}_too"),
        CaseId(DECLINE, device, "b2bua", "udp", "ipv4"),
    ]
    assert not any(named(other, given["--case"]) for other in others)


def test_faults_are_given_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    given = words(reproduce(case("reference+redials_at_once+no_ack")))
    assert (given["--device"], given["--fault"]) == ("reference", "redials_at_once+no_ack")
    assert "--window" not in given


@pytest.mark.parametrize(("device", "source", "asked"), DEVICES)
def test_in_a_checkout_make_hands_the_same_to_the_shell(
    device: str, source: str, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    command = reproduce(case(device), window="standard", source=source)
    if command.startswith("sipverdict"):
        assert not re.fullmatch(r"[\w./:]+", asked)
        return
    made = subprocess.run(
        ["bash", "-c", f"{command} -n -o .venv/.base"], capture_output=True, text=True, check=True, cwd=ROOT
    )
    line = next(one for one in made.stdout.splitlines() if "sipverdict run" in one)
    typed = [word for word in shlex.split(line[line.index("sipverdict run") :]) if word != "--"]
    assert words(shlex.join(typed)) == {"--device": asked, "--window": "standard", "--case": str(case(device))}


@pytest.mark.parametrize("device", ["x\n--fault=y", "\x1b[2J", "", "--device", "y" * 500])
def test_what_no_shell_should_get(device: str) -> None:
    assert reproduce(case(device)) == ""
