"""The first profile that ``sipverdict init`` writes, with an explanation of every key."""

from __future__ import annotations

import shlex
import textwrap
from dataclasses import dataclass
from typing import Final

import tomlkit

from harness.device.tables.pics import CLAIMS
from harness.device.tables.sections import DeviceSection
from harness.manual.docstrings import sentences
from harness.manual.first_stimuli import STIMULI, TO_THE_EXCHANGE
from harness.manual.schema import FILE_NAME, NUMBER_SENTENCES
from harness.manual.switches import switches
from harness.net.address import DEFAULT_PORTS, SECURE, WEB, Address, Carrier, Passage, Transport
from harness.requirements.catalogue import Catalogue

COLUMNS: Final = 118
TO_COMPLETE: Final = "CHANGE THIS"
"""Marks every value of a new profile that its author must replace."""


@dataclass(frozen=True)
class Answers:
    """The facts of the device that the profile starts with."""

    name: str
    roles: tuple[str, ...]
    stimulus: str
    vendor: str = ""
    model: str = ""
    firmware: str = ""
    serial: str = ""
    address: str = ""
    """IPv4:port.  Empty: the suite starts it with ``start``."""
    start: str = ""
    tester: str = ""
    follows: bool = False
    registers: bool = False
    max_calls: int = 1
    exchange: str = ""
    """IPv4:port or ``{lease}``.  Empty: there is one only for a device that registers."""
    further_exchanges: tuple[str, ...] = ()
    prefix: str = ""
    user: str = ""
    """That of the suite's own calls, for a device that challenges them."""
    numbers: tuple[tuple[str, str], ...] = ()
    """Keys of ``lab.numbers``, and the URI of each."""
    transports: tuple[Passage, ...] = ("udp",)
    authority: str = ""
    """The file of the lab's authority.  Empty: each run has one of its own."""
    authority_key: str = ""

    @property
    def sides(self) -> tuple[Transport, ...]:
        """The transports that carry its SIP on either side; the first is the one at ``address``."""
        return tuple(dict.fromkeys(side.transport for one in self.transports for side in Carrier.of(one).sides))

    @property
    def crosses(self) -> bool:
        """Whether a call comes to it over one transport and goes on over another."""
        return any(Carrier.of(one).called_over for one in self.transports)

    @property
    def listens_at(self) -> str:
        """The exchange; "" if there is none."""
        where = f"{self.tester}:5060" if self.tester else "{lease}"
        return self.exchange or (where if self.registers else "")


_HEAD: Final = f"""\
#:schema ./{FILE_NAME}
# A device profile of sipverdict. Text after # is a comment, and a key after # is not set. docs/profile.md explains
# every table.
"""
_SECRETS: Final = {"http": "WEB_PASSWORD", "ami": "AMI_SECRET", "esl": "ESL_PASSWORD"}
_NUMBERS: Final = {"redirects": "302", "declines": "603", "rings": "180", "unknown": "404"}


def starter(answers: Answers, file: str) -> str:
    """The profile as text; ``file`` is its name in the commands at its end."""
    parts = [
        _HEAD,
        _device(answers),
        _pics(answers),
        _pixit(answers),
        _lab(answers),
        _other_sides(answers),
        _process(answers),
        f"[stimulus] # how it is made to act\n{_stimulus(answers)}",
        _next(file),
    ]
    return "\n".join(part for part in parts if part)


def toml(value: object) -> str:
    """``value`` as TOML."""
    return tomlkit.item(value).as_string()


def _device(answers: Answers) -> str:
    said = sentences(DeviceSection)
    lines = ["[device] # its identity, roles and capacity"]
    for key in ("name", "vendor", "model", "firmware", "serial", "roles", "transports", "max_calls"):
        value = getattr(answers, key)
        given = value or key in ("name", "roles", "max_calls")
        lines += _line(f"{key} = {toml(value)}", said[key], used=bool(given))
    return _text(lines)


def _pics(answers: Answers) -> str:
    claims = _claims(answers)
    roles = set(answers.roles)
    lines = ["[pics] # its claims: sipverdict list pics explains each; a feature that is not claimed is not tested"]
    for key, switch in switches(Catalogue.load()).items():
        fits = not switch.needs_role or roles & set(switch.needs_role)
        if key in claims or (fits and roles & set(switch.roles)):
            lines += _line(f"{key} = true", CLAIMS[key].sentence, used=key in claims)
    return _text(lines)


