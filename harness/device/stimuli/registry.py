"""The kinds of stimuli by name: the built-in ones, and those that installed packages bring by entry point.

A package adds a kind with an entry point in the group ``sipverdict.stimuli``, named like the kind, that leads to a
subclass of :class:`harness.device.stimuli.StimulusSection`.  The names of built-in kinds are taken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final

from pydantic import BaseModel
from pydantic_core import PydanticKnownError

from harness.device.stimuli.section import StimulusSection
from harness.device.tables.fields import models_in
from harness.errors import ProfileError

GROUP: Final = "sipverdict.stimuli"

_BUILT_IN: Final[Mapping[str, str]] = {
    "ami": "AmiStimulus",
    "command": "CommandStimulus",
    "esl": "EslStimulus",
    "http": "HttpStimulus",
    "manual": "ManualStimulus",
    "refer": "ReferStimulus",
    "sipp": "SippStimulus",
    "stdin": "StdinStimulus",
    "tcp": "TcpStimulus",
}


def kinds() -> tuple[str, ...]:
    """The names of all kinds, sorted.  No kind is loaded."""
    return tuple(sorted({*_BUILT_IN, *(found.name for found in entry_points(group=GROUP))}))


def section_of(kind: str) -> type[StimulusSection]:
    """The section of ``kind``.  KeyError if there is no such kind; ProfileError if its package is broken."""
    if kind in _BUILT_IN:
        section: type[StimulusSection] = getattr(import_module(f"harness.device.stimuli.{kind}"), _BUILT_IN[kind])
        return section
    for found in entry_points(group=GROUP):
        if found.name == kind:
            return _loaded(found)
    raise KeyError(kind)


def all_sections() -> dict[str, type[StimulusSection]]:
    """Every kind with its section, for a schema of all.  A kind whose package is broken is left out."""
    sections = {}
    for kind in kinds():
        try:
            sections[kind] = section_of(kind)
        except ProfileError:
            continue
    return sections


def keys_of(kind: str, path: Sequence[str] = ()) -> list[str]:
    """The keys that the section of ``kind`` knows, or those of the table at ``path`` in it."""
    model: type[BaseModel] | None = section_of(kind)
    for key in path:
        field = model.model_fields.get(key) if model else None
        model = next((inner for inner, _ in models_in(field.annotation)), None) if field else None
    return list(model.model_fields) if model else []


def validated(value: Any) -> StimulusSection:
    """The ``[stimulus]`` of a profile, by its ``kind``; errors as pydantic has them for a union with a tag."""
    if isinstance(value, StimulusSection):
        return value
    if not isinstance(value, dict):
        raise PydanticKnownError("model_type", {"class_name": "StimulusSection"})
    if "kind" not in value:
        raise PydanticKnownError("union_tag_not_found", {"discriminator": "'kind'"})
    kind = value["kind"]
    try:
        section = section_of(kind) if isinstance(kind, str) else None
    except KeyError:
        section = None
    if section is None:
        context = {"discriminator": "'kind'", "tag": str(kind), "expected_tags": ", ".join(kinds())}
        raise PydanticKnownError("union_tag_invalid", context)
    return section.model_validate(value)


def _loaded(found: EntryPoint) -> type[StimulusSection]:
    package = f"{found.dist.name} {found.dist.version}" if found.dist else "an installed package"
    try:
        section = found.load()
    except Exception as error:  # another package may raise anything when it is loaded
        what = f"{type(error).__name__}: {error}"
        raise _broken(found, package, f"it cannot be loaded: {what}") from error
    if not (isinstance(section, type) and issubclass(section, StimulusSection)):
        raise _broken(found, package, f"{found.value} is not a subclass of harness.device.stimuli.StimulusSection")
    return section


def _broken(found: EntryPoint, package: str, why: str) -> ProfileError:
    return ProfileError(
        f'stimulus.kind = "{found.name}" comes from the package {package}, and {why}',
        "repair or upgrade that package, or use another kind",
    )
