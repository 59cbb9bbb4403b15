"""Packs a dossier reproducibly: the same files give the same bytes on every machine, at any time."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Mapping

from harness.errors import SetupError

LEVEL = 9


def pack(parts: Mapping[str, bytes]) -> bytes:
    """``parts`` (content by path) as a gzipped tar: names in order, no times, no owners.

    Equal parts give equal bytes (of one version of zlib).  SetupError for a name that does not fit a plain tar header.
    """
    made = io.BytesIO()
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=made, compresslevel=LEVEL, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar,
    ):
        for name in sorted(parts):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(parts[name]), 0o644
            try:
                tar.addfile(entry, io.BytesIO(parts[name]))
            except ValueError as error:
                raise SetupError(
                    f"{name[:120]}: the name is too long for a dossier", "give the device a shorter one"
                ) from error
    return made.getvalue()
