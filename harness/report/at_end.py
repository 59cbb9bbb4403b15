"""What is made of a run when it is over: its page, and what Allure wants to know of all of it."""

from __future__ import annotations

from harness.errors import EvidenceError, SetupError
from harness.report.allure_run import write_categories, write_environment, write_executor
from harness.report.identity import devices_of
from harness.report.page import write_page
from harness.store.folder import RunFolder
from harness.store.stored_run import StoredRun, read_run


def write_reports(folder: RunFolder) -> SetupError | None:
    """Write the reports of the run in ``folder``; what kept them from being written.

    Never raises: the verdicts are safe in their stream, and the reports can be made again from it.
    """
    try:
        run = read_run(folder.path, cut_off=True)
        if any(folder.allure_results.glob("*-result.json")):
            write_environment(folder.allure_results, _environment(run))
            write_categories(folder.allure_results)
            write_executor(folder.allure_results, folder.name, run.header.suite)
        write_page(folder.path)
    except SetupError as error:
        return error
    except EvidenceError as error:  # a full disk can leave a stream that says nothing yet
        return SetupError(f"no page could be made: {error.cause}", error.hint)
    except Exception as error:  # a mistake of ours must not cost a run its verdict
        return SetupError(
            f"no page could be made: {type(error).__name__}: {error}",
            f"the verdicts are complete; please report this, then try: sipverdict report {folder.path}",
        )
    return None


def _environment(run: StoredRun) -> dict[str, object]:
    header, devices = run.header, devices_of(run)
    several = len(devices) > 1
    told: dict[str, object] = {}
    for device in devices:
        words = [device.product, device.firmware, f"({', '.join(device.roles)})" if device.roles else ""]
        told[f"Device {device.name}" if several else "Device"] = " ".join(
            filter(None, ["" if several else device.name, *words])
        )
    return told | {
        "Verdict": run.tally.verdict,
        "Window": header.window,
        "Ruling": header.ruling + (" strict" if header.strict else ""),
        "Suite": f"sipverdict {header.suite}",
        "SIPp": header.sipp,
        "Run": header.run,
    }
