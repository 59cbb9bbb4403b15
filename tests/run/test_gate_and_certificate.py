"""A gate in a pipeline and a certificate, from real runs.

All runs are begun at once: the long one, in the standard window, waits while the short ones are looked at.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import psutil
import pytest
import yaml

from harness.cli import main
from harness.store.stored_run import read_run
from tests.run.suite import ROOT, Finished, command, committed_suite, left_behind, run_suite

FINAL = "suites/uac/test_decline_is_final.py::test_decline_is_final"
ACKED = "suites/transaction/test_ack.py::test_ack_has_the_via_of_the_invite"
FAULT = "--fault=redials_at_once"
CI = ROOT / "docs" / "ci"


def _failing(folder: Path) -> Finished:
    """Two purposes, of which one fails."""
    return run_suite(folder, FINAL, ACKED, "-k", "uac-udp", FAULT, "--gate=must", "--allow-subset")


def _waived(folder: Path, failing: Future[Finished]) -> Finished:
    """The finding of one run, drafted as a waiver, is let through in another one."""
    draft = _told("gate", str(failing.result().folder), "--gate=must", "--allow-subset", "--draft")
    text = re.sub(r'(owner|reason) = ""', r'\1 = "ticket 7"', draft).replace("expires = #", "expires = 2099-12-31 #")
    (folder / "waivers.toml").write_text(text)
    waivers = f"--waivers={folder / 'waivers.toml'}"
    return run_suite(folder / "out", FINAL, "-k", "uac-udp", FAULT, "--gate=must", "--allow-subset", waivers)


def _again(folder: Path, failing: Future[Finished]) -> Finished:
    (latest := folder / "latest").symlink_to(failing.result().folder)  # as a user names it, and soon this run's
    return run_suite(folder, "--again", str(latest))


def _told(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "sipverdict", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout


def _repeated(folder: Path) -> Finished:
    return run_suite(folder, FINAL, "-k", "uac-udp", FAULT, "--repeat=2")


def _crashed(folder: Path) -> Finished:
    """One of two workers is killed as soon as its device is being driven."""
    process = _started(
        folder, "-n2", FAULT, "--fault=reuses_branch", "--gate=must", "--allow-subset", FINAL, "-k", "uac-udp"
    )
    try:
        worker = wait_for(lambda: next((one for one in _workers(process.pid) if _drives(one)), None))
        worker.kill()
        output, _ = process.communicate(timeout=150)
    finally:
        process.kill()
    return Finished(process.returncode, output, folder)


def _interrupted(folder: Path) -> Finished:
    process = _started(folder, "--device=reference:base", "-k", "uac-udp and decline_is_final")
    try:
        wait_for(lambda: len(left_behind(folder)) > 5 or None)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    return Finished(process.returncode, output, folder)


def _started(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command(folder, *arguments),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # Workers of pytest-xdist ignore SIGINT, and who ignores it passes that on.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def _workers(pid: int) -> list[psutil.Process]:
    try:
        return [one for one in psutil.Process(pid).children() if "exec(eval(" in " ".join(one.cmdline())]
    except psutil.NoSuchProcess:
        return []


def _drives(worker: psutil.Process) -> bool:
    try:
        return any("sipp" in one.name() for one in worker.children(recursive=True))
    except psutil.NoSuchProcess:
        return False


def wait_for(condition: Callable[[], Any], seconds: float = 60) -> Any:
    """Poll: there is no event for "that process has started another one"."""
    deadline = time.monotonic() + seconds
    while (found := condition()) is None:
        assert time.monotonic() < deadline, "waited in vain"
        threading.Event().wait(0.05)
    return found


def _certified(folder: Path) -> Finished:
    """A run in the standard window."""
    arguments = ("--device=reference:redirect", "--window=standard", "-k", "redirect-udp")
    return run_suite(folder / "out", *arguments, suite=committed_suite(folder / "suite"))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Finished]]]:
    with ThreadPoolExecutor(4) as pool:
        begun: dict[str, Future[Finished]] = {}

        def begin(run: Callable[..., Finished], *needed: str) -> None:
            folder = tmp_path_factory.mktemp(run.__name__)
            begun[run.__name__] = pool.submit(run, folder, *(begun[name] for name in needed))

        for run in (_certified, _failing, _snippet, _crashed, _interrupted, _repeated):
            begin(run)
        begin(_waived, "_failing")
        begin(_again, "_failing")
        yield {name.removeprefix("_"): run for name, run in begun.items()}
        pool.shutdown(cancel_futures=True)


Runs = dict[str, Future[Finished]]


def test_conforming(runs: Runs) -> None:
    run = runs["snippet"].result()
    assert run.status == 0, run.output
    assert "gate must: open\n" in run.output
    assert run.lines[-1]["gate"] == {"name": "must", "status": 0, "waived": []}


def test_failing(runs: Runs) -> None:
    run = runs["failing"].result()
    assert run.status == 1, run.output
    assert "counts: fail: RFC3261-21.6-01 in uac/decline_is_final/decline_is_final" in run.output
    assert "gate must: shut (exit status 1), 1 findings count" in run.output
    (row,) = next(one for one in run.records if one["verdict"] == "fail")["requirements"]
    finding = f"RFC3261-21.6-01:uac/decline_is_final/decline_is_final:uac:{row['code']}"
    assert f"finding   {finding}" in run.output
    cases = ElementTree.parse(run.folder / "junit.xml").findall(".//testcase")
    properties = [{p.get("name"): p.get("value") for p in one.findall(".//property")} for one in cases]
    told = next(one for one in properties if one["verdict"] == "fail")
    assert told["requirement RFC3261-21.6-01"] == "fail"
    assert told["finding RFC3261-21.6-01"] == finding
    assert told["level RFC3261-21.6-01"] == "DERIVED"


def test_waived(runs: Runs) -> None:
    run = runs["waived"].result()
    assert run.status == 0, run.output
    assert "gate must: open, 1 waived" in run.output
    assert "waived until 2099-12-31: fail: RFC3261-21.6-01" in run.output
    assert run.lines[-1]["gate"]["waived"][0]["owner"] == "ticket 7"
    assert main(["badge", str(run.folder), "-o", str(run.out / "badge.svg")]) == 0
    assert "not conforming, 1 failed, 1 waived" in (run.out / "badge.svg").read_text()


def test_waiver_that_expired(runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
    run = runs["waived"].result()
    path = run.out.parent / "expired.toml"
    path.write_text((run.out.parent / "waivers.toml").read_text().replace("2099-12-31", "2020-01-01"))
    assert main(["gate", str(run.folder), "--gate", "must", "--allow-subset", "--waivers", str(path)]) == 1
    assert "expired: waiver 1 (RFC3261-21.6-01" in capsys.readouterr().out


def test_improvement(runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
    better, worse = runs["snippet"].result(), runs["waived"].result()
    path = worse.out.parent / "stale.toml"
    text = (worse.out.parent / "waivers.toml").read_text()
    path.write_text(text.replace('"reference+redials_at_once"', '"reference"'))
    assert main(["gate", str(better.folder), "--gate", "must", "--allow-subset", "--waivers", str(path)]) == 3
    assert "no longer matches: the verdict is pass now; remove or renew it" in capsys.readouterr().out


def test_crashed_worker(runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
    run = runs["crashed"].result()
    assert run.status in (1, 2), run.output
    assert re.search(r"^crashed: worker gw\d; ", run.output, re.M), run.output
    assert "incomplete: " in run.output
    # Another worker does what it left, or it is missing: nothing is lost without a word.
    missing = re.findall(r"^no verdict: (\S+ reference\S+-uac-udp)$", run.output, re.M)
    assert len(run.records) + len(missing) == run.lines[0]["planned"], run.output
    assert "executed" not in run.lines[-1]
    assert left_behind(run.out) == []
    assert main(["gate", str(run.folder), "--gate", "must", "--allow-subset"]) == run.status
    assert "incomplete: " in capsys.readouterr().out


def test_interrupted(runs: Runs) -> None:
    run = runs["interrupted"].result()
    assert run.status == 2, run.output
    assert re.search(r"^interrupted: \d+ of \d+ test cases came to a verdict$", run.output, re.M), run.output


def test_repeated(runs: Runs) -> None:
    run = runs["repeated"].result()
    assert run.status == 1, run.output
    assert run.lines[0]["repeat"] == 2
    assert [(record["drives"], len(record["evidence"])) for record in run.records] == [(2, 4)]
    assert main(["replay", str(run.folder)]) == 1


def test_only_what_did_not_pass_is_run_again(runs: Runs) -> None:
    run, before = runs["again"].result(), runs["failing"].result()
    assert run.status == 1, run.output
    (folder,) = [
        path for path in run.out.iterdir() if not path.is_symlink() and path != run.folder and path.name[0] == "2"
    ]
    alone = read_run(folder)
    assert [(one.purpose, one.device) for one in alone.records] == [
        ("uac/decline_is_final/decline_is_final", "reference+redials_at_once")
    ]
    assert (alone.header.again, alone.header.repeated) == (before.folder.name, ())


def _attachments(step: dict[str, Any]) -> Iterator[dict[str, str]]:
    yield from step.get("attachments", ())
    for one in step.get("steps", ()):
        yield from _attachments(one)


def test_what_was_run_again_is_merged_into_one_whole_run(
    runs: Runs, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, before = runs["again"].result(), runs["failing"].result()
    assert f"merged with {before.folder.name}: " in run.output
    assert "; fail, a subset: 2 of the suite's" in run.output
    whole = read_run(run.folder)
    assert [line.case for line in whole.records] == [line.case for line in read_run(before.folder).records]
    assert "uac/decline_is_final/decline_is_final" in {case.purpose for case in whole.header.repeated}
    assert main(["replay", str(run.folder)]) == 1
    told = capsys.readouterr().out
    assert f"a merged run: {len(whole.header.repeated)} verdicts are of a repetition" in told
    assert "every verdict is the same" in told
    assert main(["gate", str(run.folder), "--gate", "must", "--allow-subset"]) == 1
    assert f"the others of {before.folder.name}" in capsys.readouterr().out
    tests = list(ElementTree.parse(run.folder / "junit.xml").iter("testcase"))
    assert len(tests) == 2
    marked = [test for test in tests if test.find("properties/property[@name='repeated']") is not None]
    assert [test.get("name") for test in marked] == [
        test.get("name") for test in tests if test.find("failure") is not None
    ]
    results = [json.loads(path.read_text()) for path in (run.folder / "allure-results").glob("*-result.json")]
    assert len(results) == 3, "Allure shows the later one of a test, and the earlier as its retry"
    assert len({one["historyId"] for one in results}) == 2
    attached = {part["source"] for one in results for part in _attachments(one)}
    assert attached
    assert attached <= {path.name for path in (run.folder / "allure-results").iterdir()}
    assert (run.folder / "allure-results" / "environment.properties").is_file()
    page = (run.folder / "index.html").read_text()
    assert "are of a later repetition" in page or "is of a later repetition" in page
    assert before.folder.name in page
    assert main(["keygen", "-o", str(tmp_path / "lab")]) == 0
    key, out = str(tmp_path / "lab.key"), str(tmp_path / "certificate")
    assert main(["certify", str(run.folder), "--profile", "ua-decline", "--key", key, "-o", out]) != 0
    said = capsys.readouterr()
    assert "a certificate needs one run, without --again" in said.out + said.err


def test_nothing_to_run_again(runs: Runs, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = runs["snippet"].result()
    assert main(["run", "--again", str(good.folder), "--out", str(tmp_path / "out")]) == 0
    assert "nothing to run again" in capsys.readouterr().out
    assert not (tmp_path / "out").exists()


# --- the snippets


def _shell_of_github() -> list[str]:
    (job,) = yaml.safe_load((CI / "github-actions.yml").read_text())["jobs"].values()
    return [step["run"] for step in job["steps"] if "run" in step]


def _shell_of_gitlab() -> list[str]:
    (job,) = yaml.safe_load((CI / "gitlab-ci.yml").read_text()).values()
    return [*job["before_script"], *job["script"], *job["after_script"]]


def _shell_of_jenkins() -> list[str]:
    text = (CI / "Jenkinsfile").read_text()
    assert text.count("{") == text.count("}")
    return [piece.replace("\\\\", "\\") for piece in re.findall(r"sh '''(.*?)'''", text, re.S)]


def _tested(shell: list[str]) -> list[str]:
    """The lines of ``shell`` that do not install, for what they do make test has done; with single blanks."""
    install = (".ci/setup", "apt-get", "git clone")
    return [" ".join(line.split()) for line in shell if not any(word in line for word in install)]


def test_snippets_run_the_same_shell_lines() -> None:
    assert _tested(_shell_of_github()) == _tested(_shell_of_gitlab()) == _tested(_shell_of_jenkins())


def test_badge_that_cannot_be_drawn_keeps_no_result_from_jenkins() -> None:
    _, always = (CI / "Jenkinsfile").read_text().split("always {")
    kept, drawn = always.split('/bin/sipverdict" badge ')
    assert "junit 'results/2*/junit.xml'" in kept
    assert "archiveArtifacts 'results/**'" in kept
    assert "badge.svg" in drawn


def _snippet(folder: Path) -> Finished:
    (folder / "waivers.toml").write_text("")
    program = folder / "sipverdict" / ".venv" / "bin" / "sipverdict"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\ncd {ROOT} && exec {sys.executable} -m sipverdict "$@"\n')
    program.chmod(0o755)
    given = {"SIPVERDICT": str(folder / "sipverdict"), "DEVICE": "reference:base", "WINDOW": "quick", "GATE": "must"}
    given |= {
        "WAIVERS": str(folder / "waivers.toml"),
        "RESULTS": str(folder / "out"),
        "ARGS": f"{FINAL} -k uac-udp --allow-subset",
    }
    lines = [line for line in _shell_of_github() if ".ci/setup" not in line]
    assert len(lines) == 2
    output = ""
    for line in lines:
        done = subprocess.run(
            ["/bin/sh", "-e", "-c", line], env={**os.environ, **given}, capture_output=True, text=True, check=False
        )
        output += done.stdout + done.stderr
        if done.returncode:
            break
    return Finished(done.returncode, output, folder / "out")


def test_shell_lines_of_the_snippets_run(runs: Runs) -> None:
    run = runs["snippet"].result()
    assert run.status == 0, run.output
    assert "conforming in 5 s, 1 passed" in (run.out / "badge.svg").read_text()
    assert list(run.out.glob("2*/junit.xml"))


# --- the certificate, last: its window is over by now


def test_certificate_from_run_to_verification(runs: Runs, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = runs["certified"].result()
    assert run.status == 0, run.output
    assert run.lines[0]["suite_dirty"] is False
    assert main(["keygen", "-o", str(tmp_path / "lab")]) == 0
    key, out = str(tmp_path / "lab.key"), tmp_path / "certificate"
    assert main(["certify", str(run.folder), "--profile", "redirect-server", "--key", key, "-o", str(out)]) == 0
    capsys.readouterr()
    dossier = str(out / "dossier.tar.gz")
    assert main(["verify", dossier, "--key", str(tmp_path / "lab.pub")]) == 0
    assert "valid: reference:redirect meets redirect-server" in capsys.readouterr().out
    with (out / "dossier.tar.gz").open("r+b") as file:
        file.seek(5000)
        file.write(b"\0\0\0\0")
    assert main(["verify", dossier]) == 4
    failing = runs["failing"].result()
    assert main(["certify", str(failing.folder), "--profile", "ua-decline", "--key", key, "-o", str(out)]) == 1
