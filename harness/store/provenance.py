"""The version of the suite: its release and commit, whether files differ from it, and a digest of the files.

A checkout asks git.  A wheel or an unpacked source distribution has no repository: it reads what its build wrote into
``build.json``, and counts as changed if the digest of its files differs from the one in there.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from packaging.version import Version

from harness.paths import ROOT

BUILT = "build.json"
"""Beside the folders of a wheel and of a source distribution: their provenance when they were built."""
NEXT = "0.2.0"
"""The release that is worked on as long as no tag names one."""
PARTS = ("harness", "suites", "scenarios")
"""The folders whose files can change a verdict."""
_KINDS = {".py", ".json", ".toml", ".j2", ".cfg"}
_GIT_S = 10


@dataclass(frozen=True)
class Provenance:
    """The part of a run's header that identifies the suite."""

    version: str
    """That of the tag ``vX.Y`` of this commit; else the release that is worked on, as ``X.Y.devN+gCOMMIT``."""
    commit: str
    """"" where it is not known: no git checkout, no git, and no build that wrote it down."""
    dirty: bool
    """Whether it differs from its commit in what can change a verdict; True as well if that is not known."""
    digest: str
    """SHA-256 over names and contents of those files."""


@cache
def version() -> str:
    """The version of this suite.  The files of a running process do not change theirs."""
    return provenance().version


def provenance(root: Path = ROOT) -> Provenance:
    """That of the suite at ``root``."""
    if (root / ".git").exists():
        return _of_git(root)
    found, built = digest(root), _of_build(root)
    if built is None:
        return Provenance(f"{NEXT}.dev0", "", True, found)
    return replace(built, dirty=built.dirty or built.digest != found, digest=found)


def digest(root: Path = ROOT) -> str:
    """SHA-256 over the suite's files: for each, in order, the digest of its content, and its name."""
    whole = hashlib.sha256()
    for path in sorted(path for part in PARTS for path in (root / part).rglob("*") if path.suffix in _KINDS):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        whole.update(f"{content}  {path.relative_to(root).as_posix()}\n".encode())
    return whole.hexdigest()


def _of_build(root: Path) -> Provenance | None:
    try:
        return Provenance(**json.loads((root / BUILT).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _of_git(root: Path) -> Provenance:
    commit = _git(root, "rev-parse", "--verify", "HEAD") or ""
    changes = _git(root, "status", "--porcelain", "--untracked-files=all", "--", *PARTS) if commit else None
    dirty = changes != ""
    return Provenance(_version(root, commit, dirty=dirty), commit, dirty, digest(root))


def _version(root: Path, commit: str, *, dirty: bool) -> str:
    """The version of a commit: PEP 440, and later than that of every ancestor."""
    described = _git(root, "describe", "--tags", "--long", "--match=v[0-9]*", "HEAD") if commit else None
    try:
        tag, distance, _ = (described or "").rsplit("-", 2)
        tagged = Version(tag)
    except ValueError:  # no tag, or one that names no version
        release, distance = NEXT, (_git(root, "rev-list", "--count", "HEAD") if commit else None) or "0"
    else:
        if distance == "0" and not dirty:
            return str(tagged)
        release = re.sub(r"\d+$", lambda last: str(int(last[0]) + 1), tagged.public)
    local = f"+g{commit[:12]}{'.dirty' if dirty else ''}" if commit else ""
    return f"{release}.dev{distance}{local}"


def _git(root: Path, *arguments: str) -> str | None:
    """The output of git; None if git fails."""
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            # Another program's git may be at work in this checkout: take no lock only to have a look.
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
            timeout=_GIT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "replace").strip() if done.returncode == 0 else None
