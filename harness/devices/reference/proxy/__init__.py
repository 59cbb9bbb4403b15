"""The stateful proxy of RFC 3261 section 16."""

from __future__ import annotations

from .core import Proxy

__all__ = ["Proxy"]
