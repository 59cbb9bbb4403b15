"""The words of the pages, in one catalogue of messages per language (``reports/templates/<language>.toml``)."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from harness.errors import SetupError
from harness.paths import TEMPLATES


class Words:
    """The messages of one language by key: ``words("finding.driven", n=2)``."""

    def __init__(self, language: str, messages: Mapping[str, str | Sequence[str]]) -> None:
        self.language = language
        self.messages = messages

    def __call__(self, key: str, **values: object) -> str:
        """The message ``key`` with ``values`` filled in.  If ``n`` is 1 and ``key_one`` exists, that message."""
        if values.get("n") == 1 and f"{key}_one" in self.messages:
            key = f"{key}_one"
        # format() sees our own messages only.  A device's text is a value, never a message.
        return str(self.messages[key]).format(**values)

    def __contains__(self, key: str) -> bool:
        return key in self.messages

    def several(self, key: str) -> Sequence[str]:
        """The message ``key``, which is a list."""
        found = self.messages[key]
        return (found,) if isinstance(found, str) else found


def languages() -> list[str]:
    """The available languages."""
    return sorted(path.stem for path in TEMPLATES.glob("*.toml"))


@functools.cache
def words(language: str = "en") -> Words:
    """The words of ``language``; SetupError, with the available languages, for an unknown one."""
    if language not in languages():
        raise SetupError(f"there is no page in {language!r}", f"the languages are: {', '.join(languages())}")
    try:
        stored = tomllib.loads((TEMPLATES / f"{language}.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SetupError(f"{language}.toml cannot be read: {error}", "restore the file from the release") from error
    return Words(language, dict(_flat(stored)))


def _flat(stored: Mapping[str, Any], before: str = "") -> list[tuple[str, Any]]:
    return [
        pair
        for key, value in stored.items()
        for pair in (_flat(value, f"{before}{key}.") if isinstance(value, dict) else [(f"{before}{key}", value)])
    ]
