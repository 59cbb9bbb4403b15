"""``[lab]`` of a profile: where the device is, where the suite is, and who registers with whom (docs/lab.md)."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from harness.device.profile.placeholders import names_in
from harness.device.profile.values import REGISTERED, Section, hosts_in, listed, one_line, ports_in
from harness.model.plan import NUMBERS
from harness.net.address import Address


def _address(text: str) -> str:
    return str(Address.parse(text, family="ipv4"))


def _address_or_lease(text: str) -> str:
    return text if text == "{lease}" else _address(text)


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
    for name in sorted(names_in(text) - {"token", "device"}):
        raise ValueError(f"{{{name}}} is no placeholder here; there are {{device}}, {{token}}")
    if not re.match(r"sips?:([^\s<>{}]|\{token\}|\{device\})+\Z", text, re.IGNORECASE):
        raise ValueError(f"expected a SIP URI, as in sip:600@{{device}}; got {text!r}")
    return text


class RegistrationSection(Section):
    """``[lab.registration]``: the account with which the device registers at the exchange."""

    user: Annotated[str, AfterValidator(one_line)]
    password: str = ""
    """Better ``{secret:NAME}``; empty: the exchange asks for none."""
    realm: Annotated[str, AfterValidator(one_line)] = "sipverdict"
    longest_s: Annotated[int, Field(ge=1, le=86_400)] = 3600
    """The longest registration, in seconds, that is granted."""
    within_s: Annotated[float, Field(gt=0, le=3600)] = 60.0
    """How long a run waits for the device to register; a real phone may have to be restarted."""


class CredentialsSection(Section):
    """``[lab.credentials]``: with what the suite's own calls answer a challenge of the device (401 or 407)."""

    user: Annotated[str, AfterValidator(one_line)]
    password: str
    """Better ``{secret:NAME}``."""


class LabSection(Section):
    """``[lab]``: where the device is, and where the suite's endpoints are."""

    address: Annotated[str, AfterValidator(_address_of_device)] = "{lease}"
    """``{lease}``: the suite leases a loopback address for it; or a fixed IPv4:port; or ``{registered}``: where it
    registers from."""
    tester: Annotated[str, AfterValidator(_tester)] | None = None
    """This machine's IPv4 address, or a range of them (``192.0.2.10-192.0.2.40``), where endpoints are; never guessed.
    Absent: loopback."""
    ports: Annotated[str, AfterValidator(_ports)] = "5060-6059"
    """The UDP ports of endpoints at ``tester``."""
    exchange: Annotated[str, AfterValidator(_address_or_lease)] | None = None
    """The one address to which the device sends every call: its registrar, outbound proxy or trunk.  ``{lease}``: a
    loopback address, which ``process`` is told as ``{exchange}``; or an IPv4:port of this machine."""
    registration: RegistrationSection | None = None
    credentials: CredentialsSection | None = None
    prefix: Annotated[str, AfterValidator(_digits)] = "7"
    """The digits with which every number begins that is dialled: what the device's dial plan sends to the suite."""
    backup: bool | Annotated[str, AfterValidator(_address)] = False
    """True: the device is given a leased backup address; IPv4:port: it has this one.  The suite watches it."""
    registrar: bool = False
    """Whether Contacts can be registered with it, without a password, for ``sip:USER@`` its own address."""
    numbers: dict[Annotated[str, AfterValidator(_number_key)], Annotated[str, AfterValidator(_number)]] = Field(
        default_factory=dict
    )
    """Whom to call for what: URIs, in which ``{device}`` is its host:port and ``{token}`` digits new for each drive."""

    def all_numbers(self) -> dict[str, str]:
        """``numbers``, and what needs no naming: with a registrar there is somebody registered, and somebody not."""
        known = {"redirects": "sip:{token}@{device}", "unknown": "sip:9{token}@{device}"} if self.registrar else {}
        return known | self.numbers
