"""The pages of the site: those of docs/, and one for each requirement, fault and device, made of the suite's own data.

``python -m harness.manual.site`` gathers them in dist/site-src, where mkdocs.yml looks for them.
"""

from __future__ import annotations

import inspect
import re
import shutil
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from harness.device import builtin_profiles, load_profiles
from harness.devices.reference.faults import FAULTS, Fault
from harness.paths import DEVICES, DOCS, ROOT
from harness.purposes.discovery import all_purposes
from harness.purposes.purpose import Purpose
from harness.report.words import Words, words
from harness.requirements.catalogue import Catalogue, Row
from harness.requirements.untested import load_untested

SOURCE: Final = ROOT / "dist" / "site-src"
_BESIDE: Final = ("CONTRIBUTING.md", "CHANGELOG.md")
_OUTSIDE = re.compile(r"\]\((?:\.\./)+((?!https?:)[^)#]+)(#[^)]*)?\)")


def gather(folder: Path) -> None:
    """Write every page of the site to ``folder``, which is emptied before."""
    shutil.rmtree(folder, ignore_errors=True)
    for path in DOCS.rglob("*"):
        if path.is_file():
            _put(folder / path.relative_to(DOCS), path)
    for name in _BESIDE:
        _put(folder / name, ROOT / name)
    (folder / "index.md").write_text(_inside((ROOT / "README.md").read_text("utf-8"), folder), "utf-8")
    for name, text in pages().items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")


