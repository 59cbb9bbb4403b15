"""The certificate authority of a run: whoever trusts it trusts the suite's endpoints, and the devices that it starts.

Made of ``trustme``, and only when TLS is used; a lab may have one of its own.
Its files are ``ca.pem`` and one ``HOST.pem`` for each device.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

import trustme

from harness.net.certificate import RIGHT, Certificate
from harness.net.uri_certificate import naming_uris
from harness.system.disk import disk_errors

_AGO = timedelta(days=1)
"""How long the time of an expired certificate has been over: no clock is so wrong."""


@dataclass(frozen=True)
class OwnFiles:
    """PEM files of a lab: whom its devices trust, and what its endpoints show."""

    authority: Path | None = None
    authority_key: Path | None = None
    """By it certificates are made for the endpoints; else they show ``certificate``."""
    certificate: Path | None = None
    key: Path | None = None
    demanded: bool = False
    """Whether the endpoints demand a certificate of the device."""


class Authority:
    """Issues certificates, and makes TLS contexts of them; usable from any thread."""

    def __init__(self, folder: Path, key_log: Path | None = None, own: OwnFiles = OwnFiles()) -> None:
        """``folder`` is where files for devices are written.  ``key_log``: where the keys of all connections go.

        ``own``: files that stand in the place of an authority made for the run; they fit each other.
        """
        self._folder = folder
        self._own = own
        self._key_log = key_log
        self._servers: dict[tuple[str, Certificate], ssl.SSLContext] = {}
        self._clients: dict[str, ssl.SSLContext] = {}
        self._lock = threading.RLock()

    def server_context(self, host: str, certificate: Certificate = RIGHT) -> ssl.SSLContext:
        """That of a server at ``host``, a numeric address, which shows ``certificate``."""
        with self._lock:
            if (host, certificate) not in self._servers:
                self._servers[host, certificate] = self._server_context(host, certificate)
            return self._servers[host, certificate]

    def client_context(self, host: str) -> ssl.SSLContext:
        """That of a client at ``host``, which takes any certificate and has one of its own."""
        with self._lock:
            if host not in self._clients:
                self._clients[host] = self._client_context(host)
            return self._clients[host]

    def with_files(self, own: OwnFiles, folder: str) -> Authority:
        """That of a lab with files of its own; its files for devices go to this folder within this one's."""
        return Authority(self._folder / folder, self._key_log, own)

    def files_for(self, host: str) -> Mapping[str, str]:
        """Files for a device at ``host``: ``certificate`` (with its key) and ``authority``.  SetupError: the disk."""
        with self._lock, disk_errors():
            self._folder.mkdir(parents=True, exist_ok=True)
            authority, own = self._folder / "ca.pem", self._folder / f"{host.replace(':', '_')}.pem"
            if not authority.exists():
                self._ca.cert_pem.write_to_path(authority)
            own.touch(mode=0o600)
            self._ca.issue_cert(host).private_key_and_cert_chain_pem.write_to_path(own)
            return {"certificate": str(own), "authority": str(authority)}

    @cached_property
    def _ca(self) -> trustme.CA:
        if self._own.authority and self._own.authority_key:
            with disk_errors():
                return trustme.CA.from_pem(self._own.authority.read_bytes(), self._own.authority_key.read_bytes())
        return trustme.CA(organization_name="sipverdict")

    @cached_property
    def _stranger(self) -> trustme.CA:
        return trustme.CA(organization_name="sipverdict", organization_unit_name="whom nobody trusts")

    def _server_context(self, host: str, certificate: Certificate) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._show(certificate, host, context)
        context.sni_callback = _remember_name
        if self._own.demanded:
            context.verify_mode = ssl.CERT_REQUIRED
            if self._own.authority:
                context.load_verify_locations(self._own.authority)
            else:
                self._ca.configure_trust(context)
        self._log_keys(context)
        return context

    def _client_context(self, host: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        # Whoever presents a certificate of his own making is a device like any other: the suite only records it.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self._show(RIGHT, host, context)
        self._log_keys(context)
        return context

    def _show(self, certificate: Certificate, host: str, context: ssl.SSLContext) -> None:
        """Have ``context`` show what ``certificate`` describes, of an endpoint at ``host``."""
        if self._own.certificate and not certificate.stranger:
            context.load_cert_chain(self._own.certificate, self._own.key)
            return
        signer = self._stranger if certificate.stranger else self._ca
        names = certificate.names or (host,)
        if any(name.startswith("sip:") for name in names):
            naming_uris(signer, names).configure_cert(context)
            return
        until = datetime.now(UTC) - _AGO if certificate.expired else None
        signer.issue_cert(*names, not_before=until and until - 365 * _AGO, not_after=until).configure_cert(context)

    def _log_keys(self, context: ssl.SSLContext) -> None:
        if self._key_log is not None:
            with disk_errors():
                context.keylog_filename = str(self._key_log)


@dataclass(frozen=True)
class Showing:
    """What a seat needs of TLS: an authority, and which certificate the seat shows."""

    authority: Authority
    certificate: Certificate = RIGHT

    def server_context(self, host: str) -> ssl.SSLContext:
        """That of a server at ``host``, a numeric address."""
        return self.authority.server_context(host, self.certificate)

    def client_context(self, host: str) -> ssl.SSLContext:
        """That of a client there."""
        return self.authority.client_context(host)


def _remember_name(connection: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
    """Keep the name that a client asks for, which nobody tells afterwards."""
    setattr(connection, NAME_ASKED_FOR, name or "")


NAME_ASKED_FOR = "sipverdict_name_asked_for"
"""Where a TLS connection keeps the name that its client asked for (SNI)."""
