"""The ledger of what is not tested: the statements that no purpose decides, each with its reason."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.errors import SetupError
from harness.paths import SUITES

PATH = SUITES / "not_tested.toml"


@dataclass(frozen=True)
class Untested:
    """Why a statement is not tested."""

    kind: str
    """A key of ``[untested]`` in ``reports/templates/en.toml``."""
    see: str = ""
    """The statement that decides it, where another one does."""


def load_untested(path: Path = PATH) -> Mapping[str, Untested]:
    """The reasons by the id of the statement; SetupError if the file is missing or says two things of one.

    ``ID ROLE`` is the key of a statement that is decided in other roles and not in this one.
    """
    found: dict[str, Untested] = {}
    try:
        for kind, section in tomllib.loads(path.read_text(encoding="utf-8")).items():
            rows = dict.fromkeys(section["rows"], "") if "rows" in section else section
            for row, see in rows.items():
                if row in found:
                    raise ValueError(f"{row} has two reasons, {found[row].kind} and {kind}")
                found[row] = Untested(kind, str(see))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SetupError(f"{path}: this is not a ledger: {error}", "restore the file from the release") from error
    return found
