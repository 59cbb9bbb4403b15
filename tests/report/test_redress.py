"""The redress data of a run, and the codes explained: one source for page and terminal."""

from __future__ import annotations

from pathlib import Path

import pytest
from flows import flow
from stored_runs import usual

from harness.commands.explain import explain
from harness.errors import SetupError
from harness.report.code_text import PARTS, code_asked, code_page
from harness.report.codes import PLUS, codes_of
from harness.report.page import write_page
from harness.report.redress import redress_in, sentences
from harness.report.words import languages, words
from harness.store.record import RECORD, record_of
from harness.store.stored_run import read_run

REASON = 'Reason: SIP;cause=603;text="v=analytics1;url=https://redress.example/<b>x;tel=+12155550100";location=TN'


def store(run: Path, *steps: tuple[float, str, str, str]) -> None:
    """Put a flow with these messages in the place of the first one of ``run``."""
    (run / "flows" / f"f1{RECORD}").write_bytes(record_of(flow(*steps)))


def test_what_a_device_blocks_with_is_shown(tmp_path: Path) -> None:
    run = usual(tmp_path)
    store(run, (0.1, "caller", "SIP/2.0 603 Network Blocked", REASON))
    notices = redress_in(read_run(run, cut_off=True))
    assert [(one.made, str(one.redress)) for one in notices] == [
        (True, "url https://redress.example/<b>x, tel +12155550100, location TN")
    ]
    assert sentences(notices) == [f"{notices[0].device} blocks with: {notices[0].redress}"]
    english = write_page(run).read_text("utf-8")
    assert "https://redress.example/&lt;b&gt;x" in english
    assert "603+: whom to ask about a blocked call" in english
    assert "603+ Network Blocked" in english
    assert words("fr")("redress.made") in write_page(run, "fr").read_text("utf-8")


def test_what_it_passes_on_is_another_matter(tmp_path: Path) -> None:
    run = usual(tmp_path)
    told = (0.1, "callee", "<SIP/2.0 603 Network Blocked", REASON)
    store(run, told, (0.2, "caller", "SIP/2.0 603 Network Blocked", REASON))
    notices = redress_in(read_run(run, cut_off=True))
    assert [one.made for one in notices] == [False]
    assert " passed on: url " in sentences(notices)[0]


@pytest.mark.parametrize("start", ["SIP/2.0 603 Decline", "SIP/2.0 486 Busy Here"])
def test_one_sign_alone_names_nobody(tmp_path: Path, start: str) -> None:
    run = usual(tmp_path)
    store(run, (0.1, "caller", start, REASON))
    assert redress_in(read_run(run, cut_off=True)) == []
    assert "whom to ask about a blocked call" not in write_page(run).read_text("utf-8")


@pytest.mark.parametrize("language", languages())
def test_every_code_is_explained_whole(language: str) -> None:
    texts = words(language)
    assert {"302", "603", PLUS, "607", "608", "6xx"} <= set(codes_of(texts))
    for code in codes_of(texts):
        page = code_page(code, texts)
        assert page.startswith(f"[bold]{code} ")
        for part in PARTS:
            assert texts(f"codes.{part}") in page
        assert len(page) > 400


@pytest.mark.parametrize(
    ("topic", "code"),
    [
        ("302", "302"),
        ("603+", PLUS),
        ("603plus", PLUS),
        ("6XX", "6xx"),
        ("699", "699"),
        ("302+", ""),
        ("404", ""),
        ("x", ""),
    ],
)
def test_what_names_a_code(topic: str, code: str) -> None:
    assert code_asked(topic) == code


def test_explain_prints_a_code_and_refuses_others(capsys: pytest.CaptureFixture[str]) -> None:
    assert explain("603+", "fr") == 0
    assert "Ce qui le distingue de ses voisins" in capsys.readouterr().out
    with pytest.raises(SetupError, match="404 is no code of this suite"):
        explain("404")
    with pytest.raises(SetupError, match="there is no page in 'de'"):
        explain("302", "de")
