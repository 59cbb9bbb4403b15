"""The lab as a device's profile describes it: where endpoints are, the exchange, and who asks whom for a password."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from functools import partial

from harness.device import Device, Prober, Profile
from harness.device.tables.values import REGISTERED, hosts_in, ports_in
from harness.drive.bench import Bench
from harness.drive.capacity import Capacity
from harness.endpoints.host import LiveSeat
from harness.endpoints.tap.routes import Hop, Outlet
from harness.errors import SetupError
from harness.lab.exchange import Exchange, Unclaimed
from harness.lab.registrar import Account, Registrar
from harness.model.plan import Plan
from harness.net.address import Address
from harness.net.pool import AddressPool, LabPool

_HOST_ALONE = re.compile(r"sips?:[^>]*\{(\w+)\.host\}(?!:)", re.IGNORECASE)
RESERVED = 4
"""Addresses of a lab that are not for the endpoints of drives: exchange, backup, the device itself."""


@dataclass(frozen=True)
class Way:
    """How callers come to a device."""

    pool: AddressPool
    """Where they are."""
    hop: Callable[[Outlet], Hop | None]
    """Where their requests go, given their own socket."""
    on_seat: Callable[[LiveSeat], None] = lambda _seat: None
    """Is told of a caller's seat before the call begins."""


@dataclass(frozen=True)
class Lab:
    """What stands around one device for as long as it is tested."""

    bench: Bench
    profile: Profile
    pool: AddressPool
    """Where the endpoints of its drives are."""
    prober: Prober
    exchange: Exchange | None = None
    """What stands between the device and the endpoints, where it sends every call to one address."""
    capacity: Capacity | None = None
    """How many seats there may be, where addresses are few."""

    @classmethod
    @contextlib.asynccontextmanager
    async def open(
        cls,
        profile: Profile,
        bench: Bench,
        tokens: str,
        on_device: Callable[[float], None],
        unclaimed: Unclaimed,
    ) -> AsyncIterator[Lab]:
        """Take the addresses that ``profile`` names, and open the exchange if the device has one.

        ``tokens``: a regular expression for the digits of its drives.  ``on_device`` hears when something of the
        device arrives at the exchange (seconds since the epoch), ``unclaimed`` what comes there for no plan.
        SetupError if an address cannot be had.
        """
        async with contextlib.AsyncExitStack() as opened:
            pool: AddressPool = bench.pool
            prober, capacity = bench.prober, None
            if profile.lab.tester:
                hosts = hosts_in(profile.lab.tester)
                named = LabPool(hosts, ports_in(profile.lab.ports))
                opened.callback(named.close)
                pool, capacity = named, Capacity(len(named) - RESERVED, named.what)
                prober = await opened.enter_async_context(await Prober.open(Address(hosts[0], 0)))
            exchange = None
            if where := profile.lab.exchange:
                address = pool.lease() if where == "{lease}" else Address.parse(where)
                exchange = await Exchange.open(
                    address,
                    Registrar(_account(profile)),
                    tokens,
                    on_device,
                    bench.taps,
                    relays=profile.claims("outbound_proxy"),
                    unclaimed=unclaimed,
                )
                opened.push_async_callback(exchange.close)
            yield cls(bench, profile, pool, prober, exchange, capacity)

    @property
    def credentials(self) -> tuple[str, str] | None:
        """With what callers answer the device's challenges: user and password."""
        asked = self.profile.lab.credentials
        return (asked.user, self.profile.reveal(asked.password)) if asked else None

    def way(self, token: str, device: Address | None) -> Way:
        """How the callers of the drive of ``token`` come to the device."""
        exchange = self.exchange
        if exchange is None or self.profile.lab.address != REGISTERED:
            return Way(self.pool, lambda own: Hop(own, device) if device else None)
        # Behind a NAT only those get through who were called first.
        return Way(self.pool, lambda _own: exchange.hop_to_device(), partial(exchange.join, token))

    @contextlib.asynccontextmanager
    async def capacity_for(self, seats: int) -> AsyncIterator[None]:
        """Wait until there may be so many more seats, and addresses for them."""
        async with contextlib.AsyncExitStack() as reserved:
            if self.capacity:
                await reserved.enter_async_context(self.capacity.reserved(seats))
            await reserved.enter_async_context(self.bench.capacity.reserved(seats))
            yield

    async def registered(self, device: Device) -> None:
        """Return when the device is registered, if it is to be; DeviceError, with the reason, if it does not come."""
        registration = self.profile.lab.registration
        if self.exchange is not None and registration is not None:
            source = await self.exchange.registration(registration.within_s)
            if self.profile.lab.address == REGISTERED:
                device.address = source


def check_ports(plan: Plan, places: Mapping[str, Address]) -> None:
    """SetupError if a SIP URI of ``plan`` names an endpoint by its host alone, and it is not at port 5060."""
    found = ((text, name) for text in plan.texts() for name in _HOST_ALONE.findall(text))
    for address in (places[name] for text, name in found if f"{{{name}.port}}" not in text and name in places):
        if address.port != 5060:
            raise SetupError(
                f"this plan needs port 5060, and here it is another program's, or not among lab.ports ({address})",
                "end the program that holds UDP port 5060 on 0.0.0.0 (ss -ulpn); lab.tester: name more addresses",
            )


def _account(profile: Profile) -> Account | None:
    registration = profile.lab.registration
    if registration is None:
        return None
    password = profile.reveal(registration.password)
    return Account(registration.user, password, registration.realm, registration.longest_s)
