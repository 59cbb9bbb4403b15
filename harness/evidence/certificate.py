"""A certificate: the objections to it, and its content.  Pure functions of a stored run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from harness.errors import EvidenceError, SetupError
from harness.evidence.rejudge import rejudge
from harness.judge.plus603.notices import notices
from harness.model.axes import in_words
from harness.model.flow import Flow
from harness.model.outcome import NOT_APPLICABLE, SKIPPED, ExitStatus, Tally
from harness.model.windows import STANDARD, WINDOWS, Window
from harness.net.address import Passage
from harness.policy.profiles import RequirementProfile, demands
from harness.policy.unmet import unmet
from harness.purposes.purpose import Purpose
from harness.requirements import conditions as pics
from harness.requirements.catalogue import Catalogue, Row
from harness.store.stored_run import StoredRun
from harness.store.verdict_lines import Declared, VerdictLine

_LISTED = 8


@dataclass(frozen=True)
class Decided:
    """One requirement of the profile, in one role."""

    row: Row
    role: str
    verdict: str
    """The worst of its purposes; "not applicable" where the device's PICS switch it off."""
    reason: str
    purposes: tuple[str, ...]


@dataclass(frozen=True)
class Certificate:
    """The content of a conformance statement."""

    profile: RequirementProfile
    device: Declared
    """The header's entry for the device."""
    version: str
    """The version that the product reported; "" if it reported none."""
    run: str
    suite: Mapping[str, str]
    """version, commit, digest, mutants, sipp."""
    window: Window
    ruling: str
    strict: bool
    began: datetime
    ended: datetime
    counts: Mapping[str, int]
    """The verdicts of all purposes that ran on this device, by name."""
    drives: int
    decided: tuple[Decided, ...]
    checks: int
    """How many test cases decided them."""
    scope: str
    """How much of the suite the run asked, in words."""
    beside: tuple[VerdictLine, ...]
    """Non-passes of this device outside the profile.  A certificate does not hide them."""
    redress: tuple[str, ...] = ()
    """Whom the device's own 603+ name to ask about a blocked call."""

    @property
    def warnings(self) -> tuple[Decided, ...]:
        """Requirements of the profile with a warning."""
        return tuple(one for one in self.decided if one.verdict == "warn")

    @property
    def positions(self) -> tuple[tuple[str, bool], ...]:
        """The places in a call path that the profile knows, and whether the device was tested there: it claims them."""
        asked = {key for one in self.in_force for key in pics.keys(one.row.applies_if)}
        claimed = self.device.pics
        return tuple((text, bool(claimed.get(key)) and key in asked) for key, text in self.profile.positions.items())

    @property
    def reported(self) -> tuple[Decided, ...]:
        """What applies to the device and rests on reports of a standard whose text is not free."""
        return tuple(one for one in self.in_force if one.row.reported)

    @property
    def in_force(self) -> tuple[Decided, ...]:
        """The requirements that apply to the device by its PICS."""
        return tuple(one for one in self.decided if one.verdict != NOT_APPLICABLE)


def choose_device(run: StoredRun, name: str | None) -> str:
    """The device of ``run`` to certify; SetupError if it is ambiguous."""
    known = list(dict.fromkeys(line.device for line in run.records)) or list(run.devices)
    if name is None and len(known) == 1:
        return known[0]
    if name in known:
        return str(name)
    problem = f"the run has no device {name[:80]!r}" if name else f"the run is of {len(known)} devices"
    raise SetupError(f"{problem}: {', '.join(known)}", "name one with --device: a certificate covers one device")


@dataclass(frozen=True)
class Objection:
    """A reason why a run cannot be certified."""

    sentence: str
    status: ExitStatus = ExitStatus.INCONCLUSIVE
    """2: the run is insufficient; 1: the device fails; 4: the evidence does not support the verdicts."""


