"""``[device]``, ``[process]`` and ``[ready]`` of a profile: what the device is, and how it is started."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from harness.device.tables.values import LAX, Argv, Filled, Line, Seconds, Section, one_line, regex_with_group

Role = Literal["uac", "uas", "proxy", "redirect", "b2bua"]


def _file_name(text: str) -> str:
    if Path(text).name != text:
        raise ValueError("expected the name of a file in the profile's own folder")
    return text


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
