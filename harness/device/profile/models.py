"""The device profile as typed, frozen data; :mod:`harness.device.profile.loading` loads it and words its errors."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, PrivateAttr, model_validator
from pydantic_core import CoreSchema, core_schema

from harness.device.profile import consistency
from harness.device.stimuli import registry
from harness.device.stimuli.section import StimulusSection
from harness.device.tables import errors
from harness.device.tables.profile_tables import ProfileTables
from harness.net.address import Carrier


class _ByKind:
    """Validates a ``[stimulus]`` by its ``kind``: the kinds register themselves, so no union is written down."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(registry.validated)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"oneOf": [handler(section.__pydantic_core_schema__) for section in registry.all_sections().values()]}


class Profile(ProfileTables):
    """One device under test.  ``source`` is the file that it was read from."""

    stimulus: Annotated[StimulusSection, _ByKind()]

    _over: dict[str, Profile] = PrivateAttr(default_factory=dict)
    _usual: Profile | None = PrivateAttr(default=None)

    def over(self, carrier: Carrier) -> Profile:
        """The device as it is over ``carrier``: with what ``[over.X]`` lays over the rest.

        ``X`` is that of its own calls, where it is called over another.
        """
        usual = self._usual or self
        return usual._over.get(carrier.outbound.label, usual)

    @property
    def calls_at_once(self) -> int:
        """The number of calls that may go on at one time.  A person dials one after the other."""
        return 1 if self.stimulus.by_hand else self.device.max_calls

    @property
    def is_one_specimen(self) -> bool:
        """Whether all calls come to one device, whatever carries them; else each transport has a process of its own."""
        return self.process is None or self.lab.address != "{lease}" or self.stimulus.by_hand

    def all_numbers(self) -> dict[str, str]:
        """``lab.numbers``, and the numbers that a ringing device declines on request."""
        known = self.lab.all_numbers()
        return {**dict.fromkeys(self.declined_on_request(), known.get("rings", "")), **known}

    def declined_on_request(self) -> frozenset[str]:
        """The numbers for which ``stimulus.reject`` makes a ringing device (``lab.numbers.rings``) decline."""
        known = self.lab.all_numbers()
        if "rings" not in known or "reject" not in self.stimulus.acts:
            return frozenset()
        return frozenset({"declines", "rings_then_declines"} - set(known))

    @model_validator(mode="after")
    def _consistent(self) -> Profile:
        for key, expected in consistency.contradictions(self, self.stimulus):
            raise errors.contradiction(key, expected)
        return self
