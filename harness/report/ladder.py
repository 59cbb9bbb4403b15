"""A flow as a ladder diagram: SVG for reports, text for terminals.

Beside each message of the device stands its cause, by the account (:mod:`harness.judge.account`).

The SVG is one self-contained file without script, reference or id, so that any number of them can stand in one page.
Requests are solid lines with a filled head, responses dashed lines with an open one: colour only repeats it.
Equal flows give equal bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from harness.model.flow import Flow
from harness.model.printable import capped, lines, printable, short, xml
from harness.report.steps import LIMIT, Silence, Step, crosses, notes, sides, silences, steps

_LEFT = 120
_SPREAD = 250
_HEAD = 96
_ROW = 40
_WAIT = 36
"""Room above the end of a window, so that a long silence looks long."""
_BOX = 152
_EM = 6.63
"""Width of a character of the 11 px monospace."""
_SMALL_EM = 6.03
"""The same of its 10 px."""
_CAUSES = 400
"""Width of the column of causes."""
_TIP = 2000
"""Characters of a message in its tooltip."""

STYLE = """
.svl{font:11px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.svl .bg{fill:#fff}.svl text{fill:#1b2430}.svl .mute{fill:#5d6878}
.svl .title{font-size:14px;font-weight:700}.svl .b{font-weight:700}.svl .s{font-size:10px}
.svl .halo{stroke:#fff;stroke-width:4px;stroke-linejoin:round;paint-order:stroke}
.svl .lane{stroke:#c3ccd8;stroke-width:1}.svl .box{fill:#f1f4f8;stroke:#c3ccd8}.svl .dut{fill:#1b2430;stroke:#1b2430}
.svl text.on{fill:#fff}.svl text.on2{fill:#c3ccd8}
.svl .req{stroke:#0b57b0;fill:#0b57b0}.svl .res{stroke:#5d6878;fill:none}.svl .res.ok{stroke:#187a3c}
.svl .res.no{stroke:#b3261e}.svl .res.to{stroke:#7a3fc0}.svl .bad{stroke:#b3261e;fill:none}
.svl path{stroke-width:1.5}.svl .dash{stroke-dasharray:5 4}.svl .dots{stroke:#8b96a5;stroke-dasharray:1 4;fill:none}
.svl .hatch{stroke:#8b96a5;stroke-width:1;fill:none}.svl .bar{fill:#f1f4f8;stroke:#8b96a5;stroke-width:1}
.svl .band{fill:#fff0df}.svl .mark{fill:#b45309}.svl text.mark{fill:#9a4a06;font-weight:700}
.svl .warn{fill:#b3261e}.svl .halo.mk{stroke:#fff0df}
@media screen and (prefers-color-scheme:dark){
.svl .bg{fill:#12171e}.svl text{fill:#e4e9f0}.svl .mute{fill:#9aa6b5}.svl .halo{stroke:#12171e}
.svl .lane{stroke:#39434f}.svl .box{fill:#1d242e;stroke:#39434f}.svl .dut{fill:#e4e9f0;stroke:#e4e9f0}
.svl text.on{fill:#12171e}.svl text.on2{fill:#4a5564}
.svl .req{stroke:#6cb0ff;fill:#6cb0ff}.svl .res{stroke:#9aa6b5}.svl .res.ok{stroke:#5fce87}
.svl .res.no{stroke:#ff8a80}.svl .res.to{stroke:#c49bff}.svl .bad{stroke:#ff8a80}
.svl .dots{stroke:#667182}.svl .hatch{stroke:#667182}.svl .bar{fill:#1d242e;stroke:#667182}
.svl .band{fill:#3a2a14}.svl .mark{fill:#f5a54a}.svl text.mark{fill:#f5b56b}.svl .warn{fill:#ff8a80}
.svl .halo.mk{stroke:#3a2a14}}
"""


@dataclass(frozen=True)
class _Lane:
    x: float
    name: str
    under: str


def svg_ladder(
    flow: Flow, mark: int | None = None, limit: int = LIMIT, *, embedded: bool = False, tips: bool = True
) -> str:
    """``flow`` as an SVG document; ``mark`` is the number of the decisive message.

    A flow of more than ``limit`` messages is cut, with "… n more" in between.  ``embedded``: for a page that has
    STYLE once for all of its ladders.  ``tips``: with the whole messages as tooltips.
    """
    rows, quiet, lanes = steps(flow, mark, limit), silences(flow), _lanes(flow)
    foot = notes(flow)
    causes = int(max(lane.x for lane in lanes.values())) + _BOX // 2 + 24
    width = max(causes + _CAUSES, 640)
    bottom = (_placed(rows)[-1][1] if rows else _HEAD) + 34
    height = bottom + 44 + 16 * len(foot)
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="svl" role="img" width="{width}" height="{height}"'
        f' viewBox="0 0 {width} {height}" aria-label="{xml(short(_title(flow), 200))}">',
        "" if embedded else f"<style>{STYLE}</style>",
        f'<rect class="bg" width="{width}" height="{height}"/>',
        _text(16, 24, short(_title(flow), int(width / 8.8)), "title"),
        _text(16, 41, short(_subtitle(flow), int(width / _EM) - 4), "mute"),
        *(_band(y, width) for row, y in _placed(rows) if row.decisive),
        *(f'<path class="lane" d="M{lane.x} {_HEAD}V{bottom}"/>' for lane in dict.fromkeys(lanes.values())),
        *(_bar(silence, rows, lanes[silence.seat], bottom) for silence in quiet),
        *(_head(lane, dut=lane is lanes[""]) for lane in dict.fromkeys(lanes.values())),
        _text(causes, _HEAD - 8, "why the device sent it", "s b") if any(row.cause for row in rows) else "",
        *(_row(row if tips else replace(row, full=""), y, lanes, causes - 16) for row, y in _placed(rows)),
        *(_cause(row, causes, y) for row, y in _placed(rows) if row.cause),
        _legend(bottom + 24, silent=bool(quiet), mark=any(row.decisive for row in rows)),
        *(_text(16, bottom + 48 + 16 * n, short(note, int(width / _EM) - 4), "warn") for n, note in enumerate(foot)),
        "</svg>\n",
    ]
    return "\n".join(filter(None, drawn))


def text_ladder(flow: Flow, mark: int | None = None, limit: int = LIMIT, columns: int = 120) -> str:
    """``flow`` as lines of text, each at most about ``columns`` wide; the decisive message has a ``>``."""
    device = short(_device(flow), 16)
    seats = max((len(short(seat.name, 16)) for seat in flow.seats), default=0)
    made = []
    for row in steps(flow, mark, limit):
        when = "" if row.offset is None else f"{row.offset:+9.3f}"
        begin = f"{'>' if row.decisive else ' '}{row.number or '':>4} {when:>9}  "
        if row.number is None:
            begin += f"{device} " if row.kind == "call" else ""
        else:
            line = "──" if row.kind == "request" else "╌╌"
            arrow = f"{line}▶" if row.from_device else f"◀{line}"
            begin += f"{device} {arrow} {short(row.seat, 16):<{seats}}  "
        room = max(columns - len(begin) - len(row.suffix) - 1, 20)
        made.append(f"{begin}{short(row.label, room)} {printable(row.suffix)}".rstrip())
        for more in filter(None, (row.detail, f"└ {row.cause}" if row.cause else "")):
            made.append(" " * len(begin) + short(more, max(columns - len(begin), 20)))
    made += [f"{'':17}{short(quiet.seat, 16)} ({flow.seat(quiet.seat).where}) {quiet.text}" for quiet in silences(flow)]
    made += [f"{'':17}{short(note, columns - 17)}" for note in (*sides(flow), *notes(flow))]
    return "\n".join(made)


def _lanes(flow: Flow) -> dict[str, _Lane]:
    """The lanes from left to right by the name of their seat, the device's under "".

    Callers are left of it.  Several share a lane, because each makes one call, one after the other.
    """
    callers = [seat.name for seat in flow.seats if seat.kind == "caller"]
    left = callers[:1]
    right = [seat.name for seat in flow.seats if seat.kind != "caller"]
    spoken = {seat.name: f"{seat.address.transport.upper()} " if crosses(flow) else "" for seat in flow.seats}
    under = {seat.name: f"{spoken[seat.name]}{seat.address}" for seat in flow.seats}
    lost = sorted({event.seat for event in (*flow.events, *flow.late)} - under.keys() - {""})
    version = flow.device.get("version")
    lanes = {}
    for place, name in enumerate([*left, "", *right, *lost]):
        x = _LEFT + _BOX / 2 + 8 + place * _SPREAD
        lanes[name] = _Lane(
            x,
            short(name or _device(flow), 19),
            short(
                under.get(name, "shared by all drives") if name else f"device under test {version or ''}".strip(), 24
            ),
        )
    if len(callers) > 1:
        over = spoken[left[0]].replace(" ", ", ")
        shared = replace(lanes[left[0]], name="callers", under=f"{over}{len(callers)}, one for each call")
        lanes = dict.fromkeys(callers, shared) | {name: lane for name, lane in lanes.items() if name != left[0]}
    return lanes


def _placed(rows: tuple[Step, ...]) -> list[tuple[Step, int]]:
    placed, y = [], _HEAD + 36
    for row in rows:
        y += _WAIT if row.kind == "closed" else 0
        placed.append((row, y))
        y += _ROW
    return placed


def _head(lane: _Lane, *, dut: bool) -> str:
    x, y = lane.x - _BOX / 2, _HEAD - 42
    return (
        f'<rect class="{"dut" if dut else "box"}" x="{x}" y="{y}" width="{_BOX}" height="42" rx="6"/>'
        + _text(lane.x, y + 18, lane.name, "b on" if dut else "b", "middle")
        + _text(lane.x, y + 33, lane.under, "s on2" if dut else "s mute", "middle")
    )


def _row(row: Step, y: int, lanes: dict[str, _Lane], width: int) -> str:
    when = "" if row.offset is None else _text(_LEFT - 12, y + 4, f"{row.offset:+.3f} s", "mute", "end")
    own = lanes[""]
    if row.kind == "more":
        return _text(own.x + 12, y + 4, row.label, "mute")
    if row.kind == "closed":
        line = f'<path class="dots" d="M{_LEFT} {y}H{width - 16}"/>'
        return when + line + _text(own.x + 12, y - 6, row.label, "s mute halo")
    if row.kind == "call":
        diamond = f'<path class="req" d="M{own.x - 5} {y}l5 -5l5 5l-5 5z"/>'
        # The suffix, by whom, is the same in every row: the picture has no room for it.
        return when + diamond + _text(own.x + 12, y + 4, short(row.label, int((width - own.x) / _EM) - 4), "mute halo")
    other = lanes[row.seat].x if row.seat else own.x + _SPREAD
    return _tip(row) + when + _arrow(row, y, own.x, other) + _detail(row, y, min(own.x, other), width) + "</g>"


def _arrow(row: Step, y: int, own: float, other: float) -> str:
    start, end = (own, other) if row.from_device else (other, own)
    back = -1 if end > start else 1
    kind = "req" if row.kind == "request" else "bad" if row.kind == "garbled" else f"res {_class(row.label)}"
    dashed = "" if row.kind == "request" else " dash"
    head = (
        f"M{end} {y}l{back * 9} -4.5v9z"
        if row.kind == "request"
        else f"M{end + back * 9} {y - 4.5}L{end} {y}l{back * 9} 4.5"
    )
    room = int((abs(other - own) - 24) / _EM)
    suffix = f" {row.suffix}" if row.suffix else ""
    label = short(row.label, max(room - len(suffix), 12)) + suffix
    middle, halo = (own + other) / 2, "halo mk" if row.decisive else "halo"
    drawn = (
        f'<path class="{kind}{dashed}" d="M{start} {y}H{end + back * 2}"/><path class="{kind}" d="{head}"/>'
        + _text(middle, y - 6, label, f"{halo} b" if row.kind == "request" else halo, "middle")
    )
    if row.decisive:
        return drawn + _text(14, y + 4, str(row.number), "mark") + _text(14, y + 16, "decisive", "s mark")
    return drawn + _text(14, y + 4, str(row.number), "mute")


def _detail(row: Step, y: int, x: float, width: int) -> str:
    if not row.detail:
        return ""
    halo = "halo mk" if row.decisive else "halo"
    return _text(x + 12, y + 13, short(row.detail, int((width - x) / _EM) - 3), f"s mute {halo}")


def _cause(row: Step, x: int, y: int) -> str:
    kind = "s mute" if row.explained else "s b warn"
    return _text(x, y + 4, short(row.cause, int(_CAUSES / _SMALL_EM) - 2), kind)


def _class(label: str) -> str:
    return {"1": "", "2": "ok", "3": "to"}.get(label[:1], "no")


def _tip(row: Step) -> str:
    """The start tag of a group whose tooltip is the message."""
    return f"<g><title>{xml(capped(lines(row.full), _TIP))}</title>" if row.full else "<g>"


def _band(y: int, width: int) -> str:
    place = f'y="{y - 20}" height="{_ROW}"'
    return f'<rect class="band" {place} width="{width}"/><rect class="mark" {place} width="4"/>'


def _bar(silence: Silence, rows: tuple[Step, ...], lane: _Lane, bottom: int) -> str:
    """The hatched bar of a seat at which nothing arrived, from the start of its window."""
    x, kind = lane.x + 14, f"s {'b' if silence.watched else 'warn'} halo"
    if silence.since is None:
        return _text(x, bottom - 12, silence.text, kind)
    top = _HEAD + 16
    for row, y in _placed(rows):
        if row.offset is not None and row.offset <= silence.since + 1e-6:
            top = y
    end = bottom - 34
    text = silence.brief if silence.watched else silence.text
    return _hatched(lane.x - 7, top, end) + _text(x, (top + end) / 2 + 4, text, kind)


def _hatched(x: float, top: int, end: int) -> str:
    hatch = "".join(f"M{x:g} {y}l14 -14" for y in range(top + 14, end + 1, 7))
    bar = f'<rect class="bar" x="{x:g}" y="{top}" width="14" height="{max(end - top, 1)}"/>'
    return f'{bar}<path class="hatch" d="{hatch}"/>'


def _legend(y: int, *, silent: bool, mark: bool) -> str:
    drawn = [
        f'<path class="req" d="M16 {y - 4}h30"/><path class="req" d="M48 {y - 4}l-9 -4.5v9z"/>',
        _text(56, y, "request", "s mute"),
        f'<path class="res dash" d="M116 {y - 4}h30"/><path class="res" d="M139 {y - 8.5:g}l9 4.5l-9 4.5"/>',
        _text(156, y, "response", "s mute"),
    ]
    if silent:
        drawn += [_hatched(226, y - 11, y + 3), _text(248, y, "watched, nothing arrived", "s mute")]
    if mark:
        x = 410 if silent else 226
        drawn.append(f'<rect class="mark" x="{x}" y="{y - 11}" width="4" height="14"/>')
        drawn.append(_text(x + 12, y, "the decisive message", "s mute"))
    return "".join(drawn)


def _title(flow: Flow) -> str:
    return flow.plan.title


def _device(flow: Flow) -> str:
    return str(flow.device.get("name") or "device")


def _subtitle(flow: Flow) -> str:
    return f"{_device(flow)} as {flow.role} over {flow.transport} · {len(flow.events)} messages · flow {flow.id}"


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> str:
    at = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text x="{x:g}" y="{y:g}" class="{kind}"{at}>{xml(text)}</text>'
