"""What a stream port needs of TLS: contexts of both sides."""

from __future__ import annotations

import ssl
from typing import Protocol


class Security(Protocol):
    """Makes the TLS contexts of a seat's socket."""

    def server_context(self, host: str) -> ssl.SSLContext:
        """That of a server at ``host``, a numeric address."""

    def client_context(self, host: str) -> ssl.SSLContext:
        """That of a client there."""
