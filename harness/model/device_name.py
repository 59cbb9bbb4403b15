"""The names of devices: ``NAME:VARIANT`` is a variant of the device NAME."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

BASE: Final = "base"
"""What ``NAME:base`` calls the device without its variants."""
VARIANT: Final = re.compile(r"[a-z0-9][a-z0-9_.-]*")
"""The name of a variant."""


def named(base: str, variant: str) -> str:
    """What a variant is called in commands, verdicts and reports."""
    return f"{base}:{variant}"


def split(text: str) -> tuple[str, str]:
    """``NAME:VARIANT`` as the device and its variant; "" if none is named."""
    device, _, variant = text.rpartition(":")
    return (device, variant) if device and VARIANT.fullmatch(variant) else (text, "")


def title(names: Sequence[str]) -> str:
    """The devices of a run in short, joined by `` + ``: a variant is not named beside its base."""
    return " + ".join(name for name in names if re.sub(r":[^+]*", "", name) not in set(names) - {name})
