"""Stored runs made of hand-made flows, for the tests of the pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from flows import DECLINE, DECLINED, HOSTILE, REDIRECTED, flow, record, ruled

from harness.judge.observed import Observation
from harness.judge.silence import NO_LIFE
from harness.model.flow import Flow
from harness.model.verdict import Verdict
from harness.store.folder import RunFolder
from harness.store.stream import VerdictStream
from harness.store.verdict_lines import Compared, Declared, Deviation, Header, VerdictLine

DEVICE = Declared("reference", ("uac",), ("udp",), ("ipv4",), {"follows_redirects": True}, "Acme", "Phone", "1.0")
FAILED = "uac/decline_is_final/decline_is_final"
REDIALLED = (*DECLINED, (2.0, "callee", "INVITE sip:7001001@127.20.0.2:5060 SIP/2.0", ""))


def stored(
    out: Path,
    records: Sequence[VerdictLine],
    flows: Iterable[Flow],
    *,
    pics: Sequence[Observation] = (),
    expected: Compared | None = None,
    cut_off: bool = False,
    device: Declared = DEVICE,
    devices: Sequence[Declared] = (),
) -> Path:
    """A run in a new folder below ``out``."""
    folder = RunFolder.create(out, device.name)
    for one in flows:
        folder.write_flow(one)
    known = tuple(devices) or (device,)
    header = Header(folder.name, "0.1", "3.6.1", device, "quick", "certification", len(records), known, ())
    stream = VerdictStream(folder.verdicts, header)
    for one in records:
        stream.write(one)
    if cut_off:
        stream.abandon()
    else:
        stream.close(pics, expected)
    return folder.path


def a_fail(purpose: str = FAILED, evidence: tuple[str, ...] = ("f1", "f1-again"), **more: object) -> VerdictLine:
    finding = ruled(
        Verdict.FAIL,
        "RFC3261-21.6-01",
        "DERIVED",
        **{  # type: ignore[arg-type]
            "expected": ("an ACK, and no further INVITE", "silence"),
            "actual": "INVITE arrived 1.0 s after the 603",
            "event": 5,
            "where": "message 5, at callee",
            "means": "the device of a declined caller calls again by itself",
            "look_at": "auto-redial",
            **more,
        },
    )
    return record(Verdict.FAIL, purpose, finding, evidence=evidence)


def usual(out: Path, **more: Any) -> Path:
    """A run with a fail, an inconclusive, a warning, a pass, a skip and one that could not be run."""
    unseen = ruled(
        Verdict.INCONCLUSIVE,
        "RFC3261-21.6.1-01",
        code=NO_LIFE,
        actual="nothing arrived, but silence is not proven: the device gave no sign of life",
    )
    warned = ruled(Verdict.WARN, "RFC3261-8.1.3.4-01", "SHOULD", expected=("an INVITE",), actual="none", event=2)
    unused = record(Verdict.INCONCLUSIVE, "uac/redirect_hunts/users_differ_by_case", reason="it never started")
    unused = replace(unused, requirements=(), drives=0, evidence=())
    records = [
        a_fail(),
        record(Verdict.INCONCLUSIVE, "uac/decline_is_final/busy_everywhere_is_final", unseen, evidence=("f2",)),
        record(Verdict.WARN, "uac/redirect_is_followed/x", warned, evidence=("f3",)),
        record(Verdict.PASS, "uac/redirect_is_followed/y", ruled(requirement="RFC3261-21.3.3-01"), evidence=("f3",)),
        record(
            Verdict.NONE, "uac/redirect_uri_headers/z", skipped="not_applicable", reason="no uri_headers", evidence=()
        ),
        unused,
    ]
    return stored(out, records, flows_of_usual(), **more)


def flows_of_usual() -> list[Flow]:
    decline = {"seats": ("callee", "guard"), "plan": DECLINE}
    return [
        flow(*REDIALLED, **decline, identifier="f1"),  # type: ignore[arg-type]
        flow(*REDIALLED, **decline, identifier="f1-again"),  # type: ignore[arg-type]
        flow(*DECLINED, **decline, identifier="f2"),  # type: ignore[arg-type]
        flow(*REDIRECTED, identifier="f3"),
    ]


def hostile(out: Path) -> Path:
    """A run of a device that writes everything that ever broke a report, into every place that it can write to."""
    everything = "\r\n ".join(f"X-{n}: {text}" for n, text in enumerate(HOSTILE))
    nasty = "".join(HOSTILE)
    steps = [
        (0.1, "callee", f"INVITE sip:{nasty[:300]}@h SIP/2.0", everything),
        (0.2, "callee", f"<SIP/2.0 302 {nasty[:200]}", f"Contact: <sip:{nasty[:500]}>"),
        (0.3, "callee", f"INVITE sip:a@h SIP/2.0\r\nVia: SIP/2.0/UDP 999.1.1.1:99999;x={nasty}", nasty),
        *((0.4 + n / 1000, "callee", f"{text} sip:a@h SIP/2.0", text) for n, text in enumerate(HOSTILE)),
        (0.5, "target", f"SIP/2.0 603 {nasty[:200]}", nasty),
    ]
    flows = [flow(*steps, identifier="f1", device=nasty, unreadable=HOSTILE, seats=("callee", "target"))]
    finding = dict.fromkeys(("actual", "means", "look_at", "where"), nasty)
    records = [
        a_fail(evidence=("f1",), **finding | {"expected": HOSTILE, "where": "message 3, at callee", "event": 3}),
        *(
            record(
                Verdict.INCONCLUSIVE, f"uac/x/{n}", ruled(Verdict.INCONCLUSIVE, text, text, actual=text), reason=text
            )
            for n, text in enumerate(HOSTILE)
        ),
        record(Verdict.FAIL, nasty, ruled(Verdict.FAIL, actual=nasty), device=nasty, reason=nasty),
    ]
    return stored(
        out,
        records,
        flows,
        pics=[Observation(nasty, nasty, True, False, nasty)],
        expected=Compared(nasty, 1, (Deviation(nasty, nasty, "uac", "udp", "ipv4", *[nasty] * 3, "worse", nasty),)),
        device=replace(DEVICE, model=nasty, firmware=nasty, vendor=nasty, pixit={nasty: nasty}),
        devices=(DEVICE, replace(DEVICE, name=nasty, model=nasty)),
    )


class Page(HTMLParser):
    """What is in a page: its tags with their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.styles = ""
        self.scripts = ""
        self._open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self._open[-1:] == ["style"]:
            self.styles += data
        elif self._open[-1:] == ["script"]:
            self.scripts += data
        else:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def ids(self) -> list[str]:
        return [attributes["id"] or "" for _, attributes in self.tags if "id" in attributes]


