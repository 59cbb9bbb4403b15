"""The questions of ``sipverdict init`` on a terminal, and what follows from the answers."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Final, cast

from rich.console import Console
from rich.prompt import Confirm, IntPrompt, InvalidResponse, Prompt

from harness.commands.init_options import FILE, PRODUCTS, ROLES, role
from harness.errors import SetupError
from harness.manual.first_stimuli import STIMULI
from harness.manual.schema import stimulus_sections
from harness.manual.starter import Answers
from harness.model.axes import PASSAGES, TRANSPORTS
from harness.net.address import Address, Passage
from harness.net.probe import source_towards

THROUGH: Final = frozenset({"uas", "b2bua", "proxy", "redirect"})

_PRODUCTS_EXPLAINED: Final = """\
  phone      places calls: a phone, a softphone, a gateway
  b2bua      passes calls on as new ones: an SBC, a PBX
  proxy      passes requests on
  redirect   answers with 3xx: a redirect server
  answering  answers calls itself: a phone that forwards or declines"""


def kinds_for(roles: set[str] | None = None, *, started: bool = True) -> list[str]:
    """The kinds of stimulus for a new profile: those for ``roles``, and whether the suite starts the device."""
    known = [kind for kind in STIMULI if kind in stimulus_sections() and (started or kind != "stdin")]
    if roles is None:
        return known
    return [kind for kind in known if (kind == "sipp" and roles & THROUGH) or (kind != "sipp" and "uac" in roles)]


def default_name(path: Path) -> str:
    """What the device is called unless its author says something else."""
    return path.stem if path.name != FILE else path.resolve().parent.name or "device"


def route_to(address: str | None) -> str:
    """This machine's address on the route to ``address``; "" for a device on this machine, or without a route."""
    if not address:
        return ""
    try:
        found = source_towards(Address.parse(address)).host
    except OSError:
        return ""
    return "" if found.startswith("127.") else found


def transports_of(options: argparse.Namespace) -> tuple[Passage, ...]:
    """What carries the device's SIP; SetupError for a word that is no transport."""
    words = tuple(dict.fromkeys(word.strip().lower() for word in (options.transport or "udp").split(",")))
    if wrong := [word for word in words if word not in PASSAGES]:
        known = f"known: {', '.join(TRANSPORTS)}, or two of them, as in wss-to-udp"
        raise SetupError(f"--transport: there is no transport {wrong[0]!r:.80}", known)
    return cast("tuple[Passage, ...]", words)


# --- questions


class _Transports(Prompt):
    """Asks until the answer is a list of transports."""

    def process_response(self, value: str) -> str:
        """Check one answer."""
        try:
            return ",".join(transports_of(argparse.Namespace(transport=value)))
        except SetupError as error:
            raise InvalidResponse(f"[prompt.invalid]{error.cause}") from None


class _Address(Prompt):
    """Asks until the answer is IPv4:port or empty."""

    def process_response(self, value: str) -> str:
        """Check one answer."""
        if value.strip():
            try:
                Address.parse(value.strip(), family="ipv4")
            except ValueError as error:
                raise InvalidResponse(f"[prompt.invalid]{error}") from None
        return value.strip()


class _Exchange(_Address):
    """Takes ``{lease}`` as well."""

    def process_response(self, value: str) -> str:
        """Check one answer."""
        return "{lease}" if value.strip() == "{lease}" else super().process_response(value)


class _YesNo(Confirm):
    """Takes the whole words as well."""

    def process_response(self, value: str) -> bool:
        """y, n, yes or no, in any letters."""
        return super().process_response(value.strip().lower()[:1] if value.strip().lower() in ("yes", "no") else value)


def numbers_of(options: argparse.Namespace) -> tuple[tuple[str, str], ...]:
    """``lab.numbers`` as the options have them; SetupError for one without an equals sign."""
    for text in options.number or ():
        if "=" not in text:
            raise SetupError(f"--number: expected KEY=URI; got {text!r}", "as in --number declines=sip:603@{device}")
    return tuple((text.partition("=")[0], text.partition("=")[2]) for text in options.number or ())


