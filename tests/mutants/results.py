"""The results of earlier invocations, one line each: an invocation that was interrupted goes on where it stopped."""

from __future__ import annotations

import json
from collections.abc import Container, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.mutants.trial import Result

SETTLED = ("caught", "warned", "false alarm", "not executed")
"""What a longer window does not change."""


class Results:
    """What is known of mutants that were tried in the same way."""

    def __init__(self, path: Path, tried: Mapping[str, object]) -> None:
        """``tried``: what else a result depends on: the suite, the windows, the roles."""
        self._path = path
        self._about = json.loads(json.dumps(tried))
        self.known: dict[str, Result] = {}
        """By id."""
        for about, result in self._stored():
            if about == self._about or (self._is_earlier(about) and result.outcome in SETTLED):
                self.known[result.id] = result

    def add(self, result: Result) -> None:
        """Keep a result."""
        self.known[result.id] = result
        with self._path.open("a", encoding="utf-8") as file:
            # The line before may have no end, if the machine stopped while it was being written.
            file.write("\n" + json.dumps({"about": self._about, "result": asdict(result)}) + "\n")

    def _is_earlier(self, about: Mapping[str, Any]) -> bool:
        """Whether ``about`` is the same with fewer windows: further ones are only for what survives."""
        windows = about.get("windows", [])
        return bool(windows) and about == self._about | {"windows": self._about.get("windows", [])[: len(windows)]}

    def ever(self, outcomes: Container[str]) -> set[str]:
        """The ids whose latest result, under whichever suite, is one of ``outcomes``."""
        latest = {result.id: result.outcome for _, result in self._stored()}
        return {identifier for identifier, outcome in latest.items() if outcome in outcomes}

    def _stored(self) -> Iterator[tuple[dict[str, Any], Result]]:
        if not self._path.exists():
            return
        for line in self._path.read_text("utf-8").splitlines():
            try:
                stored = json.loads(line)
            except ValueError:  # the line that was being written when the machine stopped
                continue
            result = stored["result"]
            yield stored["about"], Result(**result | {name: tuple(result[name]) for name in ("parts", "windows")})
