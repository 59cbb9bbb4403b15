"""Reads a stored run back.  It may come from a stranger: nothing in it is trusted, every error names file and line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NoReturn

from harness.errors import EvidenceError
from harness.model.axes import CaseId
from harness.model.flow import Flow
from harness.model.outcome import NAMES, SKIPPED, Tally
from harness.store.codec import load
from harness.store.folder import FLOW_ID
from harness.store.record import RECORD, with_messages, without_messages
from harness.store.scenarios import unpacked
from harness.store.verdict_lines import Declared, Footer, Header, VerdictLine

Parts = Mapping[str, bytes]
"""The files of a run that is no folder (a dossier's), by their path."""
_LONGEST_LINE = 16 * 1024 * 1024
_FOOTER = b'"executed":'
"""Only a footer has this key; inside a string its quotes are escaped."""


@dataclass(frozen=True)
class StoredRun:
    """A run as it was read from its folder."""

    folder: Path
    header: Header
    records: tuple[VerdictLine, ...]
    footer: Footer | None
    """None if the stream was cut off, which :func:`read_run` allows on demand."""
    parts: Parts | None = None
    """Its files if they are in no folder."""
    at_hand: Mapping[str, Flow] = field(default_factory=dict, compare=False)
    """Flows that this process stored itself, and need not read again."""

    @property
    def devices(self) -> dict[str, Declared]:
        """What the header says of each device, by name."""
        return {device.name: device for device in self.header.devices}

    @property
    def missing(self) -> tuple[CaseId, ...]:
        """The planned cases without a record."""
        there = {line.case for line in self.records}
        return tuple(case for case in self.header.cases if case not in there)

    @property
    def tally(self) -> Tally:
        """The verdicts, counted again from the lines; a run without its footer is not complete."""
        planned = self.header.planned if self.footer is not None else -1
        lost = len(self.footer.losses) if self.footer is not None else 0
        return replace(Tally.of((line.verdict for line in self.records), planned), lost=lost)

    @property
    def evidence(self) -> tuple[str, ...]:
        """The ids of all flows that the records rest on, in order, each once."""
        return tuple(dict.fromkeys(flow for line in self.records for flow in line.flows))

    def flow(self, identifier: str) -> Flow:
        """The stored flow of that id; EvidenceError if it is missing or is none."""
        if identifier in self.at_hand:
            return self.at_hand[identifier]
        path = self.folder / "flows" / f"{identifier}.json"
        if not FLOW_ID.fullmatch(identifier):
            raise EvidenceError(f"{path}: expected the id of a flow, found {identifier[:80]!r}")
        record = path.with_suffix(RECORD)
        flow = load(Flow, self._read(path, "a stored flow"), f"{path}: expected a stored flow")
        if flow != without_messages(flow):
            raise EvidenceError(f"{path}: expected the messages in {record.name}, found them here")
        flow = unpacked(flow, str(path))
        return with_messages(flow, self._read(record, "the record of a flow"), str(record))

    def _read(self, path: Path, wanted: str) -> bytes:
        if self.parts is not None:
            if (name := f"flows/{path.name}") not in self.parts:
                raise EvidenceError(f"{path}: expected {wanted}, found nothing")
            return self.parts[name]
        # A run from others must not make us read what it points at.
        if path.is_symlink():
            raise EvidenceError(f"{path}: expected a file of its own, found a link")
        try:
            return path.read_bytes()
        except OSError as error:
            raise EvidenceError(f"{path}: expected {wanted}: {error.strerror}") from error


def read_run(folder: Path, *, cut_off: bool = False, parts: Parts | None = None) -> StoredRun:
    """The run stored in ``folder``, or in ``parts`` (then ``folder`` is only a name for messages).

    EvidenceError, naming file, line and what was expected, unless it is whole: header, valid lines, and a footer
    that agrees with them.  With ``cut_off`` the footer, and all of a last line, may be missing.
    """
    path = folder / "verdicts.jsonl"
    header: Header | None = None
    footer: Footer | None = None
    records: dict[CaseId, VerdictLine] = {}
    number = 0
    lines = _lines(path) if parts is None else parts.get("verdicts.jsonl", b"").splitlines(keepends=True)
    for number, line in enumerate(lines, start=1):
        where = f"{path}, line {number}"
        if not line.endswith(b"\n"):
            if cut_off:
                break
            _refuse(where, "a whole line", "one that was cut off")
        if header is None:
            header = load(Header, line, where)
        elif footer is not None:
            _refuse(where, "nothing after the footer", "another line")
        elif _FOOTER in line:
            footer = load(Footer, line, where)
        else:
            record = _consistent(load(VerdictLine, line, where), where)
            if records.setdefault(record.case, record) is not record:
                _refuse(where, "one verdict per case", f"a second one for {record.case}")
    if header is None:
        _refuse(f"{path}, line 1", "a header", "nothing")
    if footer is None and not cut_off:
        _refuse(f"{path}, line {number + 1}", "a footer", "the end of the file: this run was cut off")
    # They were written as their verdicts came.
    places = {case: place for place, case in enumerate(header.cases)}
    in_order = sorted(records.values(), key=lambda line: places.get(line.case, len(places)))
    run = StoredRun(folder, header, tuple(in_order), footer, parts)
    if footer is not None:
        _agree(footer, run.tally, f"{path}, line {number}")
    return run


def _consistent(line: VerdictLine, where: str) -> VerdictLine:
    """``line``, whose verdict is the worst of its requirements."""
    rows = [row.verdict for row in line.requirements]
    if rows and line.verdict in SKIPPED:
        _refuse(where, f"no requirements in a verdict that is {line.verdict!r}", f"{len(rows)}")
    if rows and (worst := min(rows, key=NAMES.index)) != line.verdict:
        _refuse(where, f"{worst!r}, the worst verdict of its requirements", repr(line.verdict))
    return line


def _agree(footer: Footer, tally: Tally, where: str) -> None:
    for key, said, counted in (
        ("executed", footer.executed, tally.executed),
        ("counts", dict(footer.counts), dict(tally.counts)),
        ("verdict", footer.verdict, str(tally.verdict)),
    ):
        if said != counted:
            _refuse(where, f"{key} {counted!r}, as the lines above say", repr(said))


def _lines(path: Path) -> Iterable[bytes]:
    try:
        with path.open("rb") as file:
            while line := file.readline(_LONGEST_LINE):
                yield line
    except OSError as error:
        raise EvidenceError(
            f"{path}: expected the verdicts of a run: {error.strerror}", "name the folder of a run (reports/out/…)"
        ) from error


def _refuse(where: str, expected: str, found: str) -> NoReturn:
    raise EvidenceError(f"{where}: expected {expected}, found {found[:200]}")
