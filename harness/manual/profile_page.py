"""docs/profile.md: the device profile, table by table."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel

from harness.device.profile.models import Profile
from harness.device.tables.fields import models_in
from harness.device.tables.placeholders import START
from harness.manual.docstrings import running
from harness.manual.schema import NUMBER_SENTENCES, profile_schema, stimulus_sections

_HEAD: Final = """\
# The device profile

*Made from the models in harness/device by `python -m harness.manual`; change it there.*

One device, one TOML file. `sipverdict init my-phone.toml` writes one after a few questions, with every key explained;
`make run DEVICE=my-phone.toml` tests it. A mistake is answered with file, key, what was expected and the nearest right
key. Its first line names the JSON Schema ([device-profile.schema.json](device-profile.schema.json), or
`sipverdict schema`), so that editors with TOML support (Taplo, Even Better TOML) complete keys and underline mistakes:

    #:schema device-profile.schema.json

The smallest one, for a phone on the desk that is called upon by a command:

    [device]
    name = "desk phone"
    roles = ["uac"]

    [lab]
    address = "192.0.2.7:5060"
    tester = "192.0.2.10"

    [stimulus]
    kind = "command"
    call = ["/lab/dial", "{uri}"]

A profile runs the commands that it names: read one that somebody gave you before you use it. A file of more than 1 MiB
is not read.
"""

INTRODUCTIONS: Final[dict[str, str]] = {
    "pics": """\
What it claims to support: true or false by key. What is not mentioned is not claimed, and what is not claimed is
not asked for. The keys are explained one by one in [pics.md](pics.md).
""",
    "pixit": """\
Values of this specimen and this lab: what its configuration templates ask for as `pixit.NAME`, and what a reader
of the report has to know to do the test again. The names are free, but for the four below; the values are text,
numbers, true or false. A value whose name sounds secret (password, secret, token, credential, api key) is blanked
in everything that is said; better is [secrets].

| name | seconds | default |
|---|---|---|
| `t1_s`, `t2_s` | T1 and T2 of the device, where they are not those of RFC 3261 (IMS: 2 and 16) | 0.5 and 4 |
| `answer_s` | how long it may ring before it answers, declines or forwards a call by itself | 12 |
| `busy_tone_s` | how long after a call it takes no order for the next one, as while a busy tone plays | 0 |

The suite dials `sip:DIGITS@HOST:PORT`: the user part is always digits only, so that a keypad can dial it, and
differs from call to call. Numbers that the device itself answers stand in `lab.numbers`.
""",
    "secrets": """\
