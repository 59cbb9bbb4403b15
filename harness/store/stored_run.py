"""Reading a stored run back.  It may come from anybody: nothing in it is trusted, every error names file and line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from pydantic import TypeAdapter, ValidationError

from harness.errors import EvidenceError
from harness.model.axes import CaseId
from harness.model.flow import FORMAT, Flow
from harness.model.outcome import Tally
from harness.store.folder import FLOW_ID
from harness.store.lines import checked_footer, checked_header, checked_record, refuse

Parts = Mapping[str, bytes]
"""A run that is not a folder: its files by their path in it (a dossier's)."""
_LONGEST_LINE = 16 * 1024 * 1024


@dataclass(frozen=True)
class StoredRun:
    """A run as its folder tells it."""

    folder: Path
    header: Mapping[str, Any]
    records: tuple[Mapping[str, Any], ...]
    footer: Mapping[str, Any] | None
    """None only where a stream that was cut off was asked for."""
    parts: Parts | None = None
    """Its files, where they are in no folder."""

    @property
    def devices(self) -> dict[str, Mapping[str, Any]]:
        """What the header says of each device, by name."""
        return {device["name"]: device for device in self.header.get("devices", ())}

    @property
    def missing(self) -> tuple[CaseId, ...]:
        """The cases that were planned and have no record."""
        there = set(map(CaseId.of, self.records))
        return tuple(case for case in _planned(self.header) if case not in there)

    @property
    def tally(self) -> Tally:
        """The verdicts, counted again from the lines; a run without its footer is not complete."""
        planned = self.header["planned"] if self.footer is not None else -1
        return Tally.of((record["verdict"] for record in self.records), planned)

    @property
    def evidence(self) -> tuple[str, ...]:
        """The ids of all flows that the records rest on, in order, each once."""
        return tuple(dict.fromkeys(path[6:-5] for record in self.records for path in record["evidence"]))

    def flow(self, identifier: str) -> Flow:
        """The stored flow of that id; EvidenceError if it is missing or is none."""
        path = self.folder / "flows" / f"{identifier}.json"
        if not FLOW_ID.fullmatch(identifier):
            raise EvidenceError(f"{path}: expected the id of a flow, found {identifier[:80]!r}")
        try:
            return _checked_flow(self._read(path, identifier))
        except OSError as error:
            raise EvidenceError(f"{path}: expected a stored flow, but {error.strerror}") from error
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise EvidenceError(f"{path}: expected a stored flow, but it cannot be read: {_first(error)}") from error

    def _read(self, path: Path, identifier: str) -> bytes:
        if self.parts is not None:
            if (name := f"flows/{identifier}.json") not in self.parts:
                raise EvidenceError(f"{path}: expected a stored flow, found nothing")
            return self.parts[name]
        # A run from others must not make us read what it points at.
        if path.is_symlink():
            raise EvidenceError(f"{path}: expected a file of its own, found a link")
        return path.read_bytes()


def _planned(header: Mapping[str, Any]) -> list[CaseId]:
    """The cases that were planned, in order; none where the run does not say them."""
    return list(map(CaseId.of, header.get("cases", ())))


@cache
def _flow_type() -> TypeAdapter[Flow]:
    return TypeAdapter(Flow)


def _checked_flow(content: bytes) -> Flow:
    """The flow stored as ``content``; ValueError where a value is of another type than a judge may rely on."""
    stored = json.loads(content.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
    if not isinstance(stored, dict) or stored.pop("format", None) != FORMAT:
        raise ValueError(f"not a flow of format {FORMAT}")
    return _flow_type().validate_python(stored)


def _first(error: Exception) -> str:
    """What is wrong, in one line."""
    if isinstance(error, ValidationError):
        detail = error.errors(include_url=False, include_input=False)[0]
        return f"{'.'.join(map(str, detail['loc']))[:100]}: {detail['msg'][:100]}"
    return f"{error!r:.200}"


def read_run(folder: Path, *, cut_off: bool = False, parts: Parts | None = None) -> StoredRun:
    """The run stored in ``folder``, or in ``parts`` (``folder`` is then only what it is called).

    EvidenceError, naming file, line and what was expected, unless it is whole: header, valid lines, and a footer
    that agrees with them.  With ``cut_off`` the footer, and all of a last line, may be missing.
    """
    path = folder / "verdicts.jsonl"
    header: dict[str, Any] | None = None
    footer: dict[str, Any] | None = None
    records: list[Mapping[str, Any]] = []
    seen: set[CaseId] = set()
    number = 0
    lines = _lines(path) if parts is None else parts.get("verdicts.jsonl", b"").splitlines(keepends=True)
    for number, line in enumerate(lines, start=1):
        if not line.endswith(b"\n"):
            if cut_off:
                break
            refuse(path, number, "a whole line", "one that was cut off")
        entry = _object(path, number, line)
        if header is None:
            header = checked_header(path, number, entry)
        elif footer is not None:
            refuse(path, number, "nothing after the footer", "another line")
        elif "executed" in entry:
            footer = checked_footer(path, number, entry)
        else:
            records.append(checked_record(path, number, entry, seen))
    if header is None:
        refuse(path, 1, "a header", "nothing")
    if footer is None and not cut_off:
        refuse(path, number + 1, "a footer", "the end of the file: this run was cut off")
    # They were written as their verdicts came.
    places = {case: place for place, case in enumerate(_planned(header))}
    records.sort(key=lambda record: places.get(CaseId.of(record), len(places)))
    run = StoredRun(folder, header, tuple(records), footer, parts)
    if footer is not None:
        tally = run.tally
        for key, told in (
            ("executed", tally.executed),
            ("counts", dict(tally.counts)),
            ("verdict", str(tally.verdict)),
        ):
            if footer[key] != told:
                refuse(path, number, f"{key} {told!r}, as the lines above say", repr(footer[key]))
    return run


def _lines(path: Path) -> Iterable[bytes]:
    try:
        with path.open("rb") as file:
            while line := file.readline(_LONGEST_LINE):
                yield line
    except OSError as error:
        raise EvidenceError(
            f"{path}: expected the verdicts of a run, but {error.strerror}", "name the folder of a run (reports/out/…)"
        ) from error


def _object(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        entry = json.loads(line.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        refuse(path, number, "a JSON object", f"something else ({error})")
    if not isinstance(entry, dict):
        refuse(path, number, "a JSON object", repr(entry))
    return entry


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key occurs twice")
    return made


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
