"""The wheel in an empty environment: read-only, with a space in its path, as a normal user, without git or checkout."""

from __future__ import annotations

import html
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from harness.endpoints.sipp.binary import find_sipp
from tests.run.suite import ROOT, left_behind

FOLDERS = ("sipverdict", "harness", "suites", "scenarios", "reports/templates")
FILES = ("conftest.py", "constraints.txt", "hatch_build.py", "pyproject.toml", "README.md", "LICENSE")
NO_CACHE = shutil.ignore_patterns("__pycache__")
# To root without its capabilities a read-only folder is read-only.
SETPRIV = shutil.which("setpriv") if os.geteuid() == 0 else None
NORMAL = [SETPRIV, "--bounding-set=-all", "--inh-caps=-all"] if SETPRIV else []


@dataclass(frozen=True)
class Installed:
    environment: Path
    commit: str
    command: tuple[str, ...]
    here: Path
    """An empty folder, in which the commands are called."""
    variables: dict[str, str]

    @property
    def packages(self) -> Path:
        return next(self.environment.glob("lib/python*/site-packages"))

    def say(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        self.here.mkdir(exist_ok=True)
        return subprocess.run(
            [*NORMAL, *self.command, *arguments],
            cwd=self.here,
            env=self.variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )

    def said(self, *arguments: str) -> str:
        done = self.say(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def _call(*arguments: str | Path, **more: str | Path) -> str:
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, **more)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stdout + done.stderr
    return str(done.stdout)


def _committed(source: Path) -> str:
    """The suite as it is here, as the one commit of a repository; the commit."""
    for part in FOLDERS:
        shutil.copytree(ROOT / part, source / part, ignore=NO_CACHE)
    for part in FILES:
        shutil.copy(ROOT / part, source / part)
    (source / ".gitignore").write_text("__pycache__/\n")
    git = ("git", "-C", source, "-c", "user.name=t", "-c", "user.email=t@localhost")
    for arguments in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "as released"), ("tag", "v7.8.9")):
        _call(*git, *arguments)
    return _call(*git, "rev-parse", "HEAD").strip()


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    folder = tmp_path_factory.mktemp("a folder")
    commit = _committed(folder / "source")
    _call(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder / "dist", cwd=folder / "source")
    (wheel,) = (folder / "dist").iterdir()
    environment = folder / "new environment"
    _call(sys.executable, "-m", "venv", "--without-pip", environment)
    python, programs = environment / "bin" / "python", folder / "programs"
    _call(sys.executable, "-m", "pip", "--python", python, "install", "--no-index", "--no-deps", wheel)
    # All that its users need beside it; git is not among that.
    programs.mkdir()
    (programs / "sipp").symlink_to(find_sipp().path)
    one = Installed(
        environment,
        commit,
        (str(environment / "bin" / "sipverdict"),),
        folder / "empty",
        {"PATH": str(programs), "HOME": str(folder), "LANG": "C.UTF-8"},
    )
    # The packages that it depends on, without asking an index: this environment's own.  Python reads no .pth there.
    others = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *filter(_is_packages, sys.path)}
    (one.packages / "dependencies.pth").write_text("".join(f"{path}\n" for path in sorted(others)))
    before = _files(environment)
    _writable(environment, False)
    try:
        yield one
        assert _files(environment) == before
    finally:
        _writable(environment, True)


def _is_packages(path: str) -> bool:
    return path.endswith("-packages")


def _files(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def _writable(folder: Path, writable: bool) -> None:
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | 0o200 if writable else mode & ~0o222)


@pytest.fixture(scope="module")
def standard(installed: Installed) -> Iterator[Future[subprocess.CompletedProcess[str]]]:
    """A run that can be certified; its window is open while the other tests run."""
    one = replace(installed, here=installed.here.with_name("certified"))
    arguments = ("run", "--device=reference:redirect", "--window=standard", "-k", "redirect-udp")
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(one.say, *arguments)


