"""``python -m harness.devices.reference``: see the package's docstring.

The socket is bound and announced before the rest of the device is imported. From then on datagrams and commands wait in
their buffers for the tenth of a second that asyncio and the parser take to load.

Exit status: 0 at the end, 2 if the port is taken, 3 for a wrong command line.
"""

from __future__ import annotations

import argparse
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

from .binding import bind
from .diagnostics import complain

if TYPE_CHECKING:
    from socket import socket

    from .faults import Fault

_PORT_TAKEN, _WRONG_USAGE = 2, 3
_ROLES = ("ua", "proxy", "recursing-proxy", "redirect", "uas")


class _Parser(argparse.ArgumentParser):
    """Leaves exit status 2 to a port that is taken."""

    def error(self, message: str) -> NoReturn:
        complain(message)
        sys.exit(_WRONG_USAGE)


def main(arguments: list[str] | None = None) -> int:
    """Run the device and return its exit status."""
    # Until the loop has its own handlers, an interrupt ends the process without a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    parser = _Parser(prog="python -m harness.devices.reference", allow_abbrev=False)
    parser.add_argument("--listen", type=_address, metavar="HOST:PORT", help="where the device is")
    parser.add_argument(
        "--also", type=_address, metavar="HOST:PORT", help="where it is as well, over the other IP family"
    )
    parser.add_argument(
        "--called-over", nargs=2, metavar=("TRANSPORT", "HOST:PORT"), help="where it is called over another transport"
    )
    parser.add_argument(
        "--transport",
        choices=("udp", "tcp", "tls", "ws", "wss"),
        default="udp",
        help="what it speaks there (default: %(default)s)",
    )
    parser.add_argument("--certificate", metavar="FILE", help="for TLS: its certificate and key (PEM)")
    parser.add_argument("--authority", metavar="FILE", help="for TLS: whose certificates it trusts (PEM)")
    parser.add_argument("--backup", type=_address, metavar="HOST:PORT", help="where to call if the first hop fails")
    parser.add_argument("--resolver", type=_address, metavar="HOST:PORT", help="the name server that it asks")
    parser.add_argument("--role", choices=_ROLES, default="ua", help="what it is (default: %(default)s)")
    parser.add_argument(
        "--registrar", type=_address, metavar="HOST:PORT", help="register there, and send it every call"
    )
    parser.add_argument("--user", default="100", help="as whom (default: %(default)s)")
    parser.add_argument("--password", default="", help="with what password")
    parser.add_argument("--fault", action="append", default=[], metavar="NAME", help="misbehave; may be repeated")
    parser.add_argument("--control", type=_address, metavar="HOST:PORT", help="take orders on a TCP port, one a line")
    parser.add_argument("--http", type=_address, metavar="HOST:PORT", help="take orders by HTTP: /call?uri=...")
    parser.add_argument("--http-auth", metavar="basic|digest:USER:PASSWORD", help="ask for a password there")
    parser.add_argument("--refer", action="store_true", help="call whom a REFER names")
    parser.add_argument("--list-faults", action="store_true", help="print the faults as JSON and end")
    options = parser.parse_args(arguments)
    if options.list_faults:
        return _list_faults()
    if options.listen is None:
        parser.error("--listen HOST:PORT is needed")
    faults = _faults(parser, options.fault)
    credentials = _credentials(parser, options.http_auth)
    called_over, called_at = options.called_over or ("", "")
    secure = not {options.transport, called_over}.isdisjoint(("tls", "wss"))
    if secure and not (options.certificate and options.authority):
        parser.error("for TLS --certificate FILE and --authority FILE are needed")
    sockets: list[tuple[str, socket]] = []
    places = [(place, options.transport, True) for place in (options.listen, options.also) if place]
    if called_over:
        places.append((_address(called_at), called_over, False))
    for (host, port), transport, every in places:
        try:
            sockets += _bound(host, port, transport) if every else [(transport, bind(host, port, transport))]
        except OSError as error:
            complain(f"cannot listen on {host}:{port}: {error.strerror}")
            return _PORT_TAKEN
    print("READY", flush=True)

    import asyncio

    from .certificates import Contexts
    from .device import Device, run
    from .misbehaviour import behaviour_with
    from .registration import Account
    from .roles import ROLES
    from .sip_uri import Address

    ways = []
    if options.control:
        from .control_port import control_port

        ways.append(control_port(options.control))
    if options.http:
        from .web import web_server

        ways.append(web_server(options.http, credentials))
    registrar, backup = (
        place and Address(place[0], place[1], options.transport) for place in (options.registrar, options.backup)
    )
    account = Account(registrar, options.user, options.password) if registrar else None
    behaviour, core = behaviour_with(faults), ROLES[options.role]
    contexts = Contexts(options.certificate, options.authority, behaviour) if secure else None
    names = None
    if options.resolver:
        from .naming import Names

        names = Names(options.resolver, behaviour, [place[0] for place in (options.listen, options.also) if place])
    device = Device(
        sockets,
        behaviour,
        backup=backup,
        core=core,
        account=account,
        contexts=contexts,
        names=names,
        called_at=Address(*_address(called_at), called_over) if called_over else None,
    )
    try:
        asyncio.run(run(device, *ways, referred=options.refer))
    except OSError as error:
        complain(f"cannot listen for orders: {error}")
        return _PORT_TAKEN
    return 0


def _bound(host: str, port: int, usual: str) -> list[tuple[str, socket]]:
    """Bind a socket of each transport, that of the usual one first; :class:`OSError` if its port is taken."""
    bound = [(usual, bind(host, port, usual))]
    for transport in ("udp", "tcp"):
        if transport != usual:
            # Every SIP element has both (18.2.1); TLS and WebSockets stand in the place of TCP.
            bound.append((transport, bind(host, port if usual in ("udp", "tcp") else 0, transport)))
    return bound


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise argparse.ArgumentTypeError(f"not HOST:PORT: {text}")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _credentials(parser: _Parser, text: str | None) -> tuple[str, str, str] | None:
    if text is None:
        return None
    scheme, _, rest = text.partition(":")
    user, colon, password = rest.partition(":")
    if scheme not in ("basic", "digest") or not user or not colon:
        parser.error(f"not basic:USER:PASSWORD or digest:USER:PASSWORD: {text}")
    return scheme, user, password


def _faults(parser: _Parser, names: list[str]) -> list[Fault]:
    if not names:
        return []
    from .faults import fault_named

    try:
        return [fault_named(name) for name in names]
    except LookupError as error:
        parser.error(str(error))


def _list_faults() -> int:
    import json

    from .faults import FAULTS

    rows = [{"name": fault.name, "roles": fault.roles, "sentence": fault.sentence} for fault in FAULTS]
    print(json.dumps(rows, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
