"""The profiles of docs/603plus.md, as their reader uses them: the addresses changed, and nothing else.

The device runs already when the suite comes, as one on another machine does.  Kamailio and Sippy B2BUA are tested where
they are installed; the reference device is always there.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import jinja2
import pytest

from harness.device.process import dying_with_parent
from harness.net.address import Address
from harness.net.loopback import LoopbackPool
from harness.net.probes import options_ping
from tests.run.suite import ROOT, Finished, left_behind, run_suite

EXAMPLES = ROOT / "docs" / "examples" / "603plus"
READY_S = 30.0


@pytest.fixture
def net() -> Iterator[str]:
    """Addresses that no run has: what stands here in the place of the examples' 192.0.2."""
    pool = LoopbackPool()
    yield pool.lease().host.rpartition(".")[0] + "."
    pool.close()


@contextmanager
def running(argv: Sequence[str], folder: Path, address: Address) -> Iterator[None]:
    """A device that somebody else has started, from the moment in which it answers."""
    process = subprocess.Popen(
        dying_with_parent(argv),
        stdin=subprocess.PIPE,  # the reference device ends with its console
        stdout=(folder / "device.log").open("w"),
        stderr=subprocess.STDOUT,
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/sbin:/usr/bin:/bin", "SIPLOG_BEND": "none"},
    )
    try:
        assert asyncio.run(options_ping(address, None, READY_S)), (folder / "device.log").read_text()
        yield
    finally:
        process.terminate()
        process.wait(10)


def reference(net: str, folder: Path, *faults: str) -> list[str]:
    argv = [sys.executable, "-m", "harness.devices.reference", "--role", "proxy", "--listen", f"{net}7:5060"]
    return [*argv, *(word for fault in faults for word in ("--fault", fault))]


def kamailio(net: str, folder: Path) -> list[str]:
    """With the configuration of the built-in profile, as a provider's."""
    built_in = ROOT / "harness" / "devices" / "kamailio"
    profile = tomllib.loads((built_in / "device.toml").read_text())
    pixit = profile["pixit"] | {
        key.removeprefix("pixit."): value for key, value in profile["variant"]["provider"].items()
    }
    pixit |= profile["variant"]["provider"].get("pixit", {})
    template = jinja2.Template((built_in / "kamailio.cfg.j2").read_text(), undefined=jinja2.StrictUndefined)
    configuration = template.render(pixit=pixit, transport="udp", address=f"{net}7:5060", host=f"{net}7")
    (folder / "kamailio.cfg").write_text(configuration)
    own = ("-w", str(folder), "-P", str(folder / "kamailio.pid"), "-Y", str(folder))
    return ["/usr/sbin/kamailio", "-DD", "-E", "-f", str(folder / "kamailio.cfg"), *own]


def sippy(net: str) -> list[str]:
    options = ("-f", "-l", f"{net}7", "-p", "5060", "-n", f"{net}10:5060")
    return [sys.executable, "-m", "sippy.b2bua_simple", *options]


def driven(name: str, net: str, argv: Sequence[str], folder: Path, *, lab: str = "") -> Finished:
    """The command of docs/603plus.md, step 4, with the example's addresses at home, and more lines in its ``lab``."""
    profile = folder / name
    text = (EXAMPLES / name).read_text().replace("192.0.2.", net)
    profile.write_text(text.replace("[lab]\n", f"[lab]\n{lab}\n"))
    with running(argv, folder, Address.parse(f"{net}7:5060")):
        run = run_suite(folder / "out", f"--device={profile}", "--window=quick", "--", "suites/plus603")
    assert left_behind(run.out) == []
    return run


def verdicts(run: Finished) -> dict[str, set[str]]:
    """The tests of each verdict."""
    found: dict[str, set[str]] = {}
    for record in run.records:
        found.setdefault(record["verdict"], set()).add(record["purpose"].removeprefix("plus603/"))
    return found


PROXIES: dict[str, Callable[[str, Path], list[str]]] = {"reference": reference, "kamailio": kamailio}


@pytest.mark.parametrize("product", PROXIES)
def test_proxy_of_a_provider(product: str, net: str, tmp_path: Path) -> None:
    """As the example is, and then with a registrar, which its forks and hunts need."""
    if product == "kamailio" and not shutil.which("kamailio", path="/usr/sbin"):
        pytest.skip("kamailio is not installed: make devices")
    argv = PROXIES[product](net, tmp_path)
    run = driven("proxy.toml", net, argv, tmp_path)
    said = verdicts(run)
    assert not said.keys() & {"fail", "warn", "inconclusive"}, run.output
    assert "603+  edge-proxy blocks with" in run.output
    assert {
        "blocking/blocked_call_is_answered_603",
        "blocking/reason_names_whom_to_ask",
        "middle/every_lawful_notation_arrives",
    } <= said["pass"], run.output
    assert "forks/hunt_stops_at_a_block" in said["not_tested"], run.output
    said = verdicts(driven("proxy.toml", net, argv, tmp_path, lab="registrar = true"))
    assert not said.keys() & {"fail", "warn", "inconclusive"}
    assert {"forks/hunt_stops_at_a_block", "forks/block_of_one_branch_wins"} <= said["pass"]


def test_proxy_that_loses_the_reason(net: str, tmp_path: Path) -> None:
    argv = reference(net, tmp_path, "strips_reason_of_603plus")
    said = verdicts(driven("proxy.toml", net, argv, tmp_path))
    assert "middle/blocked_call_is_reported_as_it_was" in said["fail"]
    assert "blocking/reason_names_whom_to_ask" in said["pass"]


@pytest.mark.skipif(find_spec("sippy") is None, reason="sippy is not installed: make devices")
def test_sbc_of_a_provider(net: str, tmp_path: Path) -> None:
    """Sippy B2BUA makes responses anew, and has no second route: both are to be told."""
    run = driven("sbc.toml", net, sippy(net), tmp_path)
    said = verdicts(run)
    assert {name.partition("/")[0] for name in said["fail"]} == {"middle"}, run.output
    assert "middle/blocked_call_is_reported_as_it_was" in said["fail"]
    assert "upstream/block_does_not_move_the_call_to_the_backup" in said["inconclusive"]
    assert "PICS  edge-sbc: backup_proxy is claimed, and did not show" in run.output
