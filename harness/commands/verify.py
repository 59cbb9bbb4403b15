"""``sipverdict verify``: checks a dossier.  An invalid one gives status 4 and a sentence for every problem."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from harness.evidence import verify as checks
from harness.evidence.issue import Issue
from harness.evidence.keys import load_public
from harness.model.outcome import ExitStatus
from harness.model.printable import printable
from harness.purposes.discovery import all_purposes
from harness.requirements.catalogue import Catalogue

_LISTED = 20


def verify(path: Path, key: Path | None) -> int:
    """Check the dossier at ``path``, which may come from a stranger, and print the result."""
    named = load_public(key) if key else None
    found = checks.verify(path, named, Catalogue.load(), all_purposes())
    if found.problems or found.details is None:
        print(f"{printable(str(path))}: not valid", file=sys.stderr)
        for problem in found.problems[:_LISTED]:
            print(f"  - {printable(problem)}", file=sys.stderr)
        if len(found.problems) > _LISTED:
            print(f"  - and {len(found.problems) - _LISTED} more", file=sys.stderr)
        return int(ExitStatus.EVIDENCE)
    details = found.details
    print(
        f"{printable(str(path))}: valid: "
        f"{printable(str(details['device']))} meets {printable(str(details['profile']))}; "
        f"{found.records} records judged again from {found.flows} flows{found.unjudged}, every verdict is the same"
    )
    issue = Issue.of(details)
    print(f"certificate {issue.number}, issued {issue.issued} by {issue.issuer}, laboratory {issue.laboratory}")
    if issue.over(datetime.now(UTC).date()):
        print(f"it was valid until {issue.expires}: the evidence holds, the certificate is over")
    if not found.same_suite:
        print("another version of the suite judged it first; this version judged it again")
    if named is None:
        print(f"signed by the key in the dossier itself, {found.key}: name the key that you trust with --key")
    else:
        print(f"signed by {found.key}")
    return int(ExitStatus.CONFORMING)
