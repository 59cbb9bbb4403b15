"""Writes the reports of a finished run: its page, and the files for Allure about the whole run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from harness.errors import EvidenceError, SetupError
from harness.model.flow import Flow
from harness.model.windows import WINDOWS
from harness.report.allure_run import write_categories, write_environment, write_executor
from harness.report.identity import devices_of
from harness.report.page import write_page
from harness.report.redress import redress_in, sentences
from harness.store.folder import RunFolder
from harness.store.stored_run import StoredRun, read_run


def write_reports(folder: RunFolder, at_hand: Mapping[str, Flow], *, page: bool = True) -> SetupError | None:
    """Write the reports of the run in ``folder``, with its ``page`` or without.

    Return the error if they cannot be written.  ``at_hand`` are flows of the run that need not be read again, by id.
    Never raises: the verdicts are stored, and the reports can be made from them later.
    """
    try:
        run = read_run(folder.path, cut_off=True)
        if any(folder.allure_results.glob("*-result.json")):
            write_environment(folder.allure_results, _environment(run))
            write_categories(folder.allure_results)
            write_executor(folder.allure_results, folder.name, run.header.suite)
        if page:
            write_page(folder.path, at_hand=at_hand)
    except SetupError as error:
        return error
    except EvidenceError as error:  # a full disk can leave an empty stream
        return SetupError(f"cannot make the page: {error.cause}", error.hint)
    except Exception as error:  # a bug in a report must not cost a run its verdict
        return SetupError(
            f"cannot make the page: {type(error).__name__}: {error}",
            f"the verdicts are complete; please report this, then try: sipverdict report {folder.path}",
        )
    return None


def redress_lines(folder: Path) -> list[str]:
    """What the 603+ in the run in ``folder`` say, a line each; none of a run that cannot be read."""
    try:
        return sentences(redress_in(read_run(folder, cut_off=True)))
    except (EvidenceError, SetupError, OSError):
        return []  # write_reports has told it


def _environment(run: StoredRun) -> dict[str, object]:
    header, devices = run.header, devices_of(run)
    several = len(devices) > 1
    fields: dict[str, object] = {}
    for device in devices:
        words = [device.product, device.firmware, f"({', '.join(device.roles)})" if device.roles else ""]
        fields[f"Device {device.name}" if several else "Device"] = " ".join(
            filter(None, ["" if several else device.name, *words])
        )
    return fields | {
        "Verdict": run.tally.verdict,
        "Window": f"{WINDOWS[header.window]}: later retries were not looked for",
        "Scope": header.scope.cases,
        "Ruling": header.ruling + (" strict" if header.strict else ""),
        "Suite": f"sipverdict {header.suite}",
        "SIPp": header.sipp,
        "Run": header.run,
    }
