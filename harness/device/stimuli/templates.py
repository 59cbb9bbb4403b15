"""The base of the kinds that send what the profile defines: one template per act."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import ClassVar, Final
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape as xml_escape

from harness.device.stimuli.base import ACTS, Act, StimulusBase, StimulusContext, checked, user_of
from harness.device.stimuli.section import StimulusSection
from harness.device.tables.placeholders import START, names_in
from harness.device.tables.profile_tables import ProfileTables
from harness.errors import DeviceError

Escape = Callable[[str], str]

ESCAPES: Final[Mapping[str, Escape]] = {
    "none": lambda text: text,
    "json": lambda text: json.dumps(text)[1:-1],
    "form": quote_plus,
    "url": lambda text: quote(text, safe=""),
    "xml": lambda text: xml_escape(text, {'"': "&quot;", "'": "&apos;"}),
}
"""How a value is escaped so that it stays one value in its surroundings."""

URI_NAMES: Final = frozenset({"uri", "user"})


class TemplatedSection(StimulusSection):
    """A ``[stimulus]`` with templates, whose placeholders are checked when the profile is loaded."""

    start_names: ClassVar[frozenset[str]] = frozenset()
    """The device's own addresses and folders (``{host}`` …) that its templates may use."""

    def texts(self, act: str) -> tuple[str, ...]:
        """The templates of ``act``; none if the profile has none."""
        value = getattr(self, act, None)
        return () if value is None else (value,) if isinstance(value, str) else tuple(value)

    def names(self, act: str) -> frozenset[str]:
        """The placeholders that the templates of ``act`` may hold."""
        return URI_NAMES | self.start_names

    def contradictions(self, profile: ProfileTables) -> Iterator[tuple[str, str]]:
        """Those of every kind; ``{uri}`` missing in ``call``; unknown placeholders."""
        yield from super().contradictions(profile)
        for act in ACTS:
            texts = self.texts(act)
            if act == "call" and texts and not any(names_in(text) & URI_NAMES for text in texts):
                yield "stimulus.call", "expected {uri} in it, the URI to call, or {user}, its user part"
            allowed = self.names(act)
            for name in sorted({name for text in texts for name in names_in(text)} - allowed):
                yield f"stimulus.{act}", f"{{{name}}} is no placeholder here; expected only {_braced(allowed)}"


class Templated(StimulusBase):
    """Performs an act by its template.  An act without a template is not supported."""

    def __init__(self, section: TemplatedSection, context: StimulusContext) -> None:
        self.context = context
        self.device = context.device
        self._templates = {act: texts for act in ACTS if (texts := section.texts(act))}
        self.supports = section.acts

    async def perform(self, act: Act, uri: str) -> None:
        """Send the template of ``act``."""
        checked(uri)
        if act not in self.supports:
            raise DeviceError(
                f"{self.device} cannot be asked to {act}: its profile has no stimulus.{act}",
                f"add stimulus.{act} to the profile if the device can do it",
            )
        if not user_of(uri) and any("user" in names_in(text) for text in self._templates.get(act, ())):
            raise DeviceError(f"{uri} has no user part for the {{user}} of stimulus.{act}", "use {uri} there")
        await self._say(act, self._templates.get(act, ()), uri)

    async def _say(self, act: Act, template: tuple[str, ...], uri: str) -> None:
        raise NotImplementedError

    def _fill(self, text: str, uri: str, escape: Escape = ESCAPES["none"], **more: str) -> str:
        return self.context.fill(text, {"uri": uri, "user": user_of(uri), **more}, escape)


def _braced(names: frozenset[str]) -> str:
    return " and ".join(f"{{{name}}}" for name in ("uri", "user", "id", *sorted(names & START)) if name in names)