def _claims(answers: Answers) -> set[str]:
    roles, claims = set(answers.roles), set()
    if answers.follows:
        claims |= {"follows_redirects"} if roles & {"uac", "b2bua"} else set()
        claims |= {"b2bua_follows"} if "b2bua" in roles else set()
        claims |= {"proxy_recurses_3xx"} if "proxy" in roles else set()
    claims |= {"registers"} if answers.registers else set()
    claims |= {"stateful_proxy"} if "proxy" in roles else set()
    claims |= {"redirect_server"} if "redirect" in roles else set()
    return claims


def _pixit(answers: Answers) -> str:
    lines = [
        "# [pixit] # values of this specimen for its configuration templates; the names are free",
        '# extension = "2001"',
    ]
    secrets = [_SECRETS[answers.stimulus]] if answers.stimulus in _SECRETS else []
    secrets += ["USER_PASSWORD"] if answers.user else []
    if secrets:
        lines += ["", "[secrets] # the place of each password; no message and no report contains one"]
    for name in secrets:
        lines += [f'{name} = {{ env = "{name}" }} # an environment variable; or {{ file = "a/path" }}']
    return _text(lines)


def _lab(answers: Answers) -> str:
    lines = ["[lab] # its address"]
    if answers.address:
        lines += _line(f"address = {toml(answers.address)}", "the address where it listens, IPv4:port")
    else:
        lines += _line('address = "{lease}"', "the suite leases an address for it")
    if answers.tester:
        lines += _line(f"tester = {toml(answers.tester)}", "this machine, as the device sees it")
    if {"uac", "b2bua"} & set(answers.roles) or answers.listens_at:
        where = answers.listens_at or (f"{answers.tester}:5060" if answers.tester else "127.0.0.10:5060")
        what = "its registrar, trunk or outbound proxy, as configured in the device; the suite listens there"
        lines += _line(f"exchange = {toml(where)}", what, used=bool(answers.listens_at))
        if answers.further_exchanges:
            what = "the other addresses of its trunk, at which the suite listens as well"
            lines += _line(f"further_exchanges = {toml(answers.further_exchanges)}", what)
        what = "the digits before every number that it dials, which its dial plan sends to the exchange"
        lines += _line(f"prefix = {toml(answers.prefix or '7')}", what, used=bool(answers.prefix))
    opens_none = bool(WEB & set(answers.sides) and answers.address)
    if opens_none:
        lines += _line('websocket_path = "/ws"', "what its server wants the endpoints to ask for", used=False)
        lines += _line("opens_websockets = false", "most servers open none themselves; true for one that does")
    if {"proxy", "redirect"} & set(answers.roles):
        users = "whether it is a registrar that accepts users without a password"
        users += "; [lab.numbers] is not needed then" if answers.roles == ("redirect",) else ""
        alone = opens_none and "proxy" in answers.roles
        users += "; over WebSockets nobody else is called" if alone else ""
        lines += _line("registrar = true", users, used=alone)
    other = "or the IPv4:port that it tries after a failure; the suite watches it"
    lines += _line("backup = false", other, used=False)
    if answers.user:
        lines += ["", "[lab.credentials] # with which the suite's own calls answer a 401 or 407"]
        lines += _line(f"user = {toml(answers.user)}", "the user")
        lines += _line('password = "{secret:USER_PASSWORD}"', "see [secrets]")
    elif {"uas", "b2bua", "proxy", "redirect"} & set(answers.roles):
        lines += ['# credentials = { user = "200", password = "a password" } # if it challenges the suite\'s calls']
    numbers = dict(answers.numbers)
    if {"uas", "redirect"} & set(answers.roles) or numbers:
        change = "" if numbers else "CHANGE THIS: "
        lines += ["", f"[lab.numbers] # {change}the number for each answer; {{token}} is digits, new for each call"]
        usual = {key: f"sip:{prefix}{{token}}@{{device}}" for key, prefix in _NUMBERS.items()}
        for key, number in {**usual, **numbers}.items():
            used = key in numbers if numbers else key in ("redirects", "declines")
            lines += _line(f"{key} = {toml(number)}", f"who {NUMBER_SENTENCES.get(key, 'does that')}", used=used)
    if SECURE & set(answers.sides):
        lines += _certificates(answers)
    if answers.registers:
        lines += ["", "[lab.registration] # the account with which the device registers"]
        lines += _line('user = "2001"', "CHANGE THIS")
        lines += _line('password = "{secret:SIP_PASSWORD}"', "if it has one; see [secrets]", used=False)
    return _text(lines)


