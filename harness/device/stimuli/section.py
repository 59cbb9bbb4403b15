"""The table ``[stimulus]`` of a profile: the keys and rules that all kinds share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import Field

from harness.device.stimuli.base import ACTS, Stimulus, StimulusContext
from harness.device.tables.profile_tables import ProfileTables
from harness.device.tables.values import Section


class StimulusSection(Section):
    """The keys of every ``[stimulus]``; each kind adds its own (:mod:`harness.device.stimuli`)."""

    kind: str
    reaction_s: Annotated[float, Field(gt=0, le=3600)] = 10.0
    """Seconds in which the device's INVITE (or its answer to a call) must arrive after the request."""

    places_calls: ClassVar[bool] = True
    """Whether it makes the device place calls."""
    by_hand: ClassVar[bool] = False
    """Whether a person does it: one act at a time, and failures are not attributed to the device."""
    has_control: ClassVar[bool] = False
    """Whether it has a control port, for ``ready.control``."""

    @property
    def acts(self) -> frozenset[str]:
        """The acts that the device can be made to do: those of ``call``, ``hangup`` … that the profile defines."""
        return frozenset(act for act in ACTS if getattr(self, act, None))

    def contradictions(self, profile: ProfileTables) -> Iterator[tuple[str, str]]:
        """Each contradiction to the rest of ``profile``: (dotted key, what is wrong and expected)."""
        roles = set(profile.device.roles)
        if "uac" in roles and self.places_calls and "call" not in self.acts:
            yield "stimulus.call", 'missing: expected how a device with the role "uac" is made to call'
        if self.places_calls and "uac" not in roles and not ("uas" in roles and self.acts & {"answer", "reject"}):
            yield (
                "stimulus.kind",
                f'kind = "{self.kind}" makes the device place calls itself: expected "uac" in device.roles, '
                'or "uas" and stimulus.answer or stimulus.reject, or kind = "sipp"',
            )

    def make(self, context: StimulusContext) -> Stimulus:
        """The stimulus itself, for one start of the device.  ProfileError if the profile does not allow it."""
        raise NotImplementedError
