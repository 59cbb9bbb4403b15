"""Removes secrets from the evidence: devices may send passwords in clear, and SIPp answers challenges."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable

from harness.device.profile import secrets
from harness.model.flow import Event, Flow


def blanked(flow: Flow, known: Iterable[str]) -> Flow:
    """``flow`` with each of the secrets ``known`` replaced by asterisks of the same length: all lengths stay true.

    This happens before judging and storing, because the stored flow must be the one that was judged.  Secrets of less
    than six letters stay, because evidence is full of short numbers that are not secret.
    """
    spelled = secrets.all_spellings(secret for secret in known if len(secret) >= secrets.MIN_LENGTH)
    # Messages are kept as latin-1, byte by byte.
    parts = dict.fromkeys(
        part for each in spelled for part in (each, each.encode("utf-8", "replace").decode("latin-1"))
    )
    if not parts:
        return flow
    pattern = re.compile("|".join(map(re.escape, parts)))

    def clean(text: str) -> str:
        return pattern.sub(lambda found: "*" * len(found[0]), text)

    def read(event: Event) -> Event:
        return dataclasses.replace(event, raw=clean(event.raw)) if pattern.search(event.raw) else event

    return dataclasses.replace(
        flow,
        seats=tuple(dataclasses.replace(seat, scenario=clean(seat.scenario)) for seat in flow.seats),
        events=tuple(map(read, flow.events)),
        late=tuple(map(read, flow.late)),
        between=tuple(map(read, flow.between)),
        strays=tuple(map(read, flow.strays)),
        troubles=tuple(dataclasses.replace(trouble, text=clean(trouble.text)) for trouble in flow.troubles),
        lost=tuple(dataclasses.replace(event, raw=clean(event.raw)) for event in flow.lost),
        lookups=tuple(dataclasses.replace(one, name=clean(one.name)) for one in flow.lookups),
        unreadable=tuple(dataclasses.replace(one, text=clean(one.text)) for one in flow.unreadable),
    )
