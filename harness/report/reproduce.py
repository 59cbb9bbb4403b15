"""The command that runs one case again."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from harness.model.axes import CaseId
from harness.paths import DEVICES, MAKEFILE

_WORD = re.compile(r"[\w.:-]+")
"""The characters that are safe in a shell command."""


def reproduce(case: CaseId, *, window: str = "quick", source: Path | None = None) -> str:
    """The command; "" for an unsafe name, because a stored run may come from a stranger.

    ``source``: the path of the device's profile, for a device that is not built in.
    """
    purpose, (profile, *faults) = case.purpose, case.device.split("+")
    words = (profile, *faults, window, *purpose.split("/"))
    if purpose.count("/") < 2 or not all(map(_WORD.fullmatch, words)):
        return ""
    folder, topic, sentence = purpose.rsplit("/", 2)
    chosen = case.axes.label
    # The name of a device without a variant selects all variants, which may have the same role.
    if not faults and re.fullmatch(r"[\w.-]+", profile):
        chosen = f"{profile}-{chosen}"
    options = {
        "device": _device(profile, source),
        "fault": "+".join(faults),
        "window": window if window != "quick" else "",
    }
    test = f"suites/{folder}/test_{topic}.py::test_{sentence} -k {chosen}"
    if MAKEFILE.exists():
        given = " ".join(f"{name.upper()}={value}" for name, value in options.items() if value)
        return f"make run {given} ARGS='{test}'"
    given = " ".join(f"--{name} {value}" for name, value in options.items() if value)
    return f"sipverdict run {given} {test}"


def _device(name: str, source: Path | None) -> str:
    if source is None or source.is_relative_to(DEVICES):
        return name
    _, colon, variant = name.partition(":")
    return shlex.quote(f"{source}{colon}{variant}")
