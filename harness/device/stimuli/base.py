"""The Protocol of a stimulus, and what a profile's ``[stimulus]`` is made into one with."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, Protocol, get_args, runtime_checkable

from harness.device.process import DeviceProcess
from harness.errors import DeviceError, ProfileError
from harness.live.person import Person
from harness.net.address import Address
from harness.sip.uri import SipUri

Act = Literal["call", "hangup", "reinvite", "answer", "reject"]
ACTS: Final[tuple[Act, ...]] = get_args(Act)
SHOWN: Final = 200
"""How many characters of what a device said an error repeats."""

_PLACEHOLDER = re.compile(r"\{(secret:[A-Za-z0-9_.-]+|[A-Za-z_]+)\}")


@runtime_checkable
class Stimulus(Protocol):
    """A way to make the device act: place a call, hang it up, re-INVITE in it, answer or decline one that rings."""

    name: str
    """For people: ``stdin``, ``a SIPp caller``."""
    supports: frozenset[str]
    """Which acts it can do."""

    async def perform(self, act: Act, uri: str) -> None:
        """Make the device do ``act``, and return when it has been asked, not when it has done it.

        ``uri`` is the other side of the call: whom the device is to call or has called, or who calls it.
        DeviceError if it could not be asked.
        """

    async def settled(self, came: bool) -> None:
        """Hear that what was asked for last has come, or is waited for no longer."""

    async def probe(self, deadline: float) -> None:
        """Return when what it talks to answers (``ready.control``); DeviceError or OSError if it does not."""

    def remark(self) -> str:
        """What the device said to the last request, for the message that says that no call came; "" if nothing."""

    async def close(self) -> None:
        """Let go of what it holds open."""


class StimulusBase:
    """What most kinds do alike: nothing.  A kind of another package may inherit from it, and write ``perform``."""

    name = ""
    supports: frozenset[str] = frozenset()

    async def settled(self, came: bool) -> None:
        """Nobody waits for it."""

    async def probe(self, deadline: float) -> None:
        """There is nothing to ask."""

    def remark(self) -> str:
        """Nothing was said."""
        return ""

    async def close(self) -> None:
        """Nothing is open."""


def _no_lease() -> Address:
    raise DeviceError("there is no address to send from", "this is the suite's fault: give Device a lease")


def _no_secret(name: str) -> str:
    raise ProfileError(f"{{secret:{name}}} stands for nothing", "declare it in the profile's [secrets]")


@dataclass(frozen=True)
class StimulusContext:
    """What a stimulus is made with, for one start of one device."""

    device: str
    """Its name, for messages."""
    address: Address
    folder: Path
    """Private to this start, removed with it."""
    values: Mapping[str, str] = field(default_factory=dict)
    """What ``{host}``, ``{address}``, ``{here}`` … stand for."""
    secret: Callable[[str], str] = _no_secret
    """What ``{secret:NAME}`` stands for; ProfileError if there is no such secret."""
    process: DeviceProcess | None = None
    """The device's process, where the suite started it."""
    person: Person = field(default_factory=Person)
    """Whom to ask for what only a person can do."""
    lease: Callable[[], Address] = _no_lease
    """A new address of the tester."""

    def fill(
        self, text: str, values: Mapping[str, str] | None = None, escape: Callable[[str], str] = lambda text: text
    ) -> str:
        """``text`` with its placeholders filled in, once.  ``values`` and secrets are escaped, addresses need not be.

        A placeholder that stands for nothing stays as it is: braces of other languages are not ours.
        """
        given = values or {}

        def value(found: re.Match[str]) -> str:
            name = found[1]
            if name.startswith("secret:"):
                return escape(self.secret(name.removeprefix("secret:")))
            return escape(given[name]) if name in given else self.values.get(name, found[0])

        return _PLACEHOLDER.sub(value, text)

    def control(self, text: str) -> str:
        """``text`` as the IPv4:port of a control port; ProfileError if it is none."""
        place = self.fill(text)
        try:
            return str(Address.parse(place, family="ipv4"))
        except ValueError as error:
            raise ProfileError(f"stimulus.control of {self.device}: {error}") from None


def secrets_in(text: str) -> frozenset[str]:
    """The names of the secrets that ``text`` asks for."""
    return frozenset(name.removeprefix("secret:") for name in _PLACEHOLDER.findall(text) if name.startswith("secret:"))


def checked(uri: str) -> str:
    """``uri`` if it may be handed to a device; DeviceError for control characters and blanks, which no URI has."""
    if not uri or any(ord(char) <= 32 or ord(char) == 127 for char in uri):
        raise DeviceError(
            f"{uri!r} was not handed to the device: a URI has no blanks and no control characters",
            "this is the suite's or the plan's fault, not the device's",
        )
    return uri


def user_of(uri: str) -> str:
    """The user part of ``uri``: what a phone dials; "" if there is none."""
    parsed = SipUri.parse(uri)
    return (parsed.user if parsed else None) or ""


def shown(said: bytes | str, most: int = SHOWN) -> str:
    """What a device said, fit for one line of an error: cut, without control characters, whatever it was."""
    text = said[: 4 * most].decode("utf-8", "replace") if isinstance(said, bytes) else said[: 4 * most]
    # A run of blanks and line ends is one blank; what steers a terminal is replaced.
    text = " ".join(text.split())
    text = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    return text if len(text) <= most else f"{text[: most - 1]}\N{HORIZONTAL ELLIPSIS}"
