"""The version of the suite: the commit of its checkout, whether files differ from it, and a digest of the files."""

from __future__ import annotations

import hashlib
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from harness.paths import ROOT

PARTS = ("harness", "suites", "scenarios")
"""The folders whose files can change a verdict."""
_KINDS = {".py", ".json", ".toml", ".j2", ".cfg"}
_GIT_S = 10


@dataclass(frozen=True)
class Provenance:
    """The part of a run's header that identifies the suite, beside its version."""

    commit: str
    """"" where the suite is no git checkout, or there is no git."""
    dirty: bool
    """Whether the checkout differs from its commit in what can change a verdict; True as well if git cannot tell."""
    digest: str
    """SHA-256 over names and contents of those files."""


def provenance(root: Path = ROOT) -> Provenance:
    """That of the suite at ``root``."""
    commit = _git(root, "rev-parse", "--verify", "HEAD") if (root / ".git").exists() else None
    changes = _git(root, "status", "--porcelain", "--untracked-files=all", "--", *PARTS) if commit else None
    return Provenance(commit or "", changes != "", digest(root))


def digest(root: Path = ROOT) -> str:
    """SHA-256 over the suite's files: for each, in order, the digest of its content, and its name."""
    whole = hashlib.sha256()
    for path in sorted(path for part in PARTS for path in (root / part).rglob("*") if path.suffix in _KINDS):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        whole.update(f"{content}  {path.relative_to(root).as_posix()}\n".encode())
    return whole.hexdigest()


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
