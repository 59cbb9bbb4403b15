"""``sipverdict run``: runs the pytest suite and returns sipverdict's exit status."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import pytest

from harness.commands import Parser
from harness.model.outcome import ExitStatus
from harness.paths import ROOT, SUITES
from harness.run.options import OUT, add_to_command, for_pytest
from harness.run.rerun import Again
from harness.system.signals import ended_by


def run(arguments: Sequence[str]) -> int:
    """Run the suite with these options.  Unknown options, and all that follow ``--``, go to pytest."""
    parser = Parser(
        prog="sipverdict run",
        description="Test a device.  Unknown options, and everything after --, go to pytest (-k, -x, -n 2 …).",
    )
    add_to_command(parser, "run")
    options, rest = parser.parse_known_args([argument for argument in arguments if argument != "--"])

    if options.again is not None and not (again := Again.of(options.again)).cases:
        print(f"{again.header.run}: every test passed or did not apply; nothing to run again")
        return int(ExitStatus.CONFORMING)

    command = [
        # The suite's own settings, whatever configuration the current folder has.
        "-c",
        str(ROOT / "pyproject.toml"),
        # Nothing is written beside the suite: its folder may be read-only.
        f"--override-ini=cache_dir={(options.out or OUT).absolute() / '.pytest_cache'}",
        "--assert=plain",
        # Not left to conftest.py: for a missing test file, pytest would then report our options as unknown.
        "-p",
        "harness.plugin",
        "--contract-exit",
        "-q",
        "-rN",
        "--no-header",
        "-o",
        "console_output_style=classic",
        "--disable-warnings",
        # Useless plugins: importing the first two takes longer than judging, and the last one collects garbage five
        # times at the end of a run.
        *("-p", "no:hypothesispytest", "-p", "no:anyio", "-p", "no:unraisableexception"),
        *for_pytest(options),
        *map(_found, rest),
    ]
    if not any(_is_test(argument) for argument in rest):
        command.append(str(SUITES))
    status = pytest.main(command)
    if status == pytest.ExitCode.USAGE_ERROR:
        for argument in rest:
            if near := parser.nearest_option(argument):
                print(f"sipverdict: {argument}: {near}", file=sys.stderr)
    # pytest's own errors (a wrong option, nothing collected, an internal error) are about the set-up.
    by_pytest = {pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.NO_TESTS_COLLECTED}
    if status in by_pytest:
        # What a signal broke is no mistake of the set-up.
        return int(ExitStatus.INCONCLUSIVE if ended_by() else ExitStatus.SETUP)
    return int(status)


def _is_test(argument: str) -> bool:
    if argument.startswith("@"):  # a file of arguments, as pytest has it
        return True
    return not argument.startswith("-") and ("::" in argument or argument.endswith(".py") or "suites" in argument)


def _found(argument: str) -> str:
    """The absolute path of ``suites/…``, as reports name it, unless the current folder has such a path."""
    path = argument.partition("::")[0]
    return str(ROOT / argument) if path.startswith("suites/") and not os.path.lexists(path) else argument