Where passwords are kept, by a name of your own: in a variable of the environment or in a file. They are read when
the device is started. `{secret:NAME}` stands for one in `process.argv`, `process.env` and in `[stimulus]`,
`{{secret.NAME}}` in the templates of `process.files`. In what is said, logged, reported and stored it is blanked,
also where it is written as in a URL, in JSON or in Base64; in stored SIP messages only from six letters on. A file
is one line, relative to the profile's folder, and refused if everybody on the machine can read it (`chmod o-r
FILE`). What stands in `argv` other users of the machine can see while the device runs: prefer `env` or a file.
""",
    "stimulus": """\
How the device is made to act; one kind. [stimuli.md](stimuli.md) is their manual, with an example for each. In
`call`, `hangup` and the others `{uri}` stands for the URI to call; it is handed over as data, never through a
shell.
""",
    "over": """\
What is different over one transport and IP family ([transports.md](transports.md)): `[over.udp]`, `tcp`, `tls`,
`ws`, `wss`, and with a 6 behind it over IPv6. It holds any table but `device` and `pics`, laid over the others as
those of a variant are.
""",
    "variant": """\
One product, configured in several ways: each variant is a device of its own in the run, driven side by side
(`DEVICE=NAME:VARIANT` for one of them, `NAME:base` for the device itself). A variant holds the tables that differ,
laid over those of the device: tables merge key by key, lists and values replace. A claim that it does not have is
said with `false`. Another `stimulus.kind` replaces the whole stimulus, and one event of `[ready]` the other.
""",
}

EXAMPLES: Final[dict[str, str]] = {
    "device": """\
[device]
name = "lobby phone"
vendor = "Example"
model = "T-1000"
firmware = "7.2.1"
serial = "00-15-65-AA-BB-CC"
roles = ["uac", "uas"]
max_calls = 2
""",
    "pics": """\
[pics]
follows_redirects = true
multi_contact = true
digest = true
""",
    "pixit": """\
[pixit]
extension = "2001"
codec = "PCMA"
busy_tone_s = 4
""",
    "secrets": """\
[secrets]
SIP_PASSWORD = { env = "LAB_SIP_PASSWORD" }
WEB_PASSWORD = { file = "web.password" }
""",
    "lab": """\
[lab]
address = "192.0.2.7:5060"
tester = "192.0.2.10"

[lab.numbers]
redirects = "sip:302{token}@{device}"
declines = "sip:600@{device}"
""",
    "process": """\
[process]
argv = ["/opt/phone/bin/phone", "--listen", "{address}", "--config", "{folder}/phone.conf"]
files = ["phone.conf.j2"]
env = { PHONE_PASSWORD = "{secret:SIP_PASSWORD}" }
install = "apt-get install phone"
""",
    "ready": """\
[ready]
stdout = "READY"
timeout_s = 20.0
""",
    "stimulus": """\
[stimulus]
kind = "stdin"
call = "call {uri}"
hangup = "hangup {uri}"
""",
    "over": """\
[over.tls]
lab.address = "192.0.2.7:5061"
""",
    "variant": """\
[variant.not-following]
pics = { follows_redirects = false, multi_contact = false }

[variant.answers]
device.roles = ["uas"]
stimulus.kind = "sipp"
lab.numbers = { declines = "sip:603{token}@{device}" }
""",
}
"""One small example for each table; together they are a profile."""

PLACEHOLDERS: Final[dict[str, str]] = {
    "python": "the Python interpreter that the suite runs with",
    "address": "the device's address, `host:port`",
    "host": "its host",
    "port": "its port",
    "transport": "what carries its SIP: `udp`, `tcp`, `tls`, `ws` or `wss`",
    "certificate": "over TLS and WSS: a PEM file with a certificate for its address, and its key",
    "authority": "over TLS and WSS: a PEM file with the certificate of whoever signed those of device and endpoints",
    "folder": "a folder for this start, removed at the end; `process.files` are rendered into it",
    "here": "the folder of the profile",
    "suite": "the folder that the suite is installed in",
    "backup": "the backup address, where `lab.backup` is set",
    "peer": "the one callee of a `per_plan` device",
    "exchange": "the one address that it sends every call to, where `lab.exchange` is set",
    "exchange_2": "the first of `lab.further_exchanges`",
    "exchange_3": "the second of those",
    "exchange_4": "the third",
    "inbound_address": "where it is called over another transport, in `called_over_argv`",
    "inbound_transport": "by which it is called there",
    "other_address": "where it is over the other IP family, in `other_family_argv`",
    "resolver": "its name server, `host:port`, where `lab.resolver` is set",
    "resolver_host": "the host of that",
}


def page(stimuli: Mapping[str, type[BaseModel]] | None = None) -> str:
    """The page, with these kinds of stimulus (None: all that are installed)."""
    kinds = stimulus_sections() if stimuli is None else stimuli
    tables = profile_schema(kinds)["definitions"]
    parts = [_HEAD]
    for name in Profile.model_fields:
        parts += _table(name, tables, kinds)
    parts += [f"## [over.CARRIER]\n\n{INTRODUCTIONS['over']}", _example("over")]
    parts += [f"## [variant.NAME]\n\n{INTRODUCTIONS['variant']}", _example("variant")]
    parts += ["## Placeholders\n", "In `process.argv`, `process.env` and the control address of a stimulus:\n"]
    known = [(f"`{{{name}}}`", text) for name, text in PLACEHOLDERS.items() if name in START]
    parts += [_rows(("", "stands for"), known)]
    return "\n".join(parts)


def _table(name: str, tables: Mapping[str, Any], kinds: Mapping[str, type[BaseModel]]) -> Iterator[str]:
    yield f"## [{name}]\n"
    if name in INTRODUCTIONS:
        yield INTRODUCTIONS[name]
    if name == "stimulus":
        for kind, model in sorted(kinds.items()):
            yield f'### kind = "{kind}"\n\n{_wrapped(running(model.__doc__))}\n'
            yield from _keys(tables[model.__name__])
    for inner, free in models_in(Profile.model_fields[name].annotation):
        if name != "stimulus":
            yield from _section(f"{name}.NAME" if free else name, inner, tables, heading=False)
    yield _example(name)


def _section(name: str, model: type[BaseModel], tables: Mapping[str, Any], *, heading: bool) -> Iterator[str]:
    if heading:
        yield f"### [{name}]\n"
    if name not in INTRODUCTIONS and not name.endswith(".NAME"):
        said = running(model.__doc__).partition(": ")[2]
        yield _wrapped(said[:1].upper() + said[1:]) + "\n"
    yield from _keys(tables[model.__name__])
    if name == "lab":
        yield "Whom to call for what, in `lab.numbers`:\n"
        yield _rows(("key", "who is called"), [(f"`{key}`", text) for key, text in NUMBER_SENTENCES.items()])
    for key, field in model.model_fields.items():
        for inner, free in models_in(field.annotation):
            yield from _section(f"{name}.{key}.NAME" if free else f"{name}.{key}", inner, tables, heading=True)


def _keys(table: Mapping[str, Any]) -> Iterator[str]:
    required = table.get("required", [])
    rows = [
        (f"`{key}`", _value(value), "required" if key in required else _default(value), value.get("description", ""))
        for key, value in table["properties"].items()
    ]
    yield _rows(("key", "value", "default", "meaning"), rows)


def _value(schema: Mapping[str, Any]) -> str:
    """What may stand there, for people."""
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(map(_value, schema["anyOf"])))
    if "const" in schema:
        return f"`{_toml(schema['const'])}`"
    if "enum" in schema:
        return ", ".join(f"`{_toml(each)}`" for each in schema["enum"])
    if "$ref" in schema or "allOf" in schema:
        return "a table"
    low, high = schema.get("minimum", schema.get("exclusiveMinimum")), schema.get("maximum")
    span = f", {low:g} to {high:g}" if low is not None and high is not None else ""
    kind = str(schema.get("type", ""))
    if kind == "array":
        return f"a list: {_value(schema.get('items', {}))}"
    names = {"string": "text", "integer": "a whole number", "number": "a number", "boolean": "true or false"}
    return names.get(kind, "a table") + span


def _default(schema: Mapping[str, Any]) -> str:
    return f"`{_toml(schema['default'])}`" if "default" in schema else ""


def _toml(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _rows(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"


def _example(name: str) -> str:
    return textwrap.indent(EXAMPLES[name], "    ") if name in EXAMPLES else ""


def _wrapped(text: str) -> str:
    return textwrap.fill(text, 119, break_on_hyphens=False)
