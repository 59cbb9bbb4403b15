"""Version and commit of the suite: in a checkout, in what is built, and where neither is known."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
from packaging.version import Version

from harness.store.provenance import BUILT, NEXT, Provenance, digest, provenance

Git = Callable[..., str]


@pytest.fixture
def git(tmp_path: Path) -> Git:
    def run(*arguments: str) -> str:
        command = ["git", "-C", str(tmp_path), "-c", "user.name=t", "-c", "user.email=t@localhost", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    (tmp_path / "suites").mkdir()
    (tmp_path / "suites" / "test_one.py").write_text("1\n")
    run("init", "-q")
    run("add", "-A")
    run("commit", "-qm", "one")
    return run


def test_commit_without_a_tag_before_it(git: Git, tmp_path: Path) -> None:
    commit = git("rev-parse", "HEAD")
    assert provenance(tmp_path) == Provenance(f"{NEXT}.dev1+g{commit[:12]}", commit, False, digest(tmp_path))


def test_commit_with_a_tag(git: Git, tmp_path: Path) -> None:
    git("tag", "v1.2.0")
    git("tag", "some-other-tag")
    assert provenance(tmp_path).version == "1.2.0"


@pytest.mark.parametrize(("tag", "version"), [("v1.2.0", "1.2.1.dev2"), ("v1.3.0rc1", "1.3.0rc2.dev2")])
def test_commits_after_a_tag(tag: str, version: str, git: Git, tmp_path: Path) -> None:
    git("tag", tag)
    git("commit", "-qm", "two", "--allow-empty")
    git("commit", "-qm", "three", "--allow-empty")
    found = provenance(tmp_path).version
    assert found == f"{version}+g{git('rev-parse', 'HEAD')[:12]}"
    assert Version(found) > Version(tag)


def test_tag_that_is_no_version(git: Git, tmp_path: Path) -> None:
    git("tag", "v1st")
    assert provenance(tmp_path).version.startswith(f"{NEXT}.dev1+g")


def test_changed_checkout_is_not_its_tag(git: Git, tmp_path: Path) -> None:
    git("tag", "v1.2.0")
    (tmp_path / "suites" / "test_two.py").write_text("2\n")
    found = provenance(tmp_path)
    assert found.dirty
    assert found.version == f"1.2.1.dev0+g{found.commit[:12]}.dirty"


def test_checkout_without_git(git: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert provenance(tmp_path) == Provenance(f"{NEXT}.dev0", "", True, digest(tmp_path))


def _build(folder: Path, **changes: object) -> Provenance:
    built = Provenance("1.2.0", "c" * 40, False, digest(folder))
    (folder / BUILT).write_text(json.dumps(asdict(built) | changes))
    return built


def test_what_was_built_knows_what_from(tmp_path: Path) -> None:
    assert _build(tmp_path) == provenance(tmp_path)


def test_built_from_a_changed_checkout(tmp_path: Path) -> None:
    _build(tmp_path, dirty=True)
    assert provenance(tmp_path).dirty


@pytest.mark.parametrize("change", ["changed", "added", "removed"])
def test_changed_since_it_was_built(change: str, tmp_path: Path) -> None:
    (tmp_path / "harness").mkdir()
    judge = tmp_path / "harness" / "judge.py"
    judge.write_text("1\n")
    _build(tmp_path)
    if change == "changed":
        judge.write_text("2\n")
    elif change == "added":
        judge.with_name("other.py").write_text("")
    else:
        judge.unlink()
    found = provenance(tmp_path)
    assert found.dirty
    assert found.digest == digest(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", '{"version": "1"}', '{"more": 1}'])
def test_what_it_was_built_from_cannot_be_read(text: str, tmp_path: Path) -> None:
    (tmp_path / BUILT).write_text(text)
    assert provenance(tmp_path) == Provenance(f"{NEXT}.dev0", "", True, digest(tmp_path))
