"""Which codes were seen: counted in the stored form, whatever the tap did to the messages."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from flows import flow

from harness.report.codes import CodeSeen, codes_in
from harness.store.record import record_of

STEPS = ((0.1, "callee", "<SIP/2.0 302 Moved", ""), (0.2, "callee", "SIP/2.0 603 Decline", ""))


def test_what_the_device_never_saw_was_not_seen(tmp_path: Path) -> None:
    one = flow(*STEPS)
    sent, received = one.events
    plain, late = tmp_path / "plain.record", tmp_path / "late.record"
    plain.write_bytes(record_of(one))
    changed = replace(sent, fate="delayed"), replace(received, fate="lost")
    lost = (replace(sent, raw="SIP/2.0 380 X", fate="lost"),)
    late.write_bytes(record_of(replace(one, events=changed, lost=lost)))
    assert codes_in([plain, late], {}) == [  # type: ignore[arg-type]
        CodeSeen("302", "code.3xx", 2, by_device=False, by_tester=True),
        CodeSeen("603", "code.6xx", 2, by_device=True, by_tester=False),
    ]
