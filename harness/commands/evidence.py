"""The commands on the result of a run: gate, badge, keygen, certify, verify, with their options."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path
from typing import Any

from harness.run.options import add_to_command


def add_evidence_commands(commands: Any) -> None:
    """Add them to the subparsers ``commands``."""
    gate = commands.add_parser("gate", help="check a stored run for a pipeline: exit status and reasons")
    gate.add_argument("run", help="the folder of a run, e.g. reports/out/latest")
    add_to_command(gate, "gate")
    gate.add_argument("--draft", action="store_true", help="print waivers for the findings that count, to be completed")

    badge = commands.add_parser("badge", help="draw the verdict of a run as an SVG")
    badge.add_argument("run", help="the folder of a run")
    badge.add_argument("-o", "--output", type=Path, default=Path("badge.svg"), metavar="FILE")

    keygen = commands.add_parser("keygen", help="make a key pair to sign certificates with")
    keygen.add_argument(
        "-o", "--output", type=Path, default=Path("sipverdict"), metavar="NAME", help="NAME.key, NAME.pub"
    )

    certify = commands.add_parser("certify", help="certify a run: a statement, and a signed dossier of its evidence")
    certify.add_argument("run", help="the folder of a run, in the standard window or a longer one")
    certify.add_argument("--profile", required=True, help="the profile to certify (sipverdict list profiles)")
    certify.add_argument("--key", type=Path, required=True, metavar="FILE", help="the private key to sign with")
    certify.add_argument("--device", help="the device, if the run has several")
    certify.add_argument("--number", metavar="TEXT", help="the certificate's number (default: made of date and run)")
    certify.add_argument("--issuer", metavar="TEXT", help="who issues it")
    certify.add_argument("--laboratory", metavar="TEXT", help="where the device was tested")
    certify.add_argument("--issued", type=_day, metavar="DATE", help="the day of issue (default: today, UTC)")
    certify.add_argument("--expires", type=_day, metavar="DATE", help="its last valid day (default: two years later)")
    certify.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FOLDER", help="the folder to write; created if missing"
    )

    registry = commands.add_parser("registry", help="verify a folder of dossiers again, and list them on a page")
    registry.add_argument("folder", type=Path, help="the folder with the dossiers; revoked.toml in it revokes some")
    registry.add_argument(
        "--key", type=Path, action="append", default=[], metavar="FILE", help="a public key that may sign; repeatable"
    )
    registry.add_argument("-o", "--output", type=Path, metavar="FILE", help="the page (default: FOLDER/index.html)")

    verify = commands.add_parser("verify", help="check a dossier: files, hashes, signature, and every verdict again")
    verify.add_argument("dossier", type=Path, help="dossier.tar.gz, also from a stranger")
    verify.add_argument("--key", type=Path, metavar="FILE", help="the public key that must have signed it")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a date, as in 2027-01-31; found {text[:40]!r}") from None


def run_evidence_command(options: argparse.Namespace) -> int:
    """Run the command of ``options``.  Each one imports only what it needs."""
    if options.command == "gate":
        from harness.commands.gate import gate
        from harness.report.pull_request import PullRequestFiles

        return gate(
            options.run,
            options.gate or "",
            options.waivers,
            draft=options.draft,
            subset=bool(options.allow_subset),
            as_json=options.format == "json",
            files=PullRequestFiles(options.sarif, options.code_quality, options.summary),
        )
    if options.command == "badge":
        from harness.commands.badge import badge

        return badge(options.run, options.output)
    if options.command == "keygen":
        from harness.commands.keygen import keygen

        return keygen(options.output)
    if options.command == "certify":
        from harness.commands.certify import certify

        return certify(
            options.run,
            options.profile,
            options.key,
            options.device,
            options.output,
            number=options.number,
            issuer=options.issuer,
            laboratory=options.laboratory,
            issued=options.issued,
            expires=options.expires,
        )
    if options.command == "registry":
        from harness.commands.registry import registry

        return registry(options.folder, options.key, options.output)
    from harness.commands.verify import verify

    return verify(options.dossier, options.key)
