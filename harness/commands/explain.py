"""``sipverdict explain``: one page on a status code, or on a requirement; each generated from its one source."""

from __future__ import annotations

import difflib
import inspect
import re

from rich.console import Console
from rich.markup import escape

from harness.errors import SetupError
from harness.purposes.discovery import all_purposes
from harness.purposes.purpose import Purpose
from harness.report.code_text import code_asked, code_page
from harness.report.codes import codes_of
from harness.report.words import words
from harness.requirements.catalogue import Catalogue, Row
from harness.requirements.untested import load_untested


def explain(topic: str, language: str = "en") -> int:
    """Print the page of a code, or of a requirement; SetupError naming the nearest ids if it is neither."""
    if code := code_asked(topic):
        Console(highlight=False).print(code_page(code, words(language)), soft_wrap=True)
        return 0
    if re.fullmatch(r"\d{3}\+?", topic):
        raise SetupError(
            f"{topic} is no code of this suite, which is about redirections (3xx) and global refusals (6xx)",
            f"sipverdict explain CODE knows {', '.join(codes_of(words()))}",
        )
    requirement = topic
    catalogue = Catalogue.load()
    if requirement not in catalogue:
        near = difflib.get_close_matches(requirement, catalogue.rows, n=3, cutoff=0.3)
        raise SetupError(
            f"no requirement is called {requirement!r}; the nearest: {', '.join(near) or 'none'}",
            "sipverdict list requirements shows all",
        )
    row = catalogue[requirement]
    console = Console(highlight=False)
    console.print(page(row, [p for p in all_purposes().values() if requirement in p.requirements]))
    return 0


def page(row: Row, purposes: list[Purpose]) -> str:
    """The page of ``row`` in rich's markup."""
    facts = [
        ("clause", f"{row.clause}  {row.link}".strip()),
        ("binds", ", ".join(row.roles) + (f"  if {row.applies_if}" if row.applies_if else "")),
        ("stimulus", row.stimulus),
        ("pass", row.pass_criterion),
        ("violation", row.violation),
        ("timing", row.timing),
        ("ambiguous", row.ambiguity),
        ("ruling", f"a violation is: {row.on_violation}" + (f"; {row.ruling_note}" if row.ruling_note else "")),
        ("as", f"same fact on the wire as {row.same_wire_fact_as}" if row.same_wire_fact_as else ""),
    ]
    lines = [f"[bold]{escape(row.id)}[/]  {row.level}  ({row.tier})", escape(row.requirement), ""]
    lines += [f"[dim]{name:<10}[/] {escape(text)}" for name, text in facts if text]
    if not purposes:
        known = load_untested().get(row.id)
        why = words()(f"untested.{known.kind}", see=known.see) if known else "no reason is given"
        lines += ["", f"[bold]not tested[/] {escape(why)}"]
    for purpose in purposes:
        lines += ["", f"[bold]decided by[/] {escape(purpose.name)}", escape(inspect.getdoc(purpose.judge) or "")]
        lines += [f"[dim]drives[/]     {escape(plan.title)}" for plan in purpose.plans]
        if purpose.faults:
            lines.append(f"[dim]catches[/]    {escape(', '.join(purpose.faults))}")
    return "\n".join(lines)
