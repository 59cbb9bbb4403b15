"""``sipverdict expect``: writes the non-passes of a stored run beside the profile, as the expected ones."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from harness.device.spec import DeviceSpec
from harness.errors import SetupError
from harness.model.device_name import BASE
from harness.model.flow import Flow
from harness.model.printable import short
from harness.model.windows import WINDOWS
from harness.policy.expected_entry import Case, Known, Reasons
from harness.policy.expected_file import file_of, load, updated
from harness.policy.expected_text import written
from harness.report import machine
from harness.requirements.catalogue import Catalogue
from harness.run.specs import device_specs
from harness.store.files import is_file, write_whole
from harness.store.stored_run import StoredRun, read_run
from harness.store.verdict_lines import RequirementLine, VerdictLine

_WHY = 200
_LISTED = 8
_ADDRESS = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b")
_TOKEN = re.compile(r"\b\d{0,3}7\d{7}\b")


def expect(folder: str, devices: Sequence[str], *, inconclusive: bool = False, as_json: bool = False) -> int:
    """Update the expectations of ``devices`` from the run in ``folder``, and print what was written and left out.

    Inconclusive cases are written only with ``inconclusive``, and only without a trouble.
    """
    run = read_run(Path(folder))
    specs, rows = device_specs(list(devices) or ["reference"], []), Catalogue.load().rows
    if run.header.ruling != "certification" or run.header.strict:
        raise SetupError(
            "expectations apply to runs with the ruling certification and without --strict",
            "run again without --ruling and --strict",
        )
    window = WINDOWS[run.header.window]
    by_source: dict[Path, list[DeviceSpec]] = {}
    for spec in specs.values():
        by_source.setdefault(spec.profile.source, []).append(spec)
    names = {record.device for record in run.records}
    if not names & specs.keys():
        tested = ", ".join(sorted(name[:60] for name in names))
        raise SetupError(f"the run is of {tested}, not of {', '.join(specs)}", "name its device: --device")
    console = Console(highlight=False)
    files = []
    for source, mine in by_source.items():
        path = file_of(source)
        old = load(path, source, rows) if is_file(path) else ()
        known = [one for one in old if one.variant not in {_variant(spec, mine) for spec in mine}]
        omitted: list[str] = []
        reasons = Reasons(old)
        for spec in mine:
            variant = _variant(spec, mine)
            seen, executed, left_out = _seen(run, spec.name, variant, inconclusive=inconclusive)
            seen = [reasons.given_to(one) for one in seen]
            omitted += left_out
            known += updated([one for one in old if one.variant == variant], seen, executed, window)
        if known:
            before = path.read_text("utf-8") if old else ""
            write_whole(path, written(mine[0].profile.name.partition(":")[0], known, before))
        elif is_file(path):
            path.unlink()
        files.append({"file": str(path), "known": len(known), "left_out": omitted})
        if not as_json:
            nothing = "nothing to write" if omitted else "everything should pass: no file is needed"
            console.print(Text(f"{path}: {f'{len(known)} known non-passes' if known else nothing}"), soft_wrap=True)
            _print_left_out(omitted, console, inconclusive=inconclusive)
    if as_json:
        print(machine.text({"run": run.header.run, "files": files}))
    return 0


def _print_left_out(omitted: Sequence[str], console: Console, *, inconclusive: bool) -> None:
    """What is inconclusive in the run and not in the file, so that ``--expected`` goes on reporting it."""
    if not omitted:
        return
    hint = (
        "there was a trouble of this machine or the network"
        if inconclusive
        else "--inconclusive writes those that the device itself causes in every run"
    )
    told = f"left out: {len(omitted)} inconclusive, which --expected does not forgive (--again asks them again; {hint})"
    console.print(Text(told), soft_wrap=True)
    for one in omitted[:_LISTED]:
        console.print(Text(f"  {one}"), soft_wrap=True)
    if len(omitted) > _LISTED:
        console.print(Text(f"  and {len(omitted) - _LISTED} more"), soft_wrap=True)


def _variant(spec: DeviceSpec, mine: Iterable[DeviceSpec]) -> str:
    return spec.name.rpartition(":")[2] if ":" in spec.name else BASE


def _seen(
    run: StoredRun, device: str, variant: str, *, inconclusive: bool
) -> tuple[list[Known], list[Case], list[str]]:
    """The non-passes of ``device``, every decided case, and each inconclusive one that is left out, in a line.

    An inconclusive case is neither: a busy machine may be the cause, not the device.  A flow does not always show the
    cause, so a person must ask for ``inconclusive`` cases.
    """
    seen: list[Known] = []
    executed: list[Case] = []
    left_out: list[str] = []
    for record in run.records:
        if record.device != device:
            continue
        if not record.drives:
            if record.tested:
                left_out.append(short(f"{record.case}: {record.reason}", _WHY))
            continue
        undisturbed: bool | None = None
        for row in record.requirements:
            verdict = row.verdict
            if verdict == "inconclusive":
                if undisturbed is None:
                    undisturbed = inconclusive and not any(map(_disturbed, _flows(run, record)))
                if not undisturbed:
                    left_out.append(short(f"{row.id} in {record.case}: {row.reason}", _WHY))
                    continue
            executed.append((record.purpose, record.case.axes, row.id))
            if verdict in ("warn", "fail", "inconclusive"):
                seen.append(_known(run, record, row, variant))
    return seen, executed, left_out


def _known(run: StoredRun, record: VerdictLine, row: RequirementLine, variant: str) -> Known:
    return Known(
        purpose=record.purpose,
        role=record.role,
        transport=record.transport,
        family=record.family,
        requirement=row.id,
        verdict=row.verdict,  # type: ignore[arg-type]  # the caller has checked it
        reason=steady(row.reason or record.reason) or "not passed",
        variant=variant,
        window=run.header.window,
    )


def _flows(run: StoredRun, record: VerdictLine) -> list[Flow]:
    return [run.flow(flow) for flow in record.flows]


def _disturbed(flow: Flow) -> bool:
    return bool(flow.troubles) or (flow.plan.watched and flow.life is None)


def steady(reason: str) -> str:
    """``reason`` in one printable line, without the parts that differ in every run: addresses and tokens."""
    return short(_TOKEN.sub("TOKEN", _ADDRESS.sub("ADDRESS", reason)), _WHY)
