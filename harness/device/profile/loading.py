"""Loading a device profile, and saying exactly what is wrong with one that cannot be used."""

from __future__ import annotations

import difflib
import json
import re
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from harness.device.profile import fields, placeholders, reading, variants
from harness.device.profile.models import Profile
from harness.device.profile.pics import PICS
from harness.device.profile.secrets import sounds_secret
from harness.device.stimuli import registry
from harness.errors import ProfileError
from harness.model.device_name import BASE, split
from harness.paths import DEVICES

FILE_NAME: Final = "device.toml"

_SECTIONS: Final[dict[str, list[str]]] = fields.tables(Profile) | {
    "": [*Profile.model_fields, variants.TABLE],
    "pics": list(PICS),
    "stimulus": ["kind", "call", "hangup", "reinvite", "answer", "reject", "reaction_s", "timeout_s", "control"],
}
_MOST_LINES: Final = 10
"""How many wrong keys are told at once."""
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


def builtin_profiles() -> list[str]:
    """The names of the devices that come with the suite, sorted."""
    return sorted(path.parent.name for path in DEVICES.glob(f"*/{FILE_NAME}"))


def load_profile(name_or_path: str | Path) -> Profile:
    """The profile of a built-in device, of a file, or of a folder with a ``device.toml``; ProfileError if unusable.

    ``NAME:VARIANT`` is that of a variant, ``NAME:base`` and ``NAME`` that of the device without its variants.
    """
    path, variant = _find(name_or_path)
    return _choose(path, _load(path), variant or BASE)


def load_profiles(name_or_path: str | Path) -> tuple[Profile, ...]:
    """A device and all its variants, the device itself first; of ``NAME:VARIANT`` and ``NAME:base`` only that one."""
    path, variant = _find(name_or_path)
    profiles = _load(path)
    return (_choose(path, profiles, variant),) if variant else tuple(profiles.values())


def checked_profile(path: Path, text: str) -> Profile:
    """The profile that ``text`` would be if it stood in ``path``; ProfileError if it is none."""
    return _made(path, reading.parse_toml(path, text))[BASE]


def _choose(path: Path, profiles: dict[str, Profile], variant: str) -> Profile:
    if variant not in profiles:
        known = _near(variant, profiles)
        raise ProfileError(f"{path}: the device has no variant {variant!r}", f"known: {known}")
    return profiles[variant]


def _load(path: Path) -> dict[str, Profile]:
    """The device and its variants by name.  Every one of them is checked, whichever is asked for."""
    return _made(path, _read(path))


def _made(path: Path, table: dict[str, Any]) -> dict[str, Profile]:
    try:
        base, laid = variants.tables(table)
    except ValueError as error:
        where, _, what = str(error).partition("\0")
        raise ProfileError(f"{path}: {where}: {what}") from None
    profiles = {BASE: _profile(path, base, ())}
    for name, merged in laid.items():
        profiles[name] = _profile(path, merged, (variants.TABLE, name))
    return profiles


def _read(path: Path) -> dict[str, Any]:
    table = reading.read_toml(path)
    if not table:
        raise ProfileError(f"{path}: is empty", "sipverdict init writes one to start from")
    return table


def _profile(path: Path, table: dict[str, Any], under: tuple[str, ...]) -> Profile:
    """The profile of ``table``; ``under`` are the keys that its own are said to stand below."""
    try:
        profile = Profile.model_validate(table)
    except ValidationError as error:
        raise _worded(path, table, error, under) from error
    profile._source = path.resolve()
    for index, file in enumerate(profile.process.files if profile.process else ()):
        if not (path.parent / file).is_file():
            key = ".".join((*under, "process", "files", str(index)))
            raise ProfileError(f"{path}: {key}: expected a template in the profile's folder; there is no {file!r}")
    return profile


def _find(name_or_path: str | Path) -> tuple[Path, str]:
    """The profile's file and the variant that is named; "" if none is."""
    text, variant = str(name_or_path), ""
    if not reading.look(text)[1]:
        text, variant = split(text)
    return _find_file(text), variant