def asked(options: argparse.Namespace, path: Path, console: Console) -> Answers:
    """The answers of a person, and of the options that replace a question."""

    def ask(option: str, question: Callable[[], str]) -> str:
        given = getattr(options, option)
        return given if given is not None else question()

    def text(question: str, default: str = "") -> str:
        return Prompt.ask(question, console=console, default=default, show_default=bool(default)).strip()

    if options.role:
        roles = tuple(dict.fromkeys(options.role))
    else:
        console.print("What kind of product is it?")
        console.print(_PRODUCTS_EXPLAINED, markup=False)
        words = [*PRODUCTS, *(one for one in ROLES if one not in PRODUCTS)]
        question = f"It is a \\[{'/'.join(PRODUCTS)}]"
        roles = (role(Prompt.ask(question, console=console, choices=words, default="phone", show_choices=False)),)
    vendor = ask("vendor", lambda: text("Vendor?"))
    model = ask("model", lambda: text("Model?"))
    name = ask("name", lambda: text("Name in reports?", model or default_name(path)))
    address, start = options.address or "", options.start or ""
    if not address and not start:
        address = _Address.ask(
            "Its address, IPv4:port? (empty: the suite starts it)",
            console=console,
            default="",
            show_default=False,
        )
        while not address and not start:
            start = text("Command that starts it? ({address} is replaced by its address)")
    tester = options.tester or route_to(address)
    if address and tester and not options.tester:
        tester = text("Address of this machine, as the device sees it?", tester)
    if options.transport is None:
        question = "What carries its SIP: udp, tcp, tls, ws, wss, or two as in wss-to-udp? (several: joined by commas)"
        options.transport = _Transports.ask(question, console=console, default="udp")
    kinds = kinds_for(set(roles), started=bool(start))
    kind = options.stimulus or (
        kinds[0] if len(kinds) == 1 else Prompt.ask("How does the suite make it call?", console=console, choices=kinds)
    )
    follows = options.follows
    if follows is None and set(roles) & {"uac", "b2bua", "proxy"}:
        follows = _YesNo.ask("Does it follow a 302 by itself?", console=console, default="uac" in roles)
    registers = options.registers
    if registers is None and set(roles) & {"uac", "b2bua"}:
        registers = _YesNo.ask("Does it register with a registrar?", console=console, default=False)
    exchange, *further = options.exchange or [""]
    if not exchange and set(roles) & {"uac", "b2bua"}:
        usual = f"{tester or '{lease}'}{':5060' if tester else ''}" if registers else ""
        question = "Its registrar, trunk or outbound proxy, played by this machine: IPv4:port? (empty: it has none)"
        exchange = _Exchange.ask(question, console=console, default=usual, show_default=bool(usual))
    prefix = options.prefix or ""
    if exchange and not prefix:
        prefix = text("Digits before every number, for its dial plan?", "7")
    user = options.user
    if user is None and set(roles) & THROUGH:
        user = text("User for the suite's calls, if it asks callers for a password? (empty: it does not)")
    most = options.max_calls
    if most is None:
        most = max(1, IntPrompt.ask("How many calls does it carry at once?", console=console, default=1))
    return Answers(
        name=name,
        roles=roles,
        stimulus=kind,
        vendor=vendor,
        model=model,
        firmware=options.firmware or "",
        serial=options.serial or "",
        address=address,
        start=start,
        tester=tester,
        follows=bool(follows),
        registers=bool(registers),
        max_calls=most,
        exchange=exchange,
        further_exchanges=tuple(further),
        prefix=prefix,
        user=user or "",
        numbers=numbers_of(options),
        transports=transports_of(options),
        authority=options.authority or "",
        authority_key=options.authority_key or "",
    )
