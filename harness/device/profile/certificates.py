"""The certificates of a lab, as ``[lab.tls]`` of a profile names them: read, and found to fit each other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NoReturn

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from harness.device.tables.lab_section import TlsSection
from harness.device.tables.profile_tables import ProfileTables
from harness.errors import ProfileError
from harness.net.authority import OwnFiles

MAKE: Final = (
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 -subj /CN=lab "
    "-keyout lab-ca.key -out lab-ca.pem"
)
"""What makes an authority for a lab."""
_TOGETHER: Final = "name the two files that were made together"


def own_files(profile: ProfileTables) -> OwnFiles | None:
    """The files of ``[lab.tls]``; None without that table.

    ProfileError that names key and file if one is missing, broken, out of date or does not fit.
    """
    return _Files(profile.source, profile.lab.tls).read() if profile.lab.tls else None


@dataclass(frozen=True)
class _Files:
    profile: Path
    section: TlsSection

    def read(self) -> OwnFiles:
        section = self.section
        authorities = self._certificates("authority") if section.authority else ()
        if authorities and not _may_sign(authorities[0]):
            self._bad("authority", "is no certificate of an authority (CA:TRUE)", f"one is made by: {MAKE}")
        if section.authority_key and _public(self._key("authority_key")) != _public(authorities[0]):
            self._bad("authority_key", f"is not the key of {section.authority}", _TOGETHER)
        if section.certificate and _public(self._key("key")) != _public(self._certificates("certificate")[0]):
            self._bad("key", f"is not the key of {section.certificate}", _TOGETHER)
        authority, authority_key = self._path("authority"), self._path("authority_key")
        return OwnFiles(authority, authority_key, self._path("certificate"), self._path("key"), section.demanded)

    def _path(self, key: str) -> Path | None:
        name: str = getattr(self.section, key)
        return self.profile.parent / name if name else None

    def _content(self, key: str) -> bytes:
        path = self._path(key)
        assert path is not None
        try:
            return path.read_bytes()
        except OSError as error:
            todo = "correct the name (it is looked for beside the profile), or the rights of the file"
            self._bad(key, f"cannot be read: {error.strerror}", todo)

    def _certificates(self, key: str) -> tuple[x509.Certificate, ...]:
        try:
            found = tuple(x509.load_pem_x509_certificates(self._content(key)))
        except ValueError:
            self._bad(key, "has no certificate in it", "expected a PEM file: -----BEGIN CERTIFICATE-----")
        for one in found:
            now, begins, ends = datetime.now(UTC), one.not_valid_before_utc, one.not_valid_after_utc
            if not begins <= now <= ends:
                when = f"expired on {ends:%Y-%m-%d}" if ends < now else f"is not valid before {begins:%Y-%m-%d}"
                self._bad(
                    key, when, "make a new one, or set the clock; a new authority must be given to the device, too"
                )
        return found

    def _key(self, key: str) -> PrivateKeyTypes:
        try:
            return serialization.load_pem_private_key(self._content(key), password=None)
        except TypeError:
            self._bad(key, "is protected by a password", "write it without one: openssl pkey -in FILE -out FILE")
        except ValueError:
            self._bad(key, "has no key in it", "expected a PEM file: -----BEGIN PRIVATE KEY-----")

    def _bad(self, key: str, what: str, todo: str) -> NoReturn:
        raise ProfileError(f"{self.profile}: lab.tls.{key}: {self._path(key)} {what}", todo)


def _public(of: PrivateKeyTypes | x509.Certificate) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return of.public_key().public_bytes(serialization.Encoding.DER, form)


def _may_sign(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False
