"""A device in the path of a 603+: what it was given on a branch, and what its caller got."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from harness.judge.branches import ResponseContext, contexts
from harness.judge.copies import sent_again
from harness.judge.plus603.changes import Change, changes
from harness.judge.say import Findings, satisfied, unseen, violated
from harness.judge.upstream import no_final
from harness.model.finding import Finding
from harness.model.flow import Event, Flow
from harness.model.verdict import Verdict
from harness.sip.message import long_name
from harness.sip.plus603 import PHRASE, Plus603

ARRIVES: Final = "ATIS603P-03"
UNCHANGED: Final = "ATIS603P-10"
NOTHING_ADDED: Final = "ATIS603P-11"
BY_THE_RFC: Final = "RFC3261-16.7.9-02"
"""The same of a proxy, by the RFC alone: it removes no header value."""
ROWS: Final = (ARRIVES, UNCHANGED, NOTHING_ADDED)
_ROW_OF: Final = {"lost": ARRIVES, "changed": UNCHANGED, "added": NOTHING_ADDED}


@dataclass(frozen=True)
class Crossing:
    """A call whose branch was answered by a 603+."""

    context: ResponseContext
    was: Event
    """The 603+ as it was sent to the device."""

    @property
    def now(self) -> Event | None:
        """What the caller got; of several copies the first that says something else, for any of them may be lost."""
        asked = self.context.asked
        return next((copy for copy in sent_again(asked) if any(changes(self.read, Plus603(copy)))), asked.final)

    @property
    def read(self) -> Plus603:
        """The 603+ as it was sent, read."""
        return Plus603(self.was)


def crossings(flow: Flow, calls: Iterable[int] | None = None) -> tuple[Crossing, ...]:
    """The calls of ``flow`` in which a branch was answered by a 603+; ``calls`` (from 0) chooses among the calls."""
    chosen = set(calls) if calls is not None else None
    found = []
    for number, context in enumerate(contexts(flow)):
        blocks = [final for final in context.finals if Plus603(final).is_plus]
        if blocks and (chosen is None or number in chosen):
            now = context.asked.final
            # Of several branches it is the one whose To tag the caller gets.
            mine = (block for block in blocks if now is not None and block.to_tag == now.to_tag)
            found.append(Crossing(context, next(mine, blocks[0])))
    return tuple(found)


def passed_on(flow: Flow, calls: Iterable[int] | None = None) -> Findings:
    """Each 603+ arrives at the caller as it was: findings for :data:`ROWS`, and for a proxy :data:`BY_THE_RFC`."""
    found = crossings(flow, calls)
    wanted = list(calls) if calls is not None else range(len(contexts(flow)))
    if len(found) < max(1, len(list(wanted))):
        yield unseen("not every 603+ of the plan was sent: the device did not place these calls", code="not-sent")
    for crossing in found:
        yield from _of(flow, crossing)


def _of(flow: Flow, crossing: Crossing) -> Findings:
    was, now = crossing.was, crossing.now
    name = f"the 603+ (message {was.number}, at {was.seat})"
    if now is None:
        yield no_final(
            flow,
            crossing.context.asked,
            was,
            means="the caller hears ringing, or nothing, for a call that was blocked",
            look_at="is a 603 with a long or unusual Reason read at all?",
            requirement=ARRIVES,
        )
        for row in (UNCHANGED, NOTHING_ADDED, BY_THE_RFC):
            yield unseen(
                "the caller got no final response (another rule covers this)", code="no-final", requirement=row
            )
        return
    found = list(changes(crossing.read, Plus603(now)))
    for change in found:
        yield change.finding(now, _ROW_OF[change.kind])
    lost = any(change.kind == "lost" for change in found)
    if not lost:
        yield satisfied(f"{name} is a 603+ at the caller", event=now, requirement=ARRIVES)
    if lost and Plus603(now).carrier is None:
        # What a 480 says is not a changed 603+: there is none any more.
        yield unseen("no 603+ reached the caller (another rule covers this)", code="lost", requirement=UNCHANGED)
    elif not any(change.kind == "changed" for change in found):
        yield satisfied(f"{name} says the same at the caller", event=now, requirement=UNCHANGED)
    if not any(change.kind == "added" for change in found):
        yield satisfied(f"no Reason was added to {name}", event=now, requirement=NOTHING_ADDED)
    yield _by_the_rfc(was, now, found)


def _by_the_rfc(was: Event, now: Event, found: list[Change]) -> Finding:
    """What RFC 3261 16.7 item 9 alone says: header values stay; the phrase is not mentioned."""
    removed = next((c for c in found if c.code in ("reason-lost", "reason-broken") or c.kind == "changed"), None)
    if was.status != now.status:
        said = f"the caller got {now.start_line} instead (another rule covers this)"
        return unseen(said, code="other-response", requirement=BY_THE_RFC)
    if removed is not None and removed.at_most is Verdict.FAIL:
        return removed.finding(now, BY_THE_RFC)
    return satisfied("its Reason is as it was", event=now, requirement=BY_THE_RFC)


def stays_plain(flow: Flow, requirement: str) -> Iterator[Finding]:
    """A refusal that is no 603+ is none at the caller either; one finding for each such call."""
    for context in contexts(flow):
        now, finals = context.asked.final, context.finals
        if now is None or not any((final.status or 0) == 603 or Plus603(final).carrier for final in finals):
            continue
        if any(Plus603(final).is_plus for final in finals):
            continue
        was = finals[-1]
        if Plus603(now).is_plus:
            yield violated(
                code="made-a-603plus",
                expected=f"no 603+ at the caller: {was.start_line} (message {was.number}) is none",
                actual=f"{now.start_line} with Reason: {', '.join(now.headers('Reason'))[:300]}",
                event=now,
                means="a person who declined is reported as a network that blocks, and the caller complains in vain",
                look_at=f'what makes a 603 a "{PHRASE}": only analytics of the network that blocks does',
                requirement=requirement,
            )
        else:
            yield satisfied(f"{now.start_line} at the caller, no 603+", event=now, requirement=requirement)


def neighbour_kept(flow: Flow, call: int, status: int, headers: tuple[str, ...]) -> Finding:
    """A 607 or 608 in call ``call`` arrives as it is, with ``headers`` (names), and not as a 603+."""
    context = dict(enumerate(contexts(flow))).get(call)
    was = next((final for final in context.finals if final.status == status), None) if context else None
    if context is None or was is None:
        return unseen(f"the {status} was never sent", code="not-sent")
    now = context.asked.final
    if now is None:
        return no_final(flow, context.asked, was)
    if Plus603(now).is_plus or (now.status == 603 and Plus603(now).has_phrase):
        return violated(
            code="taken-for-a-603plus",
            expected=f"{was.start_line} at the caller",
            actual=now.start_line,
            event=now,
            means="a refusal by a person, or by a service of theirs, is reported as a block by the network",
            look_at="which codes are mapped to 603: 607 and 608 are answers of their own",
        )
    if now.status != status:
        return violated(
            code="neighbour-changed",
            expected=f"{was.start_line} at the caller",
            actual=now.start_line,
            event=now,
            means="the caller's side does not learn who refused the call",
            look_at="the table of codes that are passed on",
            at_most=Verdict.WARN,
        )
    for name in headers:
        if was.headers(name) and not now.headers(name):
            return violated(
                code=f"{long_name(name)}-lost",
                expected=f"{name}: {was.header(name)}",
                actual=f"no {name} at the caller",
                event=now,
                means="the caller does not learn whom to ask",
                look_at="which headers of a refusal are passed on",
                at_most=Verdict.WARN,
            )
    return satisfied(f"{now.start_line} at the caller", event=now)
