"""The device profile as typed, frozen data; :mod:`harness.device.profile.loading` loads it and words its errors."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PrivateAttr,
    model_validator,
)
from pydantic_core import CoreSchema, core_schema

from harness.device.profile import secrets
from harness.device.profile.lab_section import LabSection
from harness.device.profile.pics import PICS
from harness.device.profile.placeholders import fill
from harness.device.profile.values import LAX, Argv, Filled, Line, Seconds, Section, one_line, regex_with_group
from harness.errors import ProfileError
from harness.model.roles import Role

if TYPE_CHECKING:
    from harness.device.stimuli.base import Stimulus, StimulusContext


def _pics_key(key: str) -> str:
    if key not in PICS:
        raise ValueError("no such PICS key")
    return key


def _value(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("expected a finite number")
    if not isinstance(value, (str, int, float)):  # bool is an int
        raise ValueError("expected a string, a number, true or false")
    return value


def _secret_name(key: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", key):
        raise ValueError("expected a name of letters, digits and underscores")
    return key


def _variable(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise ValueError("expected the name of an environment variable")
    return name


def _reference(value: object) -> object:
    # Before anything else looks at it: somebody may have written the secret itself, which no message may repeat.
    if not isinstance(value, dict):
        raise ValueError('expected { env = "VARIABLE" } or { file = "path" }: a profile says where a secret is kept')
    return value


def _file_name(text: str) -> str:
    if Path(text).name != text:
        raise ValueError("expected the name of a file in the profile's own folder")
    return text


Value = Annotated[str | int | float | bool, BeforeValidator(_value)]


class DeviceSection(Section):
    """``[device]``: who it is and what it can take."""

    name: Annotated[str, AfterValidator(one_line)]
    """What it is called in commands, verdicts and reports."""
    vendor: str = ""
    """Who makes it."""
    model: str = ""
    """The product, as on its type plate."""
    firmware: str = ""
    """Its version, as declared; the version that the product itself tells wins (``process.version``)."""
    serial: str = ""
    """Which specimen it is: serial number or MAC address."""
    roles: Annotated[tuple[Role, ...], Field(strict=False, min_length=1)]
    """What it is tested as: ``uac`` places calls, ``uas`` answers them, ``b2bua`` (also SBC, PBX) and ``proxy`` pass
    them on, ``redirect`` answers with 3xx."""
    transports: Annotated[tuple[Literal["udp"], ...], Field(strict=False, min_length=1)] = ("udp",)
    """What its SIP is carried by."""
    max_calls: Annotated[int, Field(ge=1, le=10_000)] = 1
    """How many calls it carries at once: the more, the shorter a run."""
    per_plan: bool = False
    """One process per plan: for devices that send every call to one configured peer and are cheap to start."""


class ProcessSection(Section):
    """``[process]``: how the suite starts and stops the device.  Absent: it may not, the device is running."""

    argv: Argv
    """Program and arguments, one each; never a shell string."""
    backup_argv: Annotated[tuple[Filled, ...], LAX] = ()
    """Appended if there is a backup address."""
    fault_argv: Annotated[tuple[str, ...], LAX] = ()
    """Appended for each fault (``{fault}``); absent: this device cannot be given faults."""
    env: dict[str, Filled] = Field(default_factory=dict)
    """Its environment, beside the suite's own."""
    files: Annotated[tuple[Annotated[str, AfterValidator(_file_name)], ...], LAX] = ()
    """Jinja2 templates in the profile's folder, rendered into ``{folder}`` (without ``.j2``)."""
    modules: Annotated[tuple[str, ...], LAX] = ()
    """Python modules that ``{python}`` must be able to import: what to say when one is missing."""
    install: str = ""
    """What to do if the product is missing."""
    version_of: str = ""
    """The Python distribution (or module that the suite has loaded) whose version is the product's."""
    version: Annotated[tuple[Filled, ...], LAX] = ()
    """A command that prints the product's version."""
    version_pattern: Annotated[str, AfterValidator(regex_with_group)] | None = None
    """Finds the version in what that command says; without the command: in what the device says when it starts."""
    stop_timeout_s: Seconds = 1.5
    """From SIGTERM until the process group is killed."""
    orphan_signal: Literal["KILL", "TERM"] = "KILL"
    """What it gets when the suite itself is killed: TERM if it has child processes, which only it can then end."""


class ReadySection(Section):
    """``[ready]``: the one event that says the device can be called upon."""

    stdout: Line | None = None
    """A line of its standard output that begins so."""
    udp_bound: Literal[True] | None = None
    """Its address is bound."""
    options: Literal[True] | None = None
    """It answers an OPTIONS, with whatever status."""
    control: Literal[True] | None = None
    """The control port of its stimulus answers."""
    timeout_s: Seconds = 10.0
    """Seconds that it has for that."""

    @property
    def kind(self) -> str | None:
        """The one that is set."""
        return next((kind for kind in ("stdout", "udp_bound", "options", "control") if getattr(self, kind)), None)


