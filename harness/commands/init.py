"""``sipverdict init``: writes a first device profile, from the answers to a few questions or from options."""

from __future__ import annotations

import argparse
import os
import shlex
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.prompt import Confirm, IntPrompt, InvalidResponse, Prompt

from harness.commands.init_options import FILE
from harness.device.profile import reading
from harness.device.profile.loading import checked_profile
from harness.errors import SetupError
from harness.manual.schema import FILE_NAME, as_text, profile_schema, stimulus_sections
from harness.manual.starter import STIMULI, TO_COMPLETE, Answers, starter
from harness.net.address import Address, family_of
from harness.net.probe import source_towards

PRODUCTS: Final[dict[str, str]] = {
    "phone": "uac",
    "b2bua": "b2bua",
    "proxy": "proxy",
    "redirect": "redirect",
    "answering": "uas",
}
"""The kinds of products, and the role of each."""
_PRODUCTS_EXPLAINED: Final = """\
  phone      places calls: a phone, a softphone, a gateway
  b2bua      passes calls on as new ones: an SBC, a PBX
  proxy      passes requests on
  redirect   answers with 3xx: a redirect server
  answering  answers calls itself: a phone that forwards or declines"""
_THROUGH: Final = frozenset({"uas", "b2bua", "proxy", "redirect"})


def init(options: argparse.Namespace) -> int:
    """Write the profile and, beside it, the JSON Schema; SetupError if the file exists or an answer is missing."""
    path = Path(options.path).expanduser()
    _check_target(path, force=options.force)
    _check_options(options)
    asking = sys.stdin.isatty() and sys.stdout.isatty() and not options.yes
    if not asking:
        _check_enough(options)
    console = Console(highlight=False)
    try:
        answers = _asked(options, path, console) if asking else _usual(options, path)
    except EOFError:
        raise SetupError("the input ended too early", f"sipverdict init {FILE} asks them again") from None
    text = starter(answers, str(path))
    profile = checked_profile(path, text)
    _write(path, text, force=options.force)
    console.print(f"wrote {path}: {profile.name}, {' and '.join(profile.device.roles)}", markup=False, soft_wrap=True)
    if _write_schema(path.parent / FILE_NAME):
        console.print(f"wrote {path.parent / FILE_NAME}, for editors", markup=False, soft_wrap=True)
    name = shlex.quote(str(path))
    changes = f" complete what says {TO_COMPLETE}, then" if TO_COMPLETE in text else ""
    console.print(f"next:{changes} sipverdict doctor --device {name}", markup=False, soft_wrap=True)
    return 0


# --- options


def _check_target(path: Path, *, force: bool) -> None:
    _, mode = reading.look(str(path))
    if mode and not stat.S_ISREG(mode):
        raise SetupError(f"{path} exists and is not a file", "name the file to write")
    if (mode or path.is_symlink()) and not force:
        raise SetupError(f"{path} exists already", "--force overwrites it; or name another file")
    if not path.parent.is_dir():
        raise SetupError(f"there is no folder {path.parent}", f"mkdir -p {shlex.quote(str(path.parent))}")


def _check_options(options: argparse.Namespace) -> None:
    """SetupError for an option with an invalid value."""
    for name in ("address", "tester"):
        if value := getattr(options, name):
            try:
                if name == "address":
                    Address.parse(value, family="ipv4")
                elif family_of(value) != "ipv4":
                    raise ValueError(f"expected an IPv4 address; got {value!r}")
            except ValueError as error:
                raise SetupError(f"--{name}: {error}") from None
    if options.stimulus is not None and options.stimulus not in _kinds():
        raise SetupError(f"--stimulus: there is no kind {options.stimulus!r}", f"known: {', '.join(_kinds())}")
    for name, value in vars(options).items():
        if isinstance(value, str) and not value.isprintable():
            raise SetupError(f"--{name}: expected printable text", "write it in UTF-8, in one line")
    if options.max_calls is not None and options.max_calls < 1:
        raise SetupError("--max-calls: expected at least 1")
    if options.address and options.start:
        raise SetupError("--address is for a running device, --start for one to be started: expected one of them")
    if options.start:
        try:
            shlex.split(options.start)
        except ValueError as error:
            raise SetupError(f"--start: {error}", "it is split as a shell would, and run without one") from None


