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
        """The message ``key`` with ``values`` filled in; where ``n`` is 1, that of ``key_one`` if there is one."""
        if values.get("n") == 1 and f"{key}_one" in self.messages:
            key = f"{key}_one"
        # format() is asked for with our own messages only: what a device wrote comes as a value, never as a message.
        return str(self.messages[key]).format(**values)

    def __contains__(self, key: str) -> bool:
        return key in self.messages

    def several(self, key: str) -> Sequence[str]:
        """A message that is a list."""
        found = self.messages[key]
        return (found,) if isinstance(found, str) else found


def languages() -> list[str]:
    """The languages that there are."""
    return sorted(path.stem for path in TEMPLATES.glob("*.toml"))


@functools.cache
def words(language: str = "en") -> Words:
    """The words of ``language``; SetupError naming the languages there are if it is none of them."""
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
