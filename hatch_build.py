"""Build hook: the version comes from git, and what is built remembers the commit it was built from."""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))

from harness.store.provenance import BUILT, provenance  # noqa: E402

PRODUCT = "sipverdict/product"
FILES = ("conftest.py", "constraints.txt", "pyproject.toml")
"""What a run or the doctor reads beside the folders that pyproject.toml maps."""


def version() -> str:
    """The version of what is built (pyproject.toml, tool.hatch.version)."""
    return provenance(ROOT).version


class ProvenanceHook(BuildHookInterface):  # type: ignore[type-arg]  # its parameter is the configuration of a builder
    """Adds ``build.json``, and to a wheel the single files."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Choose the files; an editable install reads them, and git, where they are."""
        if version == "editable":
            return
        self._temporary = tempfile.TemporaryDirectory()
        built = Path(self._temporary.name) / BUILT
        built.write_text(json.dumps(asdict(provenance(ROOT)), indent=1) + "\n", "utf-8")
        folder = f"{PRODUCT}/" if self.target_name == "wheel" else ""
        build_data["force_include"][str(built)] = f"{folder}{BUILT}"
        if folder:
            build_data["force_include"] |= {str(ROOT / name): f"{folder}{name}" for name in FILES}
