"""The one command that runs a case again, and nothing else."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from harness.paths import DEVICES
from harness.store.verdict_lines import VerdictLine

_WORD = re.compile(r"[\w.:-]+")
"""What a line for a shell may be made of."""


def reproduce(line: VerdictLine, *, window: str = "quick", source: Path | None = None) -> str:
    """The command; "" if a name is none of ours: a stored line may be anybody's.

    ``source``: the device's profile, which is how one names a device that is not built in.
    """
    profile, *faults = line.device.split("+")
    words = (profile, *faults, line.role, line.transport, window, *line.purpose.split("/"))
    if line.purpose.count("/") < 2 or not all(map(_WORD.fullmatch, words)):
        return ""
    fault = f" FAULT={'+'.join(faults)}" if faults else ""
    longer = f" WINDOW={window}" if window != "quick" else ""
    folder, topic, sentence = line.purpose.rsplit("/", 2)
    chosen = f"{line.role}-{line.transport}"
    # DEVICE=NAME means its variants as well, and they may have the same role.
    if not faults and re.fullmatch(r"[\w.-]+", profile):
        chosen = f"{profile}-{chosen}"
    arguments = f"suites/{folder}/test_{topic}.py::test_{sentence} -k {chosen}"
    return f"make run DEVICE={_device(profile, source)}{fault}{longer} ARGS='{arguments}'"


def _device(name: str, source: Path | None) -> str:
    if source is None or source.is_relative_to(DEVICES):
        return name
    _, colon, variant = name.partition(":")
    return shlex.quote(f"{source}{colon}{variant}")
