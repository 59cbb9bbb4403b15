"""What a run is asked for on pytest's command line, checked before anything is started."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.device import load_profile
from harness.drive.station import DeviceSpec
from harness.errors import SetupError
from harness.judge.ruling import Ruling
from harness.windows import QUICK, WINDOWS, Window

ROOT = Path(__file__).resolve().parent.parent
SUITES = ROOT / "suites"
OUT = ROOT / "reports" / "out"
RULINGS = ("certification", "letter")


def add_options(parser: pytest.Parser) -> None:
    """The options of the suite, in a group of their own."""
    group = parser.getgroup("sipverdict", "conformance of SIP devices to 302 and 603")
    group.addoption(
        "--device",
        action="append",
        metavar="NAME",
        help="device under test: a built-in name or the path of a profile; may be repeated (default: reference)",
    )
    group.addoption("--window", choices=sorted(WINDOWS), default=QUICK.name, help="how long silence is watched")
    group.addoption(
        "--fault",
        action="append",
        metavar="NAME",
        help="give the reference device this fault; may be repeated: a device for each (a+b: one device with both)",
    )
    group.addoption(
        "--ruling",
        choices=RULINGS,
        default="certification",
        help="how contested requirements are read (default: certification)",
    )
    # --strict is pytest's own option (strict markers and configuration); here it also makes a violated SHOULD a fail.
    group.addoption("--out", type=Path, default=OUT, metavar="FOLDER", help="where runs are stored")
    group.addoption(
        "--contract-exit",
        action="store_true",
        help="end with sipverdict's exit status (0 conforming, 1 not, 2 inconclusive, 3 set-up) instead of pytest's",
    )


@dataclass(frozen=True)
class Settings:
    """The options, resolved."""

    specs: dict[str, DeviceSpec]
    window: Window
    ruling: Ruling
    out: Path

    @classmethod
    def of(cls, config: pytest.Config) -> Settings:
        """The settings of this run; SetupError for a device, profile or fault that does not exist."""
        option = config.option
        return cls(
            specs=device_specs(option.device or ["reference"], option.fault or []),
            window=WINDOWS[option.window],
            ruling=Ruling(option.ruling, bool(config.getini("strict"))),
            out=option.out.resolve(),
        )


def device_specs(devices: list[str], faults: list[str]) -> dict[str, DeviceSpec]:
    """The devices of a run by the name their verdicts bear; each fault gives a device of its own."""
    specs: dict[str, DeviceSpec] = {}
    for device in devices:
        profile = load_profile(device)
        for fault in faults or [""]:
            given = tuple(name for name in fault.split("+") if name)
            check_faults(profile.name, given)
            name = "+".join((profile.name, *given))
            if name in specs:
                raise SetupError(f"the device {name} was asked for twice", "name each device once")
            specs[name] = DeviceSpec(name, profile, given)
    return specs


def check_faults(device: str, faults: tuple[str, ...]) -> None:
    """SetupError, naming the nearest, for a fault that ``device`` does not have."""
    import difflib

    from harness.devices.reference.faults import FAULTS

    known = [fault.name for fault in FAULTS]

    if faults and device != "reference":
        raise SetupError(f"{device} cannot be given faults", "faults are for the reference device: DEVICE=reference")
    for fault in faults:
        if fault not in known:
            near = difflib.get_close_matches(fault, known, n=3) or known[:3]
            raise SetupError(
                f"no fault is called {fault!r}; the nearest: {', '.join(near)}", "sipverdict list faults shows all"
            )
