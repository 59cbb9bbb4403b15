"""``sipverdict init``: writes a first device profile, from the answers to a few questions or from options."""

from __future__ import annotations

import argparse
import os
import shlex
import stat
import sys
from pathlib import Path

from rich.console import Console

from harness.commands.init_options import FILE
from harness.commands.init_questions import THROUGH, asked, default_name, kinds_for, numbers_of, route_to, transports_of
from harness.device.profile import reading
from harness.device.profile.loading import checked_profile
from harness.errors import SetupError
from harness.manual.schema import FILE_NAME, as_text, profile_schema
from harness.manual.starter import TO_COMPLETE, Answers, starter
from harness.net.address import SECURE, Address, Carrier, family_of


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
        answers = asked(options, path, console) if asking else _usual(options, path)
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
    for name in ("address", "tester", "exchange"):
        given = getattr(options, name) or []
        for value in given if isinstance(given, list) else [given]:
            if value == "{lease}":
                continue
            try:
                if name != "tester":
                    Address.parse(value, family="ipv4")
                elif family_of(value) != "ipv4":
                    raise ValueError(f"expected an IPv4 address; got {value!r}")
            except ValueError as error:
                raise SetupError(f"--{name}: {error}") from None
    if options.stimulus is not None and options.stimulus not in kinds_for():
        raise SetupError(f"--stimulus: there is no kind {options.stimulus!r}", f"known: {', '.join(kinds_for())}")
    for name, value in vars(options).items():
        texts = value if isinstance(value, list) else [value]
        if any(isinstance(text, str) and not text.isprintable() for text in texts):
            raise SetupError(f"--{name}: expected printable text", "write it in UTF-8, in one line")
    if (options.authority_key or options.authority) and not (options.authority_key and options.authority):
        raise SetupError("--authority and --authority-key go together", "openssl makes both: docs/transports.md")
    if options.authority and not any(Carrier.of(one).transports & SECURE for one in transports_of(options)):
        raise SetupError("--authority is for TLS: expected --transport tls or wss with it")
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
    calls_itself = options.role and not set(options.role) & THROUGH
    missing += ["--stimulus"] if calls_itself and not options.stimulus and "manual" not in kinds_for() else []
    if missing:
        why = "--yes asks no questions" if options.yes else "init can ask questions only on a terminal"
        raise SetupError(
            f"{why}: expected {', '.join(missing)}",
            "for instance: sipverdict init --role uac --address 192.0.2.7:5060 --stimulus command",
        )


def _usual(options: argparse.Namespace, path: Path) -> Answers:
    roles = tuple(dict.fromkeys(options.role))
    kinds = kinds_for(set(roles), started=bool(options.start))
    return Answers(
        name=options.name or options.model or default_name(path),
        roles=roles,
        stimulus=options.stimulus or ("sipp" if "sipp" in kinds else kinds[0]),
        vendor=options.vendor or "",
        model=options.model or "",
        firmware=options.firmware or "",
        serial=options.serial or "",
        address=options.address or "",
        start=options.start or "",
        tester=options.tester or route_to(options.address),
        follows=bool(options.follows),
        registers=bool(options.registers),
        max_calls=options.max_calls or 1,
        exchange=(options.exchange or [""])[0],
        further_exchanges=tuple((options.exchange or [])[1:]),
        prefix=options.prefix or "",
        user=options.user or "",
        numbers=numbers_of(options),
        transports=transports_of(options),
        authority=options.authority or "",
        authority_key=options.authority_key or "",
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
