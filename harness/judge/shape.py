"""The shape of a message, byte by byte: start line, header lines, empty line, body (RFC 3261 7, 20.14, 25.1).

What the grammar allows passes: compact names, folded lines, blanks before a colon, any order, unknown headers.  What a
device passes on as it came is not its own, so lines that an endpoint of ours sent in the same flow are not judged.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from harness.judge.once import once_per_flow
from harness.model.flow import Event, Flow
from harness.sip.message import long_name

_TOKEN = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+\Z")
_METHOD_LINE = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+ \S+ SIP/2\.0\Z")
_STATUS_LINE = re.compile(r"SIP/2\.0 [1-6][0-9]{2} .*\Z", re.DOTALL)
_BARE_LF = re.compile(r"(?<!\r)\n")
_EMPTY_LINE = re.compile(r"\r?\n\r?\n")
_FOLD = re.compile(r"\r?\n[ \t]+")
_LINE_END = re.compile(r"\r?\n")

SINGLE = (
    *("From", "To", "Call-ID", "CSeq", "Max-Forwards", "Content-Length", "Content-Type", "Expires", "Min-Expires"),
    *("Date", "Event", "Organization", "Priority", "RAck", "RSeq", "Refer-To", "Reply-To", "Retry-After", "Server"),
    *("Session-Expires", "Min-SE", "Subject", "Subscription-State", "Timestamp", "User-Agent", "MIME-Version"),
    *("Content-Disposition", "Replaces", "Referred-By"),
)
"""Headers whose grammar is one value and no list: there is one line of each (7.3.1)."""
_SINGLE = {name.lower(): name for name in SINGLE}


_ECHOED = ("via", "from", "call-id", "cseq")
"""What a response of ours repeats from the device's request."""


@dataclass(frozen=True)
class Shape:
    """One message taken apart where a tolerant reader would not complain."""

    raw: str
    """The message without the empty lines before it (7.5)."""
    lines: tuple[str, ...] = field(init=False)
    """Its header lines, unfolded."""
    start_line: str = field(init=False)
    ended: bool = field(init=False)
    """Whether an empty line ends the header."""

    def __post_init__(self) -> None:
        end = _EMPTY_LINE.search(self.raw)
        head = self.raw[: end.start()] if end else self.raw
        start, *lines = _LINE_END.split(_FOLD.sub(" ", head))
        object.__setattr__(self, "start_line", start)
        object.__setattr__(self, "lines", tuple(filter(None, lines)))
        object.__setattr__(self, "ended", end is not None)

    @classmethod
    def of(cls, event: Event) -> Shape:
        """The shape of ``event``, which is worked out once."""
        known: Shape | None = event.__dict__.get("_shape")
        if known is None:
            known = event.__dict__["_shape"] = cls(event.raw.lstrip("\r\n"))
        return known

    @cached_property
    def nameless(self) -> tuple[str, ...]:
        """The header lines without a name before a colon."""
        return tuple(
            line for line in self.lines if not _TOKEN.match(line.partition(":")[0].rstrip()) or ":" not in line
        )

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """How many lines there are of each header that may have one only."""
        counted: dict[str, int] = {}
        for line in self.lines:
            name = long_name(line.partition(":")[0])
            if name in _SINGLE:
                counted[_SINGLE[name]] = counted.get(_SINGLE[name], 0) + 1
        return counted

    @property
    def start_line_wrong(self) -> bool:
        """Whether the start line is neither a request line nor a status line of the grammar."""
        return not (_METHOD_LINE.match(self.start_line) or _STATUS_LINE.match(self.start_line))

    @property
    def bare_lf(self) -> bool:
        """Whether a line of the header ends with LF alone; RFC 3261 7 wants CR LF."""
        head = _EMPTY_LINE.split(self.raw, maxsplit=1)[0]
        return _BARE_LF.search(head) is not None


@dataclass(frozen=True)
class Sent:
    """What endpoints of ours sent in a flow: a device that passes it on is not to blame for it."""

    lines: frozenset[str]
    """Start lines and header lines."""
    doubled: frozenset[str]
    """Single-valued headers that one of our messages has twice."""
    kinds: Mapping[str, tuple[str, ...]]
    """The Content-Types, in small letters, with which each body was sent; "" is none."""
    tagged: frozenset[str]
    """The To of our responses to requests whose To had no tag: what else a To of ours has, we repeat."""

    @property
    def bodies(self) -> Collection[str]:
        """Every body that one of our messages has."""
        return self.kinds.keys()

    def has(self, line: str) -> bool:
        """Whether one of our messages has this line."""
        return line.strip() in self.lines


@once_per_flow
def sent_by_us(flow: Flow) -> Sent:
    """What our endpoints sent in ``flow``."""
    lines: set[str] = set()
    doubled: set[str] = set()
    kinds: dict[str, tuple[str, ...]] = {}
    tagged: set[str] = set()
    untagged: set[tuple[str, str | None, str]] = set()
    for event in flow.events:
        if event.from_device:
            if event.method is not None and event.to_tag is None:
                untagged.add((event.call_id, event.branch, event.method))
        else:
            shape = Shape.of(event)
            gives_tag = (event.call_id, event.branch, event.cseq_method) in untagged
            echo = () if event.status is None else _ECHOED if gives_tag else (*_ECHOED, "to")
            own = (line for line in shape.lines if long_name(line.partition(":")[0]) not in echo)
            lines.update(line.strip() for line in (shape.start_line, *own))
            doubled.update(name for name, count in shape.counts.items() if count > 1 and name.lower() not in echo)
            kind = (event.header("Content-Type") or "").strip().lower()
            kinds[event.body] = (*kinds.get(event.body, ()), kind)
            if event.status is not None and gives_tag:
                tagged.add(event.header("To") or "")
    return Sent(frozenset(lines), frozenset(doubled), kinds, frozenset(tagged))
