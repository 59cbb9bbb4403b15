"""The settings of a run, checked before anything starts."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.device.spec import DeviceSpec
from harness.errors import SetupError
from harness.model.device_name import title
from harness.model.weather import Weather
from harness.model.windows import QUICK, WINDOWS, Window
from harness.policy.gate import Gate
from harness.policy.waivers import Waiver
from harness.policy.waivers import load as load_waivers
from harness.purposes.discovery import all_purposes
from harness.report.pull_request import PullRequestFiles
from harness.report.text import WIDTH
from harness.requirements.catalogue import Catalogue
from harness.requirements.ruling import Ruling
from harness.run.carriers import Wanted, carried
from harness.run.options import OUT, RULINGS, SELECTED_BY
from harness.run.options_file import fill
from harness.run.rerun import Again
from harness.run.selection import Selection
from harness.run.specs import again_specs, device_specs
from harness.store.verdict_lines import MOST_ROUNDS

if TYPE_CHECKING:
    import pytest

MOST_REPEATS = 20


@dataclass(frozen=True)
class Settings:
    """The options, resolved."""

    specs: dict[str, DeviceSpec]
    window: Window
    ruling: Ruling
    out: Path
    smoke: bool = True
    """Whether each device makes a plain call first.  A device that cannot is not tested."""
    expected: bool = False
    """Whether expected non-passes leave the exit status 0."""
    gate: Gate = field(default_factory=Gate)
    waivers: tuple[Waiver, ...] = ()
    repeat: int = 1
    again: Again | None = None
    page: bool = True
    """Whether the run ends with its page."""
    files: PullRequestFiles = field(default_factory=PullRequestFiles)
    """What is written for a pull request."""
    selection: Selection = field(default_factory=Selection)
    """Which cases are asked."""
    weather: Weather = field(default_factory=Weather)
    """What the taps do to messages on purpose."""
    columns: int = WIDTH
    """The width of findings as text."""
    rounds: int = 0
    """How many odd responses are drawn; 0: as many as the purpose says."""

    @property
    def title(self) -> str:
        """The devices in short: the name of the run."""
        return title(tuple(self.specs))

    @classmethod
    def of(cls, config: pytest.Config) -> Settings:
        """The settings of this run; SetupError for a device, profile or fault that does not exist."""
        option = config.option
        if not option.contract_exit:  # ``sipverdict run`` has done it
            fill(option, "run", config.invocation_params.dir)
        repeat = 1 if option.repeat is None else option.repeat
        if not 1 <= repeat <= MOST_REPEATS:
            raise SetupError(f"--repeat {repeat}: expected 1 to {MOST_REPEATS}", "3 shows whether a result is flaky")
        if option.expected and (option.gate or option.waivers):
            there = "--gate" if option.gate else "--waivers"
            raise SetupError(
                f"--expected cannot be combined with --gate or --waivers; found {there}",
                "a gate has waivers of its own: omit one of them",
            )
        again = Again.of(option.again) if option.again else None
        stored = again.header if again else None
        catalogue, devices = Catalogue.load(), option.device or ["reference"]
        specs = again_specs(again) if again and not option.device else device_specs(devices, option.fault or [])
        return cls(
            specs=carried(_asked_again(specs, again), Wanted.of(option.transport, option.family, option.transports)),
            window=WINDOWS[option.window or (stored.window if stored else QUICK.name)],
            ruling=Ruling(
                option.ruling or (stored.ruling if stored else RULINGS[0]),
                bool(config.getini("strict") or getattr(option, "strict", None) or (stored and stored.strict)),
            ),
            out=(option.out or OUT).resolve(),
            smoke=option.smoke is not False,
            expected=bool(option.expected),
            # Without a gate, the exit status is that of what was asked.
            gate=Gate.of(option.gate or "", catalogue, subset=bool(option.allow_subset) or not option.gate),
            waivers=load_waivers(option.waivers, catalogue, all_purposes()) if option.waivers else (),
            repeat=repeat,
            again=again,
            page=option.page is not False,
            files=PullRequestFiles(option.sarif, option.code_quality, option.summary),
            selection=Selection.of({one: getattr(option, one) for one in SELECTED_BY}, catalogue, all_purposes()),
            weather=_weather(option.weather or ""),
            columns=_columns(),
            rounds=_rounds(option.robustness_rounds, stored.rounds if stored else 0),
        )


def _columns() -> int:
    """The width of this terminal, as long as a line is read with ease; what is no terminal has any width."""
    return min(WIDTH, max(40, shutil.get_terminal_size().columns)) if sys.stdout.isatty() else WIDTH


def _rounds(asked: int | None, before: int) -> int:
    rounds = before if asked is None else asked
    if asked is not None and not 1 <= asked <= MOST_ROUNDS:
        raise SetupError(f"--robustness-rounds {asked}: expected 1 to {MOST_ROUNDS}", "each round is one odd response")
    return rounds


def _asked_again(specs: dict[str, DeviceSpec], again: Again | None) -> dict[str, DeviceSpec]:
    """``specs``, each over what carried its cases that are run again."""
    if again is None:
        return specs
    of_device = {name: dict.fromkeys(c.axes.carrier for c in again.cases if c.device == name) for name in specs}
    return {name: replace(spec, carriers=tuple(of_device[name])) for name, spec in specs.items()}


def _weather(text: str) -> Weather:
    try:
        return Weather.parse(text)
    except ValueError as error:
        raise SetupError(f"--weather {text!r:.120}: {error}", "docs/running.md describes it") from None
