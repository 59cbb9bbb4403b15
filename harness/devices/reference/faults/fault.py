"""What a fault is, and the roles that faults have."""

from __future__ import annotations

from dataclasses import dataclass

CLIENT = ("uac", "b2bua")
BRIDGE = ("b2bua",)
PROXY = ("proxy",)
REDIRECT = ("redirect",)
UAS = ("uas",)
ANSWERING = ("redirect", "uas")
PATH = ("proxy", "b2bua")
BLOCKING = ("uas", "redirect", "b2bua", "proxy")
RECURSING = "proxy_recurses_3xx"
FOLLOWING = ("uac", "b2bua", "proxy")
FOLLOWS = "follows_redirects or proxy_recurses_3xx"


@dataclass(frozen=True, slots=True)
class Fault:
    """A named misbehaviour: what it is called, the roles in which it shows, and what the device does wrong."""

    name: str
    sentence: str
    roles: tuple[str, ...] = CLIENT
    claim: str = ""
    """The PICS condition under which the fault shows in a device; empty: always."""
    over: str = ""
    """What it shows over, where UDP over IPv4 does not show it: a transport, with a 6 behind it if it needs IPv6."""
