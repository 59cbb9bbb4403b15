"""The answers of commands as JSON, for programs (``--format json``)."""

from __future__ import annotations

import json
from typing import Any

from harness.model.outcome import SKIPPED, ExitStatus
from harness.policy.gate import Answer, Blocking
from harness.report.code_scanning import line_of
from harness.report.reproduce import reproduce
from harness.store.stored_run import StoredRun
from harness.store.verdict_lines import VerdictLine


def text(content: object) -> str:
    """``content`` as JSON, in ASCII: it goes to terminals and logs, and half of it is what devices sent."""
    return json.dumps(content, indent=1)


def of_run(run: StoredRun, answer: Answer, status: int) -> dict[str, Any]:
    """A run that is over: its verdict and scope, each device, every non-pass, and what the gate says."""
    header, footer = run.header, run.footer
    return {
        "run": header.run,
        "folder": str(run.folder),
        "status": int(status),
        "verdict": str(run.tally.verdict),
        "complete": footer is not None,
        "counts": dict(run.tally.counts),
        "planned": header.planned,
        "again": header.again,
        "repeated": list(map(str, header.repeated)),
        "whole": header.whole,
        "window": header.window,
        "ruling": header.ruling,
        "suite": header.suite,
        "devices": [
            {"device": one.name, "vendor": one.vendor, "model": one.model, "firmware": one.firmware}
            for one in header.devices
        ],
        "non_passes": [_case(run, line) for line in run.records if line.verdict not in ("pass", *SKIPPED)],
        "gate": of_answer(answer),
    }


def of_answer(answer: Answer) -> dict[str, Any]:
    """The answer of a gate."""
    return {
        "gate": answer.gate,
        "status": int(answer.status),
        "open": answer.status is ExitStatus.CONFORMING,
        "counts": list(map(_blocking, answer.blocking)),
        "waived": [
            _blocking(one) | {"owner": waiver.owner, "why": waiver.reason, "expires": waiver.expires.isoformat()}
            for one, waiver in answer.waived
        ],
        "problems": list(answer.problems),
    }


def _blocking(one: Blocking) -> dict[str, Any]:
    line = line_of(one)
    return _where(one.line) | {
        "requirement": one.found.requirement,
        "verdict": one.found.verdict,
        "reason": one.found.reason,
        "finding": str(one.key),
        "expected": list(line.expected) if line else [],
    }


def _where(line: VerdictLine) -> dict[str, Any]:
    return {
        "case": str(line.case),
        "purpose": line.purpose,
        "device": line.device,
        "role": line.role,
        "transport": line.transport,
        "family": line.family,
    }


def _case(run: StoredRun, line: VerdictLine) -> dict[str, Any]:
    device = run.devices.get(line.device)
    return _where(line) | {
        "verdict": line.verdict,
        "reason": line.reason,
        "evidence": list(line.evidence),
        "run_only": reproduce(line.case, window=run.header.window, source=device.source if device else ""),
        "requirements": [
            {
                "requirement": row.id,
                "level": row.level,
                "verdict": row.verdict,
                "reason": row.reason,
                "expected": list(row.expected),
                "actual": row.actual,
                "means": row.means,
                "look_at": row.look_at,
                "finding": str(line.key(row)),
            }
            for row in line.requirements
        ],
    }
