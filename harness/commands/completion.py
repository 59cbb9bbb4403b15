"""``sipverdict completion``, and the answers to a shell that asks what may come next."""

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
    """Answer, and end this process; return if it was no such question."""
    commands = next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    if os.environ.get("COMP_LINE", "").split()[1:2] == ["run"]:
        from harness.commands.run import add_run_options

        add_run_options(commands.choices["run"])
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


def _requirements(**_: Any) -> list[str]:
    from harness.requirements.catalogue import Catalogue

    return [row.id for row in Catalogue.load()]


def _profiles(**_: Any) -> list[str]:
    from harness.policy.profiles import load
    from harness.requirements.catalogue import Catalogue

    return list(load(Catalogue.load()))


_VALUES: Final[dict[str, Callable[..., Iterable[str]]]] = {
    "device": _devices,
    "fault": _faults,
    "requirement": _requirements,
    "profile": _profiles,
}
"""What an option or argument of this name is completed with; all others with files."""