def _other_sides(answers: Answers) -> str:
    """Where a device that passes calls on over another transport listens for that one."""
    lines: list[str] = []
    for transport in answers.sides[1:] if answers.crosses and answers.address else ():
        address = Address(Address.parse(answers.address).host, DEFAULT_PORTS[transport])
        lines += ["", f"[over.{transport}.lab] # what is different over {transport.upper()}"]
        lines += _line(f"address = {toml(str(address))}", f"{TO_COMPLETE}: the address of its {transport.upper()} side")
    return _text(lines[1:]) if lines else ""


def _certificates(answers: Answers) -> list[str]:
    used = bool(answers.authority)
    lines = ["", "[lab.tls] # certificates of the lab's own, for a device that checks them, beside this file"]
    lines = lines if used else ["", f"# {lines[1]}"]
    lines += _line(f"authority = {toml(answers.authority or 'lab-ca.pem')}", "whom the device trusts", used=used)
    key = answers.authority_key or "lab-ca.key"
    lines += _line(f"authority_key = {toml(key)}", "by it the suite makes certificates for its endpoints", used=used)
    lines += _line("demanded = true", "the device must show one of this authority, too (mutual TLS)", used=False)
    return lines


def _stimulus(answers: Answers) -> str:
    text = STIMULI[answers.stimulus]
    for anywhere, trunk in TO_THE_EXCHANGE.items() if answers.listens_at else ():
        text = text.replace(anywhere, trunk)
    return text


def _process(answers: Answers) -> str:
    if not answers.start:
        lines = ["# There is no [process]: the device is running, and the suite neither starts nor stops it."]
    else:
        argv = f"argv = {toml(shlex.split(answers.start))}"
        lines = [
            "[process] # the suite starts and stops it",
            *_line(argv, "program and arguments, no shell; {address} is the address to listen on, {here} this folder"),
            *(_called_over() if answers.crosses else ()),
            '# install = "instructions if it is not installed"',
        ]
    ready = "options = true # it answers an OPTIONS with any status"
    if answers.stimulus == "stdin":
        ready = 'stdout = "READY" # CHANGE THIS: the beginning of a line of its output; or: options = true'
    lines += ["", "[ready] # the sign that it is ready", ready]
    return _text([*lines, "timeout_s = 10.0 # seconds until the start is given up"])


def _called_over() -> list[str]:
    argv = 'called_over_argv = ["--called-over", "{inbound_transport}", "{inbound_address}"]'
    return _line(argv, f"{TO_COMPLETE}: by what it is told where it is called, if over another transport")


def _next(file: str) -> str:
    name = shlex.quote(file)
    return _text(
        [
            "# Next steps:",
            "#   1. Complete what says CHANGE THIS, and claim in [pics] what the manual of the device says.",
            f"#   2. sipverdict doctor --device {name}",
            "#        checks that this machine and the device are ready.",
            f"#   3. sipverdict smoke --device {name}",
            "#        places three test calls, answered 200, 302 and 603, in seconds.",
            f"#   4. sipverdict run --device {name}",
            "#        tests it; add --window standard for a certificate.",
        ]
    )


def _line(text: str, comment: str, *, used: bool = True) -> list[str]:
    """A key and its explanation, on the same line if it fits, else above it."""
    plain = " ".join(comment.replace("`", "").split())
    text = text if used else f"# {text}"
    if len(text) + len(plain) + 3 <= COLUMNS:
        return [f"{text} # {plain}"]
    return [*textwrap.wrap(plain, COLUMNS, initial_indent="# ", subsequent_indent="# "), text]


def _text(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"
