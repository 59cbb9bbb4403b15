"""``sipverdict completion``, and the answers to a shell that asks for completions."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable
from typing import Any, Final

import argcomplete
from argcomplete.completers import FilesCompleter
from argcomplete.shell_integration import shellcode


def completion(shell: str) -> int:
    """Print the lines that ``shell`` evaluates."""
    print(shellcode(["sipverdict"], shell=shell))
    return 0


def complete(parser: argparse.ArgumentParser) -> None:
    """Answer a shell's question and end this process; return if there is no question."""
    commands = next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    if os.environ.get("COMP_LINE", "").split()[1:2] == ["run"]:
        from harness.run.options import add_to_command

        add_to_command(commands.choices["run"], "run")
    for command in commands.choices.values():
        for action in command._actions:
            if action.choices is None and action.dest in _VALUES:
                action.completer = _VALUES[action.dest]
    argcomplete.autocomplete(parser)


def _devices(prefix: str, **_: Any) -> list[str]:
    from harness.device import builtin_profiles

    return [*builtin_profiles(), *FilesCompleter(("toml",))(prefix)]


def _faults(**_: Any) -> list[str]:
    from harness.devices.reference.faults import FAULTS

    return [fault.name for fault in FAULTS]


def _topics(**_: Any) -> list[str]:
    from harness.report.codes import codes_of
    from harness.report.words import words
    from harness.requirements.catalogue import Catalogue

    return [*codes_of(words()), *(row.id for row in Catalogue.load())]


def _profiles(**_: Any) -> list[str]:
    from harness.policy.profiles import load
    from harness.requirements.catalogue import Catalogue

    return list(load(Catalogue.load()))


_VALUES: Final[dict[str, Callable[..., Iterable[str]]]] = {
    "device": _devices,
    "fault": _faults,
    "topic": _topics,
    "profile": _profiles,
}
"""The completions of an option or argument, by its name; all others are completed with files."""
