"""``sipverdict pcap``: writes the flows of a stored run as files for Wireshark."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.errors import EvidenceError
from harness.report.pcap import compose
from harness.store.files import cannot_write
from harness.store.stored_run import StoredRun, read_run


def write(folder: str, flows: Sequence[str], out: str | None) -> int:
    """Write a file for each of ``flows`` (default: all that verdicts use) to ``out`` or ``RUN/pcap``; print where."""
    wanted = list(dict.fromkeys(name.removeprefix("flows/").removesuffix(".json") for name in flows))
    target, written = write_files(read_run(Path(folder), cut_off=True), wanted, Path(out) if out else None)
    print(target if len(written) > 1 else target / f"{written[0]}.pcapng")
    return 0


def write_files(run: StoredRun, flows: Sequence[str], out: Path | None = None) -> tuple[Path, Sequence[str]]:
    """Write a file for each of ``flows`` of ``run`` (none: all that verdicts use); the folder, and what was written."""
    wanted = flows or run.evidence
    if not wanted:
        raise EvidenceError(f"{run.folder}: no verdict of this run uses a flow", "nothing arrived, or no test ran")
    target = out or run.folder / "pcap"
    try:
        target.mkdir(parents=True, exist_ok=True)
        for name in wanted:
            (target / f"{name}.pcapng").write_bytes(_composed(run, name))
    except OSError as error:
        raise cannot_write(target, error) from error
    return target, wanted


def _composed(run: StoredRun, name: str) -> bytes:
    flow = run.flow(name)
    try:
        return compose(flow)
    except (ValueError, TypeError, AttributeError, KeyError, OverflowError) as error:
        # The file may come from a stranger: its values may be of any type.
        raise EvidenceError(f"flows/{name}.json: cannot make a packet file: {error!r:.200}") from error
