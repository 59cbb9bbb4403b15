"""The options of ``sipverdict init``, separate from it: parsing them must not import what the command needs."""

from __future__ import annotations

import argparse
from typing import Final

ROLES = ("uac", "uas", "b2bua", "proxy", "redirect")
PRODUCTS: Final[dict[str, str]] = {
    "phone": "uac",
    "b2bua": "b2bua",
    "proxy": "proxy",
    "redirect": "redirect",
    "answering": "uas",
}
"""The kinds of products, and the role of each: the words of the first question, which ``--role`` takes as well."""
FILE = "device.toml"


def add_init_options(parser: argparse.ArgumentParser) -> None:
    """One option for each question.  An option replaces its question."""
    yes_no = argparse.BooleanOptionalAction
    parser.add_argument("path", nargs="?", default=FILE, metavar="PATH", help=f"the file to write (default: {FILE})")
    parser.add_argument(
        "--role",
        action="append",
        type=role,
        choices=ROLES,
        help="a role in which it is tested, or a kind of product (phone, answering); may be repeated",
    )
    parser.add_argument("--name", help="its name in verdicts and reports")
    parser.add_argument("--vendor", help="its maker")
    parser.add_argument("--model", help="the product")
    parser.add_argument("--firmware", help="its version")
    parser.add_argument("--serial", help="serial number or MAC address")
    parser.add_argument("--address", metavar="IPv4:PORT", help="its address, if it is running already")
    parser.add_argument("--start", metavar="COMMAND", help="the command that starts it ({address} in it)")
    parser.add_argument("--tester", metavar="IPv4", help="this machine's address, as the device sees it")
    parser.add_argument(
        "--transport",
        metavar="LIST",
        help="what carries its SIP: udp, tcp, tls, ws, wss, or one to it and another one from it, as in wss-to-udp; "
        "joined by commas",
    )
    parser.add_argument("--authority", metavar="FILE", help="over TLS: the lab's authority, which it trusts (PEM)")
    parser.add_argument("--authority-key", metavar="FILE", help="the key of that authority (PEM)")
    parser.add_argument("--stimulus", metavar="KIND", help="how it is made to call (the questions list the kinds)")
    parser.add_argument("--follows", action=yes_no, default=None, help="whether it follows a 302")
    parser.add_argument("--registers", action=yes_no, default=None, help="whether it registers with a registrar")
    parser.add_argument(
        "--exchange",
        action="append",
        metavar="IPv4:PORT",
        help="where this machine is its registrar, trunk or outbound proxy; repeated for a trunk of several addresses",
    )
    parser.add_argument("--prefix", metavar="DIGITS", help="the digits before every number that it is made to dial")
    parser.add_argument("--user", metavar="NAME", help="the user of the suite's own calls, if the device asks for one")
    parser.add_argument(
        "--number", action="append", metavar="KEY=URI", help="whom to call for an answer (lab.numbers); may be repeated"
    )
    parser.add_argument("--max-calls", type=int, metavar="N", help="the number of calls that it carries at once")
    parser.add_argument("--yes", action="store_true", help="ask no questions: use the defaults for missing options")
    parser.add_argument("--force", action="store_true", help="overwrite existing files")


def role(word: str) -> str:
    """The role of a kind of product; any other word as it is."""
    return PRODUCTS.get(word, word)
