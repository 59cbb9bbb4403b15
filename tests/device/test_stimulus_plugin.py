"""A kind of stimulus that another package brings: found by its entry point, and one sentence if it is broken."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from device_bench import MINIMAL, Write

from harness.device import Device, Profile
from harness.device.stimuli import registry
from harness.errors import DeviceError, ProfileError
from harness.net.address import Address

Lease = Callable[[], Address]

BEEP = '''
from pathlib import Path
from typing import Literal
from harness.device.stimuli import StimulusBase, StimulusSection
from harness.device.tables.values import Line


class Beep(StimulusSection):
    """Writes a file."""

    kind: Literal["beep"]
    call: Line
    file: Line

    def make(self, context):
        return Beeper(self, context)


class Beeper(StimulusBase):
    name = "a beep"
    supports = frozenset({"call"})

    def __init__(self, section, context):
        self.path = Path(context.fill(section.file))
        self.text = section.call
        self.context = context

    async def perform(self, act, uri):
        if "broken" in uri:
            raise ZeroDivisionError("by zero")
        self.path.write_text(self.context.fill(self.text, {"uri": uri}))
'''
PROFILE = (
    MINIMAL[: MINIMAL.index("[stimulus]")]
    + """
[stimulus]
kind = "beep"
call = "beep {uri}"
file = "{here}/beeped"
"""
)


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Installs a package as pip does it: a module, and its entry points beside it."""

    def installed(source: str, value: str) -> None:
        site = tmp_path / "site"
        info = site / "beep_stimulus-1.2.dist-info"
        info.mkdir(parents=True)
        (site / f"{value.partition(':')[0]}.py").write_text(source)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: beep-stimulus\nVersion: 1.2\n")
        (info / "entry_points.txt").write_text(f"[{registry.GROUP}]\nbeep = {value}\n")
        monkeypatch.syspath_prepend(str(site))

    return installed


def test_a_kind_of_another_package(write: Write, lease: Lease, install: Callable[..., None], tmp_path: Path) -> None:
    install(BEEP, "beep_stimulus:Beep")
    # The device stays: one that ends after its READY may be gone before it is asked to call.
    profile = write("import signal; print('READY', flush=True); signal.pause()", profile=PROFILE)
    assert "beep" in registry.kinds()
    assert "beep" in str(Profile.model_json_schema())

    async def run() -> None:
        async with Device(profile, address=lease()) as device:
            assert device.supports == {"call"}
            await device.call("sip:7001@h")
            with pytest.raises(DeviceError, match="the stimulus 'beep' broke: ZeroDivisionError: by zero") as caught:
                await device.call("sip:broken@h")
            assert "not in the device" in caught.value.hint

    asyncio.run(run())
    assert (tmp_path / "beeped").read_text() == "beep sip:7001@h"
    with pytest.raises(ProfileError, match=r"stimulus\.fil: unknown key"):
        write(profile=PROFILE.replace("file", "fil"))
    with pytest.raises(ProfileError, match=r"kind: expected one of beep, .*; got 'bep'"):
        write(profile=PROFILE.replace('"beep"', '"bep"'))


@pytest.mark.parametrize(
    ("source", "value", "why"),
    [
        ("import no_such_module", "beep_one:Beep", "No module named 'no_such_module'"),
        ("1 / 0", "beep_two:Beep", "ZeroDivisionError"),
        ("Beep = 7", "beep_three:Beep", "not a subclass of"),
        ("", "beep_four:Beep", "has no attribute 'Beep'"),
    ],
)
def test_a_package_that_is_broken(
    write: Write, install: Callable[..., None], source: str, value: str, why: str
) -> None:
    install(source, value)
    with pytest.raises(ProfileError, match=r'kind = "beep" comes from the package beep-stimulus 1\.2, and ') as caught:
        write(profile=PROFILE)
    assert why in caught.value.cause
    assert "beep" not in registry.all_sections()
    # It is in nobody else's way.
    write(profile=MINIMAL)


def test_the_schema_has_every_kind() -> None:
    schema = str(Profile.model_json_schema())
    assert all(kind in schema for kind in registry.kinds())


def test_a_secret_is_filled_in_and_told_to_nobody(write: Write, lease: Lease, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_PIN", "t0p/PIN")
    start = MINIMAL.index("[stimulus]")
    profile = write(
        "print('READY', flush=True); input()",
        MINIMAL[:start]
        + """[secrets]
PIN = { env = "LAB_PIN" }
[stimulus]
kind = "command"
call = ["sh", "-c", 'test "$2" = t0p/PIN || exit 9; echo "no: $2"; exit 1', "{uri}", "{uri}", "{secret:PIN}"]
""",
    )

    async def run() -> None:
        async with Device(profile, address=lease()) as device:
            await device.call("sip:7001@h")

    with pytest.raises(DeviceError, match=r"ended with 1: no: \*\*\*"):
        asyncio.run(run())
