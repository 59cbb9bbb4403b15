"""What the fuzzer has found, and where it begins: every reader stands all of it, and what chance makes beside it."""

from __future__ import annotations

import gzip
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.readers import READERS

CORPUS = Path(__file__).parent / "corpus"
KEPT = sorted(CORPUS.glob("*/*"))
LARGEST = 300_000
"""Bytes of all that is kept."""
_PIECES = st.sampled_from(
    [
        *(
            b"\r\n",
            b"\n",
            b" ",
            b"\t",
            b":",
            b";",
            b",",
            b"<",
            b">",
            b'"',
            b"\\",
            b"@",
            b"%",
            b"%0",
            b"[",
            b"]",
            b"?",
            b"=",
        ),
        *(
            b"SIP/2.0",
            b"INVITE",
            b"sip:",
            b"sips:",
            b"Via",
            b"Contact",
            b"branch=",
            b"tag=",
            b"rport",
            b"\0",
            b"\xff",
            b"*",
        ),
        *(b"{", b"}", b'{"', b"[[", b"]]", b"message 2 2\n", b"end 1 ", b"'''", b'"""', b"9" * 30, b"\x1f\x8b"),
    ]
)
_ANYTHING = st.lists(_PIECES | st.binary(max_size=8), max_size=60).map(b"".join)


@pytest.mark.parametrize("path", KEPT, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_kept_input_is_read_or_refused(path: Path) -> None:
    READERS[path.parent.name](path.read_bytes())


def test_every_reader_has_somewhere_to_begin() -> None:
    assert {path.parent.name for path in KEPT} == set(READERS)
    assert sum(path.stat().st_size for path in KEPT) < LARGEST


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=_ANYTHING)
def test_anything_is_read_or_refused(name: str, pieces: bytes) -> None:
    READERS[name](pieces)


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_changed_in_a_good_input_is_read_or_refused(name: str, data: st.DataObject) -> None:
    good = data.draw(st.sampled_from([path for path in KEPT if path.parent.name == name])).read_bytes()
    at = data.draw(st.integers(0, len(good)))
    until = data.draw(st.integers(at, min(len(good), at + 40)))
    READERS[name](good[:at] + data.draw(_ANYTHING) + good[until:])


def _bombs() -> Iterator[tuple[str, bytes]]:
    yield "dossier", b"g" + gzip.compress(b"\0" * 200_000_000, 9)
    yield "sip", b"SIP/2.0 302 x\r\n" + b"Via: SIP/2.0/UDP a;b=c\r\n" * 2500
    yield "sip", b"Contact: " + b'"' * 60_000
    yield "sip", b"INVITE sip:a SIP/2.0\r\nVia: " + b"a," * 30_000
    yield "uri", b"sip:a@b" + b";x" * 30_000 + b"\nsip:a@b" + b";y" * 30_000
    yield "uri", b"sip:a@b?" + b"To=sip%3Aa%3FTo%3D" * 3_000 + b"\nsip:a@b?" + b"To=sip%3Aa%3FTo%3D" * 3_000
    yield "via", b"SIP/2.0/UDP " + b"a;" * 30_000
    yield "flow", b"[" * 100_000
    yield "run", b'{"a":' * 50_000 + b"\n"
    yield "profile", b"a = " + b"[" * 50_000
    yield "waivers", b"[[waiver]]\n" * 20_000
    yield "expected", b"a." * 30_000 + b"a = 1"
    yield "waivers", b"a." * 30_000 + b"a = 1"
    yield "expected", b"a = " + b"9" * 60_000
    yield "waivers", b"a = " + b"9" * 60_000


@pytest.mark.parametrize(("name", "bomb"), list(_bombs()), ids=lambda value: value if isinstance(value, str) else "")
def test_a_bomb_is_refused_soon_and_within_bounds(name: str, bomb: bytes) -> None:
    """No input of at most 64 kB, and no small archive, costs seconds or hundreds of megabytes."""
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    READERS[name](bomb)
    assert time.process_time() - began < 3.0
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000, "kB"


@pytest.mark.skipif(sys.platform != "linux", reason="atheris has wheels for Linux alone")
def test_fuzzer_finds_what_is_there_to_find(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fuzzer itself: it runs a reader, counts, and reports and keeps what makes it fail."""
    pytest.importorskip("atheris")
    from tests.fuzz import __main__ as fuzzer

    monkeypatch.setattr(fuzzer, "OUT", tmp_path / "out")
    monkeypatch.setattr(fuzzer, "CORPUS", tmp_path / "corpus")
    count, finding = fuzzer.fuzz("via", 20, 500)
    assert (count.inputs >= 500, finding) == (True, "")
    count, finding = fuzzer.fuzz("no-reader", 20, 500)
    assert count.findings == 1
    assert finding
