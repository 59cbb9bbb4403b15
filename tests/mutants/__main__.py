"""``python -m tests.mutants``, ``make mutants``: how many small changes of the reference device the suite notices."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from harness.net.address import Transport
from harness.paths import ROOT
from tests.mutants import lawful, record, report
from tests.mutants.mutant import PACKAGE, Mutant, all_mutants, mutable_files, sample
from tests.mutants.original import Originals, digest
from tests.mutants.results import Results
from tests.mutants.roles import PARTS, chosen
from tests.mutants.runs import Turns
from tests.mutants.trial import UNDECIDED, Court, Result

OUT = ROOT / "reports" / "out" / "mutants"
_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """0; 1 if a lawful mutant failed, or the score is below what was asked for; 130 after an interrupt."""
    options = _options(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    mutants = all_mutants()
    reasons = lawful.load()
    for identifier in lawful.stale(reasons, (mutant.id for mutant in mutants)):
        print(f"lawful.toml: {identifier} names no mutant: its line has been changed", file=sys.stderr)
    suite = digest()
    tried = {
        "suite": suite,
        "windows": options.windows,
        "parts": options.part,
        "transports": options.transports,
    }
    results = Results(options.out / "results.jsonl", tried)
    chosen = _chosen(options, mutants, results)
    if options.list:
        print("\n".join(mutant.id for mutant in chosen))
        return 0
    todo = [mutant for mutant in chosen if mutant.id not in results.known or options.id]
    print(
        f"{len(chosen)} of {len(mutants)} mutants, {len(chosen) - len(todo)} of them known; {options.jobs} side by side"
    )
    interrupted = False
    # A shell lets what it starts in the background ignore interrupts.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        asyncio.run(_try_all(todo, results, reasons, suite, options))
    except (KeyboardInterrupt, asyncio.CancelledError):
        interrupted = True
    except ExceptionGroup as errors:
        sys.exit(f"{errors.exceptions[0]}")
    ids = {mutant.id for mutant in chosen}
    told = [result for result in results.known.values() if result.id in ids]
    about = {"suite": suite, "seed": options.seed, "mutants": len(told), "of": len(mutants), "windows": options.windows}
    score = report.write(told, options.out, about)
    print(f"mutation score: {score}\nreport: {options.out / 'report.txt'}")
    if interrupted:
        return _INTERRUPTED
    if options.record:
        _record(told, options, len(mutants))
    alarms = any(result.outcome == "false alarm" for result in told)
    return int(alarms or (score.share is not None and score.share < options.least))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("-n", "--number", type=int, default=60, help="how many mutants (default: 60; 0: all)")
    parser.add_argument("--seed", type=int, default=1, help="which ones; the same for the same seed (default: 1)")
    parser.add_argument("--id", action="append", default=[], help="this mutant, also if it is known; repeatable")
    parser.add_argument("--again", action="store_true", help="only what was not caught before, by whichever suite")
    parser.add_argument("--only", default="", metavar="TEXT", help="only mutants whose id contains this")
    parser.add_argument(
        "--module",
        dest="modules",
        action="append",
        choices=[file.removesuffix(".py") for file in mutable_files(ROOT / PACKAGE)],
        metavar="NAME",
        help="only mutants of this module (blocking, proxy/answers); repeatable",
    )
    parser.add_argument("--part", action="append", choices=[*map(str, PARTS)], help="only in this role; repeatable")
    parser.add_argument(
        "--transport",
        dest="transports",
        action="append",
        choices=get_args(Transport),
        help="over this one, and not over UDP; repeatable",
    )
    parser.add_argument(
        "--window",
        dest="windows",
        action="append",
        choices=("quick", "standard", "extended"),
        help="given again: the window for those that survived the one before (default: quick)",
    )
    parser.add_argument("--jobs", type=int, default=max(2, os.cpu_count() or 2), help="short runs side by side")
    parser.add_argument("--minutes", type=float, default=0.0, help="begin no mutant after so many (0: no limit)")
    parser.add_argument("--least", type=float, default=0.0, metavar="SHARE", help="exit status 1 below this score")
    parser.add_argument("--out", type=Path, default=OUT, help="where results are kept (default: reports/out/mutants)")
    parser.add_argument(
        "--record", action="store_true", help="write the score where certificates and docs/figures.md say it"
    )
    parser.add_argument("--list", action="store_true", help="only print the ids")
    options = parser.parse_args(arguments)
    options.windows = options.windows or ["quick"]
    options.transports = options.transports or ["udp"]
    options.out = options.out.resolve()
    return options


def _record(told: Sequence[Result], options: argparse.Namespace, of: int) -> None:
    narrowed = options.id or options.again or options.only or options.modules or options.part
    if narrowed or options.transports != ["udp"]:
        sys.exit(
            "--record: expected a sample of all mutants, by chance; "
            "leave out --id, --again, --only, --module, --part and --transport"
        )
    sample = record.record(told, of=of, seed=options.seed, windows=options.windows)
    record.FIGURES.write_text(record.with_row(record.FIGURES.read_text("utf-8"), sample), "utf-8")
    print(f"recorded: {sample}")


def _chosen(options: argparse.Namespace, mutants: Sequence[Mutant], results: Results) -> list[Mutant]:
    if options.id:
        by_id = {mutant.id: mutant for mutant in mutants}
        if unknown := [identifier for identifier in options.id if identifier not in by_id]:
            sys.exit(f"no mutant is called {unknown[0]}")
        return [by_id[identifier] for identifier in options.id]
    candidates = [
        mutant
        for mutant in mutants
        if options.only in mutant.id and (not options.modules or mutant.module in options.modules)
    ]
    if options.again:
        earlier = results.ever(UNDECIDED)
        return [mutant for mutant in candidates if mutant.id in earlier]
    return sample(candidates, options.number or len(candidates), options.seed)


async def _try_all(
    todo: Sequence[Mutant], results: Results, reasons: dict[str, str], suite: str, options: argparse.Namespace
) -> None:
    turns = Turns(options.jobs)
    originals = Originals(options.out / f"original-{suite}", turns)
    parts = chosen(options.part, options.transports)
    court = Court(originals, reasons, turns, options.out / "flows", tuple(options.windows), parts)
    began, waiting, done = time.monotonic(), iter(todo), 0

    async def work() -> None:
        nonlocal done
        for mutant in waiting:
            if options.minutes and time.monotonic() - began > 60 * options.minutes:
                return
            result = await court.tried(mutant, (ROOT / PACKAGE / mutant.file).read_text("utf-8"))
            results.add(result)
            done += 1
            print(f"{done:4}/{len(todo)}  {_line(result)}", flush=True)

    this = asyncio.current_task()
    assert this is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
    async with asyncio.TaskGroup() as group:
        for _ in range(min(turns.mutants, len(todo))):
            group.create_task(work())


def _line(result: Result) -> str:
    by = f"  by {result.purpose} ({result.part})" if result.purpose else f"  ({result.part})" if result.part else ""
    return f"{result.outcome:12}  {result.id}{by}  {result.seconds:.0f} s"


if __name__ == "__main__":
    sys.exit(main())
