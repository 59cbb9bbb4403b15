"""``sipverdict pcap``: writes the flows of a stored run as files for Wireshark."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.errors import EvidenceError
from harness.report.pcap import compose
from harness.store.files import cannot_write
from harness.store.stored_run import StoredRun, read_run


def write(folder: str, flows: Sequence[str], out: str | None) -> int:
    """Write a file for each of ``flows`` (default: all that verdicts use) to ``out`` or ``RUN/pcap``."""
    run = read_run(Path(folder), cut_off=True)
    wanted = list(dict.fromkeys(name.removeprefix("flows/").removesuffix(".json") for name in flows)) or run.evidence
    if not wanted:
        raise EvidenceError(f"{folder}: no verdict of this run uses a flow", "nothing arrived, or no test ran")
    target = Path(out) if out else run.folder / "pcap"
    try:
        target.mkdir(parents=True, exist_ok=True)
        for name in wanted:
            (target / f"{name}.pcapng").write_bytes(_composed(run, name))
    except OSError as error:
        raise cannot_write(target, error) from error
    print(target if len(wanted) > 1 else target / f"{wanted[0]}.pcapng")
    return 0


def _composed(run: StoredRun, name: str) -> bytes:
    flow = run.flow(name)
    try:
        return compose(flow)
    except (ValueError, TypeError, AttributeError, KeyError, OverflowError) as error:
        # The file may come from a stranger: its values may be of any type.
        raise EvidenceError(f"flows/{name}.json: cannot make a packet file: {error!r:.200}") from error
