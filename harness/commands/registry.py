"""``sipverdict registry``: verifies every dossier of a folder again, and lists them on a static page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from harness.evidence.keys import load_public
from harness.evidence.registry import REVOKED, read_registry
from harness.model.outcome import ExitStatus
from harness.model.printable import printable
from harness.purposes.discovery import all_purposes
from harness.report.html import render
from harness.report.words import words
from harness.requirements.catalogue import Catalogue
from harness.store.files import write_whole
from harness.store.provenance import version


def registry(folder: Path, keys: Sequence[Path], output: Path | None) -> int:
    """Write the page of the registry in ``folder``, and print a line for each dossier.

    Status 0 if every dossier is valid, expired or revoked; 4 if one cannot be verified.
    """
    today = datetime.now(UTC).date()
    listed = read_registry(folder, [load_public(key) for key in keys], Catalogue.load(), all_purposes(), today)
    for one in listed:
        why = f" ({one.why})" if one.why else ""
        print(printable(f"{one.state:<9}  {one.issue.number}  {one.device}  {one.profile}  {one.file}{why}"))
    counts = Counter(one.state for one in listed)
    path = output or folder / "index.html"
    values = {"listed": listed, "counts": counts, "day": today.isoformat(), "version": version(), "revoked": REVOKED}
    write_whole(path, render("registry.html.j2", words("en"), values))
    print(path)
    return int(ExitStatus.EVIDENCE if counts["not valid"] else ExitStatus.CONFORMING)
