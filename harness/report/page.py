"""The page of a run: one self-contained ``index.html``, made from the stored run alone, so it can be made again.

It loads nothing; its one script filters the list of tests.  The verdict comes first.  See docs/reports.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from harness.model.device_name import title
from harness.model.flow import Flow
from harness.model.outcome import NOT_TESTED, Tally
from harness.model.verdict import Verdict
from harness.net.address import Carrier
from harness.paths import TEMPLATES
from harness.purposes.discovery import all_purposes
from harness.report.all_cases import all_cases, began_and_took
from harness.report.cases_view import sections
from harness.report.codes import PLUS, CodeSeen, codes_in, key_of
from harness.report.coverage import STATUSES, Covered, Suite, Why, by_document, coverage
from harness.report.evidence_view import EvidenceRoom
from harness.report.html import render, source_hash
from harness.report.identity import Identity, devices_of
from harness.report.ladder import STYLE
from harness.report.redress import Notice, redress_in
from harness.report.words import Words, words
from harness.requirements.catalogue import Catalogue
from harness.requirements.untested import load_untested
from harness.store.files import write_whole
from harness.store.provenance import version
from harness.store.record import RECORD
from harness.store.stored_run import StoredRun, read_run

NAME = "index.html"


def suite() -> Suite:
    """The catalogue, and the purposes that decide each requirement."""
    deciders: dict[str, list[str]] = {}
    for purpose in all_purposes().values():
        for row in purpose.requirements:
            deciders.setdefault(row, []).append(purpose.name)
    return Suite(Catalogue.load(), deciders, load_untested())


def write_page(
    folder: Path, language: str = "en", out: Path | None = None, at_hand: Mapping[str, Flow] | None = None
) -> Path:
    """Write the page of the run in ``folder`` (or to ``out``) and return its path.

    ``at_hand`` are flows of the run that need not be read again, by id.
    EvidenceError if there is no run, SetupError for an unknown language or a full disk.
    """
    path = out or folder / NAME
    run = replace(read_run(folder, cut_off=True), at_hand=at_hand or {})
    write_whole(path, page(run, words(language), suite()))
    return path


def page(run: StoredRun, texts: Words, known: Suite) -> str:
    """The page of ``run`` in the language of ``texts``."""
    summaries = {name: purpose.summary for name, purpose in all_purposes().items()}
    devices = devices_of(run)
    room = EvidenceRoom(run)
    found = sections(run, room, known.catalogue, summaries)
    rows = {name: purpose.requirements for name, purpose in all_purposes().items()}
    cases, ladders = all_cases(run, room, known.catalogue, summaries, rows)
    began, took = began_and_took(run, room, run.evidence)
    script = (TEMPLATES / "page.js").read_text(encoding="utf-8")
    covered = coverage(known, run.records, devices)
    notices = redress_in(run)
    return render(
        "page.html.j2",
        texts,
        {
            "run": run,
            "header": run.header,
            "version": version(),
            "folder": run.folder.name,
            "headline": _headline(run, texts),
            "title": title([device.name for device in devices]) or "-",
            "devices": [_Tested(device, _tally(run, device.name)) for device in devices],
            "tally": run.tally,
            "carriers": dict.fromkeys(Carrier.of(record.transport, record.family) for record in run.records),
            "sections": found,
            "cases": cases,
            "ladders": ladders,
            "began": datetime.fromtimestamp(began, UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if began else "",
            "took": f"{took:.0f} s",
            "declared": {device.name: device.firmware for device in run.header.devices},
            "script": script,
            "script_hash": source_hash(script),
            "openly": sum(section.size for section in found) <= 40,
            "codes": _codes(run, texts, notices),
            "notices": notices,
            "documents": by_document(covered),
            "statuses": STATUSES,
            "covered": Counter(one.status for one in covered),
            "total": len(covered),
            "decided": sum(bool(known.deciders.get(one.row.id)) for one in covered),
            "count_of": _count,
            "losses": run.footer.losses if run.footer else (),
            "conditions": run.footer.conditions if run.footer else (),
            "pics": run.footer.pics if run.footer else (),
            "deviations": run.footer.expected.deviations if run.footer and run.footer.expected else (),
            "ladder_style": STYLE,
            "why": lambda reason: why(reason, texts),
        },
    )


def _codes(run: StoredRun, texts: Words, notices: Sequence[Notice]) -> list[CodeSeen]:
    """The codes of the run; 603+, if a device sent one, beside 603."""
    found = codes_in((run.folder / "flows" / f"{flow}{RECORD}" for flow in run.evidence), texts)
    if notices:
        flows = len({flow for notice in notices for flow in notice.flows})
        given = any(not notice.made for notice in notices)
        plus = CodeSeen(PLUS, key_of(PLUS, texts), flows, by_device=True, by_tester=given)
        place = next((at for at, one in enumerate(found, 1) if one.code == "603"), len(found))
        found.insert(place, plus)
    return found


def why(reason: Why, texts: Words) -> tuple[str, bool]:
    """A reason in words, and whether they are in the page's language (else they are the run's own, in English)."""
    return (texts(reason.key, **reason.values), True) if reason.key else (reason.text, False)


@dataclass(frozen=True)
class _Tested:
    """A device with its own verdicts."""

    identity: Identity
    tally: Tally


@dataclass(frozen=True)
class _Headline:
    """The headline in words, and the colour that repeats it."""

    verdict: str
    kind: str
    sentences: tuple[str, ...]


def _headline(run: StoredRun, texts: Words) -> _Headline:
    tally = run.tally
    kind = str(tally.verdict)
    incomplete = run.footer is None or not tally.complete
    name = "incomplete" if incomplete and tally.verdict is not Verdict.FAIL else kind
    count = tally.counts.get(kind, 0)
    sentences = []
    if count or kind == "pass":
        sentences.append(texts(f"sentence.{kind}", n=count))
    scope = run.header.scope
    if tally.verdict <= Verdict.WARN and not incomplete:
        sentences.append(texts("sentence.window", seconds=f"{scope.window_s:g}"))
    if untested := tally.counts.get(NOT_TESTED, 0):
        sentences.append(texts("sentence.not_tested", n=untested))
    if scope.subset:
        sentences.append(texts("sentence.subset", planned=scope.planned, whole=scope.whole))
    if repeated := len(run.header.repeated):
        sentences.append(texts("sentence.merged", n=repeated, planned=scope.planned, run=run.header.again))
    if run.footer is None:
        sentences.append(texts("sentence.cut_off"))
    if incomplete:
        planned = run.header.planned
        sentences.append(texts("sentence.incomplete", executed=tally.executed, planned=planned))
    verdict = texts(f"verdict_of_run.{name}", seconds=f"{scope.window_s:g}")
    return _Headline(verdict, kind, tuple(sentences))


def _tally(run: StoredRun, device: str) -> Tally:
    names = [record.verdict for record in run.records if record.device == device]
    return Tally.of(names, len(names))


def _count(group: Sequence[Covered]) -> list[tuple[str, int]]:
    counted = Counter(one.status for one in group)
    return [(status, counted[status]) for status in STATUSES if counted[status]]
