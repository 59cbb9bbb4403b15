"""Options in a file: ``sipverdict.toml`` in the current folder, or ``[tool.sipverdict]`` of its pyproject.toml.

The keys are the options without their dashes.  An option on the command line overrides its key.
"""

from __future__ import annotations

import argparse
import difflib
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from harness.errors import SetupError
from harness.run.options import CommandName, Option, options

NAME: Final = "sipverdict.toml"
PYPROJECT: Final = "pyproject.toml"


def fill(given: argparse.Namespace, command: CommandName, folder: Path | None = None) -> None:
    """Set what ``given`` leaves open to what the options file in ``folder`` (None: the current one) says of it.

    SetupError naming file and key for a key that is no option, and for a value that the option does not take.
    """
    where, table = _table(folder or Path())
    known = {_key(option): option for option in options() if option.commands}
    for key in table:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"the keys are: {', '.join(known)}"
            raise SetupError(f"{where}: no option is called {key!r:.80}", hint)
    # Every key is checked, whichever command reads it: a mistake must not wait for the command that it is for.
    values = {key: _value(known[key], value, f"{where}: {key}") for key, value in table.items()}
    for option in options(command):
        if getattr(given, option.name, None) is None and _key(option) in values:
            setattr(given, option.name, values[_key(option)])


def _key(option: Option) -> str:
    return option.flag.removeprefix("--")


def _table(folder: Path) -> tuple[str, Mapping[str, Any]]:
    own, project = folder / NAME, folder / PYPROJECT
    if own.is_file():
        return str(own), _read(own)
    if project.is_file():
        tool = _read(project).get("tool")
        found = tool.get("sipverdict", {}) if isinstance(tool, dict) else {}
        if not isinstance(found, dict):
            raise SetupError(f"{project}: tool.sipverdict: expected a table of options, found {found!r:.80}")
        return f"{project}: tool.sipverdict", found
    return str(own), {}


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise SetupError(f"{path}: expected TOML, but {error}", "correct the file, or remove it") from error


def _value(option: Option, value: object, where: str) -> Any:
    if option.switch:
        if not isinstance(value, bool):
            raise _wrong(where, "true or false", value)
        return value
    if option.repeatable:
        several = value if isinstance(value, list) else [value]
        return [_one(option, one, where) for one in several]
    return _one(option, value, where)


def _one(option: Option, value: object, where: str) -> Any:
    wanted = int if option.type is int else str
    if not isinstance(value, wanted) or isinstance(value, bool):
        raise _wrong(where, "a number" if wanted is int else "a text in quotes", value)
    if option.choices and value not in option.choices:
        raise _wrong(where, _or(option.choices), value)
    return option.type(value)


def _or(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}"


def _wrong(where: str, expected: str, found: object) -> SetupError:
    return SetupError(f"{where}: expected {expected}, found {found!r:.80}", "docs/running.md lists the options")
