"""The options of a run, defined once for pytest, the command line and docs/running.md.

Every option is parsed without a default, so that :mod:`harness.run.settings` can see which ones were given.
``default`` is the text of the default in the help.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from harness.model.axes import ROLES
from harness.model.windows import WindowName
from harness.requirements.ruling import Mode

if TYPE_CHECKING:
    import pytest

CommandName = Literal["run", "smoke", "doctor", "expect", "gate", "replay"]
OUT = Path("reports") / "out"
"""Where runs are stored, below the current folder."""
RULINGS: tuple[Mode, ...] = get_args(Mode)


@dataclass(frozen=True)
class Option:
    """One option."""

    flag: str
    help: str
    commands: tuple[CommandName, ...] = ("run",)
    """The commands of ``sipverdict`` with this option.  pytest has all options."""
    metavar: str = ""
    """The placeholder of its value; empty for a switch and for an option with ``choices``."""
    choices: tuple[str, ...] = ()
    default: str = ""
    repeatable: bool = False
    type: type = str
    own: bool = True
    """False if pytest has an option of this name with the same meaning."""
    page: str = ""
    """The page of docs/ with the details."""

    @property
    def name(self) -> str:
        """The attribute that a parser stores it in."""
        return self.flag.removeprefix("--").replace("-", "_")

    @property
    def sentence(self) -> str:
        """Its help with the default."""
        more = "; repeatable" if self.repeatable else ""
        return f"{self.help}{more} (default: {self.default})" if self.default else f"{self.help}{more}"

    @property
    def switch(self) -> bool:
        """Whether it takes no value."""
        return not self.metavar and not self.choices

    def words(self) -> dict[str, Any]:
        """The keyword arguments for argparse and pytest."""
        if self.switch:
            # With its opposite: what an options file switches on, the command line switches off.
            return {"action": argparse.BooleanOptionalAction, "help": self.sentence, "default": None}
        known: dict[str, Any] = {"help": self.sentence, "type": self.type, "default": None}
        if self.repeatable:
            known["action"] = "append"
        return known | ({"choices": self.choices} if self.choices else {"metavar": self.metavar})


@dataclass(frozen=True)
class Group:
    """A group of options."""

    title: str
    options: tuple[Option, ...]


GROUPS = (
    Group(
        "device",
        (
            Option(
                "--device",
                "the device under test and all its variants: a built-in name or the path of a profile; "
                "NAME:VARIANT or NAME:base chooses one of them",
                ("run", "smoke", "doctor", "expect"),
                metavar="NAME",
                default="reference; doctor: none",
                repeatable=True,
            ),
            Option(
                "--fault",
                "give the reference device this fault (sipverdict list faults); each fault makes a device of its own, "
                "A+B makes one device with both",
                ("run", "smoke"),
                metavar="NAME",
                repeatable=True,
            ),
            Option("--smoke", "make a plain call first, and do not test a device that cannot", default="yes"),
            Option(
                "--transport",
                "test over these transports of the device: udp, tcp, tls, ws, wss, joined by commas, or all",
                ("run", "smoke", "doctor"),
                metavar="LIST",
                default="device.transports of its profile",
                page="transports.md",
            ),
            Option(
                "--family",
                "test over these IP families of the device: 4, 6, joined by a comma, or all",
                ("run", "smoke", "doctor"),
                metavar="LIST",
                default="device.families of its profile",
                page="transports.md",
            ),
            Option(
                "--transports",
                "all: over every transport and IP family that the profile names, device.further_* included",
                ("run", "smoke", "doctor"),
                choices=("all",),
                page="transports.md",
            ),
        ),
    ),
    Group(
        "selection",
        (
            Option(
                "--requirement",
                "only the tests that decide this requirement",
                metavar="ID",
                repeatable=True,
                page="running.md",
            ),
            Option(
                "--clause",
                "only tests about this clause or one within it, as in RFC3261-21.6",
                metavar="CLAUSE",
                repeatable=True,
                page="running.md",
            ),
            Option(
                "--level",
                "only tests with a requirement of this level",
                choices=("must", "should", "may", "derived", "profile"),
                repeatable=True,
            ),
            Option(
                "--tag",
                "only tests with a requirement of this tier of the catalogue",
                choices=("heart", "core", "extended", "profile"),
                repeatable=True,
            ),
            Option("--role", "only tests of the device in this role", choices=ROLES, repeatable=True),
            Option(
                "--profile",
                "only the tests that a certificate of this profile needs (sipverdict list profiles)",
                metavar="NAME",
                repeatable=True,
                page="certificates.md",
            ),
            Option(
                "--case",
                "only this test, by its name in a report; --case may be left out in front of it",
                metavar="NAME",
                repeatable=True,
                page="running.md",
            ),
        ),
    ),
    Group(
        "judging",
        (
            Option(
                "--window",
                "how long silence is watched after the last final response: quick 5 s, standard 40 s, extended 70 s",
                choices=get_args(WindowName),
                default="quick",
            ),
            Option("--ruling", "how contested requirements are read", choices=RULINGS, default=RULINGS[0]),
            Option("--strict", "a violated SHOULD is a fail", own=False),
            Option(
                "--weather",
                "lose, delay, copy or reorder messages on their way, as in loss=0.05,delay=20ms,seed=7",
                metavar="WEATHER",
                page="running.md",
            ),
            Option(
                "--robustness",
                "also answer the device with odd, broken and hostile responses, and look whether it lives",
                page="running.md",
            ),
            Option(
                "--robustness-rounds",
                "the same, with N responses drawn by chance; equal N, equal responses",
                metavar="N",
                default="12",
                type=int,
                page="running.md",
            ),
            Option(
                "--repeat",
                "run every case K times (1 to 20); differing results are reported as flaky",
                metavar="K",
                default="1",
                type=int,
            ),
            Option(
                "--again",
                "run only the cases that did not pass in this stored run, on its devices, and merge both into one run",
                metavar="RUN",
                type=Path,
            ),
        ),
    ),
    Group(
        "results and exit status",
        (
            Option(
                "--out", "the folder in which runs are stored", ("run", "doctor"), "FOLDER", default=str(OUT), type=Path
            ),
            Option(
                "--gate",
                "the exit status answers this gate: must, should or profile:NAME",
                ("run", "gate"),
                metavar="GATE",
                default="every verdict counts",
                page="gate.md",
            ),
            Option(
                "--allow-subset",
                "a run of a part of the suite (-k, --clause, --again …) may open the gate",
                ("run", "gate"),
                page="gate.md",
            ),
            Option(
                "--waivers",
                "findings that the gate ignores until a date",
                ("run", "gate"),
                metavar="FILE",
                type=Path,
                page="gate.md",
            ),
            Option("--page", "write the page of the run; sipverdict report makes it later, too", default="yes"),
            Option(
                "--expected", "exit with 0 if the only non-passes are those of the expected.toml beside the profile"
            ),
            Option(
                "--format",
                "what is printed: text, or one JSON object (then all else goes to standard error)",
                ("run", "gate", "expect", "replay"),
                choices=("text", "json"),
                default="text",
                page="gate.md",
            ),
            Option(
                "--sarif",
                "write what counts as SARIF, for code scanning",
                ("run", "gate"),
                metavar="FILE",
                type=Path,
                page="gate.md",
            ),
            Option(
                "--code-quality",
                "write what counts as GitLab's code quality report",
                ("run", "gate"),
                metavar="FILE",
                type=Path,
                page="gate.md",
            ),
            Option(
                "--summary",
                "append a summary in Markdown to this file, as to $GITHUB_STEP_SUMMARY",
                ("run", "gate"),
                metavar="FILE",
                type=Path,
                page="gate.md",
            ),
            Option(
                "--contract-exit",
                "exit with sipverdict's status (0 conforming, 1 not, 2 inconclusive, 3 set-up) instead of pytest's",
                (),
            ),
        ),
    ),
)

SELECTED_BY: tuple[str, ...] = tuple(
    one.name for group in GROUPS if group.title == "selection" for one in group.options
)
"""The names of the options that choose cases."""


def options(command: CommandName | None = None) -> Iterator[Option]:
    """The options of ``command``; None: all."""
    for group in GROUPS:
        yield from (option for option in group.options if command is None or command in option.commands)


def add_to_pytest(parser: pytest.Parser) -> None:
    """Add the options to pytest's own, in a group of their own."""
    group = parser.getgroup("sipverdict", "conformance of SIP devices to 302 and 603")
    for option in options():
        if option.own:
            group.addoption(option.flag, **option.words())


def add_to_command(parser: argparse.ArgumentParser, command: CommandName) -> None:
    """Add the options of ``command`` to its parser."""
    for group in GROUPS:
        mine = [option for option in group.options if command in option.commands]
        # The help of a run is long, so it has groups.  Other commands have few options.
        place = parser.add_argument_group(group.title) if command == "run" and mine else parser
        for option in mine:
            place.add_argument(option.flag, **option.words())


def for_pytest(given: argparse.Namespace) -> list[str]:
    """The arguments for pytest that match the options of ``sipverdict run``."""
    made: list[str] = []
    for option in options("run"):
        value = getattr(given, option.name)
        if isinstance(value, bool):
            if value or option.own:  # pytest's own switches have no opposite
                made.append(option.flag if value else option.flag.replace("--", "--no-", 1))
        elif value is not None:
            made += [f"{option.flag}={one}" for one in (value if option.repeatable else [value])]
    return made
