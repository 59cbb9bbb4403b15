"""``sipverdict run``: the pytest suite with the contract's exit status."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.commands import Parser
from harness.model.outcome import ExitStatus
from harness.paths import ROOT, SUITES
from harness.run.options import OUT, add_to_command, for_pytest
from harness.run.rerun import Again


def run(arguments: Sequence[str]) -> int:
    """Run the suite with these options; what follows ``--``, and what is not known here, is for pytest."""
    parser = Parser(
        prog="sipverdict run",
        description="Test a device.  Everything else, and all that follows --, goes to pytest (-k, -x, -n 2 …).",
    )
    add_to_command(parser, "run")
    options, rest = parser.parse_known_args([argument for argument in arguments if argument != "--"])

    if options.again is not None and not (again := Again.of(options.again)).cases:
        print(f"{again.header.run}: every test passed or did not apply; nothing to run again")
        return int(ExitStatus.CONFORMING)

    command = [
        # The suite's own settings, wherever this is called, and whatever pytest finds there.
        "-c",
        str(ROOT / "pyproject.toml"),
        # Nothing is written beside the suite: it may be installed where only an administrator may write.
        f"--override-ini=cache_dir={(options.out or OUT).absolute() / '.pytest_cache'}",
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
