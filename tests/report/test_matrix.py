"""The matrix: devices against requirements, and two versions of one device side by side."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import pytest
from flows import HOSTILE, flow, record, ruled
from stored_runs import DEVICE, Page, a_fail, assert_inert, hostile, stored

from harness.cli import main
from harness.model.verdict import Verdict
from harness.report.html import source_hash

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FINAL, HUNTS = "RFC3261-21.6-01", "RFC3261-8.1.3.4-01"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Firmware 1.0, which redials and follows; 1.1, which does neither; and another product."""
    out = tmp_path_factory.mktemp("matrix")
    flows = [flow(identifier="f1")]
    object.__setattr__(flows[0], "device", {"name": "phone"})
    follows = record(Verdict.PASS, "uac/redirect_is_followed/x", ruled(requirement=HUNTS), device="phone")
    stays = record(Verdict.PASS, "uac/decline_is_final/decline_is_final", ruled(), device="phone")
    does_not = record(
        Verdict.WARN,
        "uac/redirect_is_followed/x",
        ruled(Verdict.WARN, HUNTS, "SHOULD", actual="no INVITE"),
        device="phone",
    )
    failed = a_fail(evidence=("f1",))
    object.__setattr__(failed, "device", "phone")
    other = record(Verdict.PASS, "uac/decline_is_final/decline_is_final", ruled(), device="other")
    return [
        str(stored(out / "1", [failed, follows], flows, device=replace(DEVICE, name="phone", firmware="1.0"))),
        str(stored(out / "2", [stays, does_not], flows, device=replace(DEVICE, name="phone", firmware="1.1"))),
        str(stored(out / "3", [other], [], device=replace(DEVICE, name="other", vendor="Else", firmware="7"))),
    ]


def test_as_json(runs: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["matrix", "--json", *runs]) == 0
    made = json.loads(capsys.readouterr().out)
    assert [(one["column"], one["device"], one["firmware"], one["verdict"]) for one in made["columns"]] == [
        ("A", "phone", "1.0", "fail"),
        ("B", "phone", "1.1", "warn"),
        ("C", "other", "7", "pass"),
    ]
    rows = {one["id"]: one for one in made["requirements"]}
    assert rows[FINAL]["verdicts"] == {"A": "fail", "B": "pass", "C": "pass"}
    assert rows[HUNTS]["verdicts"] == {"A": "pass", "B": "warn", "C": "not_chosen"}
    assert rows[FINAL]["reasons"]["A"] == ["INVITE arrived 1.0 s after the 603"]
    (difference,) = made["differences"]
    assert (difference["before"], difference["after"]) == ("A", "B")
    assert [(one["id"], one["kind"]) for one in difference["changes"]] == [(HUNTS, "worse"), (FINAL, "better")]


