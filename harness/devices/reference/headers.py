"""Header field values as text: comma lists and addresses, kept byte for byte.

``sipmessage`` parses the messages, but its typed URIs and parameters are written back re-escaped, and know no scheme
beside sip, sips and tel. A Contact is called as it was written and a Via is echoed as it came, so these stay text.
"""

from __future__ import annotations

from dataclasses import dataclass

from sipmessage.message import COMPACT_FORMS

Parameters = tuple[tuple[str, str | None], ...]

_LONG_FORMS = {short: name.lower() for short, name in COMPACT_FORMS.items()}


def canonical(name: str) -> str:
    """Return a header name by which it compares: small letters, and the long form (section 7.3.3)."""
    lower = name.lower()
    return _LONG_FORMS.get(lower, lower)


@dataclass(frozen=True, slots=True)
class NameAddr:
    """A ``name-addr`` or ``addr-spec`` with its header parameters (RFC 3261 section 20.10)."""

    display: str
    uri: str
    parameters: Parameters

    def parameter(self, name: str) -> str | None:
        """Return the value of a header parameter, ``None`` where it is absent or has none."""
        return next((value for key, value in self.parameters if key.lower() == name), None)


def split_unquoted(text: str, separator: str) -> list[str]:
    """Split at a separator that is neither inside quotes nor inside angle brackets."""
    parts, start, quoted, bracketed, escaped = [], 0, False, False, False
    for index, char in enumerate(text):
        if escaped:
            escaped = False
        elif quoted:
            escaped = char == "\\"
            quoted = char != '"'
        elif char == '"':
            quoted = True
        elif char in "<>":
            bracketed = char == "<"
        elif char == separator and not bracketed:
            parts.append(text[start:index].strip())
            start = index + 1
    return [*parts, text[start:].strip()]


def split_values(values: list[str]) -> list[str]:
    """Return the single values of a header that may stand on several lines and in comma lists (section 7.3.1)."""
    return [part for value in values for part in split_unquoted(value, ",") if part]


def parse_name_addr(text: str) -> NameAddr:
    """Parse one address; in a bare ``addr-spec`` the parameters belong to the header (section 20.10).

    Raises :class:`ValueError` where no URI can be told from the rest.
    """
    first, *rest = split_unquoted(text, ";")
    opening = first.find("<", first.rfind('"') + 1)
    display, uri = ("", first) if opening < 0 else (first[:opening].strip(), first[opening + 1 :])
    if opening >= 0 and not uri.endswith(">"):
        raise ValueError(f"an address without its closing bracket: {text}")
    uri = uri.removesuffix(">")
    if ":" not in uri or any(char in uri for char in '<> "'):
        raise ValueError(f"not an address: {text}")
    return NameAddr(display, uri, tuple(_parameter(part) for part in rest if part))


def tag_of(text: str) -> str:
    """Return the tag of a From or To value, empty where it has none."""
    parameters = map(_parameter, split_unquoted(text, ";")[1:])
    return next((value for name, value in parameters if name.lower() == "tag" and value), "")


def without_tag(text: str) -> str:
    """Return a From or To value without its tag."""
    first, *rest = split_unquoted(text, ";")
    return ";".join([first, *(part for part in rest if _parameter(part)[0].lower() != "tag")])


def _parameter(text: str) -> tuple[str, str | None]:
    name, equals, value = text.partition("=")
    return name.strip(), value.strip() if equals else None
