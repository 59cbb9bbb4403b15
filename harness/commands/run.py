"""``sipverdict run``: the pytest suite with the contract's exit status."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.commands import Parser
from harness.model.outcome import ExitStatus
from harness.model.windows import WINDOWS
from harness.paths import ROOT, SUITES
from harness.run.options import OUT, RULINGS
from harness.run.rerun import Again


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """The options of the suite itself."""
    parser.add_argument(
        "--device", action="append", default=[], help="NAME or NAME:VARIANT, built-in or a profile's path; repeatable"
    )
    parser.add_argument("--window", choices=sorted(WINDOWS), help="how long silence is watched (default: quick)")
    parser.add_argument("--fault", action="append", default=[], help="give the reference device a fault; repeatable")
    parser.add_argument(
        "--ruling", choices=RULINGS, help="how contested requirements are read (default: certification)"
    )
    parser.add_argument("--strict", action="store_true", help="a violated SHOULD is a fail")
    parser.add_argument("--gate", metavar="GATE", help="must, should or profile:NAME: what the exit status is about")
    parser.add_argument("--waivers", metavar="FILE", help="findings that the gate lets through, until a date")
    parser.add_argument("--repeat", type=int, metavar="K", help="drive every case K times; what differs is flaky")
    parser.add_argument("--again", metavar="RUN", help="only what did not pass in that run, on its devices")
    parser.add_argument("--out", metavar="FOLDER", help="where runs are stored (default: reports/out)")
    parser.add_argument("--no-smoke", action="store_true", help="test a device that cannot even make a plain call")
    parser.add_argument(
        "--expected", action="store_true", help="0 if the only non-passes are those of the profile's expected.toml"
    )


def run(arguments: Sequence[str]) -> int:
    """Run the suite with these options; what follows ``--``, and what is not known here, is for pytest."""
    parser = Parser(
        prog="sipverdict run",
        description="Test a device.  Everything else, and all that follows --, goes to pytest (-k, -x, -n 2 …).",
    )
    add_run_options(parser)
    options, rest = parser.parse_known_args([argument for argument in arguments if argument != "--"])

    if options.again is not None and not (again := Again.of(Path(options.again))).cases:
        print(f"{again.header['run']}: every case passed or did not apply; there is nothing to run again")
        return int(ExitStatus.CONFORMING)

    command = [
        # The suite's own settings, wherever this is called, and whatever pytest finds there.
        "-c",
        str(ROOT / "pyproject.toml"),
        # Nothing is written beside the suite: it may be installed where only an administrator may write.
        f"--override-ini=cache_dir={Path(options.out or OUT).absolute() / '.pytest_cache'}",
        "--assert=plain",
        # Not left to conftest.py: without it pytest would blame our options for a test file that does not exist.
        "-p",
        "harness.plugin",
        "--contract-exit",
        "-q",
        "-rN",
        "--no-header",
        "-o",
        "console_output_style=classic",
        "--disable-warnings",
        # Plugins that are of no use here: importing the first two takes longer than judging does, and the last one
        # looks for garbage five times over when a run is over.
        *("-p", "no:hypothesispytest", "-p", "no:anyio", "-p", "no:unraisableexception"),
        *(
            f"--{name}={value}"
            for name in ("window", "ruling", "gate", "waivers", "repeat", "again")
            if (value := getattr(options, name)) is not None
        ),
        *(["--strict"] if options.strict else []),
        *(["--no-smoke"] if options.no_smoke else []),
        *(["--expected"] if options.expected else []),
        *([f"--out={options.out}"] if options.out else []),
        *(f"--device={device}" for device in options.device),
        *(f"--fault={fault}" for fault in options.fault),
        *map(_found, rest),
    ]
    if not any(_is_test(argument) for argument in rest):
        command.append(str(SUITES))
    status = pytest.main(command)
    if status == pytest.ExitCode.USAGE_ERROR:
        for argument in rest:
            if near := parser.nearest_option(argument):
                print(f"sipverdict: {argument}: {near}", file=sys.stderr)
    # What pytest itself has to say (a wrong option, nothing collected, an internal error) is about the set-up.
    by_pytest = {pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.NO_TESTS_COLLECTED}
    return int(ExitStatus.SETUP) if status in by_pytest else int(status)


def _is_test(argument: str) -> bool:
    if argument.startswith("@"):  # a file of arguments, as pytest has it
        return True
    return not argument.startswith("-") and ("::" in argument or argument.endswith(".py") or "suites" in argument)


def _found(argument: str) -> str:
    """``suites/…`` as reports name it is that of this suite, unless the current folder has one."""
    path = argument.partition("::")[0]
    return str(ROOT / argument) if path.startswith("suites/") and not Path(path).exists() else argument
