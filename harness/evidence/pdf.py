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
# The standard fonts of PDF know Latin 1 and a few more: these have a plain way to be written, the rest is named.
_PLAIN = str.maketrans(
    {"→": "->", "←": "<-", "↔": "<->", "≤": "<=", "≥": ">=", "≠": "!=", "\u2212": "-", "\u2011": "-"}
)


def pdf(told: Facts) -> bytes:
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
        title=_fit(f"{told.title} - {told.subtitle}"),
        author="sipverdict",
        invariant=1,
    )

    def page(canvas: Canvas, _document: object) -> None:
        canvas.saveState()
        canvas.setFont("Helvetica", 7)
        canvas.setFillColor(_DIM)
        canvas.drawString(18 * mm, 10 * mm, _fit(f"{told.title} - {told.subtitle}")[:150])
        canvas.drawRightString(A4[0] - 18 * mm, 10 * mm, str(canvas.getPageNumber()))
        canvas.restoreState()

    document.build(list(_story(told)), onFirstPage=page, onLaterPages=page)
    return made.getvalue()


def _story(told: Facts) -> Iterable[Flowable]:
    yield _say(told.title, _TITLE)
    yield _say(told.subtitle, _LEAD)
    yield _say(told.sentence, _LEAD)
    yield from _section("Device", _facts(told.device))
    yield from _section("Test", _facts(told.test))
    yield from _section("Verdicts of all purposes", _facts(told.counts))
    rows = [
        (one.row.id, one.row.level, one.row.clause, one.role, one.verdict, one.row.requirement) for one in told.decided
    ]
    head = ("requirement", "level", "clause", "role", "verdict", "requirement")
    yield from _section(f"Requirements ({len(rows)})", _table(head, rows, (86, 42, 88, 30, 34, 0)))
    if told.switched_off:
        off = [(one.row.id, one.row.clause, one.role, one.reason) for one in told.switched_off]
        head_off = ("requirement", "clause", "role", "why it does not apply")
        yield from _section(f"Not applicable ({len(off)})", _table(head_off, off, (96, 130, 34, 0)))
    if told.beside:
        head_beside = ("purpose", "verdict", "why")
        yield from _section("Non-passes outside the profile", _table(head_beside, told.beside, (170, 50, 0)))
    pics = [(key, "yes" if claimed else "no", words) for key, words, claimed in told.pics]
    yield from _section("PICS (declared by the device)", _table(("key", "claimed", "meaning"), pics, (110, 40, 0)))
    if told.pixit:
        yield from _section("PIXIT (set by the tester)", _facts(told.pixit))
    yield from _section("Evidence", [_say(_evidence(told), _TEXT)])


def _evidence(told: Facts) -> str:
    return (
        "This statement is part of a dossier that holds every message of every call. Whoever has it can compute each "
        f"verdict again: sipverdict verify dossier.tar.gz --key KEY.pub. The dossier is signed by the key {told.key}."
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
    # Paragraph reads markup: what a device or a profile wrote is text.
    return Paragraph(xml(_fit(text)), style)


def _fit(text: str) -> str:
    """``text`` in the letters that the standard fonts have."""
    return text.translate(_PLAIN).encode("cp1252", "backslashreplace").decode("cp1252")
