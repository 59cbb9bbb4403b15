"""Reading a 603+: a 603 by which a network says that analytics blocked a call, and where to complain.

Two signs together make one (ATIS-1000099 as reported; required by 47 CFR 64.1200(k)(9)): the reason phrase ``Network
Blocked``, and a Reason of ``SIP;cause=603`` or ``Q.850;cause=21`` whose text begins with ``v=analytics1;``.  A 603 with
one sign is a plain 603.  The text of the standard is not free, so what rests on reports of it says so
(:data:`REPORTED`).  Nothing here raises on a device's bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal
from urllib.parse import urlsplit

from harness.sip.message import SipMessage
from harness.sip.reason import Flaw, ReasonValue, reasons, unknown_location

PHRASE: Final = "Network Blocked"
VERSION: Final = "analytics1"
REPORTED: Final = "ATIS-1000099, as reported"
USUAL_LOCATIONS: Final = frozenset({"LN", "TN", "RLN", "LPN", "RPN"})
"""The locations that reports of the standard name."""
LONG: Final = 1024
"""Characters of a text beyond which products are known to cut it; no rule sets a limit."""
CONTACTS: Final = ("url", "tel", "email")
_TEXT: Final = re.compile(r"(?:\A|;)\s*v\s*=", re.IGNORECASE)
_TEL: Final = re.compile(r"\+?[-0-9.()]+")
_EMAIL: Final = re.compile(r"[^\s@<>\"(),:;\\\[\]\x00-\x1f\x7f]+@(?:[\w-]+\.)+[\w-]*[^\W\d_][\w-]*")
_ID: Final = re.compile(r"[-A-Za-z0-9._~]{1,64}")

Weight = Literal["fail", "warn", "note"]


@dataclass(frozen=True)
class Problem(Flaw):
    """What is wrong with a 603+ as it was written."""

    weight: Weight = "fail"


@dataclass(frozen=True)
class Redress:
    """Where somebody whose call was blocked can complain: what a 603+ says, as written."""

    urls: tuple[str, ...] = ()
    tels: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    location: str = ""
    """Which network blocked the call (RFC 8606); "" if it does not say."""

    @property
    def parts(self) -> tuple[tuple[str, str], ...]:
        """Name and value of everything that is there."""
        named = (("url", self.urls), ("tel", self.tels), ("email", self.emails), ("location", (self.location,)))
        return tuple((name, value) for name, values in named for value in values if value)

    def __str__(self) -> str:
        return ", ".join(f"{name} {value}" for name, value in self.parts)


@dataclass(frozen=True)
class Plus603:
    """A response read as a 603+."""

    message: SipMessage

    @cached_property
    def values(self) -> tuple[ReasonValue, ...]:
        """Its Reason values."""
        return reasons(self.message)

    @property
    def has_phrase(self) -> bool:
        """The first sign: its phrase, in any case."""
        return " ".join(self.message.reason.split()).lower() == PHRASE.lower()

    @cached_property
    def carrier(self) -> ReasonValue | None:
        """The Reason value that looks like that of a 603+, of whatever version and with whatever flaws."""
        spoken = (value for value in self.values if value.speaks("SIP", 603) or value.speaks("Q.850", 21))
        return next((value for value in spoken if _TEXT.search(_words(value))), None)

    @property
    def has_reason(self) -> bool:
        """The second sign: a Reason with a cause of a block, whose text begins with the version and names a contact."""
        text = self.carrier.parameter("text") if self.carrier else None
        if text is None or not text.quoted:
            return False
        (name, value), *rest = self.fields or (("", ""),)
        return (name, value.lower()) == ("v", VERSION) and any(field in CONTACTS for field, _ in rest)

    @property
    def is_plus(self) -> bool:
        """Whether it is a 603+: status 603 and both signs."""
        return self.message.status == 603 and self.has_phrase and self.has_reason

    @cached_property
    def fields(self) -> tuple[tuple[str, str], ...]:
        """Name (lower case) and value of each field of the text, in order; a part without ``=`` has the name ""."""
        found = []
        for part in (_words(self.carrier) if self.carrier else "").split(";"):
            name, equals, value = part.partition("=")
            if part.strip():
                found.append((name.strip().lower(), value.strip()) if equals else ("", part.strip()))
        return tuple(found)

    def all(self, name: str) -> tuple[str, ...]:
        """The values of the fields called ``name``."""
        return tuple(value for field, value in self.fields if field == name)

    @property
    def redress(self) -> Redress:
        """What it says of where to complain."""
        location = (self.carrier.location if self.carrier else None) or ""
        return Redress(self.all("url"), self.all("tel"), self.all("email"), location)

    def problems(self) -> Iterator[Problem]:
        """What is wrong with its Reason, the worst first; location apart."""
        carriers = [value for value in self.values if value.speaks("SIP", 603) or value.speaks("Q.850", 21)]
        if self.carrier is None:
            wrong = carriers or self.values
            yield Problem("no-analytics-text", _without_text(wrong), REPORTED)
            for flaw in (flaw for value in wrong for flaw in value.flaws()):
                yield Problem(flaw.code, flaw.text, flaw.clause)
            return
        for flaw in self.carrier.flaws():
            yield Problem(flaw.code, flaw.text, flaw.clause)
        yield from self._of_protocols()
        yield from self._of_version()
        yield from self._of_contacts()
        for value in self.all("id"):
            if not _ID.fullmatch(value):
                yield Problem("odd-id", f"id={value[:80]!r} is not up to 64 safe characters", REPORTED, "warn")
        if (length := len(self.carrier.explanation)) > LONG:
            said = f"its text has {length} characters: no rule sets a limit, and there are products that cut it"
            yield Problem("long-text", said, REPORTED, "note")

    def _of_protocols(self) -> Iterator[Problem]:
        """Several values of one protocol (RFC 3326 section 2)."""
        spoken = [value.protocol.lower() for value in self.values]
        for protocol in dict.fromkeys(spoken):
            if spoken.count(protocol) > 1:
                said = f"{spoken.count(protocol)} Reason values are of {protocol.upper()}"
                yield Problem("one-protocol-twice", said, "RFC 3326 §2")

    def _of_version(self) -> Iterator[Problem]:
        versions = self.all("v")
        if self.fields and self.fields[0][0] != "v":
            yield Problem("version-not-first", f"its text does not begin with v={VERSION}", REPORTED)
        if not versions or versions[0].lower() != VERSION:
            said = f"its text names the version {(versions or ('',))[0][:40]!r}; the known one is {VERSION}"
            yield Problem("unknown-version", said, REPORTED)
        elif versions[0] != VERSION:
            yield Problem("version-in-other-case", f"v={versions[0]} instead of v={VERSION}", REPORTED, "warn")
        if len(versions) > 1:
            said = f"its text names a version {len(versions)} times: {', '.join(versions)[:80]}"
            yield Problem("several-versions", said, REPORTED, "warn")

    def _of_contacts(self) -> Iterator[Problem]:
        given = [(name, value) for name in CONTACTS for value in self.all(name)]
        wrong = [(name, value, why) for name, value in given if (why := wrong_contact(name, value))]
        if not given:
            yield Problem("no-contact", "its text has neither url, nor tel, nor email", REPORTED)
        for name, value, why in wrong:
            # One good contact is enough: then a bad one beside it is a blemish.
            weight: Weight = "warn" if len(wrong) < len(given) else "fail"
            yield Problem(f"bad-{name}", f"{name}={value[:200]} {why}", REPORTED, weight)

    def location_problem(self) -> Problem | None:
        """What is wrong with its location; None if nothing is."""
        written = self.carrier.location if self.carrier else None
        if written is None:
            return Problem("no-location", "it has no location", REPORTED, "warn")
        for flaw in unknown_location(self.carrier) if self.carrier else ():
            return Problem(flaw.code, flaw.text, flaw.clause)
        if written.upper() not in USUAL_LOCATIONS:
            usual = ", ".join(sorted(USUAL_LOCATIONS))
            return Problem("unusual-location", f"location={written} is none of {usual}", REPORTED, "warn")
        return None


def wrong_contact(name: str, value: str) -> str:
    """Why ``value`` is no contact of the kind ``name`` (url, tel, email), in words; "" if it is one."""
    if name == "tel":
        digits = sum(char.isdigit() for char in value)
        number = value[4:] if value[:4].lower() == "tel:" else value
        return "" if _TEL.fullmatch(number) and 3 <= digits <= 15 else "is no telephone number (E.164)"
    if name == "email":
        return "" if _EMAIL.fullmatch(value) else "is no e-mail address"
    try:
        url = urlsplit(value)
        host = url.hostname
    except ValueError:
        return "cannot be read as a URL"
    if re.search(r"[\s\x00-\x1f\x7f\"<>\\]", value) or not host:
        return "cannot be read as a URL"
    return "" if url.scheme.lower() == "https" else f"is no https URL but {url.scheme or 'nothing'}:"


def _words(value: ReasonValue) -> str:
    """The text of a Reason value; where its quotation marks are wrong, what stands around them."""
    found = value.parameter("text")
    return "" if found is None else found.value.strip('"')


def _without_text(values: tuple[ReasonValue, ...] | list[ReasonValue]) -> str:
    if not values:
        return "it has no Reason"
    return f"no Reason has a text that begins with v={VERSION}: {', '.join(value.text for value in values)[:200]}"
