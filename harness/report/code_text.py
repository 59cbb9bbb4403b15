"""One status code for people: what it means, when it comes, how to resolve it.  The words are those of the pages."""

from __future__ import annotations

import re
import textwrap
from typing import Final

from rich.markup import escape

from harness.report.codes import PLUS, key_of
from harness.report.words import Words

WIDTH: Final = 100
PARTS: Final = ("when", "resolve", "configure", "differs")
"""The lists of an explanation, in their order; each has its heading in ``codes``."""
_CODE: Final = re.compile(r"(?P<code>[36](?:[0-9]{2}|xx))(?P<plus>\+|plus)?", re.IGNORECASE)


def code_asked(topic: str) -> str:
    """The code that ``topic`` names, as ``302``, ``6xx`` or :data:`~harness.report.codes.PLUS`; "" if it names none."""
    found = _CODE.fullmatch(topic.strip())
    if found is None or (found["plus"] and found["code"] != "603"):
        return ""
    return PLUS if found["plus"] else found["code"].lower()


def code_page(code: str, texts: Words) -> str:
    """The explanation of ``code`` (of :func:`code_asked`) in rich's markup."""
    key = key_of(code, texts)
    head = f"[bold]{code} {escape(texts(f'{key}.name'))}[/]"
    lines = [head, *_wrapped(texts(f"{key}.means"), "")]
    for part in PARTS:
        lines += ["", f"[bold]{escape(texts(f'codes.{part}'))}[/]"]
        lines += [line for text in texts.several(f"{key}.{part}") for line in _wrapped(text, "  ", "- ")]
    return "\n".join(lines)


def _wrapped(text: str, indent: str, bullet: str = "") -> list[str]:
    return [
        escape(line)
        for line in textwrap.wrap(
            text,
            WIDTH,
            initial_indent=indent + bullet,
            subsequent_indent=indent + " " * len(bullet),
            break_long_words=False,
            break_on_hyphens=False,
        )
    ]
