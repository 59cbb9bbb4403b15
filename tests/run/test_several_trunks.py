"""A device with two addresses of its trunk: both are listened at, and what comes to either is judged."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.paths import DEVICES
from tests.run.suite import run_suite

LEASES = 'exchange = "{lease}"\nfurther_exchanges = ["{lease}"]'
DECLINE = "decline_is_final/decline_ends_the_call"


def phone(folder: Path, *more: str) -> str:
    """The reference phone, which goes to the second address when the first one fails."""
    text = (DEVICES / "reference-phone" / "device.toml").read_text("utf-8")
    quoted = "".join(f'"{word}", ' for word in ("--backup", "{exchange_2}", *more))
    changed = text.replace('exchange = "{lease}"', LEASES).replace('"--user",', f'{quoted}"--user",')
    assert changed.count("exchange_2") == 1
    path = folder / "trunks.toml"
    path.write_text(changed, "utf-8")
    return str(path)


@pytest.mark.parametrize(("fault", "verdict"), [((), "pass"), (("--fault", "tries_backup_after_603"), "fail")])
def test_a_declined_call_is_not_tried_at_the_next_address(tmp_path: Path, fault: tuple[str, ...], verdict: str) -> None:
    run = run_suite(tmp_path / "out", "--device", phone(tmp_path, *fault), "-k", "test_decline_is_final.py")
    verdicts = {line["purpose"]: line["verdict"] for line in run.records}
    print(run.output)
    assert verdict in verdicts.values(), run.output
    assert run.status == (0 if verdict == "pass" else 1), run.output
    if fault:
        pages = [page.read_text("utf-8") for page in run.folder.rglob("*.html")]
        assert any("(at 127." in page for page in pages), "the ladder says to which address the call went"


def test_a_b2bua_whose_calls_come_by_the_second_address(tmp_path: Path) -> None:
    """Nothing comes to the first one at all."""
    text = (DEVICES / "sippy-b2bua" / "device.toml").read_text("utf-8")
    text = text.replace('exchange = "{lease}"', LEASES).replace('"{exchange}"', '"{exchange_2}"')
    path = tmp_path / "sippy.toml"
    path.write_text(text.partition("[variant")[0], "utf-8")
    run = run_suite(tmp_path / "out", "--device", str(path), "-k", "b2bua and decline")
    seen = [line["verdict"] for line in run.records if line["drives"]]
    assert "pass" in seen, run.output
    assert "inconclusive" not in seen, run.output
