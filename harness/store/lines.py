"""What the lines of a stored run must be.  They may come from anybody: every error names file, line and expectation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from harness.errors import EvidenceError
from harness.model.axes import FAMILIES, ROLES, TRANSPORTS, CaseId
from harness.model.finding_key import CODE_FORM
from harness.model.outcome import NAMES, NOT_APPLICABLE
from harness.store.folder import FLOW_ID

Check = Callable[[Any], bool]


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _seconds(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0


def _verdict(value: Any) -> bool:
    return isinstance(value, str) and value in NAMES


def _finding_verdict(value: Any) -> bool:
    return _verdict(value) and value != NOT_APPLICABLE


def _one_of(names: Sequence[str]) -> tuple[Check, str]:
    return lambda value: isinstance(value, str) and value in names, "one of " + ", ".join(names)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_text, value))


def _evidence(value: Any) -> bool:
    return isinstance(value, list) and all(_flow_id(path) is not None for path in value)


def _cases(value: Any) -> bool:
    return isinstance(value, list) and all(map(_case, value))


def _case(value: Any) -> bool:
    return isinstance(value, dict) and all(key in value and check(value[key]) for key, (check, _) in _CASE.items())


def _device(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and _text(value.get("name"))
        and isinstance(value.get("pics"), dict)
        and all(isinstance(claimed, bool) for claimed in value["pics"].values())
        and _texts(value.get("roles"))
        and all(_texts(value.get(key)) for key in ("transports", "families"))
        and _texts(value.get("faults", []))
        and isinstance(value.get("pixit", {}), dict)
    )


_CASE: Mapping[str, tuple[Check, str]] = {
    "purpose": (_text, "a string"),
    "device": (_text, "a string"),
    "role": _one_of(ROLES),
    "transport": _one_of(TRANSPORTS),
    "family": _one_of(FAMILIES),
}
_HEADER: Mapping[str, tuple[Check, str]] = {
    "run": (_text, "a string"),
    "suite": (_text, "a string"),
    "sipp": (_text, "a string"),
    "device": (lambda value: isinstance(value, dict), "an object"),
    "window": (lambda value: isinstance(value, (str, dict)), "the window of the run"),
    "ruling": (_text, "a string"),
    "planned": (_count, "a number of purposes"),
}
# What runs of older suites do not say.
_MAY_SAY: Mapping[str, tuple[Check, str]] = {
    "strict": (lambda value: isinstance(value, bool), "true or false"),
    "repeat": (lambda value: _count(value) and value > 0, "how often each case was driven"),
    "cases": (_cases, "a list of cases, each with its purpose, device, role, transport and family"),
    "devices": (
        lambda value: isinstance(value, list) and all(map(_device, value)),
        "a list of devices, each with its name, roles and PICS",
    ),
    "suite_commit": (_text, "a string"),
    "suite_dirty": (lambda value: isinstance(value, bool), "true or false"),
    "suite_digest": (_text, "a string"),
}
_RECORD: Mapping[str, tuple[Check, str]] = {
    **_CASE,
    "verdict": (_verdict, "one of " + ", ".join(NAMES)),
    "requirements": (lambda value: isinstance(value, list), "a list"),
    "window_s": (_seconds, "a number of seconds"),
    "drives": (_count, "a number of drives"),
    "evidence": (_evidence, "a list of flows/<id>.json"),
}
_RECORD_MAY_SAY: Mapping[str, tuple[Check, str]] = {
    "reason": (_text, "a string"),
}
_REQUIREMENT: Mapping[str, tuple[Check, str]] = {
    "id": (_text, "a string"),
    "code": (lambda value: _text(value) and bool(CODE_FORM.fullmatch(value)), "words of a-z and 0-9 with hyphens"),
    "level": (_text, "a string"),
    "verdict": (_finding_verdict, "one of " + ", ".join(NAMES[:-1])),
    "reason": (_text, "a string"),
}
_REQUIREMENT_MAY_SAY: Mapping[str, tuple[Check, str]] = {
    "outcome": (_text, "a string"),
    "expected": (_texts, "a list of strings"),
    "actual": (_text, "a string"),
    "unproven": (_text, "a string"),
}
_FOOTER: Mapping[str, tuple[Check, str]] = {
    "executed": (_count, "a number of purposes"),
    "counts": (
        lambda value: isinstance(value, dict) and all(name in NAMES and _count(n) for name, n in value.items()),
        "how often each verdict occurs",
    ),
    "verdict": (_verdict, "one of " + ", ".join(NAMES)),
}


def checked_header(path: Path, number: int, entry: dict[str, Any]) -> dict[str, Any]:
    """The header that ``entry`` is."""
    _checked(path, number, entry, _HEADER, "the header")
    return _checked(path, number, entry, _may(_MAY_SAY, entry), "the header")


def checked_footer(path: Path, number: int, entry: dict[str, Any]) -> dict[str, Any]:
    """The footer that ``entry`` is."""
    return _checked(path, number, entry, _FOOTER, "the footer")


def checked_record(path: Path, number: int, entry: dict[str, Any], seen: set[CaseId]) -> Mapping[str, Any]:
    """The record that ``entry`` is; ``seen`` are the cases of those above it, and gets its own."""
    record = _checked(path, number, entry, _RECORD, "a verdict")
    _checked(path, number, entry, _may(_RECORD_MAY_SAY, entry), "a verdict")
    for requirement in record["requirements"]:
        if not isinstance(requirement, dict):
            refuse(path, number, "objects as requirements", repr(requirement))
        _checked(path, number, requirement, _REQUIREMENT, "a requirement")
        _checked(path, number, requirement, _may(_REQUIREMENT_MAY_SAY, requirement), "a requirement")
    rows = [requirement["verdict"] for requirement in record["requirements"]]
    if rows and record["verdict"] == NOT_APPLICABLE:
        refuse(path, number, "no requirements in a verdict that is 'not_applicable'", f"{len(rows)}")
    if rows and (worst := min(rows, key=NAMES.index)) != record["verdict"]:
        refuse(path, number, f"{worst!r}, the worst verdict of its requirements", repr(record["verdict"]))
    case = CaseId.of(record)
    if case in seen:
        refuse(path, number, "one verdict per case", f"a second one for {case}")
    seen.add(case)
    return record


def _may(keys: Mapping[str, tuple[Check, str]], entry: Mapping[str, Any]) -> dict[str, tuple[Check, str]]:
    """Those of ``keys`` that ``entry`` has: runs of older suites do not say everything."""
    return {key: check for key, check in keys.items() if key in entry}


def _checked(
    path: Path, number: int, entry: dict[str, Any], keys: Mapping[str, tuple[Check, str]], what: str
) -> dict[str, Any]:
    for key, (check, words) in keys.items():
        if key not in entry:
            refuse(path, number, f"{what} with {key!r}", "none")
        if not check(entry[key]):
            refuse(path, number, f"{what} whose {key!r} is {words}", repr(entry[key]))
    return entry


def _flow_id(path: Any) -> str | None:
    if not isinstance(path, str) or not (path.startswith("flows/") and path.endswith(".json")):
        return None
    return path[6:-5] if FLOW_ID.fullmatch(path[6:-5]) else None


def refuse(path: Path, number: int, expected: str, found: str) -> NoReturn:
    """EvidenceError for the line ``number`` of ``path``."""
    raise EvidenceError(f"{path}, line {number}: expected {expected}, found {found[:200]}")
