"""The lab that a device's profile describes: the addresses of endpoints, the exchange, and the credentials."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from harness.device import Device, Profile
from harness.device.profile.certificates import own_files
from harness.device.tables.values import REGISTERED, hosts_in, ports_in
from harness.drive.bench import Bench
from harness.drive.capacity import Capacity
from harness.drive.crossing import other_tester
from harness.drive.inbound import Inbound
from harness.endpoints.host import Identity, LiveSeat
from harness.endpoints.tap.routes import Hop, Outlet
from harness.errors import SetupError
from harness.lab.exchange import Exchange, Unclaimed
from harness.lab.pings import RegisteredPings
from harness.lab.registrar import Account, Registrar
from harness.lab.resolver import Resolver, placed, why_not
from harness.model.places import Places
from harness.model.plan import Plan
from harness.net.address import DEFAULT_PORTS, UDP4, WEB, Address, Carrier
from harness.net.authority import Authority, Showing
from harness.net.pool import AddressPool, CarrierPool
from harness.net.probe import Pings
from harness.net.probes import prober_at

_HOST_ALONE = re.compile(r"sips?:[^>]*\{(\w+)\.host\}(?!:)", re.IGNORECASE)


@dataclass(frozen=True)
class Way:
    """The way of callers to a device."""

    inbound: Inbound
    """Where they are, and what they need."""
    hop: Callable[[Outlet], Hop | None]
    """The way of their requests, given their own socket."""
    on_seat: Callable[[LiveSeat], None] = lambda _seat: None
    """Receives a caller's seat before the call begins."""


