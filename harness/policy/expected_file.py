"""``expected.toml``: the known non-passes of a device.  Reads the file with precise errors, and updates it."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from harness.device import load_profiles
from harness.device.profile.loading import FILE_NAME
from harness.errors import SetupError
from harness.model.device_name import BASE
from harness.model.windows import WINDOWS, Window
from harness.paths import SUITES
from harness.policy.expected_entry import Case, Entry, Known
from harness.system.toml import MOST_DOTS, costly_line

FILE: Final = "expected.toml"
LARGEST: Final = 1 << 20
"""Bytes."""


def file_of(source: Path) -> Path:
    """The file of expectations beside the profile ``source``: my-phone.expected.toml for my-phone.toml."""
    return source.parent / (FILE if source.name == FILE_NAME else f"{source.stem}.{FILE}")


def load(path: Path, source: Path, requirements: Iterable[str], suites: Path = SUITES) -> tuple[Known, ...]:
    """What ``path`` expects of the devices of the profile ``source``; SetupError naming the mistake.

    ``requirements`` are those of the catalogue.
    """
    table = _read(path)
    entries = table.pop("expected", None)
    for key in table:
        raise SetupError(f"{path}: {key}: unknown key", "the file may hold [[expected]] tables only")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise SetupError(
            f"{path}: expected tables [[expected]]; there is none", "remove the file if everything should pass"
        )
    read = [_entry(path, number, entry) for number, entry in enumerate(entries, 1)]
    rows, variants = set(requirements), _variants(source) if any(one.variant != (BASE,) for one in read) else {BASE}
    seen: set[tuple[str, Case, str]] = set()
    for number, entry in enumerate(read, 1):
        place = f"{path}: expected {number}"
        if entry.requirement not in rows:
            nearest = _nearest(entry.requirement, rows)
            raise SetupError(f"{place}: no requirement is called {entry.requirement!r}", nearest)
        if not _is_purpose(entry.purpose, suites):
            nearest = _nearest(entry.purpose, _purposes(suites))
            raise SetupError(f"{place}: no purpose is called {entry.purpose!r}", nearest)
        for one in entry.known:
            if one.variant not in variants:
                raise SetupError(f"{place}: the device has no variant {one.variant!r}", _nearest(one.variant, variants))
            if (one.variant, one.case, one.window) in seen:
                raise SetupError(f"{place}: {one.requirement} in {one.purpose} is listed twice", "keep one of them")
            seen.add((one.variant, one.case, one.window))
    return tuple(one for entry in read for one in entry.known)


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > LARGEST:
            raise SetupError(f"{path}: is larger than {LARGEST >> 20} MB", "sipverdict expect RUN writes it again")
        text = path.read_text("utf-8")
        if number := costly_line(text):
            raise SetupError(
                f"{path}: line {number} has more than {MOST_DOTS} dots", "sipverdict expect RUN writes it again"
            )
        table = tomllib.loads(text)
    except OSError as error:
        raise SetupError(f"{path}: cannot be read: {error.strerror}", "check the file and its permissions") from error
    except UnicodeDecodeError as error:
        raise SetupError(f"{path}: is not UTF-8 text", "sipverdict expect RUN writes it again") from error
    except (ValueError, RecursionError) as error:
        raise SetupError(f"{path}: is not TOML: {error}", "sipverdict expect RUN writes it again") from error
    if not table:
        raise SetupError(f"{path}: is empty", "sipverdict expect RUN writes it; remove it if everything should pass")
    return table


def _entry(path: Path, number: int, entry: Mapping[str, Any]) -> Entry:
    try:
        return Entry.model_validate(entry)
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        key = str(detail["loc"][0])
        place, names = f"{path}: expected {number}: {key}", list(Entry.model_fields)
        if detail["type"] == "extra_forbidden":
            raise SetupError(f"{place}: unknown key", _nearest(key, names)) from None
        if detail["type"] == "missing":
            raise SetupError(f"{place}: missing", f"an expectation has {', '.join(names)}") from None
        got = str(detail.get("input"))[:60]
        raise SetupError(f"{place}: {_decapitalised(detail['msg'])}; got {got!r}", "see docs/running.md") from None


def _decapitalised(text: str) -> str:
    return text[:1].lower() + text[1:]


def _nearest(wrong: str, known: Iterable[str]) -> str:
    names = sorted(known)
    near = difflib.get_close_matches(wrong, names, n=3, cutoff=0.3) or names[:3]
    return f"the nearest: {', '.join(near)}"


def _variants(source: Path) -> set[str]:
    profiles = load_profiles(source)
    return {BASE, *(_variant(profile.name, profiles[0].name) for profile in profiles)}


def _variant(device: str, base: str) -> str:
    return device.removeprefix(base).removeprefix(":") or BASE


def _is_purpose(name: str, suites: Path) -> bool:
    """Whether a purpose ``folder/topic/sentence`` exists.  Reads its file, because importing all of them takes long."""
    folder, _, rest = name.partition("/")
    topic, _, sentence = rest.partition("/")
    if not all(re.fullmatch(r"\w+", part) for part in (folder, topic, sentence)):
        return False
    file = suites / folder / f"test_{topic}.py"
    return file.is_file() and f"\ndef test_{sentence}(" in file.read_text("utf-8")


def _purposes(suites: Path) -> list[str]:
    found = []
    for file in sorted(suites.glob("*/test_*.py")):
        stem = file.stem.removeprefix("test_")
        found += [f"{file.parent.name}/{stem}/{n}" for n in re.findall(r"\ndef test_(\w+)\(", file.read_text("utf-8"))]
    return found


def updated(old: Sequence[Known], seen: Sequence[Known], executed: Iterable[Case], window: Window) -> list[Known]:
    """``old`` brought up to date with what a run of ``window`` has ``seen`` of one variant, in the cases ``executed``.

    Entries that were not executed stay, and so do reasons and dates that people wrote.  A run of a shorter window says
    nothing about an entry of a longer one, unless it has seen the very same already; and one of a longer window nothing
    about what a shorter one leaves open.
    """
    now, ran = {one.case: one for one in seen}, set(executed)
    before: dict[Case, Known] = {}
    kept: list[Known] = []
    for one in sorted(old, key=lambda one: WINDOWS[one.window].seconds):
        again, longer = now.get(one.case), WINDOWS[one.window].seconds > window.seconds
        shorter = WINDOWS[one.window].seconds < window.seconds
        other = again is None or again.verdict != one.verdict
        if other and (longer or (shorter and one.verdict == "inconclusive")):
            kept.append(one)
        elif again is not None:
            before[one.case] = one
        elif one.case not in ran:
            kept.append(one)
    for case, one in now.items():
        known = before.get(case)
        # One that is new in a long window may not be seen in a shorter one.
        first = min((known.window, one.window), key=lambda w: WINDOWS[w].seconds) if known else one.window
        same = known if known and known.verdict == one.verdict else None
        kept.append(
            one.model_copy(update={"window": first, **({"reason": same.reason, "until": same.until} if same else {})})
        )
    return sorted(kept, key=lambda one: (*_place(one), WINDOWS[one.window].seconds))


def _place(one: Known) -> tuple[str, ...]:
    return one.requirement, one.purpose, one.role, one.transport, one.family
