"""``kind = "sipp"``: calls are placed by a SIPp caller through the device, which the driver starts itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final, Literal

from harness.device.stimuli.base import Act, Stimulus, StimulusBase, StimulusContext
from harness.device.stimuli.section import StimulusSection
from harness.device.tables.profile_tables import ProfileTables
from harness.errors import DeviceError

THROUGH: Final = frozenset({"uas", "proxy", "redirect", "b2bua"})
"""Roles in which a SIPp caller makes the device act."""


class SippStimulus(StimulusSection):
    """A SIPp caller through the device; the driver does it."""

    kind: Literal["sipp"]

    places_calls: ClassVar[bool] = False

    def contradictions(self, profile: ProfileTables) -> Iterator[tuple[str, str]]:
        """A device that only places calls cannot be called."""
        if not set(profile.device.roles) & THROUGH:
            yield (
                "stimulus.kind",
                'kind = "sipp" calls through the device, but device.roles has only "uac": '
                'expected one of "uas", "proxy", "redirect", "b2bua" among the roles, or another kind',
            )

    def make(self, context: StimulusContext) -> Stimulus:
        """A marker."""
        return ThroughSipp()


class ThroughSipp(StimulusBase):
    """A marker: the driver itself starts the caller."""

    name = "a SIPp caller"
    supports: frozenset[str] = frozenset()

    async def perform(self, act: Act, uri: str) -> None:
        """Not possible; DeviceError."""
        raise DeviceError(
            f"the device was to {act} {uri}, but its calls are placed by a SIPp caller through it",
            'this is a bug in sipverdict: with stimulus.kind = "sipp" the driver starts a caller',
        )
