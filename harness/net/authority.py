"""The certificate authority of a run: whoever trusts it trusts the suite's endpoints, and the devices that it starts.

Made of ``trustme``, and only when TLS is used.  Its files are ``ca.pem`` and one ``HOST.pem`` for each device.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import trustme

from harness.system.disk import disk_errors


class Authority:
    """Issues certificates for numeric hosts, and makes TLS contexts of them; usable from any thread."""

    def __init__(self, folder: Path, key_log: Path | None = None) -> None:
        """``folder`` is where files for devices are written.  ``key_log``: where the keys of all connections go."""
        self._folder = folder
        self._key_log = key_log
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._lock = threading.RLock()

    def server_context(self, host: str) -> ssl.SSLContext:
        """That of a server at ``host``, whose certificate names this address alone.  It asks for none of the device."""
        with self._lock:
            if host not in self._contexts:
                self._contexts[host] = self._server_context(host)
            return self._contexts[host]

    @cached_property
    def _client(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        # Whoever presents a certificate of his own making is a device like any other: the suite only records it.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self._ca.issue_cert("sipverdict.invalid").configure_cert(context)
        self._log_keys(context)
        return context

    def client_context(self) -> ssl.SSLContext:
        """That of a client, which takes any certificate and has one of its own."""
        with self._lock:
            return self._client

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
        return trustme.CA(organization_name="sipverdict")

    def _server_context(self, host: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._ca.issue_cert(host).configure_cert(context)
        context.sni_callback = _remember_name
        self._log_keys(context)
        return context

    def _log_keys(self, context: ssl.SSLContext) -> None:
        if self._key_log is not None:
            with disk_errors():
                context.keylog_filename = str(self._key_log)


def _remember_name(connection: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
    """Keep the name that a client asks for, which nobody tells afterwards."""
    setattr(connection, NAME_ASKED_FOR, name or "")


NAME_ASKED_FOR = "sipverdict_name_asked_for"
"""Where a TLS connection keeps the name that its client asked for (SNI)."""
