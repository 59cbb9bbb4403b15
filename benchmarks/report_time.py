"""What reports cost: evidence per purpose, the page of 300 purposes, packets.  CPU time of this process."""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.model.flow import Flow
from harness.purposes.discovery import all_purposes
from harness.report.page import write_page
from harness.report.pcap import compose
from harness.store.folder import RunFolder
from harness.store.stored_run import StoredRun, read_run
from harness.store.stream import VerdictStream
from harness.store.verdict_lines import VerdictLine


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", help="the folder of a stored run")
    parser.add_argument("--purposes", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    run = read_run(Path(options.run))
    records = [line for line in run.records if line.evidence]
    flows = {name: run.flow(name) for name in run.evidence}
    all_purposes()
    with tempfile.TemporaryDirectory() as place:
        out = Path(place)
        evidence(out, run, records, flows, options.rounds)
        for share in ("as it came", "every purpose failed"):
            many = list(repeated(records, options.purposes, failed=share != "as it came"))
            folder = stored(out, run, many, flows)
            told(
                f"page of {len(many)} purposes, {share}", options.rounds, lambda folder=folder: write_page(folder.path)
            )
            print(f"    {(folder.path / 'index.html').stat().st_size / 1e6:.2f} MB")
    told(f"packets of {len(flows)} flows", options.rounds, lambda: [compose(flow) for flow in flows.values()])


def evidence(out: Path, run: StoredRun, records: list[VerdictLine], flows: dict[str, Flow], rounds: int) -> None:
    """What is written for each purpose while a run goes on: its line, its flows, its Allure result."""
    print(f"{len(records)} purposes with {len(flows)} flows")

    def lines() -> None:
        stored(out, run, records, {})

    def flow_files() -> None:
        folder = RunFolder.create(out, "flows")
        for flow in flows.values():
            folder.write_flow(flow)

    for name, work in (("lines", lines), ("flows", flow_files)):
        told(f"evidence: {name}", rounds, work, per=len(records))
    without, results = (pytest_cpu(out, run, *options) for options in (["-p", "no:allure_pytest"], []))
    each = 1000 * (results - without) / len(records)
    print(f"evidence: Allure: {results - without:.3f} s CPU more than without, {each:.2f} ms CPU per purpose")


SUITE = """
import sys
import time
from pathlib import Path
import pytest
sys.path[:0] = {paths!r}
from harness.requirements.catalogue import Catalogue
from harness.run import allure_result
from harness.store.stored_run import read_run

run, catalogue = read_run(Path({run!r})), Catalogue.load()
records = [line for line in run.records if line.evidence]
flows = {{name: run.flow(name) for name in run.evidence}}

@pytest.fixture(scope="session", autouse=True)
def spent():
    began = time.process_time()
    yield
    Path("spent").write_text(str(time.process_time() - began))

@pytest.mark.parametrize("number", range(len(records)))
def test_it(request, number):
    record = records[number]
    if request.config.pluginmanager.hasplugin("allure_listener"):
        rows = [catalogue[found.id] for found in record.requirements]
        allure_result.report(request.node, record, [flows[f] for f in record.flows], rows, "text")
"""


CONFTEST = """
import sys
from pathlib import Path
import allure_pytest.plugin
sys.path[:0] = {paths!r}
from harness.run.allure_files import AllureFiles

def trouble(error):
    raise error

allure_pytest.plugin.AllureFileLogger = lambda folder, clean: AllureFiles(trouble, Path(folder), folder, clean)
"""


def pytest_cpu(out: Path, run: StoredRun, *options: str) -> float:
    """The CPU seconds of the tests of a pytest suite that only gives Allure what a run would; the best of three."""
    here = Path(__file__).resolve().parent
    paths = [str(here), str(here.parent)]
    (out / "conftest.py").write_text(CONFTEST.format(paths=paths))
    path = out / "test_results.py"
    path.write_text(SUITE.format(paths=paths, run=str(run.folder.resolve())))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, str(path)]
    if "no:allure_pytest" not in options:
        command.append("--alluredir=results")
    spent = []
    for _ in range(3):
        shutil.rmtree(out / "results", ignore_errors=True)
        subprocess.run(command, cwd=out, stdout=subprocess.DEVNULL, check=True)
        spent.append(float((out / "spent").read_text()))
    return min(spent)


def stored(out: Path, run: StoredRun, records: list[VerdictLine], flows: dict[str, Flow]) -> RunFolder:
    folder, header = RunFolder.create(out, "bench"), run.header
    for flow in flows.values():
        folder.write_flow(flow)
    with VerdictStream(folder.verdicts, replace(header, run=folder.name, planned=len(records), cases=())) as stream:
        for record in records:
            stream.write(record)
    return folder


def repeated(records: list[VerdictLine], count: int, *, failed: bool) -> Any:
    for number in range(count):
        record = records[number % len(records)]
        if failed:
            worse = tuple(replace(found, verdict="fail") for found in record.requirements)
            record = replace(record, requirements=worse, verdict="fail")
        yield replace(record, device=f"{record.device}-{number // len(records)}")


def told(what: str, rounds: int, work: Callable[[], object], per: int = 0) -> None:
    """Print the median of ``rounds``; the first one, which loads what is needed, does not count."""
    work()
    spent = []
    for _ in range(rounds):
        began, wall = time.process_time(), time.perf_counter()
        work()
        spent.append((time.process_time() - began, time.perf_counter() - wall))
    cpu, wall = (statistics.median(one) for one in zip(*spent, strict=True))
    each = f", {1000 * cpu / per:.2f} ms CPU per purpose" if per else ""
    print(f"{what}: {cpu:.3f} s CPU, {wall:.3f} s wall{each}", flush=True)


if __name__ == "__main__":
    main()
