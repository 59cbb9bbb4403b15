"""The devices of docs/examples, where somebody has installed them: a few purposes of each, against what is known of it.

``make test`` installs neither: they show that a device is attached by documentation alone (docs/attach-a-device.md).
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.run.suite import ROOT, left_behind, run_suite


def has_net_sip() -> bool:
    perl = shutil.which("perl")
    return (
        perl is not None
        and subprocess.run([perl, "-MNet::SIP", "-e1"], capture_output=True, check=False).returncode == 0
    )


HERE = {"linphone": shutil.which("linphonec") is not None, "net-sip-perl": has_net_sip()}
CHOSEN = {
    "linphone": "test_decline_is_final or test_contact_is_called or test_ping_pong_stops_at_once",
    "net-sip-perl": "test_answers or test_forwarding",
}
FAILS = {"linphone": "INT-302-LOOP-02", "net-sip-perl": "RFC3261-8.2.6.2-02"}


@pytest.mark.parametrize("name", CHOSEN)
def test_example_does_what_is_known_of_it(name: str, tmp_path: Path) -> None:
    if not HERE[name]:
        pytest.skip(f"{name} is not installed: see docs/examples/{name}/device.toml")
    profile = ROOT / "docs" / "examples" / name / "device.toml"
    # The base device: a variant would need other purposes.
    run = run_suite(tmp_path, f"--device={profile}:base", "--expected", "-k", CHOSEN[name])
    told = run.lines[-1]["expected"]["deviations"]
    # What a busy machine kept from being seen is no news of the device.
    assert [one for one in told if one["got"] != "inconclusive"] == [], run.output
    assert run.status == (2 if told else 0), run.output
    assert any(record["verdict"] == "pass" for record in run.records)
    if not told:
        rows = [row for record in run.records for row in record["requirements"]]
        assert FAILS[name] in {row["id"] for row in rows if row["verdict"] == "fail"}, run.output
    assert left_behind(run.out) == []
