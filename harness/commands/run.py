"""``sipverdict run``: runs the pytest suite and returns sipverdict's exit status."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence

import pytest

from harness.commands import Parser
from harness.commands.isolated import enter_its_network
from harness.model.outcome import ExitStatus
from harness.paths import ROOT, SUITES
from harness.plugin import PUBLISHER
from harness.report import machine
from harness.run.options import OUT, add_to_command, for_pytest
from harness.run.options_file import fill
from harness.run.publisher import Publisher
from harness.run.rerun import Again
from harness.run.selection import is_case
from harness.store.stored_run import read_run
from harness.system.signals import ended_by


def run(arguments: Sequence[str]) -> int:
    """Run the suite with these options.  Unknown options, and all that follow ``--``, go to pytest."""
    parser = Parser(
        prog="sipverdict run",
        description="Test a device.  Unknown options, and everything after --, go to pytest (-k, -x, -n 2 …).",
    )
    add_to_command(parser, "run")
    options, rest = parser.parse_known_args([argument for argument in arguments if argument != "--"])
    fill(options, "run")
    # The name of a case, as every report prints it, is as good as its path.
    options.case = [*(options.case or []), *filter(is_case, rest)] or None
    rest = [argument for argument in rest if not is_case(argument)]

    if options.again is not None and not (again := Again.of(options.again)).cases:
        print(f"{again.header.run}: every test passed or did not apply; nothing to run again")
        return int(ExitStatus.CONFORMING)

    enter_its_network(options.device or [], ["run", *arguments])
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
    over = _Over()
    if options.format == "json":
        with _to_stderr():
            status = pytest.main(command, plugins=[over])
        if over.publisher is not None:
            _print_json(over.publisher, int(status))
    else:
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


class _Over:
    """A pytest plugin that keeps what published the run, for after it."""

    publisher: Publisher | None = None

    def pytest_unconfigure(self, config: pytest.Config) -> None:
        """The run is over."""
        self.publisher = config.stash.get(PUBLISHER, None)


@contextlib.contextmanager
def _to_stderr() -> Iterator[None]:
    """Let everything that is written to standard output, by whatever process, go to standard error."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


def _print_json(publisher: Publisher, status: int) -> None:
    if publisher.answer is not None and publisher.folder.verdicts.is_file():
        whole = publisher.merged.run if publisher.merged else None
        run = whole or read_run(publisher.folder.path, cut_off=True)
        print(machine.text(machine.of_run(run, publisher.answer, status)))


def _is_test(argument: str) -> bool:
    if argument.startswith("@"):  # a file of arguments, as pytest has it
        return True
    return not argument.startswith("-") and ("::" in argument or argument.endswith(".py") or "suites" in argument)


def _found(argument: str) -> str:
    """The absolute path of ``suites/…``, as reports name it, unless the current folder has such a path."""
    path = argument.partition("::")[0]
    return str(ROOT / argument) if path.startswith("suites/") and not os.path.lexists(path) else argument