def objections(
    run: StoredRun, profile: RequirementProfile, device: str, catalogue: Catalogue, purposes: Mapping[str, Purpose]
) -> list[Objection]:
    """Every reason why ``run`` cannot certify ``device``; empty if it can."""
    return [
        *map(Objection, _of_run(run)),
        *map(Objection, _of_device(run, profile, device, catalogue, purposes)),
        *_of_verdicts(run, profile, device, catalogue, purposes),
        *_of_evidence(run, catalogue, purposes),
        *(Objection(sentence, ExitStatus.EVIDENCE) for sentence in _of_controls(run)),
    ]


def _of_run(run: StoredRun) -> Iterator[str]:
    header = run.header
    if run.footer is None:
        yield "the run is incomplete: it was cut off before its footer"
    if missing := run.missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        yield f"the run is incomplete: no verdict for {'; '.join(map(str, missing[:3]))}{more}"
    planned = len(header.cases)
    if len(run.records) != header.planned or planned != header.planned:
        yield (
            f"the run is inconsistent: the header plans {header.planned} cases and names {planned}, "
            f"{len(run.records)} have a record"
        )
    if WINDOWS[header.window].seconds < STANDARD.seconds:
        yield f"the window is {header.window}; a certificate needs {STANDARD} or a longer one"
    if header.ruling != "certification":
        yield f"the ruling is {header.ruling}; a certificate needs certification"
    if run.footer and run.footer.gate and (waived := run.footer.gate.waived):
        yield f"the run has {len(waived)} waived findings; a waived run is never certified"
    if not header.suite_commit:
        yield "the commit of the suite is not known: use a git checkout, with git installed, or a wheel built from one"
    elif header.suite_dirty:
        yield (
            f"the suite was changed since its commit {header.suite_commit[:12]}: commit the changes, or install the "
            "release again"
        )
    if header.weather:
        yield f"the taps changed what the network does ({header.weather}); a certificate needs a run without --weather"
    if header.merger:
        yield f"it is {header.merger}; a certificate needs one run, without --again"
    elif header.again:
        yield "the run only repeats the non-passes of another run; a certificate needs a whole run"


def _of_device(
    run: StoredRun, profile: RequirementProfile, name: str, catalogue: Catalogue, purposes: Mapping[str, Purpose]
) -> Iterator[str]:
    if profile.status == "draft":
        yield f"the profile {profile.name} is a draft: {' '.join(profile.why.split())}"
    device = run.devices.get(name)
    if device is None:
        yield f"the run does not say what {name} is and declares"
        return
    if device.faults:
        yield f"{name} was given faults ({', '.join(device.faults)}): a certificate is for a product"
    holes = unmet(profile, name, device, run.records, catalogue, purposes)
    yield from holes[:_LISTED]
    if len(holes) > _LISTED:
        yield f"and {len(holes) - _LISTED} more requirements that the run did not decide"
    if not holes and not _demanded(profile, device, catalogue, purposes):
        yield f"nothing of {profile.name} applies to {name}: its PICS switch everything off"


def _demanded(
    profile: RequirementProfile, device: Declared, catalogue: Catalogue, purposes: Mapping[str, Purpose]
) -> set[tuple[str, str, str]]:
    """Purpose, role and requirement of everything that the profile demands of the device."""
    return {
        (purpose, demand.role, demand.requirement)
        for demand in demands(profile, device, purposes, catalogue)
        for purpose in demand.purposes
    }


def _of_verdicts(
    run: StoredRun, profile: RequirementProfile, name: str, catalogue: Catalogue, purposes: Mapping[str, Purpose]
) -> Iterator[Objection]:
    demanded = _demanded(profile, run.devices[name], catalogue, purposes) if name in run.devices else set()
    for line in run.records:
        for row in line.requirements if line.device == name else ():
            if (line.purpose, line.role, row.id) not in demanded or row.verdict in ("pass", "warn"):
                continue
            failed = row.verdict == "fail"
            what = f"fail, confirmed by {line.drives} drives" if failed else row.verdict
            yield Objection(
                f"{row.id} is {what} in {line.purpose} ({line.role}): {row.reason[:160]}",
                ExitStatus.NOT_CONFORMING if failed else ExitStatus.INCONCLUSIVE,
            )


