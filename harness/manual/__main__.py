"""``python -m harness.manual``: write the pages that are made of models and catalogue again."""

from __future__ import annotations

from harness.manual.pages import pages
from harness.paths import DOCS

for name, text in pages().items():
    (DOCS / name).write_text(text, "utf-8")
    print(f"docs/{name}")
