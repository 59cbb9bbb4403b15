"""A device's process: starts, tells, cannot outlive the suite, and its errors name cause and remedy."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from device_bench import MINIMAL, Write, listening

from harness.device import Device, Profile, load_profile
from harness.device.ready import wait_ready
from harness.errors import DeviceError, ProfileError
from harness.net.address import Address

Lease = Callable[[], Address]

SLEEPER = "import time; print('READY', flush=True); time.sleep(60)"
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print("READY", child.pid, flush=True)
time.sleep(60)
"""


def started(profile: Profile, address: Address, **more: object) -> tuple[Device, float]:
    """Start and stop; the seconds from start to ready."""

    async def run() -> tuple[Device, float]:
        device = Device(profile, address=address, **more)  # type: ignore[arg-type]
        began = time.monotonic()
        try:
            await device.start()
            return device, time.monotonic() - began
        finally:
            await device.stop()

    return asyncio.run(run())


def test_starts_and_stops_and_leaves_nothing(write: Write, lease: Lease, tmp_path: Path) -> None:
    profile = write(SLEEPER)
    work = tmp_path / "work"
    work.mkdir()

    async def run() -> None:
        device = Device(profile, address=lease(), work=work)
        assert not device.alive()
        for _ in range(2):  # it can be started again
            await device.start()
            assert device.alive()
            assert device.death is None
            assert device.died is not None
            assert device.supports == {"call"}
            assert os.getpgid(device._process.pid) == device._process.pid  # type: ignore[union-attr, arg-type]
            assert len(list(work.iterdir())) == 1
            with pytest.raises(RuntimeError):
                await device.start()
            await device.stop()
            await device.stop()
            assert not device.alive()
            assert device.died_at is None
            assert not list(work.iterdir())

    asyncio.run(run())


def test_what_does_not_end_is_killed_with_its_group(write: Write, lease: Lease) -> None:
    profile = write(STUBBORN, MINIMAL.replace("[ready]", "stop_timeout_s = 0.2\n[ready]"))

    async def run() -> int:
        async with Device(profile, address=lease()) as device:
            child = int(device.output().split()[-1])
            assert psutil.pid_exists(child)
            return child

    child = asyncio.run(run())
    deadline = time.monotonic() + 10
    while psutil.pid_exists(child) and psutil.Process(child).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_dies_with_the_suite(write: Write, lease: Lease, tmp_path: Path) -> None:
    profile, address, work = write(SLEEPER), lease(), tmp_path  # a killed suite cannot tidy up
    suite = f"""
import asyncio, os, signal
from pathlib import Path
from harness.device import Device, load_profile
from harness.net.address import Address
async def run():
    device = Device(load_profile({str(profile.source)!r}), address=Address({address.host!r}), work=Path({str(work)!r}))
    await device.start()
    print(device._process.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(run())
"""
    done = subprocess.run([sys.executable, "-c", suite], capture_output=True, text=True, timeout=20, check=False)
    pid = int(done.stdout)
    deadline = time.monotonic() + 10
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_an_exit_that_nobody_asked_for_is_an_event_with_a_time(write: Write, lease: Lease) -> None:
    profile = write("import sys; print('READY', flush=True); input(); print('segfault, sorry'); sys.exit(7)")

    async def run() -> None:
        async with Device(profile, address=lease()) as device:
            began = time.time()
            await device.call("sip:1@127.0.0.1")
            assert device.died
            death = await asyncio.wait_for(device.died, 5)
            assert death.code == 7
            assert began <= death.at <= time.time()
            assert device.died_at == death.at
            assert not device.alive()
            assert str(death) == "ended with status 7"
            with pytest.raises(DeviceError, match=r"(?s)is not running: it ended with status 7.*segfault, sorry"):
                await device.call("sip:1@127.0.0.1")

    asyncio.run(run())


