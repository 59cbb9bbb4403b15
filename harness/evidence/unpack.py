"""Unpacks a stranger's dossier in memory and within limits.  Nothing is ever written to a disk.

The reader accepts plain files with the names of a dossier's files, and refuses every other entry.  So there are no
links to follow, no devices to open, and no paths out of the dossier.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from pathlib import Path

from harness.errors import EvidenceError
from harness.model.printable import short

MOST_PACKED = 64 * 1024 * 1024
"""The most bytes of the file."""
MOST_UNPACKED = 512 * 1024 * 1024
MOST_OF_ONE = 64 * 1024 * 1024
MOST_FILES = 10_000
MOST_RATIO = 250
"""The largest ratio of unpacked to packed bytes, beyond the first _FREE bytes.  Flows shrink to a twentieth."""
_FREE = 4 * 1024 * 1024
_CHUNK = 256 * 1024
_BLOCK = 512

NAME = re.compile(
    r"verdicts\.jsonl|SHA256SUMS|attestation\.dsse\.json|key\.pub|statement\.(?:html|pdf)"
    r"|suite/(?:requirements\.json|profiles\.toml)|scenarios/[a-z][a-z0-9_]{0,40}\.xml\.j2"
    r"|flows/[A-Za-z0-9][A-Za-z0-9._-]{0,199}\.(?:json|record)"
)
"""The names that a file of a dossier may have."""
_KINDS = {
    b"1": "a hard link",
    b"2": "a symbolic link",
    b"3": "a device",
    b"4": "a device",
    b"5": "a folder",
    b"6": "a FIFO",
    b"x": "an extended header",
    b"g": "an extended header",
    b"L": "a long name",
    b"K": "a long link",
    b"S": "a sparse file",
}


def unpack(path: Path) -> dict[str, bytes]:
    """The files of the dossier at ``path``, by name; EvidenceError, one sentence, if it is invalid or unreadable."""
    try:
        if not path.is_file():
            found = "a folder" if path.is_dir() else "something else" if path.exists() else "nothing"
            raise EvidenceError(f"{path}: expected a dossier (dossier.tar.gz), found {found}")
        with path.open("rb") as file:
            packed = file.read(MOST_PACKED + 1)
    except OSError as error:
        raise EvidenceError(f"{path}: expected a dossier, but {error.strerror}") from error
    if len(packed) > MOST_PACKED:
        raise EvidenceError(f"{path}: larger than {MOST_PACKED >> 20} MiB, the limit for a dossier")
    return dict(_files(_Stream(path, packed)))


class _Stream:
    """The unpacked content of ``packed``, read piece by piece; EvidenceError as soon as it exceeds the limit."""

    def __init__(self, path: Path, packed: bytes) -> None:
        self.path = path
        self._packed = packed
        self._unpacker = zlib.decompressobj(wbits=31)  # gzip, with its checksum
        self._pending = packed
        self._buffer = bytearray()
        self._unpacked = 0
        if not packed.startswith(b"\x1f\x8b"):
            raise self.refuse("it is no gzip file")
        self._most = min(MOST_UNPACKED, _FREE + MOST_RATIO * len(packed))

    def read(self, size: int) -> bytes:
        """The next ``size`` bytes; EvidenceError if there are fewer."""
        while len(self._buffer) < size:
            if not self._more():
                raise self.refuse("it is cut off")
        piece = bytes(self._buffer[:size])
        del self._buffer[:size]
        return piece

    def rest(self) -> bytes:
        """Read the rest, which may only be padding."""
        while len(self._buffer) <= 64 * _BLOCK and self._more():
            pass
        if self._unpacker.unused_data or not self._unpacker.eof:
            raise self.refuse("something follows its end")
        return bytes(self._buffer)

    def _more(self) -> bool:
        if self._unpacker.eof:
            return False
        try:
            piece = self._unpacker.decompress(self._pending, _CHUNK)
        except zlib.error as error:
            raise self.refuse(f"it is damaged ({error})") from error
        self._pending = self._unpacker.unconsumed_tail
        self._unpacked += len(piece)
        if self._unpacked > self._most:
            raise self.refuse(f"{len(self._packed)} bytes unpack to more than {self._most}, the limit for evidence")
        self._buffer += piece
        return bool(piece) or self._unpacker.eof

    def refuse(self, why: str) -> EvidenceError:
        """The error with the reason ``why``."""
        return EvidenceError(f"{self.path}: {why}", "ask for the dossier as sipverdict certify wrote it")


def _files(stream: _Stream) -> Iterator[tuple[str, bytes]]:
    before = ""
    for _ in range(MOST_FILES):
        header = stream.read(_BLOCK)
        if not header.strip(b"\0"):
            if stream.rest().strip(b"\0"):
                raise stream.refuse("something follows its end")
            return
        name, size = _entry(stream, header)
        if name == before:
            raise stream.refuse(f"it holds {name} twice")
        if name < before:
            raise stream.refuse(
                f"{name} is out of order after {before}: it was not packed by sipverdict, or holds it twice"
            )
        before = name
        content = stream.read(size)
        if stream.read(-size % _BLOCK).strip(b"\0"):
            raise stream.refuse(f"something is hidden behind {name}")
        yield name, content
    raise stream.refuse(f"it holds more than {MOST_FILES} files")


def _entry(stream: _Stream, header: bytes) -> tuple[str, int]:
    """Name and size of the file whose tar header this is."""
    checksum = _octal(header[148:156])
    if checksum != sum(header[:148]) + 8 * 32 + sum(header[156:]):
        raise stream.refuse("it is no tar file, or a header of it is damaged")
    name = _text(header[345:500]) + "/" * bool(header[345]) + _text(header[:100])
    if kind := _KINDS.get(header[156:157]):
        raise stream.refuse(f"{short(name, 80)} is {kind}; a dossier holds plain files only")
    if header[156:157] not in (b"0", b"\0"):
        raise stream.refuse(f"{short(name, 80)} is of an unknown kind; a dossier holds plain files only")
    if not NAME.fullmatch(name):
        raise stream.refuse(f"{short(name, 80)!r} is not the name of a file that a dossier may hold")
    size = _octal(header[124:136])
    if size is None or size > MOST_OF_ONE:
        raise stream.refuse(f"{name} is larger than {MOST_OF_ONE >> 20} MiB, the limit for a file of a dossier")
    return name, size


def _text(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode("utf-8", "backslashreplace")


def _octal(field: bytes) -> int | None:
    digits = field.strip(b" \0")
    return int(digits, 8) if digits and re.fullmatch(rb"[0-7]+", digits) else None
