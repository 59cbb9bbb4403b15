"""The commands of ``sipverdict``.  They are thin: pytest itself runs the suite."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from harness.errors import SetupError


def did_you_mean(word: str, known: Iterable[object]) -> str:
    """A question that names the nearest of ``known``; "" if none is near."""
    near = difflib.get_close_matches(word, map(str, known), n=1)
    return f"did you mean {near[0]}?" if near else ""


class Parser(argparse.ArgumentParser):
    """Reports wrong arguments as a SetupError, with its exit status."""

    def error(self, message: str) -> NoReturn:
        """Raise SetupError instead of ending with argparse's status 2, which means inconclusive here."""
        raise SetupError(message, f"{self.prog} --help lists the options")

    def nearest_option(self, argument: str) -> str:
        """A question that names the option nearest to ``argument``; "" for no option, or if none is near."""
        return did_you_mean(argument.partition("=")[0], self._option_string_actions) if argument[:1] == "-" else ""

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        # From Python 3.14 on argparse has this built in (suggest_on_error).
        known = action.choices
        if known is not None and value not in known and (near := did_you_mean(str(value), known)):
            raise argparse.ArgumentError(action, f"{value!r} is unknown: {near}")
        super()._check_value(action, value)


class Command(Parser):
    """The parser of one command."""

    def parse_known_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> tuple[Any, list[str]]:  # type: ignore[override]
        """Refuse unknown arguments here: the parser above does not know the options of this command."""
        options, unknown = super().parse_known_args(args, namespace)
        for argument in unknown:
            if near := self.nearest_option(argument):
                self.error(f"{argument} is unknown: {near}")
        return options, unknown