def _check_enough(options: argparse.Namespace) -> None:
    missing = [] if options.role else ["--role"]
    missing += [] if options.address or options.start else ["--address (or --start)"]
    calls_itself = options.role and not set(options.role) & _THROUGH
    missing += ["--stimulus"] if calls_itself and not options.stimulus and "manual" not in _kinds() else []
    if missing:
        why = "--yes asks no questions" if options.yes else "init can ask questions only on a terminal"
        raise SetupError(
            f"{why}: expected {', '.join(missing)}",
            "for instance: sipverdict init --role uac --address 192.0.2.7:5060 --stimulus command",
        )


def _kinds(roles: set[str] | None = None, *, started: bool = True) -> list[str]:
    """The kinds of stimulus for a new profile: those for ``roles``, and whether the suite starts the device."""
    known = [kind for kind in STIMULI if kind in stimulus_sections() and (started or kind != "stdin")]
    if roles is None:
        return known
    return [kind for kind in known if (kind == "sipp" and roles & _THROUGH) or (kind != "sipp" and "uac" in roles)]


def _usual(options: argparse.Namespace, path: Path) -> Answers:
    roles = tuple(dict.fromkeys(options.role))
    kinds = _kinds(set(roles), started=bool(options.start))
    return Answers(
        name=options.name or options.model or _name(path),
        roles=roles,
        stimulus=options.stimulus or ("sipp" if "sipp" in kinds else kinds[0]),
        vendor=options.vendor or "",
        model=options.model or "",
        firmware=options.firmware or "",
        serial=options.serial or "",
        address=options.address or "",
        start=options.start or "",
        tester=options.tester or _route_to(options.address),
        follows=bool(options.follows),
        registers=bool(options.registers),
        max_calls=options.max_calls or 1,
    )


def _name(path: Path) -> str:
    return path.stem if path.name != FILE else path.resolve().parent.name or "device"


def _route_to(address: str | None) -> str:
    """This machine's address on the route to ``address``; "" for a device on this machine, or without a route."""
    if not address:
        return ""
    try:
        found = source_towards(Address.parse(address)).host
    except OSError:
        return ""
    return "" if found.startswith("127.") else found


# --- questions


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


def _asked(options: argparse.Namespace, path: Path, console: Console) -> Answers:
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
        product = Prompt.ask("It is a", console=console, choices=list(PRODUCTS), default="phone")
        roles = (PRODUCTS[product],)
    vendor = ask("vendor", lambda: text("Vendor?"))
    model = ask("model", lambda: text("Model?"))
    name = ask("name", lambda: text("Name in reports?", model or _name(path)))
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
    tester = options.tester or _route_to(address)
    if address and tester and not options.tester:
        tester = text("Address of this machine, as the device sees it?", tester)
    kinds = _kinds(set(roles), started=bool(start))
    kind = options.stimulus or (
        kinds[0] if len(kinds) == 1 else Prompt.ask("How does the suite make it call?", console=console, choices=kinds)
    )
    follows = options.follows
    if follows is None and set(roles) & {"uac", "b2bua", "proxy"}:
        follows = Confirm.ask("Does it follow a 302 by itself?", console=console, default="uac" in roles)
    registers = options.registers
    if registers is None and set(roles) & {"uac", "b2bua"}:
        registers = Confirm.ask("Does it register with a registrar?", console=console, default=False)
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
    )


# --- files


def _write(path: Path, text: str, *, force: bool) -> None:
    try:
        # Exclusive: a file that was created since the check is not overwritten either.
        flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if force else os.O_EXCL)
        with open(os.open(path, flags, 0o644), "w", encoding="utf-8") as file:  # noqa: PTH123 - a descriptor
            file.write(text)
    except FileExistsError:
        raise SetupError(f"{path} exists already", "--force overwrites it; or name another file") from None
    except OSError as error:
        raise SetupError(
            f"{path}: cannot be written: {error.strerror}", "check the folder and its permissions"
        ) from None


def _write_schema(path: Path) -> bool:
    """Write the schema that the profile's first line names, unless the file exists."""
    if os.path.lexists(path):
        return False
    _write(path, as_text(profile_schema()), force=False)
    return True
