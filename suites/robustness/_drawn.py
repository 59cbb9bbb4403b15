"""Responses drawn by chance from a grammar of oddities.

The number of a draw is its seed: equal numbers, equal bytes.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

from harness.model.oddity import Oddity, Rewrite
from harness.model.plan import Plan
from suites.robustness._plans import odd_call

_HEADERS: Final = ("Via", "From", "To", "Call-ID", "CSeq", "Content-Length")
_JUNK: Final = (
    *(
        "",
        " ",
        ",",
        ";",
        "<",
        ">",
        '"',
        "\\",
        "%",
        "%00",
        "\0",
        "\r",
        "\n",
        "\t",
        "\x7f",
        "\xff\xfe",
        "*",
        "@",
        ":",
        "[",
        "]",
    ),
    *(
        "-1",
        "0",
        "4294967296",
        "9" * 40,
        "a" * 300,
        "a" * 5000,
        "%n%s",
        "sip:",
        "<sip:>",
        "q=1e9",
        "tag=",
        ";;;;",
        ",,,,",
    ),
    *("\r\n ", "\r\nX: y", "z9hG4bK", "255.255.255.255", "[::]", "ä", "{{", "}}"),
)
_Mutation = Callable[[random.Random, int], Rewrite]


def _header(chance: random.Random, status: int) -> str:
    headers = [*_HEADERS, *(["Contact"] * 4 if status < 400 else [])]
    return chance.choice(headers)


def _without(chance: random.Random, status: int) -> Rewrite:
    return Rewrite(rf"^{_header(chance, status)}:[^\r\n]*\r\n")


def _repeated(chance: random.Random, status: int) -> Rewrite:
    return Rewrite(rf"^{_header(chance, status)}:[^\r\n]*\r\n", "{it}" * chance.choice((2, 3, 40)))


def _replaced(chance: random.Random, status: int) -> Rewrite:
    return Rewrite(rf"(?<=^{_header(chance, status)}: )[^\r\n]*", chance.choice(_JUNK) + chance.choice(_JUNK))


def _inserted(chance: random.Random, status: int) -> Rewrite:
    place = chance.randrange(60)
    return Rewrite(rf"^{_header(chance, status)}: ?[^\r\n]{{0,{place}}}", "{it}" + chance.choice(_JUNK))


def _renamed(chance: random.Random, status: int) -> Rewrite:
    return Rewrite(
        rf"^{_header(chance, status)}(?=:)", chance.choice(("X", "{it}{it}", "{it} ", " {it}", "m", "t", "v", "\0"))
    )


def _cut(chance: random.Random, status: int) -> Rewrite:
    return Rewrite(rf"(?<=^{_header(chance, status)}:)[\s\S]*\Z", chance.choice(_JUNK))


def _status_line(chance: random.Random, status: int) -> Rewrite:
    version, code = (
        chance.choice(("SIP/2.0", "SIP/2.0", "sip/2.0", "SIP/3.0")),
        chance.choice((str(status), f"{status}0", "-302", "3")),
    )
    return Rewrite(r"\A[^\r\n]*", f"{version} {code} {chance.choice(_JUNK)}")


def _uri(chance: random.Random, status: int) -> Rewrite:
    if status >= 400:
        return _inserted(chance, status)
    parts = ("sip:9{token}", chance.choice(_JUNK), "@", chance.choice(_JUNK), "{target}", chance.choice(_JUNK))
    shape = chance.choice(("<%s>", "%s", '"x" <%s>;q=0.5', "<%s>, <%s>", "<%s"))
    return Rewrite(r"(?<=^Contact: )[^\r\n]*", shape.replace("%s", "".join(parts)))


_MUTATIONS: Final[tuple[_Mutation, ...]] = (
    _without,
    _repeated,
    _replaced,
    _inserted,
    _inserted,
    _renamed,
    _cut,
    _status_line,
    _uri,
    _uri,
)


def drawn(number: int) -> Plan:
    """The plan of the draw ``number``, from 1."""
    chance = random.Random(f"robustness {number}")
    status = chance.choice((302, 302, 302, 603))
    rewrites = tuple(chance.choice(_MUTATIONS)(chance, status) for _ in range(chance.choice((1, 1, 2, 3))))
    # A change that finds nothing any more, for the one before has taken it, is none.
    soft = tuple(Rewrite(rf"(?:{rewrite.pattern})|\Z", rewrite.put, rewrite.times) for rewrite in rewrites[1:])
    return odd_call(Oddity(f"the oddities of draw {number}", (*rewrites[:1], *soft)), status)
