"""A run made by hand: flows in the standard window, judged and stored as a real run's are.  No SIPp, no waiting."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from harness.device.tables.pics import PICS
from harness.evidence.certificate import certificate
from harness.evidence.dossier import compose
from harness.evidence.issue import Issue
from harness.model.axes import Axes, CaseId
from harness.model.finding import Record, Ruled
from harness.model.flow import Control, Flow
from harness.model.plan import Plan
from harness.model.verdict import Verdict
from harness.model.windows import STANDARD, Window
from harness.net.address import Address
from harness.policy.profiles import RequirementProfile, named
from harness.purposes.discovery import all_purposes
from harness.purposes.doing import doing_of
from harness.purposes.everywhere import Heard, overall
from harness.purposes.purpose import applicable_rows
from harness.purposes.settle import assess, conclude, wants_another
from harness.requirements.catalogue import Catalogue
from harness.requirements.ruling import Ruling
from harness.store.folder import RunFolder
from harness.store.mutation import sentence
from harness.store.provenance import digest
from harness.store.stored_run import StoredRun, read_run
from harness.store.stream import VerdictStream
from harness.store.verdict_lines import Declared, Gated, Header, VerdictLine, Waived

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "judge"))
from redirect_flow import Try, drive

CATALOGUE = Catalogue.load()
PURPOSES = all_purposes()
DEVICE = "phone"
CLAIMS = {key: key == "follows_redirects" for key in PICS}
MOVED = (Try(), Try("sip:9{token}@{target}", "target"))
DECLINED = (Try(),)
REDIALLED = (Try(), Try(call_id="c2"))
FINAL = "uac/decline_is_final/decline_is_final"
ACKED = "transaction/ack/refusal_is_acknowledged"
CALLED = "uac/redirect_is_followed/contact_is_called"
PURPOSE_NAMES = (
    FINAL,
    "transaction/completed/decline_needs_no_ringing_before_it",
    "transaction/ack/ack_repeats_request_uri_call_id_and_from",
    "transaction/ack/ack_has_the_via_of_the_invite",
    "transaction/ack/ack_has_the_to_of_the_response",
    "transaction/ack/ack_has_the_cseq_number_of_the_invite",
    CALLED,
    "uac/redirected_request/new_invite_is_a_new_transaction",
)
WHOLE = (
    *PURPOSE_NAMES,
    "invariants/after_6xx/no_call_again_after_any_6xx",
    "invariants/acks/every_ack_of_a_refusal_is_made_of_its_invite",
)
"""All that say something of the requirements of :data:`TINY`: what a certificate of it needs."""
TINY = """
[tiny]
title = "What the runs of these tests can decide"
status = "final"
roles = ["uac"]
needs = "follows_redirects"
requirements = [
    "RFC3261-21.6-01", "RFC3261-17.1.1.3-01", "RFC3261-17.1.1.3-02", "RFC3261-17.1.1.3-03", "RFC3261-17.1.1.3-04",
    "RFC3261-8.1.3.4-13", "INT-603-EARLY-01",
]
[sketch]
title = "The same, not yet confirmed"
status = "draft"
why = "its text is not confirmed"
roles = ["uac"]
requirements = ["RFC3261-21.6-01"]
awaiting = ["ATIS603P-01"]
"""
WAIVED = Waived(
    "Ada", "ticket 7", date(2026, 6, 1), DEVICE, "udp", "ipv4", "fail", f"RFC3261-21.6-01:{FINAL}:uac:redialled"
)
Tries = Callable[[Plan, int], Sequence[Try]]
"""What the device sends in the n-th drive of a plan."""


def behaves(plan: Plan, _attempt: int) -> Sequence[Try]:
    return MOVED if any(endpoint.kind == "target" for endpoint in plan.endpoints) else DECLINED


def redials(plan: Plan, attempt: int) -> Sequence[Try]:
    tries = behaves(plan, attempt)
    return REDIALLED if tries is DECLINED else tries


def redials_once(plan: Plan, attempt: int) -> Sequence[Try]:
    return redials(plan, attempt) if attempt == 0 else behaves(plan, attempt)


@dataclass
class Maker:
    """Makes one run; every field can be set otherwise for a run that is not as it should be."""

    folder: Path
    tries: Tries = behaves
    purposes: Sequence[str] = PURPOSE_NAMES
    window: Window = STANDARD
    repeat: int = 1
    ruling: str = "certification"
    device: Mapping[str, Any] = field(default_factory=dict)
    header: Mapping[str, Any] = field(default_factory=dict)
    gate: Gated | None = None
    planned: Sequence[str] = ()
    """Purposes that are planned besides, and get no record."""
    flows: dict[tuple[Plan, int], Flow] = field(default_factory=dict)

    def make(self) -> StoredRun:
        folder = RunFolder.create(self.folder, DEVICE)
        records = [self._record(name) for name in self.purposes if not PURPOSES[name].everywhere]
        records += [self._everywhere(name) for name in self.purposes if PURPOSES[name].everywhere]
        for flow in self.flows.values():
            folder.write_flow(flow)
        header = dataclasses.replace(self._header(folder.name, len(records) + len(self.planned)), **self.header)
        stream = VerdictStream(folder.verdicts, header)
        for record in records:
            stream.write(VerdictLine.of(record))
        if self.planned:
            stream.abandon()
        else:
            stream.close(gate=self.gate)
        return read_run(folder.path, cut_off=bool(self.planned))

    def _header(self, name: str, planned: int) -> Header:
        told = Declared(DEVICE, ("uac",), ("udp",), ("ipv4",), CLAIMS, "Acme <b>", "P1", "1.0", pixit={"number": "600"})
        identity = dataclasses.replace(told, **self.device)
        return Header(
            run=name,
            suite="0.1.0",
            sipp="3.6.1",
            device=identity,
            window=self.window.name,  # type: ignore[arg-type]
            ruling=self.ruling,  # type: ignore[arg-type]
            planned=planned,
            repeat=self.repeat,
            devices=(identity,),
            cases=tuple(CaseId(name, DEVICE, "uac", "udp", "ipv4") for name in (*self.purposes, *self.planned)),
            suite_commit="c" * 40,
            suite_dirty=False,
            suite_digest=digest(),
            suite_mutants=sentence(),
        )

    def _record(self, name: str) -> Record:
        purpose = PURPOSES[name]
        rows, why_not = applicable_rows(purpose, CATALOGUE, Axes("uac"), CLAIMS)
        rounds, flows = [], []
        for attempt in range(self.repeat if self.repeat > 1 else 3):
            driven = [self._flow(plan, attempt) for plan in purpose.plans_for("uac")] if rows else []
            rounds.append(assess(purpose, rows, driven, CATALOGUE, self._rules)) if rows else None
            flows += driven
            if not rows or (self.repeat == 1 and not wants_another(rounds)):
                break
        if not rounds:
            return self._of(name, Verdict.NONE, why_not, (), 0, ())
        settled = conclude(rounds, self.repeat)
        return self._of(name, settled.verdict, settled.reason, settled.ruled, len(rounds), [flow.id for flow in flows])

    def _everywhere(self, name: str) -> Record:
        """The record of an invariant: over all flows there are.  A purpose has had a break driven again already."""
        rows, why_not = applicable_rows(PURPOSES[name], CATALOGUE, Axes("uac"), CLAIMS)
        seen = overall(PURPOSES[name], rows, Heard(tuple(self.flows.values())), CATALOGUE, self._rules)
        return self._of(name, seen.verdict, why_not or seen.reason, seen.ruled, 1, seen.flows)

    def _of(
        self, name: str, verdict: Verdict, reason: str, ruled: tuple[Ruled, ...], drives: int, flows: Sequence[str]
    ) -> Record:
        return Record(
            purpose=name,
            device=DEVICE,
            role="uac",
            transport="udp",
            family="ipv4",
            verdict=verdict,
            skipped="not_applicable" if verdict is Verdict.NONE else None,
            reason=reason,
            requirements=ruled,
            window_s=self.window.seconds,
            drives=drives,
            evidence=tuple(flows),
            doing=doing_of(verdict, ruled, drives, [flow for flow in self.flows.values() if flow.id in set(flows)]),
        )

    @property
    def _rules(self) -> Ruling:
        return Ruling("letter" if self.ruling == "letter" else "certification")

    def _flow(self, plan: Plan, attempt: int) -> Flow:
        if (plan, attempt) not in self.flows:
            made = drive(plan, *self.tries(plan, attempt))
            opened = made.watch.opened_at or 0.0
            closed = opened + self.window.seconds + 0.02
            life = replace(made.life, at=closed + 0.1) if made.life else None
            identifier = f"{DEVICE}-uac-{len(self.flows):04}{'-again' if attempt else ''}"
            self.flows[plan, attempt] = replace(
                made,
                id=identifier,
                device={"name": DEVICE, "version": "1.0.7", "pics": CLAIMS},
                watch=replace(made.watch, window=self.window, closed_at=closed),
                life=life,
                controls=(Control("target", Address("127.0.1.99"), made.calls[0].placed_at, identifier),),
            )
        return self.flows[plan, attempt]


def tiny(name: str = "tiny") -> RequirementProfile:
    """The profile of these tests; only where ``profiles`` (conftest) has put it in place."""
    return named(name, CATALOGUE, PURPOSES)


def parts_of(run: StoredRun, signer: Any) -> dict[str, bytes]:
    """The files of the dossier of ``run``."""
    issue = Issue("SV-1", "2026-11-29", "2999-01-01", "Lab <i>", "Room 4")
    return compose(run, certificate(run, tiny(), DEVICE, CATALOGUE, PURPOSES), signer, issue)
