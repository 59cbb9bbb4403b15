"""The command that runs one case again."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from harness.model.axes import CaseId
from harness.model.device_name import split
from harness.paths import MAKEFILE

_PLAIN = re.compile(r"[\w./:+~-]+")
"""A device that make hands on as it is: a space or a comma would make two of it."""
_PURPOSE = re.compile(r"[\w-]+(?:/[\w-]+){2}")
_LONGEST = 400


def reproduce(case: CaseId, *, window: str = "quick", source: str = "") -> str:
    """The command; "" for a name that a shell must not get, because a stored run may come from a stranger.

    ``source``: the path of the device's profile as it was given; "" for a device that is built in.
    """
    name, *faults = case.device.split("+")
    # The name of a device without a variant selects all variants as well, but ``case`` names one of them.
    device = f"{source}:{variant}" if source and (variant := split(name)[1]) else source or name
    words = (device, *faults, window, str(case))
    if not _PURPOSE.fullmatch(case.purpose) or not (source or _PLAIN.fullmatch(name)):
        return ""
    if not all(word.isprintable() and 0 < len(word) <= _LONGEST and word[0] != "-" for word in words):
        return ""
    given = {"device": device, "fault": "+".join(faults), "window": window if window != "quick" else ""}
    chosen = f"--case {shlex.quote(str(case))}"
    # make knows a Makefile in the current folder only, and cannot hand on every character.
    by_make = all(not value or _PLAIN.fullmatch(value) for value in given.values()) and '"' not in chosen
    if by_make and MAKEFILE.exists() and Path.cwd() == MAKEFILE.parent and "$" not in chosen:
        options = " ".join(f"{option.upper()}={value}" for option, value in given.items() if value)
        return f'make run {options} ARGS="{chosen}"'
    options = " ".join(f"--{option} {shlex.quote(value)}" for option, value in given.items() if value)
    return f"sipverdict run {options} {chosen}"