def _put(target: Path, path: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".md":
        target.write_text(_inside(path.read_text("utf-8"), target.parent), "utf-8")
    else:
        shutil.copyfile(path, target)


def _inside(text: str, folder: Path) -> str:
    """``text`` of a page whose links to the site's pages are kept; what is no page of it is named and not linked."""
    text = re.sub(r"\]\(docs/", "](", text)
    text = re.sub(rf"\]\(\.\./({'|'.join(map(re.escape, _BESIDE))})", r"](\1", text)
    text = _OUTSIDE.sub(r"](#not-here)", text)
    return re.sub(r"\[([^\]]*)\]\((?:#not-here|LICENSE|[^)#:]*/(?=\)))\)?", r"`\1`", text)


def pages() -> dict[str, str]:
    """Every page that is made, by its name."""
    catalogue, purposes = Catalogue.load(), all_purposes()
    deciding: dict[str, list[Purpose]] = {}
    catching: dict[str, list[Purpose]] = {}
    for purpose in purposes.values():
        for row in purpose.requirements:
            deciding.setdefault(row, []).append(purpose)
        for fault in purpose.faults:
            catching.setdefault(fault, []).append(purpose)
    made = {"requirements.md": "\n".join(_requirements(catalogue, deciding)) + "\n"}
    made |= {f"requirements/{row.id}.md": "\n".join(_requirement(row, deciding.get(row.id, []))) for row in catalogue}
    made["faults.md"] = "\n".join(_faults(catching)) + "\n"
    made |= {f"faults/{one.name}.md": "\n".join(_fault(one, catching.get(one.name, []))) for one in FAULTS}
    found = {
        name: "\n".join(_found(name, catalogue)) for name in builtin_profiles() if not name.startswith("reference")
    }
    made |= {f"found/{name}.md": text for name, text in found.items()}
    made["found.md"] = "# What was found in real devices\n\n" + "".join(f"- [{n}](found/{n}.md)\n" for n in found)
    return made | {f"subject/{language}.md": "\n".join(_subject(words(language))) for language in ("en", "fr")}


def _requirements(catalogue: Catalogue, deciding: Mapping[str, list[Purpose]]) -> Iterator[str]:
    yield from ("# Requirements", "", "| requirement | level | clause | tests |", "|---|---|---|---|")
    for row in catalogue:
        tests = len(deciding.get(row.id, ()))
        yield f"| [{row.id}](requirements/{row.id}.md) | {row.level} | {_md(row.clause)} | {tests or '-'} |"


def _requirement(row: Row, purposes: list[Purpose]) -> Iterator[str]:
    yield from (f"# {row.id}", "", f"**{row.level}** {_md(row.requirement)}", "")
    clause = f"[{_md(row.clause)}]({row.link})" if row.link else _md(row.clause)
    facts = (
        ("clause", clause),
        ("binds", ", ".join(row.roles) + (f" if `{row.applies_if}`" if row.applies_if else "")),
        ("stimulus", _md(row.stimulus)),
        ("pass", _md(row.pass_criterion)),
        ("violation", _md(row.violation)),
        ("timing", _md(row.timing)),
        ("ambiguous", _md(row.ambiguity)),
        ("ruling", _md(f"a violation is: {row.on_violation}. {row.ruling_note}")),
    )
    yield from ("| | |", "|---|---|", *(f"| {name} | {text} |" for name, text in facts if text), "")
    if not purposes:
        known = load_untested().get(row.id)
        yield f"Not tested: {_md(words()(f'untested.{known.kind}', see=known.see)) if known else 'no reason is given'}."
    for purpose in purposes:
        yield from (f"## {purpose.name}", "", _md_text(inspect.getdoc(purpose.judge) or ""), "")
        if purpose.faults:
            links = ", ".join(f"[{name}](../faults/{name}.md)" for name in purpose.faults)
            yield from (f"Seen to fail with: {links}.", "")
    yield from ("", f"Only this: `sipverdict run --requirement {row.id}`.", "")


def _faults(catching: Mapping[str, list[Purpose]]) -> Iterator[str]:
    yield from ("# Faults of the reference device", "", "| fault | roles | what it does | tests |", "|---|---|---|---|")
    for one in FAULTS:
        tests = len(catching.get(one.name, ()))
        yield f"| [{one.name}](faults/{one.name}.md) | {', '.join(one.roles)} | {_md(one.sentence)} | {tests} |"


def _fault(one: Fault, purposes: list[Purpose]) -> Iterator[str]:
    yield from (f"# {one.name}", "", _md(one.sentence), "", f"Roles: {', '.join(one.roles)}.", "", "## Caught by", "")
    for purpose in purposes:
        rows = ", ".join(f"[{row}](../requirements/{row}.md)" for row in purpose.requirements)
        yield f"- `{purpose.name}`: {rows}"
    yield from ("", f"See it fail: `sipverdict run --fault {one.name}`.", "")


def _found(name: str, catalogue: Catalogue) -> Iterator[str]:
    profiles = load_profiles(name)
    section = profiles[0].device
    yield from (f"# {name}", "", f"{_md(section.vendor)} {_md(section.model)}".strip(), "")
    path = DEVICES / name / "expected.toml"
    known = tomllib.loads(path.read_text("utf-8"))["expected"] if path.is_file() else []
    yield f"{len(known)} known non-passes in {len(profiles)} configurations; `make test` compares each run with them."
    yield from ("", "| verdict | requirement | configuration, role | what it does |", "|---|---|---|---|")
    for one in known:
        row = one["requirement"]
        link = f"[{row}](../requirements/{row}.md)" if row in catalogue else row
        where = f"{one.get('variant', 'base')}, {one['role']}"
        yield f"| {one['verdict']} | {link} | {where} | {_md(one['reason'])} |"
    yield ""


def _subject(texts: Words) -> Iterator[str]:
    """The subject's own page: each code, what it means, its usual causes, and remedies."""
    title = {"en": "302 and 603, and the codes around them", "fr": "302 et 603, et les codes voisins"}[texts.language]
    yield from (f"# {title}", "")
    for key in (key for key in texts.messages if re.fullmatch(r"code\.\w+\.name", key)):
        code = key.removesuffix(".name")
        yield from (f"## {code.removeprefix('code.')} {_md(texts(key))}", "", _md(texts(f"{code}.means")), "")
        for part in ("when", "resolve"):
            yield from (f"**{_md(texts(f'codes.{part}'))}**", "")
            yield from (*(f"- {_md(line)}" for line in texts.several(f"{code}.{part}")), "")


def _md(text: str) -> str:
    """``text`` as words in a line of Markdown."""
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", " ".join(text.split()))


def _md_text(text: str) -> str:
    return "\n\n".join(_md(part) for part in text.split("\n\n"))


if __name__ == "__main__":
    gather(SOURCE)
