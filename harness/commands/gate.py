"""``sipverdict gate``: answers a pipeline about a stored run, exactly as ``sipverdict run --gate`` does."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

from harness.model.printable import printable
from harness.policy.gate import Answer, Blocking, Gate, GateInput, answer
from harness.policy.waivers import Waiver, load
from harness.purposes.discovery import all_purposes
from harness.report import machine
from harness.report.pull_request import PullRequestFiles
from harness.requirements.catalogue import Catalogue
from harness.store.stored_run import StoredRun, read_run


def gate(
    folder: str,
    name: str,
    waivers: Path | None,
    *,
    draft: bool,
    subset: bool = False,
    today: date | None = None,
    as_json: bool = False,
    files: PullRequestFiles | None = None,
) -> int:
    """Print the answer of the gate ``name`` to the run in ``folder``; the exit status is the answer.

    With ``subset`` a part of the suite may open it.  With ``draft``, it prints a waivers file for the findings that
    count, to be completed by a person.  ``files`` are written for a pull request.
    """
    run = read_run(Path(folder), cut_off=True)
    found = ask(run, name, waivers, today, subset=subset)
    if files:
        files.write(run, found)
    if as_json:
        print(machine.text(machine.of_answer(found)))
        return int(found.status)
    if draft:
        print("\n".join(map(_draft, found.blocking)) or "# nothing to waive")
        return int(found.status)
    if run.header.merger:
        print(run.header.merger)
    for sentence in found.sentences(gated=True):
        print(printable(sentence))
    return int(found.status)


def ask(
    run: StoredRun, name: str, waivers: Path | None = None, today: date | None = None, *, subset: bool = True
) -> Answer:
    """The answer to the stored ``run``, on ``today`` (None: today, UTC)."""
    catalogue, purposes = Catalogue.load(), all_purposes()
    let: tuple[Waiver, ...] = load(waivers, catalogue, purposes) if waivers else ()
    asked = Gate.of(name, catalogue, subset=subset)
    return answer(asked, gate_input(run), let, catalogue, purposes, today or datetime.now(UTC).date())


def gate_input(run: StoredRun) -> GateInput:
    """The input of a gate, from a stored run."""
    return GateInput(
        run.records,
        run.header.planned,
        run.missing,
        cut_off=run.footer is None,
        devices=run.devices,
        scope=run.header.scope,
        losses=run.footer.losses if run.footer else (),
    )


def _draft(blocking: Blocking) -> str:
    line, found = blocking.line, blocking.found
    fields = (
        ("owner", ""),
        ("reason", ""),
        ("device", line.device),
        ("transport", line.transport),
        ("family", line.family),
        ("verdict", found.verdict),
        ("finding", str(blocking.key)),
    )
    # A JSON string is a TOML string, but for pairs of surrogates and control characters: there are none left.
    keys = "\n".join(f"{key} = {json.dumps(printable(value), ensure_ascii=False)}" for key, value in fields)
    why = printable(found.reason)[:200]
    return f"# {why}\n[[waiver]]\n{keys}\nexpires = # a date, as in 2027-01-31: the last day on which it is valid\n"
