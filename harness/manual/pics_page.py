"""docs/pics.md: every PICS key, in the words of a product manual."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

from harness.device.tables.pics import CLAIMS, Claim
from harness.manual.switches import Switch, switches
from harness.requirements.catalogue import Catalogue

_HEAD = """\
# PICS: what a device claims

*Made from harness/device/profile/pics.py and the requirement catalogue by `python -m harness.manual`; change it there.*

A device is held to what it claims. Without a claim a requirement that asks for it is *not applicable*: shown as
skipped, with the reason, never as a pass. Claim what the product's manual says of the configuration that is tested,
also where you doubt that it works: that is what is found out. What is not mentioned is not claimed.

    [pics]
    follows_redirects = true
    multi_contact = true

Two configurations of one product that claim different things are two `[variant.NAME]` tables
([profile.md](profile.md)). Menu names are as vendors have them today; firmware may differ. `sipverdict list pics`
prints this list, `sipverdict explain REQUIREMENT` one of the requirements.
"""


def page(catalogue: Catalogue) -> str:
    """The page."""
    return "\n".join([_HEAD, *_topics(switches(catalogue))])


def _topics(made: Mapping[str, Switch]) -> Iterator[str]:
    for topic, claims in groupby(CLAIMS.values(), key=lambda claim: claim.topic):
        yield f"## {topic}\n"
        for claim in claims:
            yield _entry(claim, made[claim.key])


def _entry(claim: Claim, switch: Switch) -> str:
    facts = [f"**How to find out**: {_escaped(claim.find_out)}", f"**Switches** {_effect(switch)}."]
    if switch.needs_role:
        facts.append(f"**Only with the role** {_listed(switch.needs_role)}.")
    if switch.needs:
        facts.append(f"**Only together with** {_listed(switch.needs)}.")
    if switch.excludes:
        facts.append(f"**Not together with** {_listed(switch.excludes, 'and')}.")
    sentence = claim.sentence[0].upper() + claim.sentence[1:]
    return "\n".join([f"### {claim.key}\n", f"{_escaped(sentence)}.\n", *map(_point, facts), ""])


def _point(text: str) -> str:
    return textwrap.fill(text, 119, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False)


def _effect(switch: Switch) -> str:
    parts = [f"on {_counted(switch.on)}"] if switch.on else []
    parts += [f"off {_counted(switch.off)}"] if switch.off else []
    return (" and ".join(parts) + f", of {_listed(switch.roles, 'and')}") if parts else "nothing on yet"


def _counted(rows: tuple[str, ...]) -> str:
    some = f"{', '.join(rows[:3])}{', …' if len(rows) > 3 else ''}"
    return f"{len(rows)} requirement{'s' if len(rows) > 1 else ''} ({some})"


def _listed(names: Iterable[str], word: str = "or") -> str:
    *most, last = [f"`{name}`" for name in names]
    return f"{', '.join(most)} {word} {last}" if most else last


def _escaped(text: str) -> str:
    """``text`` for Markdown: what stands in angle brackets is no HTML."""
    return text.replace("<", "\\<").replace("*", "\\*")
