"""``sipverdict``: the command line."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, get_args

from harness.commands import Command, Parser
from harness.commands.evidence import add_evidence_commands, run_evidence_command
from harness.commands.init_options import add_init_options
from harness.commands.runs import add_runs_command, run_runs_command
from harness.errors import SipverdictError
from harness.model.outcome import ExitStatus
from harness.model.printable import short
from harness.run.options import CommandName, add_to_command
from harness.run.options_file import fill
from harness.system.signals import ended_by
from harness.system.terminal import write_plainly

if TYPE_CHECKING:
    from harness.run.carriers import Wanted

_USAGE = """\
sipverdict run --device reference
  sipverdict run --device my-phone.toml --window standard -- -k decline
  sipverdict list requirements
  sipverdict explain RFC3261-21.6-01
  sipverdict explain 603+
  sipverdict doctor --device my-phone.toml
  sipverdict smoke --device my-phone.toml
  sipverdict report reports/out/latest --lang fr
  sipverdict matrix reports/out/RUN1 reports/out/RUN2
  sipverdict gate reports/out/latest --gate must --waivers waivers.toml
  sipverdict certify reports/out/latest --profile ua-decline --key lab.key -o certificate
  sipverdict verify certificate/dossier.tar.gz --key lab.pub"""


TRACEBACK = "SIPVERDICT_TRACEBACK"
"""In the environment: an error that nobody foresaw is shown whole."""


class _Version(argparse.Action):
    """Asks for the version only when somebody wants to know it: a checkout asks git."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from harness.store.provenance import version

        print(f"sipverdict {version()}")
        parser.exit()


