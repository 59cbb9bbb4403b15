"""Contradictions between the roles and the PICS of a profile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from harness.device.tables.profile_tables import ProfileTables

NEEDS_A_ROLE: Final[dict[str, tuple[str, ...]]] = {
    "stateful_proxy": ("proxy",),
    "stateless_proxy": ("proxy",),
    "proxy_recurses_3xx": ("proxy",),
    "forking_proxy": ("proxy", "b2bua"),
    "relays_foreign": ("proxy",),
    "b2bua_follows": ("b2bua",),
    "redirect_server": ("redirect", "uas", "b2bua"),
    "sends_603plus": ("uas", "redirect", "b2bua", "proxy"),
    "transports_603plus": ("proxy", "b2bua"),
    "stops_on_603plus": ("uac", "b2bua", "proxy"),
    "maps_isup": ("b2bua", "uas"),
}
"""Keys that require one of these roles.  Other keys apply to any product."""

NEEDS_A_CLAIM: Final[dict[str, tuple[str, ...]]] = {
    "b2bua_follows": ("follows_redirects",),
    "multi_contact": ("follows_redirects", "proxy_recurses_3xx"),
    "caches_302": ("follows_redirects", "proxy_recurses_3xx"),
    "maps_isup": ("isup_gateway",),
}
"""Keys that refine another one: one of these must be claimed as well."""

EXCLUDES: Final[tuple[tuple[str, str, str], ...]] = (
    ("stateful_proxy", "stateless_proxy", "it keeps transactions or it does not"),
    ("stateful_proxy", "stateless_server", "it keeps transactions or it does not"),
    ("forking_proxy", "stateless_proxy", "a proxy without transactions cannot fork (RFC 3261 16.11)"),
    ("proxy_recurses_3xx", "stateless_proxy", "a proxy without transactions cannot recurse (RFC 3261 16.11)"),
)
"""Pairs of keys that must not both be claimed, and why."""


def contradictions(profile: ProfileTables) -> Iterator[tuple[str, str]]:
    """Each contradiction as (dotted key, what is wrong and expected)."""
    yield from _of_roles(profile)
    yield from _of_claims(profile)


def _of_roles(profile: ProfileTables) -> Iterator[tuple[str, str]]:
    roles = profile.device.roles
    for role in dict.fromkeys(role for role in roles if roles.count(role) > 1):
        yield "device.roles", f'"{role}" is listed twice: expected each role once'
    if {"proxy", "b2bua"} <= set(roles):
        yield (
            "device.roles",
            '"proxy" and "b2bua" contradict each other: a B2BUA ends one call and begins another, so the '
            "rules for proxies do not apply to it; expected one of them, or a [variant.NAME] for each",
        )
    if {"proxy", "redirect"} <= set(roles) and profile.lab.registrar and "redirects" not in profile.lab.numbers:
        yield (
            "device.roles",
            '"proxy" and "redirect" contradict each other if both are called at registered numbers (lab.registrar): '
            "expected lab.numbers.redirects, a number that it redirects, or a [variant.NAME] for each role",
        )


def _of_claims(profile: ProfileTables) -> Iterator[tuple[str, str]]:
    claimed = {key for key, claims in profile.pics.items() if claims}
    roles = set(profile.device.roles)
    for key, needed in NEEDS_A_ROLE.items():
        if key in claimed and roles.isdisjoint(needed):
            yield (
                f"pics.{key}",
                f"claimed, but device.roles has only {_quoted(profile.device.roles, 'and')}: "
                f"expected {_quoted(needed, 'or')} among the roles, or {key} = false",
            )
    for key, needed in NEEDS_A_CLAIM.items():
        if key in claimed and claimed.isdisjoint(needed):
            wanted = " or ".join(f"pics.{other} = true" for other in needed)
            yield f"pics.{key}", f"claimed without the key that it refines: expected {wanted} with it, or {key} = false"
    families = {*profile.device.families, *profile.device.further_families}
    if "both_families" in claimed and len(families) == 1:
        yield (
            "pics.both_families",
            f"claimed, but device.families and device.further_families name only {_quoted(tuple(families), 'and')}: "
            "expected both, or both_families = false",
        )
    for one, other, why in EXCLUDES:
        if {one, other} <= claimed:
            yield (
                f"pics.{other}",
                f"claimed together with {one}: {why}; expected one of them, or a [variant.NAME] for each",
            )


def _quoted(names: tuple[str, ...], word: str) -> str:
    return f" {word} ".join(f'"{name}"' for name in names)
