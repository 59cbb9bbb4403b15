"""Variants of a device: one product, configured in several ways, each a device of its own in a run.

A profile's ``[variant.NAME]`` holds sections of a profile that are laid over those of the base: tables merge key by
key, lists and values replace.  Where a section has alternatives that exclude each other, the variant's choice drops
the base's: another ``stimulus.kind`` brings a stimulus of its own, and one of the ready events replaces the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from harness.model.axes import CROSSINGS
from harness.model.device_name import BASE, VARIANT, named
from harness.net.address import Carrier

TABLE: Final = "variant"
OVER: Final = "over"
CARRIERS: Final = tuple(one.label for one in Carrier.every())
_READY: Final = ("stdout", "udp_bound", "options", "control")


class VariantError(Exception):
    """A ``[variant.NAME]`` that cannot be used."""

    def __init__(self, key: str, expected: str) -> None:
        super().__init__(f"{key}: {expected}")
        self.key = key
        """Dotted."""
        self.expected = expected


def tables(table: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """The base's sections, and those of each variant laid over them; VariantError if they cannot be."""
    base = {section: content for section, content in table.items() if section != TABLE}
    variants = table.get(TABLE, {})
    if not isinstance(variants, dict):
        raise VariantError(TABLE, f"expected tables [{TABLE}.NAME]; got {variants!r}")
    merged = {}
    for name, changes in variants.items():
        key = f"{TABLE}.{name}"
        if not VARIANT.fullmatch(name) or name == BASE:
            raise VariantError(
                key,
                "expected a name of small letters, digits, hyphens and underscores, "
                f"other than {BASE!r}, which means the device without its variants",
            )
        if not isinstance(changes, dict):
            raise VariantError(key, f"expected a table; got {changes!r}")
        device = changes.get("device")
        if isinstance(device, dict) and "name" in device:
            raise VariantError(f"{key}.device.name", "a variant is named after its table: expected no name here")
        laid = {**base, **{section: _over(section, base.get(section), new) for section, new in changes.items()}}
        merged[name] = _renamed(laid, name)
    return base, merged


def over(table: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """The sections without ``[over.CARRIER]``, and those for each such carrier; VariantError if they cannot be.

    What is different over another transport or IP family (a port, an address, an option) is laid over the rest.
    """
    base = {section: content for section, content in table.items() if section != OVER}
    changed = table.get(OVER, {})
    if not isinstance(changed, dict):
        raise VariantError(OVER, f"expected tables [{OVER}.CARRIER]; got {changed!r}")
    for label, changes in changed.items():
        if label in CROSSINGS:
            sides = " and ".join(f"[{OVER}.{side.label}]" for side in Carrier.of(label).sides)
            raise VariantError(f"{OVER}.{label}", f"expected a table for each side: {sides}")
        if label not in CARRIERS or not isinstance(changes, dict):
            raise VariantError(
                f"{OVER}.{label}", f"expected a table [{OVER}.X], where X is one of {', '.join(CARRIERS)}"
            )
        if {"device", "pics", "isolation"} & changes.keys():
            raise VariantError(
                f"{OVER}.{label}", "expected no device, no pics and no isolation in it: they hold over everything"
            )
    return base, {
        label: {**base, **{section: _over(section, base.get(section), new) for section, new in changes.items()}}
        for label, changes in changed.items()
    }


def _renamed(table: dict[str, Any], variant: str) -> dict[str, Any]:
    device = table.get("device")
    if isinstance(device, dict) and isinstance(device.get("name"), str):
        return {**table, "device": {**device, "name": named(device["name"], variant)}}
    return table


def _over(section: str, old: object, new: object) -> object:
    """``new`` laid over ``old``."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    if section == "stimulus" and new.get("kind", old.get("kind")) != old.get("kind"):
        return new
    if section == "ready" and any(event in new for event in _READY):
        old = {key: value for key, value in old.items() if key not in _READY}
    return {**old, **{key: _over("", old.get(key), value) for key, value in new.items()}}