@dataclass(frozen=True)
class Lab:
    """The surroundings of one device during its test."""

    bench: Bench
    profile: Profile
    pool: CarrierPool
    """The addresses of its drives' endpoints."""
    inbound: Inbound
    """The side by which it is called."""
    prober: Pings
    authority: Authority
    """Whose certificates its endpoints have, over TLS."""
    exchange: Exchange | None = None
    """The exchange between device and endpoints, for a device that sends every call to one address."""
    capacity: Capacity | None = None
    """The limit of seats, where addresses are few."""
    other_capacity: Capacity | None = None
    """That of seats of the other IP family."""
    name_server: Address | None = None
    """The name server that the device is pointed at, whether it answers or not."""
    resolver: Resolver | None = None
    """The resolver that listens there, for a device that resolves names."""

    @classmethod
    @contextlib.asynccontextmanager
    async def open(
        cls,
        profile: Profile,
        bench: Bench,
        carrier: Carrier,
        tokens: str,
        on_device: Callable[[float], None],
        unclaimed: Unclaimed,
    ) -> AsyncIterator[Lab]:
        """Take the addresses that ``profile`` names, and open the exchange if the device has one.

        ``carrier``: what carries the drives.  ``tokens``: a regular expression for the digits of its drives.
        ``on_device`` hears when something of the device arrives at the exchange (seconds since the epoch),
        ``unclaimed`` what comes there for no plan.
        SetupError if an address cannot be had.
        """
        async with contextlib.AsyncExitStack() as opened:
            addresses: AddressPool = bench.pool
            capacity = None
            if profile.lab.tester:
                tester = opened.enter_context(bench.tester(hosts_in(profile.lab.tester), ports_in(profile.lab.ports)))
                addresses, capacity = tester.pool, tester.capacity
            across: AddressPool | None = None
            other_capacity = None
            if profile.claims("both_families") and (beyond := other_tester(profile, carrier)):
                named = bench.tester(hosts_in(beyond.lab.tester or ""), ports_in(beyond.lab.ports))
                tester = opened.enter_context(named)
                across, other_capacity = tester.pool, tester.capacity
            pool = CarrierPool(addresses, carrier.outbound, across)
            inbound = opened.enter_context(Inbound.open(profile, bench, carrier, pool))
            authority = bench.authority_of(own_files(profile))
            prober = await opened.enter_async_context(_prober(profile, bench, pool, authority))
            exchange: Exchange | None = None
            if where := profile.lab.exchange:
                places = (where, *profile.lab.further_exchanges)
                exchange = await Exchange.open(
                    [pool.lease() if one == "{lease}" else Address.parse(one, carrier.transport) for one in places],
                    Registrar(_account(profile)),
                    tokens,
                    on_device,
                    bench.taps,
                    relays=profile.claims("outbound_proxy"),
                    unclaimed=unclaimed,
                    security=Showing(authority),
                )
                opened.push_async_callback(exchange.close)
                if profile.lab.address == REGISTERED and carrier.transport in WEB:
                    prober = RegisteredPings(exchange)
            name_server = placed(profile.lab.resolver, pool.lease) if profile.lab.resolver else None
            resolver = None
            # Where it cannot listen, what needs it is not tested; everything else is.
            if name_server and profile.claims("dns"):
                with contextlib.suppress(SetupError):
                    resolver = await opened.enter_async_context(bench.resolver(name_server))
            limits = capacity, other_capacity
            yield cls(bench, profile, pool, inbound, prober, authority, exchange, *limits, name_server, resolver)

    @property
    def credentials(self) -> tuple[str, str] | None:
        """User and password with which callers answer the device's challenges."""
        asked = self.profile.lab.credentials
        return (asked.user, self.profile.reveal(asked.password)) if asked else None

    @property
    def identity(self) -> Identity:
        """Who callers say they are: what the profile says, else the user of the credentials."""
        said, credentials = self.profile.lab.caller, self.profile.lab.credentials
        usual = Identity(user=credentials.user) if credentials else Identity()
        return Identity(said.user or usual.user, said.display, said.asserted) if said else usual

    def way(self, token: str, device: Address | None) -> Way:
        """The way of the callers in the drive of ``token`` to the device."""
        exchange = self.exchange
        if exchange is None or self.profile.lab.address != REGISTERED:
            return Way(self.inbound, lambda own: Hop(own, device) if device else None)
        # A NAT only lets packets through from an address that the device has sent to.
        return Way(self.inbound, lambda _own: exchange.hop_to_device(), partial(exchange.join, token))

    def name(self, plan: Plan, places: Places) -> None:
        """Have the resolver know the names of the drive of ``plan`` at ``places``, if it has any.

        SetupError where the device has no resolver of this lab.
        """
        if plan.zone is None:
            return
        if self.resolver is None:
            where = self.profile.lab.resolver
            why = where and why_not(where, self.pool.carrier.family)
            raise SetupError(why or "the device has no resolver of this lab", "see lab.resolver of the profile")
        hosts = {address.host for address in places.seats.values()}
        self.resolver.serve(places.domain, plan.zone, places.fill, hosts)

    @contextlib.asynccontextmanager
    async def capacity_for(self, endpoints: int, callers: int, crossing: int = 0) -> AsyncIterator[None]:
        """Wait until that many more seats and addresses are free; ``crossing``: endpoints of the other IP family."""
        seats = endpoints + callers
        async with contextlib.AsyncExitStack() as reserved:
            if self.inbound.capacity:
                await reserved.enter_async_context(self.inbound.capacity.reserved(callers))
            if self.capacity:
                here = endpoints if self.inbound.capacity else seats
                await reserved.enter_async_context(self.capacity.reserved(here))
            if self.other_capacity and crossing:
                await reserved.enter_async_context(self.other_capacity.reserved(crossing))
            await reserved.enter_async_context(self.bench.capacity.reserved(seats + crossing))
            yield

    async def registered(self, device: Device) -> None:
        """Return when the device has registered, if it must; DeviceError with the reason if it does not."""
        registration = self.profile.lab.registration
        if self.exchange is not None and registration is not None:
            source = await self.exchange.registration(registration.within_s)
            if self.profile.lab.address == REGISTERED:
                device.address = source


def check_ports(plan: Plan, places: Mapping[str, Address]) -> None:
    """SetupError if a SIP URI of ``plan`` names an endpoint by its host alone, and it is not at the default port."""
    certified = {name for endpoint in plan.endpoints for name in endpoint.certificate.names}  # and called by nobody
    found = ((text, name) for text in plan.texts() if text not in certified for name in _HOST_ALONE.findall(text))
    for address in (places[name] for text, name in found if f"{{{name}.port}}" not in text and name in places):
        default = DEFAULT_PORTS[address.transport]
        if address.port != default:
            raise SetupError(
                f"this plan needs port {default}, and that is another program's, or not among lab.ports ({address})",
                f"end the program that holds port {default} everywhere (ss -lptun); lab.tester: name more addresses",
            )


@contextlib.asynccontextmanager
async def _prober(profile: Profile, bench: Bench, pool: CarrierPool, authority: Authority) -> AsyncIterator[Pings]:
    """Whoever asks for signs of life, by what carries the drives."""
    if not profile.lab.tester and pool.carrier == UDP4:
        yield bench.prober
        return
    own = pool.lease()
    pool.give_back(own)
    context = partial(authority.client_context, own.host)
    async with prober_at(replace(own, port=0), context, profile.lab.websocket_path) as prober:
        yield prober


def _account(profile: Profile) -> Account | None:
    registration = profile.lab.registration
    if registration is None:
        return None
    password = profile.reveal(registration.password)
    return Account(registration.user, password, registration.realm, registration.longest_s)
