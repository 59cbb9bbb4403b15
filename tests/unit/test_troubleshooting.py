"""Every message that docs/troubleshooting.md speaks of is one that the suite can say."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROWS = re.findall(r"^\| (.+?) \|", (ROOT / "docs" / "troubleshooting.md").read_text("utf-8"), re.MULTILINE)
SOURCE = "\n".join(path.read_text("utf-8") for path in (ROOT / "harness").rglob("*.py"))


def test_messages_exist() -> None:
    quoted = [text for row in ROWS for text in re.findall(r"`([^`]+)`", row)]
    pieces = [piece.strip() for text in quoted for piece in text.split("…") if piece.strip()]
    assert len(pieces) > 50
    assert [piece for piece in pieces if piece not in SOURCE] == []
