"""The page of a run: what a reader finds in it, and that nothing gets out of it or breaks it."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from flows import DECLINE, HOSTILE, flow, record, ruled
from pypdf import PdfReader
from stored_runs import REDIALLED, Page, a_fail, assert_inert, hostile, stored, usual

from harness.cli import main
from harness.errors import EvidenceError, SetupError
from harness.judge.observed import Observation
from harness.model.verdict import Verdict
from harness.report.at_end import write_reports
from harness.report.page import write_page
from harness.store.folder import RunFolder
from harness.store.stored_run import read_run
from harness.store.verdict_lines import Compared, Deviation

PICS = [
    Observation("reference", "follows_redirects", True, False, "never"),
    Observation("reference", "digest", False, None, ""),
]
DEVIATION = Deviation("reference", "uac/x/y", "uac", "udp", "ipv4", "R", "warn", "fail", "worse")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    expected = Compared("expected.toml", 0, (DEVIATION,))
    return usual(tmp_path_factory.mktemp("page"), pics=PICS, expected=expected)


@pytest.fixture(scope="module")
def page(run: Path) -> Page:
    return assert_inert(write_page(run).read_text("utf-8"), scripts=1)


def test_verdict_and_counts_come_first(page: Page) -> None:
    begin = page.text[:1200]
    assert "✗ Not conforming One test failed, in two drives." in begin
    assert "1 failed" in begin
    assert "2 inconclusive" in begin
    assert "1 not applicable" in begin
    assert begin.index("Not conforming") < begin.index("1 failed") < begin.index("Window quick, 5 s")
    assert "Product Acme Phone Firmware 1.0" in begin


def test_what_carried_the_calls_is_said_at_the_top(tmp_path: Path) -> None:
    over = [replace(a_fail(), transport=transport, evidence=()) for transport in ("wss", "wss-to-udp")]
    text = Page(write_page(stored(tmp_path, over, [])).read_text("utf-8")).text
    assert "Tested over wss, wss-to-udp (called over WSS, its own calls over UDP) Run" in text


def test_a_fail_says_what_to_do(page: Page) -> None:
    for told in (
        "Expected an ACK, and no further INVITE or silence",
        "Actual INVITE arrived 1.0 s after the 603 (message 5, at callee)",
        "Effect for users the device of a declined caller calls again by itself",
        "Look at auto-redial",
        "Clause RFC 3261 §7.2 (6xx), §21.6, §21.6.2; RFC 5057 §5.1",
        "--case 'uac/decline_is_final/decline_is_final reference-uac-udp'",
        "A 603 speaks for the user everywhere: the device does not place the call again, there or elsewhere.",
        "driven once",
        "flows/f1-again.json",
    ):
        assert told in page.text
    assert "https://www.rfc-editor.org/rfc/rfc3261.html#section-7.2" in [a.get("href") for _, a in page.tags]


def test_its_ladder_marks_the_decisive_message_and_shows_it(page: Page, run: Path) -> None:
    assert {"flow-f1-5", "flow-f2", "flow-f3-2"} <= set(page.ids())
    decisive = r"The decisive message message 5, at callee , from the device · .*? INVITE sip:7001001@127.20.0.2:5060"
    assert re.search(decisive, page.text)
    text = (run / "index.html").read_text("utf-8")
    assert text.count('class="s mark">decisive</text>') == 2
    assert text.count(".svl .lane{stroke:#c3ccd8") == 1
    assert "All 5 messages" in page.text


def test_what_could_not_be_told_says_what_was_missing(page: Page) -> None:
    assert (
        "Not seen nothing arrived, but silence is not proven: the device gave no sign of life Needed 4 of 4"
        in page.text
    )
    assert "This says nothing about the device, good or bad." in page.text
    assert "One test could not run at all: reference it never started" in page.text


def test_a_warning_says_why_it_is_none_worse(page: Page) -> None:
    assert "A warning, not a fail: the clause says SHOULD." in page.text


def test_claims_and_deviations_are_shown_where_the_run_has_them(page: Page, tmp_path: Path) -> None:
    assert "follows_redirects yes no never" in page.text
    assert "digest no not observable" in page.text
    assert "worse uac/x/y · R" in page.text
    without = Page(write_page(usual(tmp_path)).read_text("utf-8"))
    assert not {"pics", "expected"} & set(without.ids())


def test_the_codes_of_the_run_are_explained(page: Page) -> None:
    assert [one for one in page.ids() if one.startswith("code-")] == ["code-302", "code-603"]
    assert "603 Decline Seen in 3 flows · sent by the tester" in page.text
    assert "Callers: do not try again automatically." in page.text


def test_coverage_says_of_every_statement_what_became_of_it(page: Page) -> None:
    rows = [" ".join(text.split()) for text in page.text.split("RFC3261-10.3-01")]
    assert "applies to registrar; the device is tested as uac" in rows[1][:250]
    assert "needs a name server" not in page.text  # the device claims no dns: those statements do not bind it
    assert "applies to devices that declare: follows_redirects and dns" in page.text
    assert "needs messages that pretend to come from somewhere else" in page.text
    assert "this run did not include it" in page.text
    assert "no uri_headers" not in page.text.split("Coverage by clause")[0]


def test_french(run: Path) -> None:
    text = write_page(run, "fr", run / "fr.html").read_text("utf-8")
    page = assert_inert(text, scripts=1)
    assert '<html lang="fr">' in text
    assert "✗ Non conforme Un test a échoué" in page.text
    assert "Attendu an ACK" in page.text
    assert ' lang="en">the device of a declined caller calls again by itself' not in text  # inside a bdi of its own
    assert '<dd lang="en"><bdi dir="ltr">the device of a declined caller calls again by itself</bdi></dd>' in text
    assert "Appelants : ne réessayez pas automatiquement." in page.text
    for english in ("Failed tests", "Look at", "Coverage", "drives."):
        assert english not in page.text.replace("Coverage by clause", "")


def test_all_is_well(tmp_path: Path) -> None:
    passed = stored(tmp_path, [record()], [flow(*REDIALLED, plan=DECLINE, identifier="f1")])
    page = assert_inert(write_page(passed).read_text("utf-8"), scripts=1)
    headline = "✓ Conforming in the 5 s window The device met every requirement that was tested."
    assert f"{headline} Each silence was watched for 5 s" in page.text
    assert "No problems" in page.text


def test_a_run_that_was_cut_off_has_a_page_that_says_so(tmp_path: Path) -> None:
    page = Page(write_page(usual(tmp_path, cut_off=True)).read_text("utf-8"))
    assert "This run was cut off." in page.text
    assert "test cases came to a verdict" in page.text


def test_evidence_that_is_missing_is_named(tmp_path: Path) -> None:
    run = usual(tmp_path)
    (run / "flows" / "f1.json").unlink()
    (run / "flows" / "f1-again.json").unlink()
    (run / "flows" / "f2.json").write_text('{"format": 1}')
    flow_with_odd_parts = (run / "flows" / "f3.json").read_text().replace('"number":2', '"number":"two"')
    (run / "flows" / "f3.json").write_text(flow_with_odd_parts)
    page = assert_inert(write_page(run).read_text("utf-8"), scripts=1)
    assert "The page cannot show the evidence:" in page.text
    assert "No such file" in page.text
    assert "INVITE arrived 1.0 s after the 603" in page.text


def test_hostile_bytes_stay_text(tmp_path: Path) -> None:
    run = hostile(tmp_path)
    for language in ("en", "fr"):
        path = write_page(run, language)
        page = assert_inert(path.read_text("utf-8"), scripts=1)
        assert "<script>alert(1)</script>" in page.text
        assert "\\u202egnp.exe" in page.text
        assert path.stat().st_size < 5_000_000


def test_the_page_of_many_fails_stays_small(tmp_path: Path) -> None:
    steps = [(n / 10, "callee", f"INVITE sip:{n}@h SIP/2.0", f"X: {'x' * 2500}") for n in range(50)]
    flows = [flow(*steps, identifier=f"f{n}") for n in range(45)]
    records = [a_fail(f"uac/decline_is_final/p{n}", evidence=(f"f{n}",)) for n in range(45)]
    path = write_page(stored(tmp_path, records, flows))
    page = assert_inert(path.read_text("utf-8"), scripts=1)
    assert path.stat().st_size < 5_000_000
    assert "This page omits the ladder to stay small." in page.text
    assert "more messages are not shown" in page.text
    # Too many to be open at once: they can be opened without a script.
    assert not any(tag == "details" and "open" in attributes for tag, attributes in page.tags)


def test_cases_that_share_a_picture_share_it(tmp_path: Path) -> None:
    flows = [flow(*REDIALLED, seats=("callee", "guard"), plan=DECLINE, identifier="f1")]
    records = [a_fail(f"uac/decline_is_final/p{n}", evidence=("f1",)) for n in range(5)]
    text = write_page(stored(tmp_path, records, flows)).read_text("utf-8")
    assert text.count("<svg") == 1
    assert Page(text).text.count("The ladder of this flow is shown above:") == 4


def test_which_of_several_plans_is_decisive_is_told_by_the_number_that_was_dialled(tmp_path: Path) -> None:
    decline = flow(*REDIALLED, seats=("callee", "guard"), plan=DECLINE, identifier="f2")
    other = flow(*REDIALLED, identifier="f1")
    object.__setattr__(other.places, "token", "7009999")
    told = a_fail(evidence=("f1", "f2"), actual="INVITE sip:7001001@127.20.0.2:5060 came again")
    text = write_page(stored(tmp_path, [told], [other, decline])).read_text("utf-8")
    finding, _ = text.split('id="all"')
    assert [one for one in Page(finding).ids() if one.startswith("flow-")] == ["flow-f2-5"]
    unknown = a_fail(evidence=("f1", "f2"), actual="again")
    text = write_page(stored(tmp_path, [unknown], [other, decline])).read_text("utf-8")
    assert [one for one in Page(text).ids() if one.startswith("flow-")] == ["flow-f1", "flow-f2"]


def test_the_line_to_run_again_is_only_made_of_names(tmp_path: Path) -> None:
    evil = record(Verdict.FAIL, "uac/x/y'; rm -rf ~ #", ruled(Verdict.FAIL, actual="a"), device="d$(x)")
    assert "sipverdict run" not in Page(write_page(stored(tmp_path, [evil], [flow()])).read_text("utf-8")).text


def test_the_command(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "p.html"
    assert main(["report", str(run), "--lang", "fr", "--out", str(out)]) == 0
    assert capsys.readouterr().out.strip() == str(out)
    assert main(["report", str(run), "--lang", "../en"]) == 3
    assert "the languages are: en, fr" in capsys.readouterr().err
    assert main(["report", str(tmp_path)]) == 4
    assert "name the folder of a run" in capsys.readouterr().err
    with pytest.raises(SetupError, match="cannot write"):
        write_page(run, "en", tmp_path / "missing" / "p.html")
    with pytest.raises(EvidenceError):
        write_page(tmp_path)


def test_at_the_end_of_a_run(run: Path, tmp_path: Path) -> None:
    folder = RunFolder(run)
    (folder.allure_results / "x-result.json").write_text("{}")
    (run / "index.html").unlink(missing_ok=True)
    assert write_reports(folder, {}, page=False) is None
    assert not (run / "index.html").exists()
    assert write_reports(folder, {}) is None
    assert (run / "index.html").exists()
    assert sorted(path.name for path in folder.allure_results.iterdir()) == [
        "categories.json",
        "environment.properties",
        "executor.json",
        "x-result.json",
    ]
    assert "Device=reference Acme Phone" in (folder.allure_results / "environment.properties").read_text()
    (run / "index.html").unlink()
    (run / "index.html").mkdir()
    trouble = write_reports(folder, {})
    (run / "index.html").rmdir()
    assert trouble is not None
    assert "cannot write" in str(trouble)


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (apt install chromium)")
@pytest.mark.parametrize("kind", ["usual", "hostile"])
def test_nothing_scrolls_sideways_at_400_pixels(kind: str, tmp_path: Path) -> None:
    path = write_page(usual(tmp_path) if kind == "usual" else hostile(tmp_path))
    # The page itself runs no script: a frame of 400 px around it measures it.
    frame = tmp_path / "frame.html"
    inner = path.read_text("utf-8").replace("default-src 'none'; style-src", "default-src 'self'; style-src")
    (tmp_path / "inner.html").write_text(inner, "utf-8")
    frame.write_text(
        "<iframe id=f src=inner.html style='width:400px;height:900px;border:0'></iframe><p id=out></p><script>"
        "onload=()=>{const d=document.getElementById('f').contentDocument.documentElement;"
        "document.getElementById('out').textContent='width '+d.scrollWidth+' of '+d.clientWidth}</script>"
    )
    seen = subprocess.run(
        [
            *(str(CHROMIUM), "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
            *(
                "--allow-file-access-from-files",
                f"--user-data-dir={tmp_path / 'profile'}",
                "--dump-dom",
                frame.as_uri(),
            ),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    assert "width 400 of 400" in seen


def test_every_hostile_text_was_put_in() -> None:
    assert len(HOSTILE) >= 9


def test_inconclusives_of_one_cause_are_one_entry_that_says_whose_doing_it_is(tmp_path: Path) -> None:
    proof = ruled(Verdict.INCONCLUSIVE, outcome="unseen", code="no-positive-control", unproven="no positive control")
    alike = [
        replace(record(Verdict.INCONCLUSIVE, f"uac/decline_is_final/p{n}", proof, evidence=("f1",)), doing="device")
        for n in range(39)
    ]
    page = assert_inert(write_page(stored(tmp_path, alike, [flow(identifier="f1")])).read_text("utf-8"), scripts=1)
    assert page.text.count("39 tests of one cause:") == 1
    assert "the doing of the device" in page.text
    assert page.text.count("decline_is_final/p") >= 39, "each is there, inside"


def test_every_case_is_listed_with_its_ladder_and_can_be_found(tmp_path: Path) -> None:
    run = usual(tmp_path)
    text = write_page(run).read_text("utf-8")
    page = Page(text)
    rows = [attributes for tag, attributes in page.tags if tag == "tr" and "data-verdict" in attributes]
    assert [row["data-verdict"] for row in rows] == [record.verdict for record in read_run(run).records]
    shown = text[text.index('id="cases"') :]
    for anchor in re.findall(r'<a href="#(flow-[^"]+)"', shown):
        assert page.ids().count(anchor) == 1, anchor
    assert "uac/redirect_is_followed/y" in shown
    assert "RFC 3261 §21.3.3" in shown


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (apt install chromium)")
def test_each_fail_takes_one_page_of_paper(tmp_path: Path) -> None:
    fails = [a_fail(purpose=f"uac/decline_is_final/p{n}", evidence=(f"g{n}",)) for n in range(6)]
    flows = [flow(*REDIALLED, seats=("callee", "guard"), plan=DECLINE, identifier=f"g{n}") for n in range(6)]
    run = stored(tmp_path, fails, flows)
    write_page(run)
    printed = tmp_path / "page.pdf"
    line = [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer"]
    subprocess.run(
        [*line, f"--print-to-pdf={printed}", (run / "index.html").as_uri()],
        check=True,
        capture_output=True,
        timeout=120,
    )
    pages = [page.extract_text() for page in PdfReader(printed).pages]
    assert len(pages) <= 6 + 3, len(pages)
    for n in range(6):
        assert sum(f"uac/decline_is_final/p{n}" in page for page in pages) == 1
