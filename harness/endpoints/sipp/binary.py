"""Finds the ``sipp`` program and checks its version."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.errors import SippError

VARIABLE = "SIPVERDICT_SIPP"
"""Environment variable that names the program to use instead of the ``sipp`` in PATH."""
_INSTALL = f"install SIPp (Debian, Ubuntu: apt-get install sip-tester), or name the program in {VARIABLE}"
_VERSION = re.compile(r"SIPp v(\d+)\.(\d+)(?:\.(\d+))?(\S*)")

_FORGETS: Final = (3, 7, 5)
"""From here on a message that comes while the scenario goes from one step to the next is lost.

Seen with 3.8.0: an ACK within a millisecond of the refusal, where the next step was a ``nop``.  3.6.1 keeps it.
"""
_STEP_S: Final = 0.02


@dataclass(frozen=True)
class SippBinary:
    """A usable SIPp."""

    path: Path
    version: str
    """As it writes it, without the v: ``3.6.1-SCTP-PCAP-RTPSTREAM``."""
    warning: str = ""
    """A warning about this version; empty if there is none."""
    step_s: float = 0.0
    """Seconds after each message, to it or of its own, in which it may lose the next one."""


def find_sipp(path: str | None = None) -> SippBinary:
    """The SIPp at ``path``, or named by SIPVERDICT_SIPP, or in PATH.  SippError if there is no usable one."""
    wanted = path or os.environ.get(VARIABLE) or "sipp"
    found = shutil.which(wanted)
    if not found:
        where = "in PATH" if wanted == "sipp" else f"at {wanted}"
        raise SippError(f"SIPp was not found {where}", _INSTALL)
    return check_version(Path(found), _said_by(found))


def check_version(path: Path, output: str) -> SippBinary:
    """The SIPp at ``path`` that answers ``-v`` with ``output``.  SippError if it is no SIPp, or too old."""
    match = _VERSION.search(output)
    if not match:
        raise SippError(f"{path} does not identify itself as SIPp: {output.strip()[:200]!r}", _INSTALL)
    number = (int(match[1]), int(match[2]), int(match[3] or 0))
    version = match[0].removeprefix("SIPp v").rstrip(".")
    if number < (3, 6, 1):
        raise SippError(f"{path} is SIPp {version}; 3.6.1 is the oldest that is supported", _INSTALL)
    warning = ""
    if (3, 7, 0) <= number <= (3, 7, 4):
        warning = f"SIPp {version} is not supported (some errors end with exit status 0); use 3.6.1, or 3.7.5 or later"
    return SippBinary(path, version, warning, 0.0 if number < _FORGETS else _STEP_S)


def _said_by(program: str) -> str:
    try:
        # SIPp -v ends with status 99.
        done = subprocess.run([program, "-v"], stdin=subprocess.DEVNULL, capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SippError(f"{program} -v cannot be run: {error}", _INSTALL) from error
    return (done.stdout + done.stderr).decode(errors="replace")