Standard = Future[subprocess.CompletedProcess[str]]
pytestmark = pytest.mark.usefixtures("standard")


def test_it_brings_one_name(installed: Installed) -> None:
    names = {path.name for path in installed.packages.iterdir()} - {"dependencies.pth"}
    assert names == {"sipverdict", "sipverdict-7.8.9.dist-info"}
    assert not (installed.packages / "sipverdict" / "product" / "__init__.py").exists()


def test_it_knows_its_version_and_commit(installed: Installed) -> None:
    assert installed.said("--version") == "sipverdict 7.8.9\n"
    checks = {check["name"]: check for check in json.loads(installed.said("doctor", "--json"))["checks"]}
    assert checks["suite"]["state"] == "ok"
    assert checks["suite"]["found"] == f"7.8.9, as in commit {installed.commit[:12]}"


def test_it_brings_suites_and_devices(installed: Installed) -> None:
    assert len(json.loads(installed.said("list", "purposes", "--json"))) > 100
    assert "kamailio" in installed.said("list", "devices")
    assert "decline_is_final" in installed.said("explain", "RFC3261-21.6-01")


def test_run_and_what_is_read_from_it(installed: Installed) -> None:
    failing = installed.say(
        *("run", "--device=reference:base", "--fault=redials_at_once", "-n2"),
        *("suites/uac/test_decline_is_final.py::test_decline_is_final", "-k", "uac-udp"),
    )
    assert failing.returncode == 1, failing.stdout + failing.stderr
    assert sorted(path.name for path in installed.here.iterdir()) == ["reports"]
    latest = "reports/out/latest"
    assert "every verdict is the same" in installed.say("replay", latest).stdout
    assert "gate must: shut (exit status 1)" in installed.say("gate", latest, "--gate=must").stdout
    assert Path(installed.said("matrix", latest).strip()).is_file()
    # The report names the command that runs only this case: it does.
    page = (installed.here / latest / "index.html").read_text("utf-8")
    (again,) = set(re.findall(r"<code>sipverdict (run [^<]*)</code>", page))
    assert installed.say(*shlex.split(html.unescape(again))).returncode == 1


def test_changed_file_is_seen(installed: Installed, tmp_path: Path) -> None:
    changed = tmp_path / "changed"
    shutil.copytree(installed.packages / "sipverdict", changed / "sipverdict")
    _writable(changed, True)
    judge = changed / "sipverdict" / "product" / "harness" / "judge" / "silence.py"
    judge.write_text(judge.read_text("utf-8") + "\n", "utf-8")
    one = replace(
        installed,
        command=(str(installed.environment / "bin" / "python"), "-m", "sipverdict"),
        here=tmp_path / "here",
        variables=installed.variables | {"PYTHONPATH": str(changed)},
    )
    one.said("run", "--device=reference:redirect", "-k", "redirect-udp and server_sends_no_305")
    one.said("keygen", "-o", "lab")
    refused = one.say(
        "certify", "reports/out/latest", "--profile=redirect-server", "--key=lab.key", "-o", "certificate"
    )
    assert refused.returncode == 2
    assert f"the suite was changed since its commit {installed.commit[:12]}" in refused.stderr


def test_certificate(installed: Installed, standard: Standard) -> None:
    run = standard.result()
    assert run.returncode == 0, run.stdout + run.stderr
    one = replace(installed, here=installed.here.with_name("certified"))
    one.said("keygen", "-o", "lab")
    one.said("certify", "reports/out/latest", "--profile=redirect-server", "--key=lab.key", "-o", "certificate")
    assert one.said("verify", "certificate/dossier.tar.gz", "--key=lab.pub")
    header = json.loads((one.here / "reports/out/latest/verdicts.jsonl").read_text().splitlines()[0])
    assert (header["suite_commit"], header["suite_dirty"]) == (installed.commit, False)
    assert left_behind(one.here.parent) == []
