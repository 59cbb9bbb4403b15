"""The environment that child processes are given."""

from __future__ import annotations

import os


def inherited(**more: str) -> dict[str, str]:
    """This process's environment and ``more``.

    ``{**os.environ}`` asks for one value after the other, and pytest's thread changes the environment with every test:
    a name that has just gone would be a KeyError.
    """
    return {name: value for name in list(os.environ) if (value := os.environ.get(name)) is not None} | more