def test_ends_before_it_is_ready(write: Write, lease: Lease) -> None:
    with pytest.raises(DeviceError, match=r"(?s)ended with status 3 before it was ready.*no licence"):
        started(write("import sys; sys.exit(print('no licence') or 3)"), lease())


@pytest.mark.parametrize(
    ("ready", "missing", "seconds", "said"),
    [
        ('stdout = "READY"', "no line of its output begins with 'READY'", 1.5, "still booting"),
        ("udp_bound = true", "nothing is bound to UDP 127", 0.3, ""),
        ("options = true", "no answer to OPTIONS from 127", 0.3, ""),
    ],
)
def test_is_not_ready_in_time(write: Write, lease: Lease, ready: str, missing: str, seconds: float, said: str) -> None:
    text = MINIMAL.replace('["{python}", "{here}/toy.py", "{address}"]', '["sh", "-c", "echo still booting; sleep 60"]')
    profile = write(profile=text.replace('stdout = "READY"', f"{ready}\ntimeout_s = {seconds}"))
    with pytest.raises(DeviceError, match=f"(?s)was not ready in {seconds} s: {missing}.*{said}"):
        started(profile, lease())


def test_is_not_there_over_one_of_its_transports(write: Write, lease: Lease) -> None:
    """A remedy names the table for the address of that transport; with one transport there is none to name."""
    desk = """
[device]
name = "gateway"
roles = ["proxy"]
transports = ["wss-to-udp"]
[lab]
address = "127.0.0.9:8443"
[ready]
options = true
timeout_s = 0.3
[stimulus]
kind = "sipp"
"""
    for text, named in ((desk, True), (desk.replace("wss-to-udp", "udp"), False)):
        with pytest.raises(DeviceError, match="was not ready in") as caught:
            asyncio.run(wait_ready(write(profile=text), lease(), None, None))
        hint = caught.value.hint
        assert ("if it listens for UDP elsewhere: [over.udp.lab] names the address; if it ans" in hint) == named, hint


def test_program_is_missing(write: Write, lease: Lease) -> None:
    profile = write(
        profile=MINIMAL.replace('"{python}"', '"no-such-phone"').replace("[ready]", 'install = "make devices"\n[ready]')
    )
    with pytest.raises(DeviceError) as caught:
        started(profile, lease())
    assert "no program 'no-such-phone'" in caught.value.cause
    assert caught.value.hint == "make devices"


def test_module_is_missing(write: Write, lease: Lease) -> None:
    profile = write(
        profile=MINIMAL.replace("[ready]", 'modules = ["no_such_module"]\ninstall = "make devices"\n[ready]')
    )
    with pytest.raises(DeviceError) as caught:
        started(profile, lease())
    assert "has no module 'no_such_module'" in caught.value.cause
    assert caught.value.hint == "make devices"


def test_address_is_taken(write: Write, lease: Lease) -> None:
    async def run() -> None:
        address = lease()
        async with listening(address):
            with pytest.raises(DeviceError, match="is taken by another program"):
                await Device(write(SLEEPER), address=address).start()

    asyncio.run(run())


def test_what_it_needs_and_was_not_given(write: Write, lease: Lease) -> None:
    with pytest.raises(DeviceError, match="has no address"):
        Device(write(SLEEPER))
    with pytest.raises(ProfileError, match=r"cannot be given faults \(redials_after_1s\)"):
        Device(write(SLEEPER), address=lease(), faults=["redials_after_1s"])
    per_plan = MINIMAL.replace('"{address}"', '"{peer}"').replace('["uac"]', '["uac"]\nper_plan = true')
    with pytest.raises(DeviceError, match="one peer per plan"):
        asyncio.run(Device(write(SLEEPER, per_plan), address=lease()).start())


