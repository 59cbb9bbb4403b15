"""Signing keys: ed25519, as standard PEM files (PKCS #8, SubjectPublicKeyInfo)."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from securesystemslib.signer import CryptoSigner, SSlibKey

from harness.errors import SetupError
from harness.store.files import cannot_write, is_file

LARGEST = 16 * 1024
"""The most bytes of a key file."""
_MAKE = "sipverdict keygen makes a pair"


def generate(name: Path) -> tuple[Path, Path, str]:
    """Make ``NAME.key`` (readable by its owner alone) and ``NAME.pub``; return both with the key's id.

    SetupError if one of them exists: overwriting a key would lose it.
    """
    private, public = name.with_name(f"{name.name}.key"), name.with_name(f"{name.name}.pub")
    for path in (private, public):
        if os.path.lexists(path):
            raise SetupError(f"{path} exists; a key is never overwritten", "choose another name: -o NAME")
    signer = CryptoSigner.generate_ed25519()
    _create(private, signer.private_bytes, 0o600)
    try:
        _create(public, public_pem(signer), 0o644)
    except SetupError:
        with suppress(OSError):
            private.unlink()
        raise
    return private, public, signer.public_key.keyid


def _create(path: Path, content: bytes, mode: int) -> None:
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            os.fchmod(file.fileno(), mode)  # whatever the umask
            file.write(content)
    except OSError as error:
        raise cannot_write(path, error) from error


def public_pem(signer: CryptoSigner) -> bytes:
    """The public key of ``signer`` as the content of a file."""
    key = load_pem_private_key(signer.private_bytes, None).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def load_private(path: Path) -> CryptoSigner:
    """The private key in the file at ``path``; SetupError if there is none, or if other users can read it."""
    content = _read(path)
    with suppress(OSError):
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise SetupError(
                f"{path}: other users can read this private key (mode {mode:04o}), so it proves nothing",
                f"chmod 600 {path}; if others had access to it, make a new one",
            )
    try:
        key = load_pem_private_key(content, None)
    except TypeError as error:
        raise SetupError(f"{path}: the key is encrypted; sipverdict cannot decrypt keys", _MAKE) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        what = "found a public key" if b"PUBLIC KEY" in content else "found no key"
        raise SetupError(f"{path}: expected a private key (PEM), {what}", _MAKE) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise SetupError(f"{path}: expected an ed25519 key, found one of another kind", _MAKE)
    return CryptoSigner(key)


def load_public(path: Path) -> SSlibKey:
    """The public key in the file at ``path``; SetupError if there is none."""
    try:
        return parse_public(_read(path))
    except ValueError as error:
        raise SetupError(f"{path}: expected a public ed25519 key (PEM), {error}", "name the NAME.pub file") from error


def parse_public(content: bytes) -> SSlibKey:
    """The public key in ``content``; ValueError if there is none."""
    try:
        key = load_pem_public_key(content)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        found = "a private key" if b"PRIVATE KEY" in content else "something else"
        raise ValueError(f"found {found}") from None
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("found a key of another kind")
    return SSlibKey.from_crypto(key)


def _read(path: Path) -> bytes:
    try:
        if os.path.exists(path) and not is_file(path):  # noqa: PTH110 - Path.exists raises for a path that is too long
            raise SetupError(f"{path}: expected a key file, found another kind of file", _MAKE)
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise SetupError(f"{path}: cannot be read: {error.strerror}", _MAKE) from error
    if len(content) > LARGEST:
        raise SetupError(f"{path}: expected a key, found a file of more than {LARGEST // 1024} KiB", _MAKE)
    return content
