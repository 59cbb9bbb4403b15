"""Identifiers that nobody else has: branches, tags and Call-IDs (RFC 3261 sections 8.1.1.7, 19.3, 8.1.1.4)."""

from __future__ import annotations

import os

MAGIC_COOKIE = "z9hG4bK"


def new_branch() -> str:
    """Return a branch that no other transaction has."""
    return MAGIC_COOKIE + os.urandom(8).hex()


def new_tag() -> str:
    """Return a tag of 32 random bits and more."""
    return os.urandom(6).hex()


def new_call_id(host: str) -> str:
    """Return a Call-ID of a new call."""
    return f"{os.urandom(10).hex()}@{host}"
