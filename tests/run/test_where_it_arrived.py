"""A message arrives where it arrives, whatever its Request-URI says."""

from __future__ import annotations

from pathlib import Path

from harness.cli import main
from harness.paths import DEVICES
from tests.run.suite import run_suite


def test_behind_an_exchange_an_invite_to_the_old_address_has_not_followed(tmp_path: Path) -> None:
    """It sends every request to its registrar, and does not claim an outbound proxy: FAIL, and no certificate."""
    known = (DEVICES / "reference-phone" / "device.toml").read_text()
    assert "outbound_proxy = true\n" in known
    profile = tmp_path / "old-address.toml"
    profile.write_text(known.replace("outbound_proxy = true\n", ""))
    run = run_suite(tmp_path / "out", "--device", str(profile), "-k", "redirect_is_followed.py")
    [afresh] = [one for one in run.records if one["purpose"].endswith("/destination_is_worked_out_afresh")]
    assert (afresh["verdict"], run.status) == ("fail", 1), run.output
    assert afresh["requirements"][0]["actual"].startswith("it arrived at callee (127.")
    key, out = tmp_path / "key", tmp_path / "certificate"
    assert main(["keygen", "-o", str(key)]) == 0
    assert main(["certify", str(run.folder), "--profile", "ua-redirect", "--key", f"{key}.key", "-o", str(out)]) != 0
    assert not out.exists() or not list(out.glob("*.json"))