def _find_file(text: str) -> Path:
    if text in builtin_profiles():
        return DEVICES / text / FILE_NAME
    path, mode = reading.look(text) if text else (Path(), 0)
    if stat.S_ISDIR(mode) and reading.look(str(path / FILE_NAME))[1]:
        return path / FILE_NAME
    if stat.S_ISDIR(mode) or (not mode and ("/" in text or text.endswith(".toml"))):
        what = f"holds no {FILE_NAME}" if mode else "there is no such file"
        raise ProfileError(f"{path}: {what}", f"name a profile's file, or one of {_near(text, builtin_profiles())}")
    if stat.S_ISREG(mode):
        return path
    if mode:
        raise reading.no_file(path, mode)
    known = _near(text, builtin_profiles())
    raise ProfileError(f"no device is called {_shown(text)}", f"known: {known}; or give the path of a profile")


def _near(text: str, known: Iterable[str]) -> str:
    """``known``, nearest to ``text`` first."""
    return ", ".join(
        sorted(known, key=lambda name: (-difflib.SequenceMatcher(None, text.lower(), name.lower()).ratio(), name))
    )


def _worded(path: Path, table: dict[str, Any], error: ValidationError, under: tuple[str, ...]) -> ProfileError:
    lines, hints = [], []
    details = error.errors(include_url=False)
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
    text = str(context["error"]) if kind == "value_error" else ""
    if kind == "extra_forbidden" or text == "no such PICS key":
        return key, "unknown key", _suggest(keys, table)
    if "\0" in text:
        where, _, what = text.partition("\0")
        return where, what, ""
    if text:
        return key, text, _suggest_placeholder(text)
    if kind == "missing":
        return key, "missing" if len(keys) > 1 else f"missing: expected a table [{key}]", ""
    if kind == "union_tag_not_found":
        return f"{key}.kind", f"missing: expected one of {_near('', registry.kinds())}", ""
    if kind == "union_tag_invalid":
        tag = str(context.get("tag"))
        return f"{key}.kind", f"expected one of {_near(tag, registry.kinds())}; got {tag!r}", ""
    # Where a secret is expected nothing is repeated: somebody may have written it where its place was to be named.
    got = "" if any(map(sounds_secret, keys)) else f"; got {_shown(detail.get('input'))}"
    if kind == "literal_error":
        return key, f"expected {context['expected']}{got}", ""
    if kind in _TYPES:
        return key, f"expected {_TYPES[kind]}{got}", ""
    return key, f"expected otherwise: {detail['msg']}{got}", ""


def _key(key: str) -> str:
    """A key as TOML writes it, short and without what steers a terminal."""
    if re.fullmatch(r"[A-Za-z0-9_-]{1,60}", key):
        return key
    short = key if len(key) <= 60 else key[:56] + " ..."
    shown = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in short)
    return json.dumps(shown, ensure_ascii=False)


def _shown(value: object) -> str:
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
    if near := difflib.get_close_matches(wrong.lower(), known, n=1, cutoff=0.6):
        return f"the nearest is {dotted}{near[0]}"
    for cutoff in (1.0, 0.8):  # the very key, or nearly
        for other, names in _SECTIONS.items():
            if "*" not in other and (near := difflib.get_close_matches(wrong, names, n=1, cutoff=cutoff)):
                return f"did you mean {other}.{near[0]}?" if other else f"[{near[0]}] is a table of its own"
    if not known:
        return ""
    nearest = _near(wrong, known).split(", ")[0]
    return f"the nearest is {dotted}{nearest}; known: {', '.join(sorted(known))}"


def _suggest_placeholder(text: str) -> str:
    if "is no placeholder" not in text:
        return ""
    wrong = text.partition("}")[0].lstrip("{")
    near = difflib.get_close_matches(wrong, placeholders.START, n=1, cutoff=0.5)
    return f"the nearest is {{{near[0]}}}" if near else ""
