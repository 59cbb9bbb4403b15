"""The errors of an invalid profile in words: file, key, what was expected, and the nearest valid key."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable
from itertools import product
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from harness.device.profile import variants
from harness.device.profile.models import Profile
from harness.device.profile.secrets import sounds_secret
from harness.device.stimuli import registry
from harness.device.tables import errors, fields
from harness.device.tables.pics import PICS
from harness.errors import ProfileError
from harness.model.axes import CROSSINGS, TRANSPORTS
from harness.net.address import WEB

_SECTIONS: Final[dict[str, list[str]]] = fields.tables(Profile) | {
    "": [*Profile.model_fields, variants.OVER, variants.TABLE],
    "pics": list(PICS),
    "stimulus": ["kind", "call", "hangup", "reinvite", "answer", "reject", "reaction_s", "timeout_s", "control"],
}
_MOST_LINES: Final = 10
"""How many wrong keys one error names."""
_TYPES: Final = {
    "string_type": "a string",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "tuple_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
}


def worded(path: Path, table: dict[str, Any], error: ValidationError, under: tuple[str, ...]) -> ProfileError:
    """The error for the profile ``table`` of ``path``, whose keys are named below ``under``."""
    lines, hints = [], []
    details = error.errors(include_url=False)
    within = {tuple(detail["loc"][:-1]) for detail in details}
    # A list without its wrong values is short, but that is not what is wrong with it.
    details = [detail for detail in details if detail["type"] != "too_short" or tuple(detail["loc"]) not in within]
    for detail in details[:_MOST_LINES]:
        keys = [str(key) for key in detail["loc"] if str(key) != "[key]"]
        key, expected, hint = _detail(keys, dict(detail), table)
        key = ".".join((*under, *([key] if key else [])))
        lines.append(f"{path}: {key}: {expected}" if key else f"{path}: {expected}")
        hints += [hint] if hint and hint not in hints else []
    if len(details) > _MOST_LINES:
        lines.append(f"{path}: and {len(details) - _MOST_LINES} more of the kind")
    return ProfileError("\n".join(lines), "; ".join(hints))


def _detail(keys: list[str], detail: dict[str, Any], table: dict[str, Any]) -> tuple[str, str, str]:
    key, kind, context = ".".join(map(_key, keys)), str(detail["type"]), detail.get("ctx", {})
    if kind in ("extra_forbidden", errors.UNKNOWN_PICS_KEY):
        return key, "unknown key", _suggest(keys, table)
    if kind == errors.CONTRADICTION:
        return context["key"], context["expected"], ""
    if kind == errors.UNKNOWN_PLACEHOLDER:
        return key, context["expected"], _suggest_placeholder(context["name"], context["known"])
    if kind == "value_error":
        return key, str(context["error"]), ""
    if kind == "missing":
        return key, "missing" if len(keys) > 1 else f"missing: expected a table [{key}]", ""
    if kind == "union_tag_not_found":
        return f"{key}.kind", f"missing: expected one of {nearest_first('', registry.kinds())}", ""
    if kind == "union_tag_invalid":
        tag = str(context.get("tag"))
        return f"{key}.kind", f"expected one of {nearest_first(tag, registry.kinds())}; got {tag!r}", ""
    # The profile may hold the secret itself where the name of its place was expected: never repeat it.
    got = "" if any(map(sounds_secret, keys)) else f"; got {shown(detail.get('input'))}"
    if kind == "literal_error":
        return key, f"expected {_choice(context['expected'])}{got}", _why_not(detail.get("input"))
    if kind in _TYPES:
        return key, f"expected {_TYPES[kind]}{got}", ""
    return key, f"expected otherwise: {detail['msg']}{got}", ""


def _choice(expected: str) -> str:
    """The words of a choice; pairs of transports by an example, for there are eighteen of them."""
    if f"'{CROSSINGS[0]}'" not in expected:
        return expected
    return f"{', '.join(map(repr, TRANSPORTS))} or two of them, as in 'wss-to-udp'"


def _why_not(given: object) -> str:
    pairs = {f"{one}-to-{other}" for one, other in product(WEB, WEB)}
    return "a URI does not tell ws and wss apart, so no call goes on from one to the other" if given in pairs else ""


def _key(key: str) -> str:
    """A key as TOML writes it, short and without control characters."""
    if re.fullmatch(r"[A-Za-z0-9_-]{1,60}", key):
        return key
    short = key if len(key) <= 60 else key[:56] + " ..."
    shown = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in short)
    return json.dumps(shown, ensure_ascii=False)


_ALIKE = 0.8
"""How alike two keys are that differ by a slip (:func:`difflib.get_close_matches`)."""


def shown(value: object) -> str:
    """``value`` as an error repeats it: short, and as TOML writes it if it is true or false."""
    if isinstance(value, str):
        value = value[:100]
    text = {True: "true", False: "false"}[value] if isinstance(value, bool) else repr(value)
    return text if len(text) < 80 else text[:76] + " ..."


def _suggest(keys: list[str], table: dict[str, Any]) -> str:
    section, wrong = ".".join(keys[:-1]), keys[-1][:60]
    known = list(fields.known(_SECTIONS, keys[:-1]))
    if keys[0] == "stimulus":
        known = registry.keys_of(str(table["stimulus"]["kind"]), keys[1:-1])
    dotted = f"{section}." if section else ""
    # Of no table, a key may belong to any; in a table, it probably belongs there.
    if near := difflib.get_close_matches(wrong.lower(), known, n=1, cutoff=0.6 if section else _ALIKE):
        return f"the nearest is {dotted}{near[0]}"
    for cutoff in (1.0, _ALIKE):  # the very key, or nearly
        for other, names in _SECTIONS.items():
            if "*" not in other and (near := difflib.get_close_matches(wrong, names, n=1, cutoff=cutoff)):
                return f"did you mean {other}.{near[0]}?" if other else f"[{near[0]}] is a table of its own"
    if not known:
        return ""
    return f"the nearest is {dotted}{_by_likeness(wrong, known)[0]}; known: {', '.join(sorted(known))}"


def _suggest_placeholder(wrong: str, known: list[str]) -> str:
    near = difflib.get_close_matches(wrong, known, n=1, cutoff=0.5)
    return f"the nearest is {{{near[0]}}}" if near else ""


def nearest_first(text: str, known: Iterable[str]) -> str:
    """``known``, nearest to ``text`` first, joined by commas."""
    return ", ".join(_by_likeness(text, known))


def _by_likeness(text: str, known: Iterable[str]) -> list[str]:
    return sorted(known, key=lambda name: (-difflib.SequenceMatcher(None, text.lower(), name.lower()).ratio(), name))