class StimulusSection(Section):
    """What every ``[stimulus]`` has; the tables of the kinds are in :mod:`harness.device.stimuli`."""

    kind: str
    reaction_s: Annotated[float, Field(gt=0, le=3600)] = 10.0
    """Seconds in which the device's INVITE (or its answer to a call) must arrive once it was asked."""

    places_calls: ClassVar[bool] = True
    """Whether it makes the device call by itself."""
    by_hand: ClassVar[bool] = False
    """Whether a person does it: one thing at a time, and what goes wrong is not put to the device's account."""
    has_control: ClassVar[bool] = False
    """Whether ``ready.control`` can ask it."""

    @property
    def acts(self) -> frozenset[str]:
        """What the device can be told: those of ``call``, ``hangup`` … that the profile has something for."""
        acts = ("call", "hangup", "reinvite", "answer", "reject")
        return frozenset(act for act in acts if getattr(self, act, None))

    def contradictions(self, profile: Profile) -> Iterator[tuple[str, str]]:
        """What of it does not fit the rest of ``profile``: (dotted key, what is wrong and expected)."""
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


class _ByKind:
    """Validates a ``[stimulus]`` by its ``kind``: the kinds register themselves, so no union is written down."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        def validated(value: object) -> StimulusSection:
            from harness.device.stimuli import registry

            return registry.validated(value)

        return core_schema.no_info_plain_validator_function(validated)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        from harness.device.stimuli import registry

        return {"oneOf": [handler(section.__pydantic_core_schema__) for section in registry.all_sections().values()]}


class SecretReference(Section):
    """``[secrets]``: where a password is kept.  One of the two; it is read when it is needed, and never told."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    env: Annotated[str, AfterValidator(_variable)] | None = None
    """A variable of the suite's environment."""
    file: Line | None = None
    """A file whose only line it is, relative to the profile's folder; others on the machine must not read it."""

    @model_validator(mode="after")
    def _one(self) -> SecretReference:
        if (self.env is None) == (self.file is None):
            raise ValueError('expected either { env = "VARIABLE" } or { file = "path" }')
        return self

    def __str__(self) -> str:
        return f"the environment variable {self.env}" if self.env is not None else f"the file {self.file}"


class Profile(Section):
    """One device under test.  ``source`` is the file that it was read from."""

    device: DeviceSection
    pics: dict[Annotated[str, AfterValidator(_pics_key)], bool] = Field(default_factory=dict)
    """What it claims to support; what is not mentioned is not claimed."""
    pixit: dict[str, Value] = Field(default_factory=dict, repr=False)
    """Values of this specimen and lab that its configuration templates need; the names are free."""
    secrets: dict[
        Annotated[str, AfterValidator(_secret_name)], Annotated[SecretReference, BeforeValidator(_reference)]
    ] = Field(default_factory=dict)
    """Where its passwords are kept, by a name of your own: ``{secret:NAME}`` stands for one."""
    lab: LabSection = LabSection()
    process: ProcessSection | None = None
    ready: ReadySection = ReadySection()
    stimulus: Annotated[StimulusSection, _ByKind()]

    _source: Path = PrivateAttr(default=Path())

    @property
    def name(self) -> str:
        """The device's name."""
        return self.device.name

    @property
    def source(self) -> Path:
        """The profile's file."""
        return self._source

    @property
    def calls_at_once(self) -> int:
        """How many calls may go on at one time: a person dials one after the other, whatever the device can carry."""
        return 1 if self.stimulus.by_hand else self.device.max_calls

    def all_numbers(self) -> dict[str, str]:
        """Whom to call for what: ``lab.numbers``, and those that are declined by telling a ringing device to."""
        known = self.lab.all_numbers()
        return {**dict.fromkeys(self.declined_on_request(), known.get("rings", "")), **known}

    def declined_on_request(self) -> frozenset[str]:
        """The numbers that are a ringing device (``lab.numbers.rings``) which ``stimulus.reject`` makes decline."""
        known = self.lab.all_numbers()
        if "rings" not in known or "reject" not in self.stimulus.acts:
            return frozenset()
        return frozenset({"declines", "rings_then_declines"} - set(known))

    def claims(self, key: str) -> bool:
        """Whether the device claims ``key``; KeyError for a key that no PICS has."""
        if key not in PICS:
            raise KeyError(key)
        return self.pics.get(key, False)

    def secret(self, name: str) -> str:
        """The secret called ``name``, read now; ProfileError (file, key, variable) if it is not there.  Tell nobody."""
        if name not in self.secrets:
            known = ", ".join(sorted(self.secrets)) or "none"
            raise ProfileError(f"{self.source}: secrets.{name}: no such secret", f"known: {known}; see [secrets]")
        return secrets.read(self.source, name, self.secrets[name])

    def reveal(self, text: str) -> str:
        """``text`` with its secrets filled in; ProfileError if one is not there."""
        return fill(text, {}, self.secret)

    def all_pics(self) -> dict[str, bool]:
        """Every PICS key with what the device declares of it: what is not mentioned is not claimed."""
        return {key: self.pics.get(key, False) for key in PICS}

    @model_validator(mode="after")
    def _consistent(self) -> Profile:
        from harness.device.profile import claims
        from harness.device.profile.consistency import contradiction

        first = next(chain(claims.contradictions(self), secrets.undeclared(self)), None)
        if found := first or contradiction(self):
            raise ValueError(f"{found[0]}\0{found[1]}")
        return self
