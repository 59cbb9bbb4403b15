"""Contradictions between the keys of a profile."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address, ip_network

from harness.device.profile import claims, secrets
from harness.device.stimuli.section import StimulusSection
from harness.device.tables.placeholders import FURTHER_EXCHANGES, names_in
from harness.device.tables.profile_tables import ProfileTables
from harness.model.axes import PASSING_ON
from harness.net.address import SECURE, Carrier


def contradictions(profile: ProfileTables, stimulus: StimulusSection) -> Iterator[tuple[str, str]]:
    """Each contradiction as (dotted key, what is wrong and expected)."""
    yield from claims.contradictions(profile)
    yield from secrets.undeclared_references(profile)
    yield from stimulus.contradictions(profile)
    yield from _of_ready(profile, stimulus)
    yield from _of_crossings(profile)
    yield from _of_addresses(profile)
    yield from _of_lab(profile)
    yield from _of_tls(profile)
    yield from _of_isolation(profile)


def _of_ready(profile: ProfileTables, stimulus: StimulusSection) -> Iterator[tuple[str, str]]:
    given = [kind for kind in ("stdout", "udp_bound", "options", "control") if getattr(profile.ready, kind)]
    if len(given) > 1:
        yield "ready", f"expected exactly one of stdout, udp_bound, options, control; got {' and '.join(given)}"
    if profile.process and not given:
        yield "ready", "expected exactly one of stdout, udp_bound, options, control: the sign that the device is ready"
    for kind in ("stdout", "udp_bound"):
        if kind in given and profile.process is None:
            yield f"ready.{kind}", "needs a [process] that the suite starts; expected options = true or nothing"
    if "control" in given and not stimulus.has_control:
        yield "ready.control", 'needs the control port of stimulus.kind = "tcp", "http", "ami" or "esl"'


def _of_crossings(profile: ProfileTables) -> Iterator[tuple[str, str]]:
    named = (*profile.device.transports, *profile.device.further_transports)
    crossing = next((one for one in named if Carrier.of(one).called_over), None)
    if crossing is None:
        return
    if crossing in profile.device.transports and PASSING_ON.isdisjoint(profile.device.roles):
        yield "device.transports", f"{crossing}: expected it of a proxy or b2bua: it is about calls passed on"
    if profile.lab.address == "{registered}":
        yield "lab.address", f"{{registered}} is one address: expected the IPv4:port of each side for {crossing}"
    process = profile.process
    if process and profile.lab.address == "{lease}" and not (process.files or process.called_over_argv):
        yield "process.called_over_argv", f"expected {{inbound_address}} in it: where it is called for {crossing}"


def _of_addresses(profile: ProfileTables) -> Iterator[tuple[str, str]]:
    process = profile.process
    if process is None:
        if profile.lab.address == "{lease}":
            yield "lab.address", "expected the device's IPv4:port: without a [process] the suite cannot give it a lease"
        if profile.lab.backup is True:
            yield "lab.backup", "expected the IPv4:port that the device has as its backup: there is no [process]"
        if profile.device.per_plan:
            yield "device.per_plan", "needs a [process] that the suite may start for each plan"
        return
    used = {name for text in (*process.argv, *process.backup_argv, *process.env.values()) for name in names_in(text)}
    # A configuration file may use them as well: only jinja2 knows, when it renders.
    if profile.device.per_plan and "peer" not in used and not process.files:
        yield "device.per_plan", "expected {peer} in process.argv: the address that it sends every call to"
    if not profile.device.per_plan and "peer" in used:
        yield "process.argv", "{peer} is the callee of one plan: expected device.per_plan = true with it"
    if not profile.lab.backup and "backup" in used:
        yield "process.argv", "{backup} is given: expected lab.backup = true with it, so that the suite watches it"
    if profile.lab.backup and "backup" not in used and not process.files:
        yield "lab.backup", "expected {backup} in process.argv or process.backup_argv"
    if profile.claims("backup_proxy") and not profile.lab.backup:
        yield "pics.backup_proxy", "claimed, but lab.backup is not set: expected the address that the suite must watch"
    if process.other_family_argv and not any("other_address" in names_in(part) for part in process.other_family_argv):
        yield (
            "process.other_family_argv",
            "expected {other_address} in it: where it is over the other IP family",
        )
    if "other_address" in used:
        yield "process.argv", "{other_address} is not always there: expected it in process.other_family_argv"
    if process.fault_argv and not any("fault" in names_in(part) for part in process.fault_argv):
        yield "process.fault_argv", "expected {fault} in it: the fault's name"


def _of_lab(profile: ProfileTables) -> Iterator[tuple[str, str]]:
    lab, process = profile.lab, profile.process
    if lab.registration and not lab.exchange:
        yield "lab.registration", "needs lab.exchange: the address at which the device registers"
    if lab.further_exchanges and not lab.exchange:
        yield "lab.further_exchanges", "needs lab.exchange: the first of the addresses"
    fixed = [place for place in (lab.exchange, *lab.further_exchanges) if place and place != "{lease}"]
    for twice in sorted({place for place in fixed if fixed.count(place) > 1}):
        yield "lab.further_exchanges", f"{twice} is there twice: expected each address of the trunk once"
    if lab.address == "{registered}" and not lab.registration:
        yield "lab.address", "{registered} is the address from which the device registers: expected [lab.registration]"
    for key, places in (("lab.exchange", (lab.exchange,)), ("lab.further_exchanges", lab.further_exchanges)):
        if "{lease}" in places and process is None:
            yield (
                key,
                "expected an address of this machine: without a [process] the suite cannot give the device a lease",
            )
    texts = (*process.argv, *process.resolver_argv, *process.env.values()) if process else ()
    used = {name for text in texts for name in names_in(text)}
    if "exchange" in used and not lab.exchange:
        yield "process.argv", '{exchange} is given: expected lab.exchange = "{lease}" with it'
    for name in sorted(used & set(FURTHER_EXCHANGES[len(lab.further_exchanges) :])):
        yield "process.argv", f'{{{name}}} is given: expected one more "{{lease}}" in lab.further_exchanges'
    if {"resolver", "resolver_host"} & used and not lab.resolver:
        yield "process.argv", '{resolver} is given: expected lab.resolver = "{lease}" with it'
    if lab.resolver.startswith("{lease}") and process is None:
        yield "lab.resolver", "expected an address of this machine: without a [process] the device is given no lease"
    # Other machines cannot reach endpoints on loopback, and the suite must not guess which address the lab uses.
    near = ("127.", "[::1]")
    named = (lab.address, lab.exchange, *lab.further_exchanges)
    far = [place for place in named if place and "{" not in place and not place.startswith(near)]
    if far and not lab.tester:
        yield "lab.tester", f"missing: expected this machine's address that is reached from {far[0]} (ip route get)"


def _of_tls(profile: ProfileTables) -> Iterator[tuple[str, str]]:
    tls = profile.lab.tls
    if tls is None:
        return
    if SECURE.isdisjoint(profile.device.all_transports):
        wanted = 'expected "tls" or "wss" in device.transports or device.further_transports'
        yield "lab.tls", f"the device has no TLS: {wanted}"
    if tls.authority_key and not tls.authority:
        yield "lab.tls.authority_key", "needs lab.tls.authority: the certificate of that authority"
    if tls.authority_key and tls.certificate:
        yield (
            "lab.tls.certificate",
            "expected this or lab.tls.authority_key, by which the suite makes its own: not both",
        )
    if bool(tls.certificate) != bool(tls.key):
        yield (
            "lab.tls.key" if tls.certificate else "lab.tls.certificate",
            "missing: certificate and key need each other",
        )
    if tls.authority and not (tls.authority_key or tls.certificate):
        yield (
            "lab.tls.authority",
            "expected its key (lab.tls.authority_key), or a certificate that it has signed for the endpoints "
            "(lab.tls.certificate and lab.tls.key)",
        )
    if tls.certificate and tls.demanded and not tls.authority:
        yield "lab.tls.demanded", "needs lab.tls.authority: whose certificates the device may show"
    if profile.process is not None and tls.certificate:
        yield (
            "lab.tls.certificate",
            "is for a device that stands in the lab: for one that the suite starts, expected lab.tls.authority_key",
        )


def _of_isolation(profile: ProfileTables) -> Iterator[tuple[str, str]]:
    section = profile.isolation
    if section is None:
        return
    if profile.process is None:
        yield "isolation", "needs a [process]: a device that the suite does not start is not in the network of a run"
    known, sources = list(map(ip_network, section.networks)), list(map(ip_address, section.sources))
    for source in sources:
        if not any(source in network for network in known):
            yield "isolation.sources", f"expected addresses of isolation.networks; got {source}"
    if len({source.version for source in sources}) < len(sources):
        yield "isolation.sources", "expected one address of each IP family at most"
