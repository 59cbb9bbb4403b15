"""How long it takes to certify and to verify a dossier of so many purposes: a stored run, its records repeated."""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from securesystemslib.signer import CryptoSigner

from harness.evidence import dossier
from harness.evidence.keys import public_pem
from harness.evidence.pack import pack
from harness.evidence.verify import verify
from harness.model.outcome import Tally
from harness.purposes.discovery import all_purposes
from harness.requirements.catalogue import Catalogue
from harness.store.codec import dump
from harness.store.stored_run import read_run
from harness.store.verdict_lines import Footer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="the folder of a run")
    parser.add_argument("--purposes", type=int, default=300)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    catalogue, purposes = Catalogue.load(), all_purposes()
    parts = repeated(options.run, options.purposes)
    signer = CryptoSigner.generate_ed25519()
    told = {"result": "PASSED", "sipverdict": {"profile": "ua-decline", "device": "reference"}}
    sealed = dossier.seal(parts | {dossier.KEY: public_pem(signer)}, told, signer)
    packing, verifying = [], []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dossier.tar.gz"
        for _ in range(options.runs):
            began = time.perf_counter()
            path.write_bytes(pack(sealed))
            packing.append(time.perf_counter() - began)
            began = time.perf_counter()
            found = verify(path, signer.public_key, catalogue, purposes)
            verifying.append(time.perf_counter() - began)
        size = path.stat().st_size
    differ = sum("judged again" in problem for problem in found.problems)
    print(
        f"{found.records} records, {found.flows} flows, {size / 1e6:.2f} MB: packed in "
        f"{statistics.median(packing):.2f} s, verified in {statistics.median(verifying):.2f} s "
        f"(median of {options.runs}); {differ} verdicts differ"
    )


def repeated(folder: Path, wanted: int) -> dict[str, bytes]:
    """The evidence of the run in ``folder`` until there are ``wanted`` records: its own, and copies with flows of
    their own, as devices ``copy1``, ``copy2`` …
    """
    run = read_run(folder)
    parts = dossier.evidence(run)
    described = run.devices
    records = list(run.records)
    copies = 0
    while len(records) < wanted:
        copies += 1
        for line in run.records[: wanted - len(records)]:
            name = f"copy{copies}"
            described.setdefault(name, replace(described[line.device], name=name))
            evidence = []
            for flow in line.evidence:
                copy = flow.replace("flows/", f"flows/{name}-")
                text = parts[flow].decode()
                for old, new in (
                    (f'"id":"{flow[6:-5]}"', f'"id":"{copy[6:-5]}"'),
                    (f'"name":"{line.device}"', f'"name":"{name}"'),
                ):
                    text = text.replace(old, new)
                parts[copy] = text.encode()
                parts[f"{copy[:-5]}.record"] = parts[f"{flow[:-5]}.record"]
                evidence.append(copy)
            records.append(replace(line, device=name, evidence=tuple(evidence)))
    cases: dict[str, tuple[str, ...]] = {}
    for line in records:
        cases[line.purpose] = (*cases.get(line.purpose, ()), line.case)
    tally = Tally.of((line.verdict for line in records), len(records))
    header = replace(run.header, planned=len(records), devices=tuple(described.values()), cases=cases)
    footer = Footer(tally.executed, tally.counts, tally.verdict.word)
    lines = b"".join(dump(entry) + b"\n" for entry in (header, *records, footer))
    return parts | {dossier.VERDICTS: lines, dossier.STATEMENT_HTML: b"", dossier.STATEMENT_PDF: b""}


if __name__ == "__main__":
    main()
