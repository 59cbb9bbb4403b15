"""What the command line was asked for reaches pytest whole, and both know the same options."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pytest

from harness.run.options import Option, add_to_command, add_to_pytest, for_pytest, options

GIVEN = {str: "x", int: "3", Path: "folder"}


class PytestParser(argparse.ArgumentParser):
    """As much of pytest's parser as the suite asks for; --strict is pytest's own."""

    def getgroup(self, *_: str) -> PytestParser:
        return self

    def addoption(self, flag: str, **words: Any) -> None:
        self.add_argument(flag, **words)


def arguments(option: Option) -> list[str]:
    if "action" in option.words() and not option.repeatable:
        return [option.flag]
    value = option.choices[-1] if option.choices else GIVEN[option.type]
    return [option.flag, value] * (2 if option.repeatable else 1)


def test_run_hands_every_option_to_pytest() -> None:
    line = argparse.ArgumentParser()
    add_to_command(line, "run")
    given = line.parse_args([word for option in options("run") for word in arguments(option)])
    parser = PytestParser()
    add_to_pytest(parser)  # type: ignore[arg-type]
    parser.add_argument("--strict", action="store_true")
    asked = vars(parser.parse_args(for_pytest(given)))
    assert {name: asked[name] for name in vars(given)} == vars(given)
    assert all(vars(given).values())


def test_what_is_not_given_is_not_handed_on() -> None:
    line = argparse.ArgumentParser()
    add_to_command(line, "run")
    assert for_pytest(line.parse_args([])) == []


@pytest.mark.parametrize(
    ("command", "flags"),
    [
        ("smoke", "--device --fault --transport --family --transports"),
        ("gate", "--gate --allow-subset --waivers --format --sarif --code-quality --summary"),
    ],
)
def test_a_command_has_the_options_that_it_shares_with_run(command: Any, flags: str) -> None:
    assert [option.flag for option in options(command)] == flags.split()
