"""``sipverdict keygen``: makes a key pair to sign certificates with."""

from __future__ import annotations

from pathlib import Path

from harness.evidence.keys import generate


def keygen(name: Path) -> int:
    """Make ``NAME.key`` and ``NAME.pub``."""
    private, public, identity = generate(name)
    print(f"{private}: the private key: keep it secret")
    print(f"{public}: the public key: give it to people who verify your dossiers")
    print(f"key id {identity}")
    return 0
