"""``[lab]`` of a profile: the addresses of device and suite, and the registration between them (docs/lab.md)."""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from harness.device.tables import errors
from harness.device.tables.placeholders import FURTHER_EXCHANGES, names_in
from harness.device.tables.values import LAX, REGISTERED, Section, hosts_in, listed, one_line, ports_in
from harness.model.plan import NUMBERS
from harness.net.address import Address


def _address(text: str) -> str:
    return str(Address.parse(text))


_NUMBER_NAMES: Final = frozenset({"device", "token"})


def _address_or_lease(text: str) -> str:
    return text if text == "{lease}" else _address(text)


def _few(places: tuple[str, ...]) -> tuple[str, ...]:
    if len(places) > len(FURTHER_EXCHANGES):
        raise ValueError(f"expected at most {len(FURTHER_EXCHANGES)} further addresses; got {len(places)}")
    return places


def _address_of_device(text: str) -> str:
    return text if text == REGISTERED else _address_or_lease(text)


def _tester(text: str) -> str:
    hosts_in(text)
    return text


def _ports(text: str) -> str:
    ports_in(text)
    return text


def _digits(text: str) -> str:
    if not re.fullmatch(r"\d{1,15}", text):
        raise ValueError(f"expected digits, as in 97; got {text!r}")
    return text


def _number_key(key: str) -> str:
    if key not in NUMBERS:
        raise ValueError(f"no such number; expected one of {listed(NUMBERS)}")
    return key


def _number(text: str) -> str:
    for name in sorted(names_in(text) - _NUMBER_NAMES):
        raise errors.unknown_placeholder(name, _NUMBER_NAMES, " here")
    if not re.match(r"sips?:([^\s<>{}]|\{token\}|\{device\})+\Z", text, re.IGNORECASE):
        raise ValueError(f"expected a SIP URI, as in sip:600@{{device}}; got {text!r}")
    return text


def _user(text: str) -> str:
    if not re.fullmatch(r"[^\s<>@\"\\\x00-\x1f\x7f]*", text):
        raise ValueError(f"expected the user part of a SIP URI, as in 1001; got {text!r}")
    return text


def _display(text: str) -> str:
    if not text.isprintable() or '"' in text or "\\" in text:
        raise ValueError(f"expected printable text without quotes and backslashes; got {text!r}")
    return text


def _asserted(text: str) -> str:
    if text and not re.fullmatch(r"(sips?|tel):[^\s<>\"\x00-\x1f\x7f]+", text, re.IGNORECASE):
        raise ValueError(f"expected a SIP or tel URI, as in tel:+15550100; got {text!r}")
    return text


def _resolver(text: str) -> str:
    if re.fullmatch(r"\{lease\}(:\d+)?", text):
        if not 0 < int(text.partition(":")[2] or 53) < 65536:
            raise ValueError(f"expected a port of 1 to 65535; got {text!r}")
        return text
    return _address(text) if text else text


class RegistrationSection(Section):
    """``[lab.registration]``: the account with which the device registers at the exchange."""

    user: Annotated[str, AfterValidator(one_line)]
    password: str = ""
    """Preferably ``{secret:NAME}``.  Empty: the exchange accepts a registration without a password."""
    realm: Annotated[str, AfterValidator(one_line)] = "sipverdict"
    longest_s: Annotated[int, Field(ge=1, le=86_400)] = 3600
    """The longest registration that the exchange grants, in seconds."""
    within_s: Annotated[float, Field(gt=0, le=3600)] = 60.0
    """Seconds that a run waits for the device to register.  A real phone may have to be restarted."""


class CallerSection(Section):
    """``[lab.caller]``: who the suite's own calls come from, for a device that knows its callers by name or number."""

    user: Annotated[str, AfterValidator(_user)] = ""
    """The user of the From URI.  Empty: the one of ``lab.credentials``, or else ``caller``."""
    display: Annotated[str, AfterValidator(_display)] = "sipverdict"
    """The display name of the From.  Empty: none."""
    asserted: Annotated[str, AfterValidator(_asserted)] = ""
    """The URI of a P-Asserted-Identity (RFC 3325), as in sip:+15550100@example.com or tel:+15550100.  Empty: none."""


class CredentialsSection(Section):
    """``[lab.credentials]``: the credentials of the suite's own calls, for a challenge of the device (401 or 407)."""

    user: Annotated[str, AfterValidator(one_line)]
    password: str
    """Preferably ``{secret:NAME}``."""


def _path(text: str) -> str:
    if not re.fullmatch(r"/[!-~]{0,200}", text):
        raise ValueError(f"expected the path of a URL, as in /ws; got {text!r:.80}")
    return text


