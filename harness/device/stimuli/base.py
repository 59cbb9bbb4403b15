"""The Protocol of a stimulus, and the context in which ``[stimulus]`` becomes one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, Protocol, get_args, runtime_checkable

from harness.device.process import DeviceProcess
from harness.device.tables.placeholders import fill
from harness.errors import DeviceError, ProfileError
from harness.live.person import Person
from harness.net.address import Address
from harness.sip.uri import SipUri

Act = Literal["call", "hangup", "reinvite", "answer", "reject"]
ACTS: Final[tuple[Act, ...]] = get_args(Act)
SHOWN: Final = 200
"""Characters of a device's output that an error repeats."""


@runtime_checkable
class Stimulus(Protocol):
    """A way to make the device act: place a call, hang it up, re-INVITE in it, answer or decline one that rings."""

    name: str
    """Its name in messages: ``stdin``, ``a SIPp caller``."""
    supports: frozenset[str]
    """The acts that it can request."""

    async def perform(self, act: Act, uri: str) -> None:
        """Request ``act`` from the device and return when the request was made, not when the device has acted.

        ``uri`` is the other side of the call, called or calling.  DeviceError if the request could not be made.
        """

    async def settled(self, came: bool) -> None:
        """Note that the last request had its effect (``came``), or that the driver stopped waiting for it."""

    async def probe(self, deadline: float) -> None:
        """Return when the control port answers (``ready.control``); DeviceError or OSError if it does not."""

    def remark(self) -> str:
        """The device's reply to the last request, for the message that no call arrived; "" without a reply."""

    async def close(self) -> None:
        """Close its connections."""


class StimulusBase:
    """Defaults that do nothing.  A kind of another package may inherit from it and define ``perform``."""

    name = ""
    supports: frozenset[str] = frozenset()

    async def settled(self, came: bool) -> None:
        """Do nothing."""

    async def probe(self, deadline: float) -> None:
        """Return at once."""

    def remark(self) -> str:
        """No reply."""
        return ""

    async def close(self) -> None:
        """Do nothing."""


def _no_lease() -> Address:
    raise DeviceError("there is no address to send from", "this is a bug in sipverdict: Device needs a lease")


def _no_secret(name: str) -> str:
    raise ProfileError(f"{{secret:{name}}} is not declared", "declare it in the profile's [secrets]")


@dataclass(frozen=True)
class StimulusContext:
    """The surroundings of a stimulus, for one start of one device."""

    device: str
    """Its name, for messages."""
    address: Address
    folder: Path
    """Private to this start, removed with it."""
    values: Mapping[str, str] = field(default_factory=dict)
    """The values of ``{host}``, ``{address}``, ``{here}`` …"""
    secret: Callable[[str], str] = _no_secret
    """Returns the value of ``{secret:NAME}``; ProfileError if there is no such secret."""
    process: DeviceProcess | None = None
    """The device's process, where the suite started it."""
    person: Person = field(default_factory=Person)
    """The person who performs manual acts."""
    lease: Callable[[], Address] = _no_lease
    """A new address of the tester."""

    def fill(
        self, text: str, values: Mapping[str, str] | None = None, escape: Callable[[str], str] = lambda text: text
    ) -> str:
        """``text`` with its placeholders filled in, once.  ``values`` and secrets are escaped, addresses need not be.

        A placeholder without a value stays as it is: it may belong to another language.
        """
        given = {name: escape(value) for name, value in (values or {}).items()}
        return fill(text, {**self.values, **given}, lambda name: escape(self.secret(name)))

    def control(self, text: str) -> str:
        """``text`` as the IPv4:port of a control port; ProfileError if it is none."""
        place = self.fill(text)
        try:
            return str(Address.parse(place, family="ipv4"))
        except ValueError as error:
            raise ProfileError(f"stimulus.control of {self.device}: {error}") from None


def checked(uri: str) -> str:
    """``uri`` if it may be handed to a device; DeviceError for control characters and blanks, which no URI has."""
    if not uri or any(ord(char) <= 32 or ord(char) == 127 for char in uri):
        raise DeviceError(
            f"{uri!r} was not handed to the device: a URI has no blanks and no control characters",
            "this is a bug in sipverdict or the plan, not in the device",
        )
    return uri


def user_of(uri: str) -> str:
    """The user part of ``uri``, which a phone dials; "" if there is none."""
    parsed = SipUri.parse(uri)
    return (parsed.user if parsed else None) or ""


def shown(said: bytes | str, most: int = SHOWN) -> str:
    """The output of a device for one line of an error: shortened, without control characters."""
    text = said[: 4 * most].decode("utf-8", "replace") if isinstance(said, bytes) else said[: 4 * most]
    # Blanks and line ends become one blank; control characters are replaced.
    text = " ".join(text.split())
    text = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    return text if len(text) <= most else f"{text[: most - 1]}\N{HORIZONTAL ELLIPSIS}"
