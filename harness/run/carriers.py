"""What carries the SIP of the devices of a run: what their profiles say, narrowed or widened by the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from harness.device.spec import DeviceSpec, carriers_of
from harness.errors import SetupError
from harness.model.axes import PASSAGES

ALL: Final = "all"
_FAMILIES: Final[Mapping[str, str]] = {"4": "ipv4", "6": "ipv6"}


@dataclass(frozen=True)
class Wanted:
    """What the command line asks for; empty: what each profile says.  ``all``: what each profile names at all."""

    transports: tuple[str, ...] = ()
    families: tuple[str, ...] = ()

    @property
    def arguments(self) -> tuple[tuple[str, str], ...]:
        """The options of a command line that ask for it."""
        asked = (("--transport", self.transports), ("--family", self.families))
        return tuple((option, ",".join(names)) for option, names in asked if names)

    @classmethod
    def of(cls, transport: str | None, family: str | None, transports: str | None) -> Wanted:
        """The values of ``--transport``, ``--family`` and ``--transports``; SetupError if they contradict."""
        if transports and (transport or family):
            raise SetupError(
                f"--transports {transports} cannot be combined with --transport or --family", "omit one of them"
            )
        if transports:
            return cls((ALL,), (ALL,))
        families = tuple(_FAMILIES.get(one, one) for one in _listed("--family", family, (*_FAMILIES, "ipv4", "ipv6")))
        return cls(_listed("--transport", transport, PASSAGES), families)


AS_PROFILED: Final = Wanted()
"""What each profile says."""


def _listed(flag: str, text: str | None, known: Sequence[str]) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(part.strip().lower() for part in (text or "").split(",") if part.strip()))
    if text is not None and (not names or set(names) - {*known, ALL} or (ALL in names and len(names) > 1)):
        raise SetupError(f"{flag} {text!r:.80}: expected some of {', '.join(known)} joined by commas, or {ALL}")
    return names


def carried(specs: Mapping[str, DeviceSpec], wanted: Wanted) -> dict[str, DeviceSpec]:
    """The devices of ``specs`` that can be tested over what is wanted, each with what carries it.

    SetupError if none can.
    """
    if not (wanted.transports or wanted.families):
        return dict(specs)
    chosen = {}
    for name, spec in specs.items():
        section = spec.profile.device
        transports = _chosen(wanted.transports, section.transports, section.further_transports)
        families = _chosen(wanted.families, section.families, section.further_families)
        if carriers := carriers_of(spec.profile, transports, families):
            chosen[name] = replace(spec, carriers=carriers)
    if not chosen:
        devices = ", ".join(
            f"{name} has {', '.join((*one.transports, *one.further_transports))}"
            f" over {', '.join((*one.families, *one.further_families))}"
            for name, one in ((name, spec.profile.device) for name, spec in specs.items())
        )
        asked = " over ".join(filter(None, (", ".join(wanted.transports), ", ".join(wanted.families))))
        raise SetupError(
            f"no device of this run is tested over {asked}: {devices}",
            "name it in device.transports or device.families of the profile, or in their further_ counterparts",
        )
    return chosen


_Named = TypeVar("_Named", bound=str)


def _chosen(wanted: Sequence[str], usual: Sequence[_Named], further: Sequence[_Named]) -> tuple[_Named, ...]:
    if not wanted:
        return tuple(usual)
    there = tuple(dict.fromkeys((*usual, *further)))
    return there if wanted[0] == ALL else tuple(one for one in there if one in wanted)
