"""Where one drive takes place: what the placeholders in the strings of its plan stand for.

``{callee}``, ``{target}`` …
    what stands behind the ``@`` of a URI of the endpoint of that name: host:port and, over another transport than UDP,
    ``;transport=``.  ``{callee.host}``, ``{callee.port}`` and ``{callee.parameters}`` are the three parts of it, and
    ``{callee.record}`` is the DNS record of its host (``A 127.0.0.1``)
``{device}``
    the same of the device
``{caller}``
    in what a SIPp caller sends: the same of itself
``{transport}``
    the word of the transport of the device's own calls, as a URI has it; ``{TRANSPORT}``: in capitals
``{token}``
    the digits that are this drive's own
``{domain}``
    the domain that is this drive's own: see :attr:`harness.model.plan.Plan.zone`
``{redirects}``, ``{declines}`` …
    the URIs of the profile's ``lab.numbers``
``{request_uri}``
    in a Contact: the Request-URI of the INVITE that is answered, as received
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.net.address import Address

REQUEST_URI = "\uf8ff"
"""Stands for ``{request_uri}`` in a filled-in text: only the endpoint that answers knows it."""


@dataclass(frozen=True)
class Places:
    """Where one drive takes place: what the placeholders of its plan stand for."""

    token: str
    seats: Mapping[str, Address] = field(default_factory=dict)
    device: Address | None = None
    """Where the device is called, as everybody's URIs name it; None before it is known."""
    numbers: Mapping[str, str] = field(default_factory=dict)
    """The URIs of the profile's ``lab.numbers``, for this drive."""

    @property
    def domain(self) -> str:
        """The domain of this drive, for plans with a zone: .test is nobody's (RFC 6761 6.2)."""
        return f"t{self.token}.test"

    def fill(self, text: str, **more: object) -> str:
        """``text`` with its placeholders filled in; KeyError or AttributeError for one that does not exist.

        ``more``: further placeholders, by name.
        """
        # The transport is that of the device's own calls, which arrive at the seats.
        known = {**self.seats, **({"device": self.device} if self.device else {})}
        one = next(iter(known.values()), None)
        transports = {"transport": one.uri_transport, "TRANSPORT": one.uri_transport.upper()} if one else {}
        written = {name: _Written.of(address) for name, address in known.items()}
        own = {"token": self.token, "domain": self.domain, "request_uri": REQUEST_URI}
        return text.format_map({**own, **transports, **self.numbers, **written, **more})


@dataclass(frozen=True)
class _Written:
    """An address as a text of a plan names it: as URIs write it."""

    whole: str
    host: str
    port: str
    parameters: str
    record: str
    """Type and data of the DNS record that leads to its host."""

    @classmethod
    def of(cls, address: Address) -> _Written:
        record = f"{'AAAA' if address.family == 'ipv6' else 'A'} {address.host}"
        return cls(address.in_uri, address.uri_host, str(address.port), address.parameters, record)

    def __str__(self) -> str:
        return self.whole
