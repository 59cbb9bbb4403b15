"""``sipverdict verify``: whether a dossier stands.  Status 4, and a sentence for everything that is wrong, if not."""

from __future__ import annotations

import sys
from pathlib import Path

from harness.evidence import verify as checks
from harness.evidence.keys import load_public
from harness.model.outcome import ExitStatus
from harness.model.printable import printable
from harness.purposes.discovery import all_purposes
from harness.requirements.catalogue import Catalogue

_TOLD = 20


def verify(path: Path, key: Path | None) -> int:
    """Check the dossier at ``path``, which may be anybody's, and say what came of it."""
    named = load_public(key) if key else None
    found = checks.verify(path, named, Catalogue.load(), all_purposes())
    if found.problems or found.told is None:
        print(f"{printable(str(path))}: not valid", file=sys.stderr)
        for problem in found.problems[:_TOLD]:
            print(f"  - {printable(problem)}", file=sys.stderr)
        if len(found.problems) > _TOLD:
            print(f"  - and {len(found.problems) - _TOLD} more", file=sys.stderr)
        return int(ExitStatus.EVIDENCE)
    told = found.told
    print(
        f"{printable(str(path))}: valid: {printable(str(told['device']))} meets {printable(str(told['profile']))}; "
        f"{found.records} records judged again from {found.flows} flows{found.unjudged}, every verdict is the same"
    )
    if not found.same_suite:
        print("judged first by another version of the suite, and again by this one")
    if named is None:
        print(f"signed by the key in the dossier itself, {found.key}: name the key that you trust with --key")
    else:
        print(f"signed by {found.key}")
    return int(ExitStatus.CONFORMING)