def test_output_is_bounded_clean_and_keeps_no_secrets(
    write: Write, lease: Lease, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRUNK_PASSWORD", "hunter2!")
    script = """
        import os, sys, time
        print("x" * 300000 + "\\n" + "line\\n" * 1000)
        print("\\x1b[31mred\\x07", os.environ["TRUNK_PASSWORD"], os.environ["SIP_SECRET"])
        print("READY", flush=True); time.sleep(60)
    """
    profile = write(script, MINIMAL.replace("[ready]", 'env = { SIP_SECRET = "swordfish" }\n[ready]'))

    async def run() -> str:
        async with Device(profile, address=lease()) as device:
            return device.output(100_000)

    output = asyncio.run(run())
    assert len(output.splitlines()) <= 200
    assert "\nred\N{REPLACEMENT CHARACTER} *** ***" in output
    assert "hunter2" not in output
    assert "swordfish" not in output
    assert "\x1b" not in output


def test_configuration_is_rendered_into_a_private_folder(write: Write, lease: Lease) -> None:
    script = """
        import os, pathlib, sys, time
        path = pathlib.Path("phone.conf")
        print("READY", path.read_text(), oct(path.stat().st_mode)[-3:], oct(os.stat(".").st_mode)[-3:], flush=True)
        time.sleep(60)
    """
    text = MINIMAL.replace("[ready]", 'files = ["phone.conf.j2"]\n[pixit]\nuser = "a<b>&c"\n[ready]')
    profile = write(script, text, phone__conf__j2="{{ address }} {{ pixit.user }}")
    address = lease()

    async def run() -> str:
        async with Device(profile, address=address) as device:
            return device.output()

    assert asyncio.run(run()) == f"READY {address} a<b>&c 600 700"
    with pytest.raises(ProfileError, match=r"phone\.conf\.j2: 'adress' is undefined"):
        started(write(script, text, phone__conf__j2="{{ adress }}"), lease())


def test_configuration_in_a_folder_of_its_own(write: Write, lease: Lease) -> None:
    script = """
        import os, pathlib, time
        path = pathlib.Path("etc/lines/one.conf")
        print("READY", path.read_text(), oct(path.stat().st_mode)[-3:], oct(os.stat(".").st_mode)[-3:], flush=True)
        time.sleep(60)
    """
    profile = write(script)
    template = profile.source.parent / "etc" / "lines" / "one.conf.j2"
    template.parent.mkdir(parents=True)
    template.write_text("{{ address }}")
    profile = write(script, MINIMAL.replace("[ready]", 'files = ["etc/lines/one.conf.j2"]\n[ready]'))
    address = lease()

    async def run() -> str:
        async with Device(profile, address=address) as device:
            return device.output()

    assert asyncio.run(run()) == f"READY {address} 600 700"


def test_version_is_asked_or_read_from_its_output(write: Write, lease: Lease) -> None:
    asked = MINIMAL.replace("[ready]", 'version = ["{python}", "-c", "print(\'toy version 4.5.6-rc1\')"]\n[ready]')
    assert started(write(SLEEPER, asked), lease())[0].identity()["version"] == "4.5.6-rc1"
    told = MINIMAL.replace("[ready]", "version_pattern = '^READY toy/(\\S+)'\n[ready]")
    script = "import time; print('boot'); print('READY toy/7.8', flush=True); time.sleep(60)"
    assert started(write(script, told), lease())[0].identity()["version"] == "7.8"
    mute = MINIMAL.replace("[ready]", 'version = ["no-such-program"]\n[ready]')
    assert started(write(SLEEPER, mute), lease())[0].identity()["version"] == ""


def test_reference_gets_its_backup_and_its_faults(lease: Lease) -> None:
    profile = load_profile("reference")
    backup = lease()
    device, _ = started(profile, lease(), backup=backup, faults=["redials_after_1s"])
    assert device.backup == backup
    with pytest.raises(DeviceError, match=r"(?s)before it was ready.*no_such_fault"):
        started(profile, lease(), backup=backup, faults=["no_such_fault"])
    with pytest.raises(DeviceError, match="needs a backup address"):
        Device(profile, address=lease())
