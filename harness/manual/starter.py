"""The profile to start from: what ``sipverdict init`` writes, with every key explained beside it."""

from __future__ import annotations

import json
import shlex
import textwrap
from dataclasses import dataclass
from typing import Final

from harness.device.tables.lab_section import LabSection
from harness.device.tables.pics import CLAIMS
from harness.device.tables.sections import DeviceSection
from harness.manual.docstrings import sentences
from harness.manual.schema import FILE_NAME, NUMBER_SENTENCES
from harness.manual.switches import switches
from harness.requirements.catalogue import Catalogue

COLUMNS: Final = 118


@dataclass(frozen=True)
class Answers:
    """What the profile says of the device."""

    name: str
    roles: tuple[str, ...]
    stimulus: str
    vendor: str = ""
    model: str = ""
    firmware: str = ""
    serial: str = ""
    address: str = ""
    """IPv4:port; empty: the suite starts it, by ``start``."""
    start: str = ""
    tester: str = ""
    follows: bool = False
    registers: bool = False
    max_calls: int = 1


STIMULI: Final[dict[str, str]] = {
    "sipp": """\
kind = "sipp" # a SIPp caller calls it, or calls through it
""",
    "manual": """\
kind = "manual" # a person dials what the screen says
phone = "the phone on the desk" # as that person knows it
call = "{user}" # what is to be dialled: {user} are the digits, {uri} is the whole URI
""",
    "command": """\
kind = "command" # a program of yours for each call: no shell, {uri} is one argument
call = ["/path/to/dial", "{uri}"] # CHANGE THIS
# hangup = ["/path/to/hang-up", "{uri}"] # also: reinvite
timeout_s = 10.0 # when a command is ended that does not end by itself
""",
    "stdin": """\
kind = "stdin" # a line on its standard input
call = "call {uri}" # CHANGE THIS to what the program reads
# hangup = "hangup {uri}" # also: reinvite
""",
    "tcp": """\
kind = "tcp" # messages to its control port
control = "{host}:4444" # CHANGE THIS
framing = "line" # or "netstring"
call = "dial {uri}" # CHANGE THIS
# hangup = "hangup" # also: reinvite
# reply = "^OK" # a regular expression that its replies have; without it no reply is awaited
# refused = "^ERROR" # with reply: one for replies that say no
""",
    "http": """\
kind = "http" # a GET (or POST) for each call: Yealink, Snom, Polycom, Grandstream ...
call = "http://{host}/call?number={user}" # CHANGE THIS: {user} are the digits, {uri} is the whole URI
auth = "digest" # or "basic", "none"
username = "admin" # CHANGE THIS
password = "{secret:WEB_PASSWORD}" # see [secrets]
""",
    "refer": """\
kind = "refer" # a REFER that asks it to call
to = "sip:{address}" # a phone may want its own user in it: sip:2001@{address}
# username = "2001" # if it asks who refers it; with password
""",
    "ami": """\
kind = "ami" # Asterisk's manager interface
control = "{host}:5038" # the manager port
username = "sipverdict" # CHANGE THIS: the section of manager.conf
secret = "{secret:AMI_SECRET}" # see [secrets]
channel = "PJSIP/{user}@sipverdict" # CHANGE THIS: technology, number, endpoint
application = "Wait" # what its side does when the call is answered
data = "60" # its argument
""",
    "esl": """\
kind = "esl" # FreeSWITCH's event socket
control = "{host}:8021" # the event socket
password = "{secret:ESL_PASSWORD}" # see [secrets]
dial = "sofia/external/{uri}" # what is dialled; or through a gateway: sofia/gateway/NAME/{user}
""",
}
"""The ``[stimulus]`` of each kind, as one begins with it."""

_HEAD: Final = f"""\
#:schema ./{FILE_NAME}
# A device profile of sipverdict. What stands behind # is a comment, and a key behind # is not set. docs/profile.md
# explains every table.
"""
_SECRETS: Final = {"http": "WEB_PASSWORD", "ami": "AMI_SECRET", "esl": "ESL_PASSWORD"}
_NUMBERS: Final = {"redirects": "302", "declines": "603", "rings": "180", "unknown": "404"}


def starter(answers: Answers, file: str) -> str:
    """The profile as text; ``file`` is what it will be called in the commands at its end."""
    parts = [
        _HEAD,
        _device(answers),
        _pics(answers),
        _pixit(answers),
        _lab(answers),
        _process(answers),
        f"[stimulus] # how it is made to act\n{STIMULI[answers.stimulus]}",
        _next(file),
    ]
    return "\n".join(part for part in parts if part)


