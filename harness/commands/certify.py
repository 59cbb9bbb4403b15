"""``sipverdict certify``: writes a conformance statement and a signed dossier, or every reason against them."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime
from pathlib import Path

from harness.errors import EvidenceError
from harness.evidence.certificate import Objection, certificate, choose_device, objections
from harness.evidence.dossier import KEY, STATEMENT_HTML, STATEMENT_PDF, compose
from harness.evidence.issue import Issue
from harness.evidence.keys import load_private
from harness.evidence.pack import pack
from harness.model.outcome import ExitStatus
from harness.model.printable import printable
from harness.policy.profiles import named
from harness.purposes.discovery import all_purposes
from harness.requirements.catalogue import Catalogue
from harness.store.files import cannot_write
from harness.store.stored_run import read_run

DOSSIER = "dossier.tar.gz"


def certify(
    folder: str,
    profile_name: str,
    key: Path,
    device: str | None,
    output: Path,
    *,
    number: str | None = None,
    issuer: str | None = None,
    laboratory: str | None = None,
    issued: date | None = None,
    expires: date | None = None,
) -> int:
    """Write the certificate of the run in ``folder`` to ``output``.

    Status 0 with a certificate.  Otherwise it prints every reason, and the status is 1 if the device fails, 4 if the
    evidence does not support its verdicts, else 2.
    """
    catalogue, purposes = Catalogue.load(), all_purposes()
    profile, signer = named(profile_name, catalogue, purposes), load_private(key)
    run = read_run(Path(folder), cut_off=True)
    name = choose_device(run, device)
    if reasons := objections(run, profile, name, catalogue, purposes):
        print(f"no certificate {profile.name} for {printable(name)}:", file=sys.stderr)
        for reason in reasons:
            print(f"  - {printable(reason.sentence)}", file=sys.stderr)
        return int(_status(reasons))
    if any(path.is_symlink() for path in (run.folder / "verdicts.jsonl", run.folder / "flows")):
        raise EvidenceError(f"{run.folder}: expected files of its own, found a link")
    today = issued or datetime.now(UTC).date()
    verdicts = (run.folder / "verdicts.jsonl").read_bytes()
    issue = Issue.made(verdicts, today, number=number, issuer=issuer, laboratory=laboratory, expires=expires)
    parts = compose(run, certificate(run, profile, name, catalogue, purposes), signer, issue)
    files = {DOSSIER: pack(parts), **{name: parts[name] for name in (STATEMENT_HTML, STATEMENT_PDF, KEY)}}
    _write(output, files)
    print(f"certificate {printable(issue.number)}, valid until {issue.expires}")
    print(f"{printable(name)} meets {profile.name}; signed by {signer.public_key.keyid}")
    for file in sorted(files):
        print(f"  {output / file}")
    return int(ExitStatus.CONFORMING)


def _status(reasons: list[Objection]) -> ExitStatus:
    of = {reason.status for reason in reasons}
    order = (ExitStatus.EVIDENCE, ExitStatus.NOT_CONFORMING, ExitStatus.INCONCLUSIVE)
    return next(status for status in order if status in of)


def _write(output: Path, files: dict[str, bytes]) -> None:
    try:
        output.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            partial = output / f".{name}.partial"
            partial.write_bytes(content)
            partial.replace(output / name)
    except OSError as error:
        raise cannot_write(Path(error.filename or output), error) from error
