"""Judging a run again compares what a reader is told, and whose flows they are, not the verdicts alone."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from handmade import CATALOGUE, CLAIMS, DEVICE, FINAL, PURPOSES, Maker

from harness.evidence.rejudge import rejudge
from harness.model.axes import Axes
from harness.model.finding import Record
from harness.model.flow import Flow, Trouble
from harness.model.plan import Plan
from harness.purposes.case import Case
from harness.run.execution import with_troubles
from harness.run.settling import Settled
from harness.store.stored_run import StoredRun, read_run

WHOLE = {"name": DEVICE, "vendor": "Acme <b>", "model": "P1", "firmware": "1.0", "serial": "7"} | {
    "version": "1.0.7",
    "roles": ["uac"],
    "pics": CLAIMS,
    "faults": [],
}
"""What a flow says of the device: all that the header says, and the version that was asked for."""
Entries = list[dict[str, Any]]


class Told(Maker):
    """A run whose flows say who the device is, as a real one's do."""

    troubles: tuple[Trouble, ...] = ()

    def _flow(self, plan: Plan, attempt: int) -> Flow:
        made = super()._flow(plan, attempt)
        self.flows[plan, attempt] = dataclasses.replace(made, device=WHOLE, troubles=self.troubles)
        return self.flows[plan, attempt]

    def _record(self, name: str) -> Record:
        record = super()._record(name)
        case = Case(PURPOSES[name], DEVICE, Axes("uac"), (), "")
        flows = {flow.id: flow for flow in self.flows.values()}
        return with_troubles(Settled(case, record, tuple(flows[one] for one in record.evidence))).record


class Troubled(Told):
    """Something was in the way of every drive, and the device did not answer at the end."""

    troubles = (Trouble("device", "the device exited with 1 by itself"),)

    def _flow(self, plan: Plan, attempt: int) -> Flow:
        made = dataclasses.replace(super()._flow(plan, attempt), life=None)
        self.flows[plan, attempt] = made
        return made


def differences(run: StoredRun) -> list[str]:
    return [difference.why for difference in rejudge(run, CATALOGUE, PURPOSES).differences]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> StoredRun:
    return Told(tmp_path_factory.mktemp("told"), device={"serial": "7"}).make()


def changed(run: StoredRun, tmp_path: Path, change: Callable[[Entries], None]) -> StoredRun:
    folder = tmp_path / "changed"
    shutil.copytree(run.folder, folder)
    entries = [json.loads(line) for line in (folder / "verdicts.jsonl").read_text().splitlines()]
    change(entries)
    (folder / "verdicts.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    return read_run(folder)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("vendor", "Best"),
        ("model", "P2"),
        ("firmware", "2.0"),
        ("serial", "8"),
        ("roles", ["uac", "b2bua"]),
        ("faults", ["no_ack"]),
    ],
)
def test_flows_of_another_device(key: str, value: object, told: StoredRun, tmp_path: Path) -> None:
    def renamed(entries: Entries) -> None:
        entries[0]["devices"][0][key] = value

    assert differences(told) == []
    assert f"is of a device with other {key} (" in differences(changed(told, tmp_path, renamed))[0]


@pytest.mark.parametrize("key", ["reason", "where", "means", "look_at"])
def test_words_about_a_requirement(key: str, told: StoredRun, tmp_path: Path) -> None:
    def reworded(entries: Entries) -> None:
        entries[1]["requirements"][0][key] = "all is well"

    found = differences(changed(told, tmp_path, reworded))
    assert f"RFC3261-21.6-01: {key}: stored 'all is well', now" in found[0]


def test_the_reason_of_a_record(told: StoredRun, tmp_path: Path) -> None:
    def reworded(entries: Entries) -> None:
        entries[1]["reason"] = "all is well"

    assert "reason: stored 'all is well', now" in differences(changed(told, tmp_path, reworded))[0]


def test_what_was_in_the_way_is_told_and_checked(tmp_path: Path) -> None:
    run = Troubled(tmp_path, purposes=(FINAL,), device={"serial": "7"}).make()
    told = " - trouble of the device: the device exited with 1 by itself"
    assert run.records[0].verdict == "inconclusive"
    assert run.records[0].reason.endswith(told)
    assert differences(run) == []

    def blamed(entries: Entries) -> None:
        entries[1]["reason"] = entries[1]["reason"].replace("trouble of the device", "trouble of this machine")

    assert "reason: stored" in differences(changed(run, tmp_path, blamed))[0]
