"""Placeholders for a drive's addresses, so that a scenario is rendered once for all drives of a plan."""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.endpoints.sipp.values import escape
from harness.model.places import Places
from harness.model.plan import NUMBERS
from harness.net.address import Address, Family, Transport

# Private use characters, which no plan contains and no escaping changes.
_OPEN, _CLOSE = "\ue000", "\ue001"
_STAND_IN = re.compile(f"{_OPEN}([^{_CLOSE}]*){_CLOSE}")


class _Port(int):
    """A port whose text is a placeholder."""

    name: str

    def __new__(cls, name: str) -> _Port:
        port = super().__new__(cls)
        port.name = name
        return port

    def __str__(self) -> str:
        return _mark(self.name)

    def __format__(self, spec: str) -> str:
        return str(self)


@dataclass(frozen=True)
class _StandIn(Address):
    """An address whose host and port are placeholders; its transport and its family are real."""

    name: str = ""
    of_family: Family = "ipv4"

    @property
    def family(self) -> Family:
        """That of the address that it stands for."""
        return self.of_family

    @property
    def uri_host(self) -> str:
        """A placeholder."""
        return _mark(f"{self.name}.uri_host")


def address(name: str, transport: Transport = "udp", family: Family = "ipv4") -> Address:
    """A placeholder for the address called ``name``."""
    return _StandIn(_mark(f"{name}.host"), _Port(f"{name}.port"), transport, name, family)


Reached = tuple[tuple[str, Transport], ...]
"""The seats of a plan, and then its device (""), each with the transport by which it is reached."""


def reached(places: Places) -> Reached:
    """What a scenario for ``places`` depends on beside its placeholders."""
    seats = tuple((name, address.transport) for name, address in places.seats.items())
    return (*seats, ("", places.device.transport)) if places.device else seats


def places(reached: Reached, family: Family = "ipv4") -> Places:
    """Places whose values are all placeholders."""
    transports = dict(reached)
    return Places(
        _mark("token"),
        {seat: address(f"seat {seat}", transport, family) for seat, transport in reached if seat},
        address("device", transports.get("", "udp"), family),
        {number: _mark(f"number {number}") for number in NUMBERS},
    )


def put_in(text: str, real: Places, own: Address) -> str:
    """``text`` with the real values; KeyError if ``real`` has no value for a placeholder."""
    addresses = {"own": own, **{f"seat {name}": seat for name, seat in real.seats.items()}}
    if real.device:
        addresses["device"] = real.device
    values = {"token": real.token, **{f"number {name}": uri for name, uri in real.numbers.items()}}
    for name, one in addresses.items():
        values |= {f"{name}.host": one.host, f"{name}.uri_host": one.uri_host, f"{name}.port": str(one.port)}
    return _STAND_IN.sub(lambda found: escape(values[found[1]]), text)


def _mark(name: str) -> str:
    return f"{_OPEN}{name}{_CLOSE}"
