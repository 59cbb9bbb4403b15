"""Verifies a dossier, which may come from a stranger: files, hashes, signature, plans and every verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from securesystemslib.signer import SSlibKey

from harness.errors import EvidenceError, SetupError
from harness.evidence import dossier
from harness.evidence.certificate import certificate, objections
from harness.evidence.envelope import open_envelope
from harness.evidence.issue import Issue
from harness.evidence.keys import parse_public
from harness.evidence.rejudge import unjudged
from harness.evidence.statement import facts, html
from harness.evidence.unpack import unpack
from harness.model.outcome import ExitStatus
from harness.policy.profiles import named
from harness.purposes.purpose import Purpose
from harness.requirements.catalogue import Catalogue
from harness.store import mutation
from harness.store.provenance import digest
from harness.store.stored_run import StoredRun, read_run


@dataclass(frozen=True)
class Verified:
    """The result of a verification."""

    problems: tuple[str, ...]
    """One sentence each.  A valid dossier has none."""
    key: str = ""
    """The id of the key that signed it."""
    details: Mapping[str, Any] | None = None
    """The predicate of the attestation."""
    records: int = 0
    """The number of records with flows, which were judged again."""
    unjudged: str = ""
    """The number of records without flows, in words."""
    flows: int = 0
    same_suite: bool = True
    """Whether the same version of the suite judged it first."""


def verify(path: Path, key: SSlibKey | None, catalogue: Catalogue, purposes: Mapping[str, Purpose]) -> Verified:
    """Check the dossier at ``path``, and with ``key`` that this key signed it.  Never raises for its content."""
    try:
        parts = unpack(path)
    except EvidenceError as error:
        return Verified((error.cause,))
    problems = [*_missing(parts), *_hashes(parts)]
    signer, attested = None, None
    try:
        signer = key or parse_public(parts.get(dossier.KEY, b""))
        if key is not None and parse_public(parts.get(dossier.KEY, b"")).keyid != key.keyid:
            problems.append(f"{dossier.KEY} is not the key that you named")
        attested = open_envelope(parts.get(dossier.ENVELOPE, b""), signer)
        problems += _subjects(parts, attested["digests"])
    except ValueError as error:
        where = dossier.ENVELOPE if signer else dossier.KEY
        problems.append(f"{where}: {error}")
    try:
        run = read_run(Path(path.name), parts=parts)
    except EvidenceError as error:
        return Verified((*problems, error.cause), signer.keyid if signer else "")
    problems += _flows(run, parts)
    details = attested["predicate"]["sipverdict"] if attested else None
    problems += _certificate(run, parts, details, attested, signer, catalogue, purposes)
    return Verified(
        tuple(dict.fromkeys(problems)),
        signer.keyid if signer else "",
        details,
        sum(bool(line.evidence) for line in run.records),
        unjudged(run),
        len(run.evidence),
        run.header.suite_digest == digest(),
    )


def _missing(parts: Mapping[str, bytes]) -> Iterator[str]:
    yield from (f"{name} is missing" for name in dossier.FIXED if name not in parts)
    if not any(name.startswith("scenarios/") for name in parts):
        yield "the scenarios are missing"


def _hashes(parts: Mapping[str, bytes]) -> Iterator[str]:
    """The differences between the files and the list of hashes."""
    if dossier.SUMS not in parts:
        return
    try:
        listed = dossier.parse_sums(parts[dossier.SUMS])
    except ValueError as error:
        yield f"{dossier.SUMS}: {error}"
        return
    there = dossier.digests({n: parts[n] for n in parts if n not in (dossier.SUMS, dossier.ENVELOPE)})
    yield from _compared(there, listed, dossier.SUMS)


def _subjects(parts: Mapping[str, bytes], attested: Mapping[str, str]) -> Iterator[str]:
    """The differences between the files and the signed attestation."""
    yield from _compared(
        dossier.digests({n: parts[n] for n in parts if n != dossier.ENVELOPE}), attested, "the signed attestation"
    )


def _compared(there: Mapping[str, str], listed: Mapping[str, str], by: str) -> Iterator[str]:
    for name in sorted(there.keys() | listed.keys()):
        if name not in listed:
            yield f"{name} was added: {by} does not list it"
        elif name not in there:
            yield f"{name!s:.120} was removed: {by} lists it"
        elif there[name] != listed[name]:
            yield f"{name} was changed: its hash is not the one in {by}"


def _flows(run: StoredRun, parts: Mapping[str, bytes]) -> Iterator[str]:
    """Missing and superfluous flows: a dossier holds exactly the flows that verdicts and positive controls use."""
    wanted = {name for identifier in run.evidence for name in dossier.flow_files(identifier)}
    there = {name for name in parts if name.startswith("flows/")}
    yield from (f"{name} is missing: a verdict uses it" for name in sorted(wanted - there))
    yield from (f"{name} is not evidence: no verdict uses it" for name in sorted(there - wanted))


def _certificate(
    run: StoredRun,
    parts: Mapping[str, bytes],
    details: Mapping[str, Any] | None,
    attested: Mapping[str, Any] | None,
    signer: SSlibKey | None,
    catalogue: Catalogue,
    purposes: Mapping[str, Purpose],
) -> Iterator[str]:
    """The problems of the attested certificate, judged again from the flows alone."""
    name = str((details or {}).get("profile", ""))
    device = str((details or {}).get("device", next(iter(run.devices), "")))
    try:
        # Without a readable attestation the certificate is unknown, but the verdicts can be judged again.
        profile = named(name or "ua-decline", catalogue, purposes)
    except SetupError as error:
        yield f"{dossier.ENVELOPE}: {error.cause}"
        return
    found = objections(run, profile, device, catalogue, purposes)
    if details is None:
        yield from (one.sentence for one in found if one.status is ExitStatus.EVIDENCE)
        return
    yield from (one.sentence for one in found)
    if found or signer is None or attested is None:
        return
    made = certificate(run, profile, device, catalogue, purposes)
    issue = Issue.of(details)
    if dossier.predicate(made, issue) != attested["predicate"]:
        yield f"{dossier.ENVELOPE}: it differs from what the evidence shows"
    same_suite = run.header.suite_digest == digest()
    if same_suite and run.header.suite_mutants != mutation.sentence():
        yield f"{dossier.VERDICTS}: the header says something else of the suite's mutants than this suite does"
    if (
        same_suite
        and html(facts(made, signer.keyid, issue)).encode("utf-8", "backslashreplace") != parts[dossier.STATEMENT_HTML]
    ):
        yield f"{dossier.STATEMENT_HTML} differs from what the evidence shows"
