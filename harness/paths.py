"""Where the product's own files are.  The layout is the same in a checkout and inside an installed package."""

from __future__ import annotations

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
"""The folder that holds harness, suites, scenarios and reports."""
SUITES: Final = ROOT / "suites"
SCENARIOS: Final = ROOT / "scenarios"
TEMPLATES: Final = ROOT / "reports" / "templates"
DEVICES: Final = ROOT / "harness" / "devices"
DOCS: Final = ROOT / "docs"
MAKEFILE: Final = ROOT / "Makefile"
"""Like the docs, only in a checkout."""