def test_what_is_inconclusive_is_neither_better_nor_worse(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    verdicts = (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.PASS)
    made = [record(v, "uac/decline_is_final/decline_is_final", ruled(v), device="phone") for v in verdicts]
    device = replace(DEVICE, name="phone")
    runs = [str(stored(tmp_path / str(n), [one], [], device=device)) for n, one in enumerate(made)]
    assert main(["matrix", "--json", *runs]) == 0
    changes = [change for one in json.loads(capsys.readouterr().out)["differences"] for change in one["changes"]]
    assert [(one["before"], one["after"], one["kind"]) for one in changes] == [
        ("fail", "inconclusive", "open"),
        ("inconclusive", "pass", "open"),
    ]
    for language, said in (("en", "not comparable"), ("fr", "non comparable")):
        out = tmp_path / f"{language}.html"
        assert main(["matrix", *runs, "--lang", language, "--out", str(out)]) == 0
        assert f">{said}</span>" in out.read_text("utf-8")


def test_as_a_page(runs: list[str], tmp_path: Path) -> None:
    out = tmp_path / "m.html"
    assert main(["matrix", *runs, "--out", str(out)]) == 0
    text = out.read_text("utf-8")
    page = assert_inert(text, scripts=1, links=("../matrix",))
    policy = next(attributes["content"] for tag, attributes in page.tags if "http-equiv" in attributes)
    assert f"script-src '{source_hash(page.scripts)}'" in str(policy)
    assert "A (phone 1.0) and B (phone 1.1): 2 requirements got another verdict." in page.text
    cells = [attributes for tag, attributes in page.tags if tag == "td" and "cell" in (attributes.get("class") or "")]
    assert len(cells) % 3 == 0
    rows = [attributes for tag, attributes in page.tags if "data-verdicts" in attributes]
    assert len(rows) * 3 == len(cells)
    assert sum("data-differs" in attributes for attributes in rows) >= 2
    # Without a script nothing is hidden but the filter, which would do nothing.
    assert [attributes.get("id") for _, attributes in page.tags if "hidden" in attributes] == ["filter"]
    assert main(["matrix", *runs, "--lang", "fr", "--out", str(out)]) == 0
    assert "2 exigences ont changé de verdict" in Page(out.read_text("utf-8")).text


def test_headings_have_the_firmware_and_cells_lead_to_ladder_and_packets(runs: list[str]) -> None:
    out = Path(runs[0]).parent / "m.html"
    for run in runs:
        assert main(["report", run]) == 0
    assert main(["matrix", *runs, "--out", str(out)]) == 0
    text = out.read_text("utf-8")
    headings = [
        Page(cell.replace("<wbr>", "")).text.split()
        for cell in re.findall(r'<th scope="col" class="cell">(.*?)</th>', text)
    ]
    assert headings == [["A", "phone", "1.0"], ["B", "phone", "1.1"], ["C", "other", "7"]]
    cell = next(cell for cell in re.findall(r'<td class="cell fail".*?</td>', text))
    ladder, packets = re.findall(r'href="([^"]*)"', cell)
    page, _, anchor = ladder.partition("#")
    assert f'id="{anchor}"' in (out.parent / unquote(page)).read_text("utf-8")
    assert (out.parent / unquote(packets)).read_bytes()[:4] == bytes.fromhex("0a0d0d0a"), "a section header of pcapng"


def test_only_what_both_runs_decided_is_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    both = record(Verdict.PASS, "uac/decline_is_final/decline_is_final", ruled())
    alone = record(Verdict.PASS, "uac/redirect_is_followed/x", ruled(requirement=HUNTS))
    first, second = str(stored(tmp_path / "1", [both, alone], [])), str(stored(tmp_path / "2", [both], []))
    assert main(["matrix", "--json", first, second]) == 0
    (difference,) = json.loads(capsys.readouterr().out)["differences"]
    assert difference["changes"] == []
    out = tmp_path / "m.html"
    assert main(["matrix", first, second, "--out", str(out)]) == 0
    text = out.read_text("utf-8")
    assert "One requirement was decided in one of the two runs only, and is not compared." in Page(text).text
    assert "data-differs>" not in text, "no row is marked for it"


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (apt install chromium)")
def test_matrix_fits_a_phone(runs: list[str], tmp_path: Path) -> None:
    out = tmp_path / "m.html"
    main(["matrix", *runs, "--out", str(out)])
    text = out.read_text("utf-8").replace("Content-Security-Policy", "x-lifted")
    ask = (
        "<script>const r=[...document.querySelectorAll('#matrix td')].map(c=>c.getBoundingClientRect().right);"
        "parent.postMessage(Math.max(...r)<=document.documentElement.clientWidth,'*')</script>"
    )
    (tmp_path / "asked.html").write_text(text.replace("</body>", f"{ask}</body>"), "utf-8")
    frame = "<iframe src=asked.html style='width:400px;height:900px;border:0'></iframe>"
    listen = "<script>onmessage=e=>{document.body.append('every cell can be seen: '+e.data)}</script>"
    (tmp_path / "frame.html").write_text(f"{listen}<body>{frame}</body>", "utf-8")
    assert "every cell can be seen: true" in dom(tmp_path / "frame.html", tmp_path)


def test_one_run_of_several_devices(tmp_path: Path) -> None:
    records = [record(device="a"), record(Verdict.FAIL, device="b")]
    run = stored(tmp_path, records, [flow()], device=replace(DEVICE, name="a"))
    assert main(["matrix", str(run)]) == 0
    assert "<code>RFC3261-21.6-01</code>" in (run / "matrix.html").read_text("utf-8")


def test_devices_stand_in_the_order_in_which_they_were_asked_for(tmp_path: Path) -> None:
    records = [record(device="a"), record(device="b")]
    devices = [replace(DEVICE, name=name) for name in "ba"]
    run = stored(tmp_path, records, [flow()], device=devices[0], devices=devices)
    assert main(["matrix", str(run), "--json", "--out", str(tmp_path / "m.json")]) == 0
    assert [one["device"] for one in json.loads((tmp_path / "m.json").read_text())["columns"]] == ["b", "a"]


def test_hostile_bytes_stay_text(tmp_path: Path) -> None:
    run = hostile(tmp_path)
    assert main(["matrix", str(run), str(run)]) == 0
    page = assert_inert((run / "matrix.html").read_text("utf-8"), scripts=1, links=("./pcap/",))
    assert HOSTILE[0] in page.text
    assert main(["matrix", str(run), "--json", "--out", str(tmp_path / "m.json")]) == 0
    assert (tmp_path / "m.json").read_text("ascii")


def test_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["matrix", str(tmp_path / "none")]) == 4
    assert main(["matrix"]) == 3
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (apt install chromium)")
def test_the_filter_filters(runs: list[str], tmp_path: Path) -> None:
    out = tmp_path / "m.html"
    main(["matrix", *runs, "--out", str(out)])
    seen = dom(out, tmp_path)
    assert '<form id="filter" aria-label' in seen, "the page's policy must allow its own script"
    # It allows no other: the test lifts it to be able to ask.
    text = out.read_text("utf-8").replace("Content-Security-Policy", "x-lifted")
    ask = (
        "<script>const f=document.getElementById('filter');f.elements.verdict.value='fail';"
        "f.dispatchEvent(new Event('input'));"
        "document.body.append('left '+document.getElementById('shown').textContent+' '+"
        "[...document.querySelectorAll('#matrix tbody tr:not([hidden]) code')].map(c=>c.textContent).join())</script>"
    )
    (tmp_path / "asked.html").write_text(text.replace("</body>", f"{ask}</body>"), "utf-8")
    seen = dom(tmp_path / "asked.html", tmp_path)
    assert "left 1 / " in seen
    assert f" {FINAL}" in seen.split("left 1 / ")[1]


def dom(page: Path, folder: Path) -> str:
    return subprocess.run(
        [
            *(str(CHROMIUM), "--headless=new", "--no-sandbox", "--disable-gpu"),
            *(f"--user-data-dir={folder / 'profile'}", "--dump-dom", page.as_uri()),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout


def test_a_cell_is_the_worst_of_what_was_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = stored(tmp_path, [record(purpose="uac/a/b"), a_fail(evidence=("f1",)), record(purpose="uac/c/d")], [flow()])
    assert main(["matrix", "--json", str(run)]) == 0
    rows = {one["id"]: one["verdicts"] for one in json.loads(capsys.readouterr().out)["requirements"]}
    assert rows[FINAL] == {"A": "fail"}