def toml(value: object) -> str:
    """``value`` as TOML: its strings, numbers, booleans and lists are JSON's, but for DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _device(answers: Answers) -> str:
    said = sentences(DeviceSection)
    lines = ["[device] # who it is and what it can take"]
    for key in ("name", "vendor", "model", "firmware", "serial", "roles", "max_calls"):
        value = getattr(answers, key)
        given = value or key in ("name", "roles", "max_calls")
        lines += _line(f"{key} = {toml(value)}", said[key], used=bool(given))
    return _text(lines)


def _pics(answers: Answers) -> str:
    claims = _claims(answers)
    roles = set(answers.roles)
    lines = ["[pics] # what it claims: sipverdict list pics says how to find out; what is not claimed is not asked for"]
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
        "# [pixit] # values of this specimen that its configuration templates ask for, by names of your own",
        '# extension = "2001"',
    ]
    if name := _SECRETS.get(answers.stimulus):
        lines += ["", "[secrets] # where passwords are kept: they are in no message and in no report"]
        lines += [f'{name} = {{ env = "{name}" }} # a variable of the environment; or {{ file = "a/path" }}']
    return _text(lines)


def _lab(answers: Answers) -> str:
    lines = ["[lab] # where it is"]
    if answers.address:
        lines += _line(f"address = {toml(answers.address)}", "where it listens, IPv4:port")
    else:
        lines += _line('address = "{lease}"', "the suite gives it an address of its own")
    if answers.tester and "tester" in LabSection.model_fields:
        lines += _line(f"tester = {toml(answers.tester)}", "this machine, as the device sees it")
    if answers.registers and "registration" in LabSection.model_fields:
        where = f"{answers.tester}:5060" if answers.tester else "{lease}"
        lines += _line(f"exchange = {toml(where)}", "the registrar that the device is told: the suite listens there")
    if {"proxy", "redirect"} & set(answers.roles):
        users = "whether the suite can register users with it, without a password"
        users += "; [lab.numbers] is not needed then" if answers.roles == ("redirect",) else ""
        lines += _line("registrar = true", users, used=False)
    other = "or the IPv4:port that it tries when a call fails; the suite watches it"
    lines += _line("backup = false", other, used=False)
    if {"uas", "redirect"} & set(answers.roles):
        lines += [
            "",
            "[lab.numbers] # CHANGE THIS: whom to call to have it answer so; {token}: digits, new each time",
        ]
        for key, prefix in _NUMBERS.items():
            number = toml(f"sip:{prefix}{{token}}@{{device}}")
            used = key in ("redirects", "declines")
            lines += _line(f"{key} = {number}", f"who {NUMBER_SENTENCES[key]}", used=used)
    if answers.registers and "registration" in LabSection.model_fields:
        lines += ["", "[lab.registration] # the account that the device registers with"]
        lines += _line('user = "2001"', "CHANGE THIS")
        lines += _line('password = "{secret:SIP_PASSWORD}"', "if it has one; and see [secrets]", used=False)
    return _text(lines)


def _process(answers: Answers) -> str:
    if not answers.start:
        lines = ["# [process] is not here: the device is running, and the suite neither starts nor stops it."]
    else:
        argv = f"argv = {toml(shlex.split(answers.start))}"
        lines = [
            "[process] # the suite starts and stops it",
            *_line(argv, "program and arguments, no shell; {address} is where it has to listen, {here} this folder"),
            '# install = "what to do if it is missing"',
        ]
    ready = "options = true # it answers an OPTIONS, with whatever status"
    if answers.stimulus == "stdin":
        ready = 'stdout = "READY" # CHANGE THIS: a line of its output that begins so; or: options = true'
    lines += ["", "[ready] # how it shows that it can be called upon", ready]
    return _text([*lines, "timeout_s = 10.0 # seconds that it has for that"])


def _next(file: str) -> str:
    name = shlex.quote(file)
    return _text(
        [
            "# What to do next:",
            "#   1. Mend what says CHANGE THIS, and claim in [pics] what the manual says.",
            f"#   2. sipverdict doctor --device {name}",
            "#        says whether this machine and the device are ready for each other.",
            f"#   3. sipverdict smoke --device {name}",
            "#        makes three calls, answered 200, 302 and 603, in seconds.",
            f"#   4. sipverdict run --device {name}",
            "#        tests it; with --window standard, as a certificate needs it.",
        ]
    )


def _line(text: str, comment: str, *, used: bool = True) -> list[str]:
    """A key and what it is for, beside it if it fits, else above it."""
    plain = " ".join(comment.replace("`", "").split())
    text = text if used else f"# {text}"
    if len(text) + len(plain) + 3 <= COLUMNS:
        return [f"{text} # {plain}"]
    return [*textwrap.wrap(plain, COLUMNS, initial_indent="# ", subsequent_indent="# "), text]


def _text(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"
