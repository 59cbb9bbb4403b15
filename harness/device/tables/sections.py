"""``[device]``, ``[process]`` and ``[ready]`` of a profile: what the device is, and how it is started."""

from __future__ import annotations

import ipaddress
from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from harness.device.tables.values import LAX, Argv, Filled, Line, Seconds, Section, one_line, regex_with_group
from harness.model.axes import Role
from harness.net.address import Family, Passage, transports_of
from harness.system.isolation import Isolation


def _file_name(text: str) -> str:
    path = PurePosixPath(text)
    if str(path) != text or path.is_absolute() or ".." in path.parts or not path.name:
        raise ValueError(
            "expected the name of a file in the profile's own folder, or below it, as in etc/phone.conf.j2"
        )
    return text


class DeviceSection(Section):
    """``[device]``: the device's identity, roles and capacity."""

    name: Annotated[str, AfterValidator(one_line)]
    """Its name in commands, verdicts and reports."""
    vendor: str = ""
    """Its maker."""
    model: str = ""
    """The product name, as on its type plate."""
    firmware: str = ""
    """Its version, as declared.  The version that the product itself reports takes precedence (``process.version``)."""
    serial: str = ""
    """The specimen: serial number or MAC address."""
    roles: Annotated[tuple[Role, ...], Field(strict=False, min_length=1)]
    """The roles in which it is tested: ``uac`` places calls, ``uas`` answers them, ``b2bua`` (also SBC, PBX) and
    ``proxy`` pass them on, ``redirect`` answers with 3xx."""
    transports: Annotated[tuple[Passage, ...], Field(strict=False, min_length=1)] = ("udp",)
    """The transports of its SIP over which it is tested: ``udp``, ``tcp``, ``tls``, ``ws``, ``wss``.
    ``wss-to-udp``: it is called over the first, and passes the calls on over the second."""
    families: Annotated[tuple[Family, ...], Field(strict=False, min_length=1)] = ("ipv4",)
    """The IP families over which it is tested: ``ipv4``, ``ipv6``."""
    further_transports: Annotated[tuple[Passage, ...], LAX] = ()
    """Transports that it has as well, and over which it is tested only if ``--transport`` names them."""
    further_families: Annotated[tuple[Family, ...], LAX] = ()
    """IP families that it has as well, and over which it is tested only if ``--family`` names them."""
    max_calls: Annotated[int, Field(ge=1, le=10_000)] = 1
    """The number of calls that it carries at once.  More calls make a run shorter."""
    per_plan: bool = False
    """One process per plan: for devices that start fast and send every call to one configured peer."""

    @property
    def all_transports(self) -> tuple[str, ...]:
        """Every transport that it has."""
        return transports_of((*self.transports, *self.further_transports))


class ProcessSection(Section):
    """``[process]``: how the suite starts and stops the device.  Absent: the device is running already."""

    argv: Argv
    """Program and arguments, one each; never a shell string."""
    backup_argv: Annotated[tuple[Filled, ...], LAX] = ()
    """Arguments that are appended if there is a backup address."""
    resolver_argv: Annotated[tuple[Filled, ...], LAX] = ()
    """Arguments that are appended if the device claims ``pics.dns`` and there is a ``lab.resolver``."""
    other_family_argv: Annotated[tuple[Filled, ...], LAX] = ()
    """Arguments that are appended if the device claims ``pics.both_families`` and this machine has both.
    ``{other_address}`` is where it is over the other IP family than ``{address}``."""
    called_over_argv: Annotated[tuple[Filled, ...], LAX] = ()
    """Arguments that are appended if the device is called over another transport (``{inbound_transport}``, at
    ``{inbound_address}``) than ``{transport}``, as with ``wss-to-udp`` in ``device.transports``."""
    tls_argv: Annotated[tuple[Filled, ...], LAX] = ()
    """Arguments that are appended over TLS and WSS.  ``{certificate}`` is a PEM file with the certificate of the device
    and its key, ``{authority}`` one with the certificate of whoever signed it and those of the endpoints."""
    fault_argv: Annotated[tuple[str, ...], LAX] = ()
    """Arguments that are appended for each fault (``{fault}``).  Absent: this device has no faults."""
    env: dict[str, Filled] = Field(default_factory=dict)
    """Environment variables, in addition to the suite's own."""
    files: Annotated[tuple[Annotated[str, AfterValidator(_file_name)], ...], LAX] = ()
    """Jinja2 templates in the profile's folder or below, rendered to the same place in ``{folder}`` without ``.j2``."""
    modules: Annotated[tuple[str, ...], LAX] = ()
    """Python modules that ``{python}`` must be able to import.  The suite reports a missing one before the start."""
    install: str = ""
    """Instructions for the reader if the product is not installed."""
    version_of: str = ""
    """The Python distribution (or module that the suite has loaded) whose version is the product's."""
    version: Annotated[tuple[Filled, ...], LAX] = ()
    """A command that prints the product's version."""
    version_pattern: Annotated[str, AfterValidator(regex_with_group)] | None = None
    """Finds the version in the output of that command; without a command, in the output of the device at its start."""
    stop_timeout_s: Seconds = 1.5
    """Seconds from SIGTERM until the process group is killed."""
    orphan_signal: Literal["KILL", "TERM"] = "KILL"
    """The signal that it receives if the suite itself is killed: TERM if it must end child processes of its own."""


def _network(text: str) -> str:
    try:
        network = ipaddress.ip_network(text)
    except ValueError as error:
        raise ValueError(f"expected a network, as in 10.77.0.0/16 or fd00:77::/64: {error}") from None
    if network.is_loopback or network.overlaps(
        ipaddress.ip_network("::1/128" if network.version == 6 else "127.0.0.0/8")
    ):
        raise ValueError(f"expected another network than loopback, as in 10.77.0.0/16; got {text!r}")
    return str(network)


def _host(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise ValueError(f"expected an address, as in 10.77.0.1 or fd00:77::1; got {text!r}") from None


class IsolationSection(Section):
    """``[isolation]``: a run of the device has a network of its own, a namespace of this machine, with no way out."""

    networks: Annotated[tuple[Annotated[str, AfterValidator(_network)], ...], Field(strict=False, min_length=1)]
    """Every address of them can be bound there: ``["10.77.0.0/16", "fd00:77::/64"]``.  ``lab.address``, ``lab.tester``
    and ``lab.exchange`` name some."""
    sources: Annotated[tuple[Annotated[str, AfterValidator(_host)], ...], LAX] = ()
    """The addresses, one of each IP family, that a program sends from if it binds none: for a device that listens on
    all addresses or opens its connections from any, its own address."""

    @property
    def isolation(self) -> Isolation:
        """It as the run enters it."""
        return Isolation(self.networks, self.sources)


class ReadySection(Section):
    """``[ready]``: the one event that shows that the device is ready."""

    stdout: Line | None = None
    """The beginning of a line of its standard output."""
    udp_bound: Literal[True] | None = None
    """Its UDP address is bound."""
    options: Literal[True] | None = None
    """It answers an OPTIONS with any status."""
    control: Literal[True] | None = None
    """The control port of its stimulus answers."""
    timeout_s: Seconds = 10.0
    """Seconds until the start is given up."""

    @property
    def kind(self) -> str | None:
        """The event that is set; None if none is."""
        return next((kind for kind in ("stdout", "udp_bound", "options", "control") if getattr(self, kind)), None)