def _parser() -> Parser:
    """The command line of all commands; that of ``run`` is its own (harness/commands/run.py)."""
    parser = Parser(
        prog="sipverdict",
        description="Conformance tests for what SIP devices do with 302 Moved Temporarily and 603 Decline.",
        epilog=f"examples:\n  {_USAGE}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=Command)

    commands.add_parser("run", help="test a device (sipverdict run --help)", add_help=False)

    listing = commands.add_parser("list", help="list purposes (tests), requirements, devices, faults, pics or profiles")
    listing.add_argument("what", choices=("purposes", "requirements", "devices", "faults", "pics", "profiles"))
    listing.add_argument("--json", action="store_true", help="as JSON, for programs")

    explain = commands.add_parser("explain", help="explain a status code (302, 603, 603+) or a requirement")
    explain.add_argument("topic", help="a code (302, 603, 603+, 607, 6xx) or the id of a requirement")
    explain.add_argument("--lang", default="en", help="the language of a code's explanation: en (default) or fr")

    init = commands.add_parser("init", help="write a device profile after a few questions, or from options")
    add_init_options(init)
    commands.add_parser("schema", help="print the JSON Schema of a device profile, for editors")

    replay = commands.add_parser("replay", help="judge a stored run again, without SIPp and without the device")
    replay.add_argument("run", help="the folder of a run, e.g. reports/out/latest")

    add_to_command(replay, "replay")

    shared: tuple[tuple[CommandName, str], ...] = (
        ("doctor", "check that this machine, and a device's profile, are ready"),
        ("smoke", "place three test calls and explain any failure"),
    )
    for name, help_text in shared:
        command = commands.add_parser(name, help=help_text)
        add_to_command(command, name)
        command.add_argument("--json", action="store_true", help="as JSON, for programs")

    expect = commands.add_parser("expect", help="save the non-passes of a run as the known ones of a device")
    expect.add_argument("run", help="the folder of a run, e.g. reports/out/latest")
    add_to_command(expect, "expect")
    expect.add_argument(
        "--inconclusive",
        action="store_true",
        help="also inconclusive tests without trouble: use it if they are inconclusive in every run",
    )
    _add_reports(commands)
    add_runs_command(commands)
    add_evidence_commands(commands)
    completion = commands.add_parser("completion", help="print what makes a shell complete commands and options")
    completion.add_argument("shell", choices=("bash", "zsh", "fish"))
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit status of the contract (docs/running.md)."""
    write_plainly()
    parser = _parser()
    if "_ARGCOMPLETE" in os.environ:  # a shell asks for what may come next
        from harness.commands.completion import complete

        complete(parser)
    arguments = list(sys.argv[1:] if argv is None else argv)
    # What follows "run" is partly pytest's and unknown here: argparse must not look at it.
    known = arguments[:1] if arguments[:1] == ["run"] else arguments
    try:
        options = parser.parse_args(known)
        return _dispatch(options, arguments[1:])
    except SipverdictError as error:
        print(f"sipverdict: {error}", file=sys.stderr)
        return int(ExitStatus.of_error(error))
    except KeyboardInterrupt:
        return int(ExitStatus.INCONCLUSIVE)
    except Exception as error:
        if ended_by():  # it struck where Python makes another error of it
            return int(ExitStatus.INCONCLUSIVE)
        # Python's own status would be 1, and that says of a device that it does not conform.
        if os.environ.get(TRACEBACK):
            raise
        cause = short(f"{type(error).__name__}: {error}", 300)
        again = f"run again with {TRACEBACK}=1 for the traceback"
        print(f"sipverdict: {cause}: this is a bug in sipverdict; {again}", file=sys.stderr)
        return int(ExitStatus.SETUP)


def _add_reports(commands: argparse._SubParsersAction[Command]) -> None:
    """The commands that show a stored run."""
    report = commands.add_parser("report", help="write the page of a stored run again (docs/reports.md)")
    report.add_argument("run", help="the folder of a run, e.g. reports/out/latest")
    report.add_argument("--lang", default="en", help="the language of the page: en (default) or fr")
    report.add_argument("--allure", action="store_true", help="Allure's report as one file as well (needs Node.js)")
    report.add_argument("--out", metavar="FILE", help="where the page is written (default: RUN/index.html)")

    matrix = commands.add_parser("matrix", help="devices against requirements, over one run or several")
    matrix.add_argument("runs", nargs="+", metavar="RUN", help="the folder of a run; of two firmware versions: two")
    matrix.add_argument("--json", action="store_true", help="as JSON, for programs")
    matrix.add_argument("--lang", default="en", help="the language of the page: en (default) or fr")
    matrix.add_argument("--out", metavar="FILE", help="where it is written (default: matrix.html in the first run)")

    pcap = commands.add_parser("pcap", help="the messages of a stored run as files for Wireshark")
    pcap.add_argument("run", help="the folder of a run, e.g. reports/out/latest")
    pcap.add_argument("--flow", action="append", default=[], metavar="ID", help="only this flow; may be repeated")
    pcap.add_argument("--out", metavar="FOLDER", help="where they are written (default: RUN/pcap)")


def _wanted(options: argparse.Namespace) -> Wanted:
    """What is to carry the SIP of the devices of a command."""
    from harness.run.carriers import Wanted

    return Wanted.of(options.transport, options.family, options.transports)


def _dispatch(options: argparse.Namespace, rest: Sequence[str]) -> int:
    if options.command in get_args(CommandName) and options.command != "run":  # which fills its own
        fill(options, options.command)
    # Each command imports only what it needs: listing must not wait for pytest.
    if options.command == "run":
        from harness.commands.run import run

        return run(rest)
    if options.command == "list":
        from harness.commands.listing import show

        return show(options.what, as_json=options.json)
    if options.command == "explain":
        from harness.commands.explain import explain

        return explain(options.topic, options.lang)
    if options.command == "init":
        from harness.commands.init import init

        return init(options)
    if options.command == "schema":
        from harness.commands.schema import schema

        return schema()
    if options.command == "doctor":
        from harness.commands.doctor import doctor

        return doctor(options.device or [], _wanted(options), out=options.out, as_json=options.json)
    if options.command == "smoke":
        from harness.commands.smoke import smoke

        return smoke(options.device or [], options.fault or [], _wanted(options), as_json=options.json)
    if options.command == "expect":
        from harness.commands.expect import expect

        return expect(
            options.run, options.device or [], inconclusive=options.inconclusive, as_json=options.format == "json"
        )
    if options.command == "report":
        from harness.commands.report import report

        return report(options.run, options.lang, options.out, allure=options.allure)
    if options.command == "matrix":
        from harness.commands.matrix import show as show_matrix

        return show_matrix(options.runs, options.lang, options.out, json=options.json)
    if options.command == "pcap":
        from harness.commands.pcap import write

        return write(options.run, options.flow, options.out)
    if options.command == "completion":
        from harness.commands.completion import completion

        return completion(options.shell)
    if options.command == "replay":
        from harness.commands.replay import replay

        return replay(options.run, as_json=options.format == "json")
    if options.command == "runs":
        return run_runs_command(options)
    return run_evidence_command(options)
