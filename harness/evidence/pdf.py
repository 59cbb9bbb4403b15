"""The conformance statement as PDF.  Equal facts give equal bytes: no times, no random identifiers."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from harness.evidence.statement import Facts
from harness.model.printable import xml

_INK, _DIM, _LINE = colors.HexColor("#1c2430"), colors.HexColor("#5a6675"), colors.HexColor("#c9d1da")
_TEXT = ParagraphStyle("text", fontName="Helvetica", fontSize=8.5, leading=11.5, textColor=_INK)
_SMALL = ParagraphStyle("small", _TEXT, fontSize=7.2, leading=9.4)
_LABEL = ParagraphStyle("label", _SMALL, textColor=_DIM)
_HEAD = ParagraphStyle(
    "head", _TEXT, fontName="Helvetica-Bold", fontSize=11.5, leading=15, spaceBefore=10, spaceAfter=4
)
_TITLE = ParagraphStyle("title", _TEXT, fontName="Helvetica-Bold", fontSize=19, leading=24)
_LEAD = ParagraphStyle("lead", _TEXT, fontSize=11, leading=15, spaceBefore=4, spaceAfter=4)
_WIDTH = A4[0] - 36 * mm
# The standard fonts of PDF have Latin 1 and a few more characters: these get a plain spelling, others an escape.
_PLAIN = str.maketrans(
    {"→": "->", "←": "<-", "↔": "<->", "≤": "<=", "≥": ">=", "≠": "!=", "\u2212": "-", "\u2011": "-"}
)


def pdf(facts: Facts) -> bytes:
    """The statement as an A4 document."""
    made = io.BytesIO()
    # invariant: ReportLab leaves out the time of day, and makes the document's id from its content.
    document = SimpleDocTemplate(
        made,
        pagesize=A4,
        leftMargin=18 * mm,
        rightMargin=18 * mm,
        topMargin=16 * mm,
        bottomMargin=18 * mm,
        title=_fit(f"{facts.title} - {facts.subtitle}"),
        author="sipverdict",
        invariant=1,
    )

    def page(canvas: Canvas, _document: object) -> None:
        canvas.saveState()
        canvas.setFont("Helvetica", 7)
        canvas.setFillColor(_DIM)
        canvas.drawString(18 * mm, 10 * mm, _fit(f"{facts.title} - {facts.subtitle}")[:150])
        canvas.drawRightString(A4[0] - 18 * mm, 10 * mm, str(canvas.getPageNumber()))
        canvas.restoreState()

    document.build(list(_story(facts)), onFirstPage=page, onLaterPages=page)
    return made.getvalue()


def _story(facts: Facts) -> Iterable[Flowable]:
    yield _say(facts.title, _TITLE)
    yield _say(facts.subtitle, _LEAD)
    yield _say(facts.sentence, _LEAD)
    yield from _section("Certificate", _facts(facts.issue))
    yield from _section("Device", _facts(facts.device))
    yield from _section("Test", _facts(facts.test))
    yield from _section("Test cases by verdict, also those outside the profile", _facts(facts.counts))
    rows = [
        (one.row.id, one.row.level, one.row.clause, one.role, one.verdict, one.row.requirement) for one in facts.decided
    ]
    head = ("requirement", "level", "clause", "role", "verdict", "requirement")
    yield from _section(f"Requirements ({len(rows)})", _table(head, rows, (86, 42, 88, 30, 34, 0)))
    if facts.switched_off:
        off = [(one.row.id, one.row.clause, one.role, one.reason) for one in facts.switched_off]
        head_off = ("requirement", "clause", "role", "why it does not apply")
        yield from _section(f"Not applicable ({len(off)})", _table(head_off, off, (96, 130, 34, 0)))
    if facts.beside:
        head_beside = ("purpose", "verdict", "why")
        yield from _section("Non-passes outside the profile", _table(head_beside, facts.beside, (170, 50, 0)))
    pics = [(key, "yes" if claimed else "no", words) for key, words, claimed in facts.pics]
    yield from _section("PICS (declared by the device)", _table(("key", "claimed", "meaning"), pics, (110, 40, 0)))
    if facts.pixit:
        yield from _section("PIXIT (set by the tester)", _facts(facts.pixit))
    yield from _section("Evidence", [_say(_evidence(facts), _TEXT)])


def _evidence(facts: Facts) -> str:
    return (
        "This statement is part of a dossier that holds every message of every call. Whoever has it can compute each "
        f"verdict again: sipverdict verify dossier.tar.gz --key KEY.pub. The dossier is signed by the key {facts.key}."
    )


def _section(title: str, content: Iterable[Flowable]) -> Iterable[Flowable]:
    yield _say(title, _HEAD)
    yield from content


def _facts(pairs: Sequence[tuple[str, str]]) -> Iterable[Flowable]:
    yield _grid([[_say(label, _LABEL), _say(value, _TEXT)] for label, value in pairs], (110, 0))


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[float]) -> Iterable[Flowable]:
    cells = [[_say(text, _LABEL) for text in head], *([_say(text, _SMALL) for text in row] for row in rows)]
    yield _grid(cells, widths, repeat=1)
    yield Spacer(1, 2 * mm)


def _grid(cells: list[list[Paragraph]], widths: Sequence[float], repeat: int = 0) -> Table:
    rest = _WIDTH - sum(widths)
    made = Table(cells, colWidths=[width or rest for width in widths], repeatRows=repeat, hAlign="LEFT")
    made.setStyle(
        TableStyle(
            [
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LINEBELOW", (0, 0), (-1, -1), 0.3, _LINE),
                ("LEFTPADDING", (0, 0), (-1, -1), 0),
                ("RIGHTPADDING", (0, 0), (-1, -1), 5),
                ("TOPPADDING", (0, 0), (-1, -1), 2),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
            ]
        )
    )
    return made


def _say(text: str, style: ParagraphStyle) -> Paragraph:
    # Paragraph reads markup, so the text of a device or a profile is escaped.
    return Paragraph(xml(_fit(text)), style)


def _fit(text: str) -> str:
    """``text`` in the characters of the standard fonts."""
    return text.translate(_PLAIN).encode("cp1252", "backslashreplace").decode("cp1252")
