"""A registry: a folder of dossiers, each verified again, and what has been revoked."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from securesystemslib.signer import SSlibKey

from harness.errors import SetupError
from harness.evidence.issue import Issue
from harness.evidence.verify import verify
from harness.model.printable import short
from harness.purposes.purpose import Purpose
from harness.requirements.catalogue import Catalogue

REVOKED: Final = "revoked.toml"
State = Literal["valid", "expired", "revoked", "not valid"]
_Text = Annotated[str, Field(min_length=1, max_length=500)]


class Revocation(BaseModel):
    """An entry of ``revoked.toml``: one certificate, or everything that a stolen key has signed."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    number: _Text | None = None
    key: _Text | None = None
    """The id of a key."""
    date: date
    reason: _Text


@dataclass(frozen=True)
class Listed:
    """One dossier of the registry."""

    file: str
    """Below the registry's folder."""
    sha256: str
    state: State
    why: str
    """Why it is not valid, or was revoked."""
    key: str
    issue: Issue
    device: str
    product: str
    firmware: str
    profile: str
    tested: str
    """The day of the run."""


def read_registry(
    folder: Path, keys: Sequence[SSlibKey], catalogue: Catalogue, purposes: Mapping[str, Purpose], today: date
) -> list[Listed]:
    """Every dossier in ``folder``, the newest first.  With ``keys`` only these may have signed.

    SetupError for a folder that cannot be read and for a wrong ``revoked.toml``; never for a dossier.
    """
    revoked = _revocations(folder / REVOKED)
    if not folder.is_dir():
        raise SetupError(f"{folder}: expected a folder with dossiers", "certify writes them: dossier.tar.gz")
    found = [_listed(path, folder, keys, revoked, catalogue, purposes, today) for path in sorted(_dossiers(folder))]
    return sorted(found, key=lambda one: (one.issue.issued, one.issue.number), reverse=True)


def _dossiers(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*.tar.gz") if path.is_file() and not path.is_symlink()]


def _revocations(path: Path) -> list[Revocation]:
    if not path.is_file():
        return []
    try:
        table = tomllib.loads(path.read_text("utf-8"))
        entries = table.pop("revoked", [])
        if table or not isinstance(entries, list):
            raise ValueError("expected [[revoked]] tables and nothing else")
        made = [Revocation.model_validate(one) for one in entries]
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        where = ".".join(map(str, detail["loc"]))
        raise SetupError(f"{path}: revoked: {where}: {detail['msg']}", "docs/certificates.md shows an entry") from error
    except (OSError, ValueError) as error:
        raise SetupError(f"{path}: {error}", "docs/certificates.md shows an entry") from error
    if any((one.number is None) == (one.key is None) for one in made):
        raise SetupError(f"{path}: expected number or key in each [[revoked]]", "docs/certificates.md shows an entry")
    return made


def _listed(
    path: Path,
    folder: Path,
    keys: Sequence[SSlibKey],
    revoked: Sequence[Revocation],
    catalogue: Catalogue,
    purposes: Mapping[str, Purpose],
    today: date,
) -> Listed:
    checked = verify(path, None, catalogue, purposes)
    details = checked.details or {}
    issue = Issue.of(details)
    state, why = _state(checked.problems, checked.key, issue, keys, revoked, today)
    if checked.details is None and not why:
        state, why = "not valid", "it has no readable attestation"
    return Listed(
        file=str(path.relative_to(folder)),
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        state=state,
        why=why,
        key=checked.key,
        issue=issue,
        device=short(str(details.get("device", path.name)), 200),
        product=short(f"{details.get('vendor', '')} {details.get('model', '')}".strip(), 200),
        firmware=short(str(details.get("firmware", "")), 200),
        profile=short(str(details.get("profile", "")), 100),
        tested=short(str(details.get("began", ""))[:10], 10),
    )


def _state(
    problems: Sequence[str],
    key: str,
    issue: Issue,
    keys: Sequence[SSlibKey],
    revoked: Sequence[Revocation],
    today: date,
) -> tuple[State, str]:
    """What cannot be verified is not valid; then a revocation counts, then the signer, then the date."""
    if problems:
        return "not valid", short(problems[0], 400)
    for one in revoked:
        if one.date <= today and (one.number == issue.number or (one.key is not None and one.key == key)):
            return "revoked", f"{one.date.isoformat()}: {one.reason}"
    if keys and key not in {one.keyid for one in keys}:
        return "not valid", f"signed by {key}, which is none of the keys that were named"
    return ("expired", f"valid until {issue.expires}") if issue.over(today) else ("valid", "")
