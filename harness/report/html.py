"""Renders pages: every value is escaped, printable and kept in its own text direction; nothing is loaded.

``{{ value }}`` in a template is escaped automatically.  Texts of a device or of a judge also pass the ``quoted``
filter, which shortens and isolates them, so that right-to-left letters do not reverse the words around them.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from harness.model.printable import capped, lines, printable
from harness.paths import TEMPLATES
from harness.report.words import Words

_BREAK = re.compile(r"([_+.@:/-]+)(?=\w)")
LONGEST = 800
"""Characters of one text; a device may send 100 kB in one header line."""


def render(template: str, words: Words, values: Mapping[str, object]) -> str:
    """``template`` rendered with ``values`` and ``words``."""
    return _environment().get_template(template).render(words=words, lang=words.language, **values)


def quoted(text: object, limit: int = LONGEST) -> Markup:
    """``text`` in one line, shortened in the middle, in a direction of its own."""
    return Markup('<bdi dir="ltr">{}</bdi>').format(printable(_middle(str(text), limit)))


def breakable(html: Markup) -> Markup:
    """What ``quoted`` made, which a narrow column may break after punctuation: names of runs have no blanks."""
    parts = re.split(r"(<[^>]*>)", str(html))
    return Markup("".join(one if one.startswith("<") else _BREAK.sub(r"\1<wbr>", one) for one in parts))


def block(text: object, limit: int = 2000) -> Markup:
    """A text of several lines, cut off at the limit."""
    return escape(capped(lines(str(text)), limit))


def source_hash(script: str) -> str:
    """The hash by which a Content-Security-Policy permits an inline ``script``."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")


def _middle(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 100]} … {text[-60:]} ({len(text)} characters)"


def _finalize(value: object) -> object:
    # Templates and the filters above made it, so it is escaped already.
    return printable(value, keep="\n\t") if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters["quoted"] = quoted
    made.filters["breakable"] = breakable
    made.filters["block"] = block
    return made