class TlsSection(Section):
    """``[lab.tls]``: certificates of the lab's own, for a device that checks them.  Files are found beside the profile.

    Without it each run has an authority of its own, which only devices that the suite starts can know.
    """

    authority: Annotated[str, AfterValidator(one_line)] = ""
    """The PEM file of the authority that the device trusts, or of several.  A certificate that the device shows is
    checked by it (``demanded``)."""
    authority_key: Annotated[str, AfterValidator(one_line)] = ""
    """The PEM file of that authority's key, without a password: the suite makes certificates for its endpoints, right
    ones and, for the tests of certificates, wrong ones.  Use an authority of the lab alone."""
    certificate: Annotated[str, AfterValidator(one_line)] = ""
    """Instead of ``authority_key``: the PEM file of the one certificate that all endpoints show, with its chain."""
    key: Annotated[str, AfterValidator(one_line)] = ""
    """The PEM file of the key of ``certificate``, without a password."""
    demanded: bool = False
    """Whether the endpoints demand a certificate of the device, signed by ``authority`` or, without that, by the run's
    own (mutual TLS, as trunks have it).  A device that shows none gets no connection."""


class LabSection(Section):
    """``[lab]``: the addresses of the device and of the suite's endpoints."""

    address: Annotated[str, AfterValidator(_address_of_device)] = "{lease}"
    """``{lease}``: a loopback address that the suite leases for it; or a fixed one, as in 192.0.2.7:5060 or
    [2001:db8::7]:5060; or ``{registered}``: the address from which it registers."""
    tester: Annotated[str, AfterValidator(_tester)] | None = None
    """The address of this machine for the endpoints, or a range (``192.0.2.10-192.0.2.40``); never guessed.  Over IPv6
    the same (``2001:db8::10``).  Absent: loopback."""
    ports: Annotated[str, AfterValidator(_ports)] = "5060-6059"
    """The ports of endpoints at ``tester``, whatever the transport."""
    exchange: Annotated[str, AfterValidator(_address_or_lease)] | None = None
    """The one address to which the device sends every call: its registrar, outbound proxy or trunk.  ``{lease}``: a
    loopback address, which ``process`` receives as ``{exchange}``; or a fixed one of this machine."""
    further_exchanges: Annotated[
        tuple[Annotated[str, AfterValidator(_address_or_lease)], ...], LAX, AfterValidator(_few)
    ] = ()
    """The other addresses of a device that shares its calls among several trunks, or moves them from one to the next.
    As ``exchange``, at which the suite listens as well; ``process`` receives a lease as ``{exchange_2}``, the next as
    ``{exchange_3}``."""
    registration: RegistrationSection | None = None
    credentials: CredentialsSection | None = None
    caller: CallerSection | None = None
    tls: TlsSection | None = None
    prefix: Annotated[str, AfterValidator(_digits)] = "7"
    """The first digits of every dialled number, which the device's dial plan sends to the suite."""
    backup: bool | Annotated[str, AfterValidator(_address)] = False
    """True: the suite leases a backup address for the device.  A fixed one: the backup address that the device has.
    The suite listens there, so it must be an address of this machine."""
    resolver: Annotated[str, AfterValidator(_resolver)] = ""
    """Where the lab's own DNS server listens, for a device that claims ``pics.dns``.  ``{lease}``: a loopback address,
    which ``process`` receives as ``{resolver}``; ``{lease}:53``: the same, on port 53; or a fixed one of this machine
    that the device has as its only name server (``192.0.2.10:53``).  Empty: there is none."""
    websocket_path: Annotated[str, AfterValidator(_path)] = "/"
    """What the endpoints ask for when they open a WebSocket to the device: ``/ws`` for Asterisk."""
    opens_websockets: bool = True
    """Whether the device opens WebSockets by itself, to the hosts of URIs.  Most servers do not: over ``ws`` and
    ``wss`` they reach only who has opened one to them, so that callees register first."""
    registrar: bool = False
    """Whether it is a registrar that accepts Contacts without a password for ``sip:USER@`` its own address."""
    numbers: dict[Annotated[str, AfterValidator(_number_key)], Annotated[str, AfterValidator(_number)]] = Field(
        default_factory=dict
    )
    """The URI to call for each behaviour.  ``{device}`` is its host:port, ``{token}`` is digits, new for each drive."""

    def all_numbers(self) -> dict[str, str]:
        """``numbers``, and the two that every registrar has: a registered user and an unknown one."""
        known = {"redirects": "sip:{token}@{device}", "unknown": "sip:9{token}@{device}"} if self.registrar else {}
        return known | self.numbers
