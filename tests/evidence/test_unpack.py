"""A dossier from a stranger is hostile input: each trick is refused with a sentence, and nothing is ever written."""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from handmade import CATALOGUE, PURPOSES

from harness.errors import EvidenceError
from harness.evidence import dossier
from harness.evidence.pack import pack
from harness.evidence.unpack import MOST_FILES, MOST_OF_ONE, NAME, unpack
from harness.evidence.verify import verify

Parts = dict[str, bytes]


def tar(*entries: tuple[str, bytes] | tarfile.TarInfo, style: int = tarfile.USTAR_FORMAT) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=style) as packed:
        for entry in entries:
            info, content = (
                (entry, b"") if isinstance(entry, tarfile.TarInfo) else (tarfile.TarInfo(entry[0]), entry[1])
            )
            info.size = len(content)
            packed.addfile(info, io.BytesIO(content))
    return made.getvalue()


def special(kind: bytes, name: str = "key.pub") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, "/etc/passwd"
    return info


def huge() -> bytes:
    """A header that promises 8 GiB."""
    info = tarfile.TarInfo("verdicts.jsonl")
    info.size = 8 * 1024**3 - 1
    return gzip.compress(info.tobuf(tarfile.USTAR_FORMAT))


def bomb() -> bytes:
    return gzip.compress(tar(("verdicts.jsonl", b"\0" * 60 * 1024 * 1024)), 9)


def many() -> bytes:
    """More files than a dossier may hold.  Written by hand: tarfile takes seconds for them."""
    blocks = (
        tarfile.TarInfo(f"flows/{number:06}.json").tobuf(tarfile.USTAR_FORMAT) for number in range(MOST_FILES + 1)
    )
    return gzip.compress(b"".join(blocks), 1)


