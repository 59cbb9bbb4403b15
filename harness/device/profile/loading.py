"""Loading a device profile from a file, with its variants."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from harness.device.profile import reading, variants
from harness.device.profile.models import Profile
from harness.device.profile.wording import nearest_first, shown, worded
from harness.errors import ProfileError
from harness.model.device_name import BASE, split
from harness.paths import DEVICES

FILE_NAME: Final = "device.toml"


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
    """The profile that ``text`` would be as the content of ``path``; ProfileError if it is invalid."""
    return _made(path, reading.parse_toml(path, text))[BASE]


def _choose(path: Path, profiles: dict[str, Profile], variant: str) -> Profile:
    if variant not in profiles:
        known = nearest_first(variant, profiles)
        raise ProfileError(f"{path}: the device has no variant {variant!r}", f"known: {known}")
    return profiles[variant]


def _load(path: Path) -> dict[str, Profile]:
    """The device and its variants by name.  All of them are checked."""
    return _made(path, _read(path))


def _made(path: Path, table: dict[str, Any]) -> dict[str, Profile]:
    try:
        base, laid = variants.tables(table)
        profiles = {BASE: _over_each(path, base, ())}
        for name, merged in laid.items():
            profiles[name] = _over_each(path, merged, (variants.TABLE, name))
    except variants.VariantError as error:
        raise ProfileError(f"{path}: {error.key}: {error.expected}") from None
    return profiles


def _over_each(path: Path, table: dict[str, Any], under: tuple[str, ...]) -> Profile:
    """The profile of ``table``, with what is different over single transports."""
    base, changed = variants.over(table)
    profile = _profile(path, base, under)
    profile._over = {label: _profile(path, laid, (*under, variants.OVER, label)) for label, laid in changed.items()}
    for laid in profile._over.values():
        laid._usual = profile
    return profile


def _read(path: Path) -> dict[str, Any]:
    table = reading.read_toml(path)
    if not table:
        raise ProfileError(f"{path}: is empty", "sipverdict init writes one to start from")
    return table


def _profile(path: Path, table: dict[str, Any], under: tuple[str, ...]) -> Profile:
    """The profile of ``table``.  Errors name its keys below the keys ``under``."""
    try:
        profile = Profile.model_validate(table)
    except ValidationError as error:
        raise worded(path, table, error, under) from error
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
        raise ProfileError(
            f"{path}: {what}", f"name a profile's file, or one of {nearest_first(text, builtin_profiles())}"
        )
    if stat.S_ISREG(mode):
        return path
    if mode:
        raise reading.no_file(path, mode)
    known = nearest_first(text, builtin_profiles())
    raise ProfileError(f"no device is called {shown(text)}", f"known: {known}; or give the path of a profile")
