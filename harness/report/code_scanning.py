"""What counts in a run, where a pull request shows it: SARIF for code scanning, code quality for GitLab.

Both want a place in the repository.  It is the device's profile: that is the file by which a run knows the product.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from harness.model.outcome import VerdictName
from harness.model.printable import short
from harness.policy.gate import Answer, Blocking
from harness.requirements.catalogue import Catalogue
from harness.store.verdict_lines import Declared, RequirementLine

_LONGEST: Final = 2000
_LEVELS: Final[Mapping[VerdictName, str]] = {"fail": "error", "warn": "note"}
_SEVERITIES: Final[Mapping[VerdictName, str]] = {"fail": "critical", "warn": "minor"}
"""Of an inconclusive, and of what has no verdict: ``warning`` and ``major``."""


def sarif(answer: Answer, devices: Mapping[str, Declared], catalogue: Catalogue, version: str) -> str:
    """What counts, as SARIF 2.1.0; what a waiver covers is there, too, and suppressed with the waiver's words."""
    waived = [(one, waiver) for one, waiver in answer.waived]
    all_of_them = [*answer.blocking, *(one for one, _ in waived)]
    ids = list(dict.fromkeys(one.found.requirement for one in all_of_them))
    results = [_result(one, devices, ids) for one in answer.blocking]
    for one, waiver in waived:
        why = short(f"{waiver.owner}, until {waiver.expires.isoformat()}: {waiver.reason}", _LONGEST)
        suppressed = {"suppressions": [{"kind": "external", "status": "accepted", "justification": why}]}
        results.append(_result(one, devices, ids) | suppressed)
    driver = {
        "name": "sipverdict",
        "version": version,
        "informationUri": "https://www.rfc-editor.org/rfc/rfc3261.html",
        "rules": [_rule(requirement, catalogue) for requirement in ids],
    }
    made = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "utf16CodeUnits", "results": results}],
    }
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


def code_quality(answer: Answer, devices: Mapping[str, Declared]) -> str:
    """What counts, as GitLab's code quality report."""
    made = [
        {
            "description": short(f"{one.found.requirement}: {_told(one)}", _LONGEST),
            "check_name": one.found.requirement,
            "fingerprint": _fingerprint(one),
            "severity": _SEVERITIES.get(one.found.verdict, "major"),
            "location": {"path": _place(one, devices), "lines": {"begin": 1}},
        }
        for one in answer.blocking
    ]
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


def line_of(one: Blocking) -> RequirementLine | None:
    """The finding behind ``one``; None where its case came to none."""
    return next((row for row in one.line.requirements if row.id == one.found.requirement), None)


def _result(one: Blocking, devices: Mapping[str, Declared], ids: list[str]) -> dict[str, Any]:
    artifact = {"artifactLocation": {"uri": _place(one, devices)}, "region": {"startLine": 1}}
    return {
        "ruleId": one.found.requirement,
        "ruleIndex": ids.index(one.found.requirement),
        "level": _LEVELS.get(one.found.verdict, "warning"),
        "message": {"text": short(_told(one), _LONGEST)},
        "locations": [
            {
                "physicalLocation": artifact,
                "logicalLocations": [{"fullyQualifiedName": short(str(one.line.case), _LONGEST), "kind": "function"}],
            }
        ],
        "partialFingerprints": {"sipverdictFinding/v1": _fingerprint(one)},
    }


def _told(one: Blocking) -> str:
    return ". ".join(_sentences(one))


def _sentences(one: Blocking) -> Iterator[str]:
    found = line_of(one)
    yield f"{one.found.verdict} in {one.line.purpose} ({one.line.case.where}): {one.found.reason}"
    if found is not None and found.outcome != "unseen":
        if found.expected:
            yield f"Expected: {' or '.join(found.expected)}"
        if found.means:
            yield f"For users: {found.means}"
        if found.look_at:
            yield f"Look at: {found.look_at}"


def _rule(requirement: str, catalogue: Catalogue) -> dict[str, Any]:
    if requirement not in catalogue:
        return {"id": requirement, "shortDescription": {"text": "a case that came to no finding"}}
    row = catalogue[requirement]
    rule: dict[str, Any] = {
        "id": requirement,
        "shortDescription": {"text": row.clause},
        "fullDescription": {"text": row.requirement},
        "help": {"text": f"{row.requirement}\n\nViolated by: {row.violation}"},
        "properties": {"tags": ["sip", row.level, row.tier]},
    }
    return rule | ({"helpUri": row.link} if row.link else {})


def _place(one: Blocking, devices: Mapping[str, Declared]) -> str:
    device = devices.get(one.line.device)
    source = device.source if device else ""
    # A place must be inside the repository; a built-in device has no file there.
    inside = source and not source.startswith(("/", "..", "~")) and "://" not in source
    return short(source.replace("\\", "/"), 300) if inside else "sipverdict.toml"


def _fingerprint(one: Blocking) -> str:
    case = one.line.case
    words = (str(one.key), case.device, case.transport, case.family, one.found.verdict)
    return hashlib.sha256("\0".join(words).encode("utf-8", "replace")).hexdigest()
