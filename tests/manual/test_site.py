"""The site: a page for each requirement, fault and real device, both languages, and no link that leads nowhere."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.device import builtin_profiles
from harness.devices.reference.faults import FAULTS
from harness.manual import site
from harness.paths import ROOT
from harness.requirements.catalogue import Catalogue

MKDOCS = shutil.which("mkdocs", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")
LINK = re.compile(r"(?<!`)\]\(((?!https?:|#)[^)#\s]+)(?:#[^)]*)?\)")


@pytest.fixture(scope="module")
def gathered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "site-src"
    site.gather(folder)
    return folder


def test_a_page_for_everything(gathered: Path) -> None:
    there = {str(path.relative_to(gathered)) for path in gathered.rglob("*.md")}
    wanted = {f"requirements/{row.id}.md" for row in Catalogue.load()} | {f"faults/{one.name}.md" for one in FAULTS}
    wanted |= {f"found/{name}.md" for name in builtin_profiles() if not name.startswith("reference")}
    assert wanted | {"index.md", "glossary.md", "subject/en.md", "subject/fr.md"} <= there
    assert "INT-302-LOOP-02" in (gathered / "found" / "baresip.md").read_text()
    assert "La personne" in (gathered / "subject" / "fr.md").read_text()


def test_every_page_of_the_menu_is_there_and_every_page_of_docs_is_in_it(gathered: Path) -> None:
    menu = set(re.findall(r"[\w/.-]+\.md", (ROOT / "mkdocs.yml").read_text().partition("\nnav:")[2]))
    assert all((gathered / name).is_file() for name in menu)
    assert {path.name for path in gathered.glob("*.md")} <= menu


def test_no_link_leads_nowhere(gathered: Path) -> None:
    lost = [
        f"{path.relative_to(gathered)}: {link}"
        for path in gathered.rglob("*.md")
        for link in LINK.findall(re.sub(r"```.*?```|^    .*?$", "", path.read_text(), flags=re.DOTALL | re.MULTILINE))
        if not (path.parent / link).exists()
    ]
    assert lost == []


@pytest.mark.skipif(MKDOCS is None, reason="mkdocs is not installed (pip install mkdocs-material)")
def test_the_site_is_built_without_a_warning_and_loads_nothing_from_elsewhere(gathered: Path) -> None:
    config = (ROOT / "mkdocs.yml").read_text().replace("dist/site", str(gathered.parent / "site"))
    (gathered.parent / "mkdocs.yml").write_text(config)
    line = [str(MKDOCS), "build", "-q", "-f", str(gathered.parent / "mkdocs.yml")]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(line, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    built = gathered.parent / "site"
    for name in ("index.html", "requirements/RFC3261-21.6-01.html", "subject/fr.html"):
        assert not re.findall(
            r'(?:src|<link[^>]*rel="stylesheet"[^>]*href)="(https?://[^"]*)', (built / name).read_text()
        )