def _of_evidence(run: StoredRun, catalogue: Catalogue, purposes: Mapping[str, Purpose]) -> Iterator[Objection]:
    try:
        judged = rejudge(run, catalogue, purposes)
    except EvidenceError as error:
        yield Objection(error.cause, ExitStatus.EVIDENCE)
        return
    for difference in judged.differences[:_LISTED]:
        yield Objection(f"judged again, a verdict differs: {difference.sentence}", ExitStatus.EVIDENCE)
    if (more := len(judged.differences) - _LISTED) > 0:
        yield Objection(f"judged again, {more} more differ", ExitStatus.EVIDENCE)


def _of_controls(run: StoredRun) -> Iterator[str]:
    """Positive controls outside the evidence: a dossier holds only the flows that verdicts use."""
    there = set(run.evidence)
    for identifier in run.evidence:
        try:
            controls = {control.flow for control in run.flow(identifier).controls} - there
        except EvidenceError:
            continue  # judging again reports it
        yield from (
            f"flows/{identifier}.json rests on a positive control in flow {control!r:.120}, which no verdict uses"
            for control in sorted(controls)
        )


def certificate(
    run: StoredRun, profile: RequirementProfile, name: str, catalogue: Catalogue, purposes: Mapping[str, Purpose]
) -> Certificate:
    """The certificate of ``name``.  Call it only without :func:`objections`."""
    device, header = run.devices[name], run.header
    records = [line for line in run.records if line.device == name]
    flows = [run.flow(flow) for line in records for flow in line.flows]
    decided = tuple(
        _decided(demand.role, demand.purposes, records, catalogue[demand.requirement], device.transports)
        for demand in demands(profile, device, purposes, catalogue)
    )
    inside = {(purpose, one.role) for one in decided for purpose in one.purposes}
    beside = tuple(
        line for line in records if (line.purpose, line.role) not in inside and line.verdict not in ("pass", *SKIPPED)
    )
    times = [time for flow in flows for time in (*(call.placed_at for call in flow.calls), flow.watch.closed_at)]
    versions = dict.fromkeys(str(flow.device.get("version") or "") for flow in flows)
    return Certificate(
        profile=profile,
        device=device,
        version=", ".join(filter(None, versions)),
        run=header.run,
        suite={
            "version": header.suite,
            "commit": header.suite_commit,
            "digest": header.suite_digest,
            "mutants": header.suite_mutants,
            "sipp": header.sipp,
        },
        window=WINDOWS[header.window],
        ruling=header.ruling,
        strict=header.strict,
        began=_utc(min(times, default=0.0)),
        ended=_utc(max(times, default=0.0)),
        counts=Tally.of((line.verdict for line in records), len(records)).counts,
        drives=len({flow.id for flow in flows}),
        decided=decided,
        checks=sum((line.purpose, line.role) in inside and line.tested for line in records),
        scope=header.scope.cases,
        beside=beside,
        redress=_redress(flows),
    )


def _redress(flows: Sequence[Flow]) -> tuple[str, ...]:
    """What the 603+ that the device made itself name."""
    read = (notices((event.direction, event) for event in flow.events) for flow in flows)
    return tuple(dict.fromkeys(str(redress) for made, found in read if made for redress in found))


def _decided(
    role: str, purposes: tuple[str, ...], records: list[VerdictLine], row: Row, transports: Sequence[Passage]
) -> Decided:
    found = [
        finding
        for line in records
        if line.purpose in purposes and line.role == role
        for finding in line.requirements
        if finding.id == row.id
    ]
    if not found:
        if purposes:
            why = "nothing that the device did in the run led there"
        elif row.is_about(transports):
            why = f"the device does not declare {row.applies_if}"
        else:
            why = f"it is about {in_words(row.transports)} only"
        return Decided(row, role, NOT_APPLICABLE, why, ())
    worst = max(found, key=lambda finding: finding.rank)
    return Decided(row, role, worst.verdict, worst.reason, purposes)


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=0)
