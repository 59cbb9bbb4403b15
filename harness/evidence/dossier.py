"""The dossier: the evidence of a run and the certificate based on it, as one set of files."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from securesystemslib.signer import CryptoSigner

from harness.errors import EvidenceError
from harness.evidence.certificate import Certificate
from harness.evidence.envelope import sign, statement
from harness.evidence.issue import Issue
from harness.evidence.keys import public_pem
from harness.evidence.pdf import pdf
from harness.evidence.statement import facts, html
from harness.paths import SCENARIOS
from harness.policy import profiles as requirement_profiles
from harness.requirements.catalogue import PATH as CATALOGUE
from harness.store.record import RECORD
from harness.store.stored_run import StoredRun

SUMS, ENVELOPE, KEY, VERDICTS = "SHA256SUMS", "attestation.dsse.json", "key.pub", "verdicts.jsonl"
STATEMENT_HTML, STATEMENT_PDF = "statement.html", "statement.pdf"
SUITE_FILES = {"suite/requirements.json": CATALOGUE, "suite/profiles.toml": requirement_profiles.PATH}
FIXED = (SUMS, ENVELOPE, KEY, VERDICTS, STATEMENT_HTML, STATEMENT_PDF, *SUITE_FILES)
"""The files of every dossier, beside its flows and scenarios."""
_SUM = re.compile(r"([0-9a-f]{64})  (\S{1,250})")


def compose(run: StoredRun, certificate: Certificate, signer: CryptoSigner, issue: Issue) -> dict[str, bytes]:
    """The files of the dossier, by name: a pure function of the run, the suite and the key."""
    content = facts(certificate, signer.public_key.keyid, issue)
    parts = evidence(run) | {
        STATEMENT_HTML: html(content).encode("utf-8", "backslashreplace"),
        STATEMENT_PDF: pdf(content),
        KEY: public_pem(signer),
    }
    return seal(parts, predicate(certificate, issue), signer)


def seal(parts: Mapping[str, bytes], predicate: Mapping[str, Any], signer: CryptoSigner) -> dict[str, bytes]:
    """``parts`` with their hashes and the signed attestation of ``predicate`` about them."""
    listed = dict(parts) | {SUMS: sums(parts)}
    return listed | {ENVELOPE: sign(statement(digests(listed), predicate), signer)}


def evidence(run: StoredRun) -> dict[str, bytes]:
    """The evidence of the certificate: verdicts, flows, scenarios and rules.  EvidenceError if a file is missing."""
    try:
        parts = {VERDICTS: (run.folder / VERDICTS).read_bytes()}
        for identifier in run.evidence:
            run.flow(identifier)  # a regular file, no link
            for name in flow_files(identifier):
                parts[name] = (run.folder / name).read_bytes()
        parts |= {f"scenarios/{path.name}": path.read_bytes() for path in SCENARIOS.glob("*.xml.j2")}
        return parts | {name: path.read_bytes() for name, path in SUITE_FILES.items()}
    except OSError as error:
        raise EvidenceError(f"{error.filename}: expected a file of the run, but {error.strerror}") from error


def flow_files(identifier: str) -> tuple[str, str]:
    """The files of a flow: its description and its record."""
    return f"flows/{identifier}.json", f"flows/{identifier}{RECORD}"


def predicate(certificate: Certificate, issue: Issue) -> dict[str, Any]:
    """The predicate of the attestation (in-toto test-result v0.1), with our own fields under ``sipverdict``."""
    rows: dict[str, list[str]] = {"pass": [], "warn": []}
    name = certificate.device.name
    for one in certificate.in_force:
        rows[one.verdict].append(f"{one.row.id} {name} {one.role}")
    suite = certificate.suite
    return {
        "result": "WARNED" if rows["warn"] else "PASSED",
        "configuration": [
            {
                "name": "sipverdict",
                "digest": {"gitCommit": suite["commit"]},
                "annotations": {"version": suite["version"]} | _measured(suite),
            },
            {"name": "suite", "digest": {"sha256": suite["digest"]}},
        ],
        "passedTests": sorted(rows["pass"]),
        "warnedTests": sorted(rows["warn"]),
        "failedTests": [],
        "sipverdict": {
            "version": suite["version"],
            "profile": certificate.profile.name,
            "device": name,
            "run": certificate.run,
            "window": certificate.window.name,
            "ruling": certificate.ruling,
            "sipp": suite["sipp"],
            "began": certificate.began.isoformat(),
            "ended": certificate.ended.isoformat(),
            "vendor": certificate.device.vendor,
            "model": certificate.device.model,
            "firmware": certificate.version or certificate.device.firmware,
            **issue.told,
        },
    }


def _measured(suite: Mapping[str, str]) -> dict[str, str]:
    """What is known of the suite beside its version; nothing in a dossier of a suite that was not measured."""
    return {"mutants": suite["mutants"]} if suite["mutants"] else {}


def digests(parts: Mapping[str, bytes]) -> dict[str, str]:
    """The SHA-256 of each of ``parts``."""
    return {name: hashlib.sha256(content).hexdigest() for name, content in parts.items()}


def sums(parts: Mapping[str, bytes]) -> bytes:
    """The list of hashes, as ``sha256sum -c`` reads it."""
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(digests(parts).items())).encode("ascii")


def parse_sums(content: bytes) -> dict[str, str]:
    """The list of hashes, parsed; ValueError with the line number unless it is in the format of :func:`sums`."""
    found: dict[str, str] = {}
    for number, line in enumerate(content.decode("ascii", "backslashreplace").split("\n")[:-1], start=1):
        match = _SUM.fullmatch(line)
        if match is None or match[2] in found:
            raise ValueError(
                f"line {number} is not a hash and a name" if match is None else f"line {number} repeats a file"
            )
        found[match[2]] = match[1]
    if not content.endswith(b"\n"):
        raise ValueError("its last line is cut off")
    return found