def hidden() -> bytes:
    made = bytearray(tar(("key.pub", b"x"), ("verdicts.jsonl", b"y")))
    made[520:540] = b"hidden in the padding"[:20]
    return gzip.compress(bytes(made))


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "it is no gzip file"),
    "no gzip": (lambda: b"PK\x03\x04" + b"x" * 600, "it is no gzip file"),
    "no tar": (lambda: gzip.compress(b"x" * 2048), "it is no tar file"),
    "cut off": (lambda: gzip.compress(tar(("key.pub", os.urandom(9000))))[:-2000], "it is cut off"),
    "checksum": (lambda: gzip.compress(tar(("key.pub", b"x")))[:-8] + b"\0" * 8, "it is damaged"),
    "two members": (lambda: gzip.compress(tar(("key.pub", b"x"))) * 2, "something follows its end"),
    "after the end": (lambda: gzip.compress(tar(("key.pub", b"x")) + b"x" * 512), "something follows its end"),
    "in the padding": (hidden, "something is hidden behind key.pub"),
    "slip": (
        lambda: gzip.compress(tar(("../../etc/cron.d/x", b"x"))),
        "'../../etc/cron.d/x' is not the name",
    ),
    "slip below": (lambda: gzip.compress(tar(("flows/../../x.json", b"x"))), "is not the name of a file"),
    "absolute": (lambda: gzip.compress(tar(("/etc/passwd", b"x"))), "'/etc/passwd' is not the name of a file"),
    "escape": (lambda: gzip.compress(tar(("flows/\x1b[2J.json", b"x"))), r"\x1b[2J"),
    "symlink": (lambda: gzip.compress(tar(special(tarfile.SYMTYPE))), "key.pub is a symbolic link"),
    "hard link": (lambda: gzip.compress(tar(special(tarfile.LNKTYPE))), "key.pub is a hard link"),
    "device": (lambda: gzip.compress(tar(special(tarfile.CHRTYPE))), "key.pub is a device"),
    "fifo": (lambda: gzip.compress(tar(special(tarfile.FIFOTYPE))), "key.pub is a FIFO"),
    "folder": (lambda: gzip.compress(tar(special(tarfile.DIRTYPE, "flows"))), "is a folder"),
    "pax": (
        lambda: gzip.compress(tar(("flows/" + "é" * 200, b"x"), style=tarfile.PAX_FORMAT)),
        "is an extended header",
    ),
    "long name": (lambda: gzip.compress(tar(("flows/" + "x" * 300, b"x"), style=tarfile.GNU_FORMAT)), "is a long name"),
    "twice": (lambda: gzip.compress(tar(("key.pub", b"x"), ("key.pub", b"y"))), "it holds key.pub twice"),
    "out of order": (lambda: gzip.compress(tar(("verdicts.jsonl", b""), ("key.pub", b""))), "key.pub is out of order"),
    "huge": (huge, f"is larger than {MOST_OF_ONE >> 20} MiB"),
    "bomb": (bomb, "bytes unpack to more than"),
    "many": (many, "it holds more than 10000 files"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_refused(name: str, tmp_path: Path) -> None:
    made, words = HOSTILE[name]
    path = tmp_path / "dossier.tar.gz"
    path.write_bytes(made())
    with pytest.raises(EvidenceError) as refused:
        unpack(path)
    assert words in refused.value.cause
    assert refused.value.cause.isprintable()
    assert list(tmp_path.iterdir()) == [path]
    assert verify(path, None, CATALOGUE, PURPOSES).problems == (refused.value.cause,)


@pytest.mark.parametrize("what", ["nothing", "folder", "fifo"])
def test_what_is_no_file(what: str, tmp_path: Path) -> None:
    path = tmp_path / "dossier.tar.gz"
    if what == "folder":
        path.mkdir()
    elif what == "fifo":
        os.mkfifo(path)
    with pytest.raises(EvidenceError, match=r"expected a dossier \(dossier.tar.gz\), found"):
        unpack(path)


def test_what_was_packed_is_unpacked(tmp_path: Path, parts: Parts) -> None:
    (tmp_path / "dossier.tar.gz").write_bytes(pack(parts))
    assert unpack(tmp_path / "dossier.tar.gz") == parts
    assert all(NAME.fullmatch(name) for name in parts)


CONTENT: dict[str, Callable[[bytes], bytes]] = {
    "deep": lambda _: b"[" * 200_000,
    "deep inside": lambda flow: flow.replace(b'"id":"', b'"id":' + b"[" * 100_000 + b'"', 1),
    "not a flow": lambda _: b'{"format":1}',
    "nothing": lambda _: b"",
    "no UTF-8": lambda flow: b"\xff" + flow,
    "NaN": lambda flow: flow.replace(b'"closed_at":', b'"closed_at":NaN,"x":', 1),
    "a number of ten thousand digits": lambda flow: flow.replace(b'"cap":20', b'"cap":' + b"9" * 10_000, 1),
    "a key twice": lambda flow: flow.replace(b'"format":1', b'"format":1,"format":1', 1),
    "no calls": lambda flow: flow.replace(b'"calls":[{', b'"calls":"x","y":[{', 1),
}


@pytest.mark.parametrize("name", CONTENT)
def test_flow_that_is_none(name: str, tmp_path: Path, parts: Parts) -> None:
    flow = next(name for name in parts if name.startswith("flows/"))
    (tmp_path / "d").write_bytes(pack(parts | {flow: CONTENT[name](parts[flow])}))
    found = verify(tmp_path / "d", None, CATALOGUE, PURPOSES)
    assert any("expected a stored flow: " in problem for problem in found.problems), found.problems


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"[" * 100_000, b"null", b'{"payload":"%%","payloadType":"x","signatures":[]}', b"\xff"]
)
def test_envelope_that_is_none(content: bytes, tmp_path: Path, parts: Parts) -> None:
    (tmp_path / "d").write_bytes(pack(parts | {dossier.ENVELOPE: content}))
    found = verify(tmp_path / "d", None, CATALOGUE, PURPOSES)
    assert any(problem.startswith("attestation.dsse.json: it is") for problem in found.problems), found.problems


@pytest.mark.parametrize(
    "header", [{"window": {}}, {"window": "long"}, {"ruling": "mine"}, {"devices": [{}]}, {"cases": 1}]
)
def test_header_that_says_nonsense(header: dict[str, object], tmp_path: Path, parts: Parts) -> None:
    entries = [json.loads(line) for line in parts[dossier.VERDICTS].splitlines()]
    entries[0] |= header
    changed = "".join(json.dumps(entry) + "\n" for entry in entries).encode()
    (tmp_path / "d").write_bytes(pack(parts | {dossier.VERDICTS: changed}))
    found = verify(tmp_path / "d", None, CATALOGUE, PURPOSES)
    wanted = rf"line 1: {next(iter(header))}\b.*: (expected|missing)"
    assert any(re.search(wanted, problem) for problem in found.problems), found.problems


def test_packing_is_what_zlib_makes_of_a_plain_tar(parts: Parts) -> None:
    made = zlib.decompress(pack(parts), wbits=31)
    with tarfile.open(fileobj=io.BytesIO(made)) as packed:
        members = packed.getmembers()
    assert [member.name for member in members] == sorted(parts)
    assert {(m.mtime, m.uid, m.gid, m.mode, m.uname) for m in members} == {(0, 0, 0, 0o644, "")}
