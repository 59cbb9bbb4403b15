"""The pages that are made of models and catalogue are as they would be made today, and true."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from harness import cli
from harness.commands import listing
from harness.device.profile.loading import checked_profile
from harness.device.tables.pics import CLAIMS, PICS
from harness.device.tables.placeholders import START
from harness.manual import pics_page, profile_page
from harness.manual.pages import pages
from harness.manual.switches import switches
from harness.paths import DOCS
from harness.requirements.catalogue import Catalogue

PAGES = pages()


@pytest.mark.parametrize("name", PAGES)
def test_page_is_current(name: str) -> None:
    assert (DOCS / name).read_text("utf-8") == PAGES[name], "make it again: python -m harness.manual"


def test_every_claim_is_explained() -> None:
    page = PAGES["pics.md"]
    for key, claim in CLAIMS.items():
        assert claim.find_out.endswith("."), key
        assert not claim.sentence.endswith("."), key
        assert f"\n### {key}\n" in page
    assert sorted(CLAIMS) == list(PICS)


def test_what_a_claim_switches_on() -> None:
    """Counted by hand in the catalogue."""
    made = switches(Catalogue.load())
    assert made["multi_contact"].on == (
        "RFC3261-8.1.3.4-04",
        "RFC3261-8.1.3.4-05",
        "RFC3261-8.1.3.5-03",
        "RFC3261-19.1.4-02",
        "INT-302-SCHEME-02",
        "INT-302-FAMILY-03",
        "RFC3261-21.4.20-01",
    )
    assert made["follows_redirects"].off == ("RFC3261-13.2.2.2-02",)
    assert "RFC3261-8.1.2-01" in made["outbound_proxy"].off
    assert made["outbound_proxy"].on == ()
    assert all(switch.on or switch.off for switch in made.values()), "a key that no requirement asks for"


def test_pics_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["list", "pics", "--json"]) == 0
    rows = {row["pics"]: row for row in json.loads(capsys.readouterr().out)}
    assert sorted(rows) == list(PICS)
    assert rows["multi_contact"]["decided"] == rows["multi_contact"]["requirements"]
    assert rows["multi_contact"]["only_with"] == ["follows_redirects", "proxy_recurses_3xx"]
    assert cli.main(["list", "pics"]) == 0
    assert "multi_contact" in capsys.readouterr().out
    assert set(listing.LISTS) == {"purposes", "requirements", "devices", "faults", "pics", "profiles"}


def test_examples_of_the_profile_page_are_a_profile(tmp_path: Path) -> None:
    (tmp_path / "phone.conf.j2").write_text("")
    text = "\n".join(profile_page.EXAMPLES.values())
    profile = checked_profile(tmp_path / "device.toml", text)
    assert profile.device.serial == "00-15-65-AA-BB-CC"
    assert set(profile_page.EXAMPLES) >= set(tomllib.loads(text))


def test_smallest_profile_of_the_page_is_one(tmp_path: Path) -> None:
    lines = PAGES["profile.md"].partition("The smallest one")[2].splitlines()
    taken = [line[4:] for line in lines[:14] if line.startswith("    ")]
    assert checked_profile(tmp_path / "device.toml", "\n".join(taken)).name == "desk phone"


def test_every_placeholder_is_explained() -> None:
    assert set(profile_page.PLACEHOLDERS) >= START


def test_nothing_of_a_page_is_taken_for_markup() -> None:
    assert "\\<sip:x@host" in pics_page.page(Catalogue.load())


@pytest.mark.parametrize("what", listing.LISTS)
def test_a_piped_list_has_a_whole_line_for_each_row(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["list", what]) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = listing.LISTS[what]()
    assert [line.split("\t")[0] for line in lines] == [str(next(iter(row.values()))) for row in rows]
    assert len({line.count("\t") for line in lines}) == 1


@pytest.mark.parametrize("what", listing.LISTS)
@pytest.mark.parametrize("width", [80, 200])
def test_a_list_fits_the_terminal_and_cuts_no_name(what: str, width: int) -> None:
    rows = listing.LISTS[what]()
    names = [str(next(iter(row.values()))) for row in rows]
    lines = listing.lines(what, rows, width)
    assert all(len(line) <= width or line in names for line in lines)
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == names