def assert_inert(text: str, *, scripts: int = 0, links: tuple[str, ...] = ()) -> Page:
    """The page asks nobody for anything, runs nothing of the device's, and turns no line round.

    ``links``: beginnings of what it may lead to besides.
    """
    page = Page(text)
    assert sum(tag == "script" for tag, _ in page.tags) == scripts
    assert not {tag for tag, _ in page.tags} & {"iframe", "object", "embed", "img", "link", "base", "video", "audio"}
    for tag, attributes in page.tags:
        assert not any(name.startswith("on") for name in attributes), (tag, attributes)
        assert "src" not in attributes
        target = attributes.get("href")
        known = ("#", "https://www.rfc-editor.org/rfc/", "https://www.ecfr.gov/current/", *links)
        assert target is None or target.startswith(known), target
        assert tag != "meta" or attributes.get("http-equiv") in (None, "Content-Security-Policy")
    assert "url(" not in page.styles
    assert "@import" not in page.styles
    assert "default-src 'none'" in next(
        attributes["content"] or "" for tag, attributes in page.tags if "http-equiv" in attributes
    )
    assert not set(text) & set("\0\x1b\x07\x7f\u202e\u2066\u200f\ufffe")
    assert page.tags[-1][0] != "pre"
    ids = page.ids()
    assert len(ids) == len(set(ids)), [one for one in ids if ids.count(one) > 1]
    return page
