"""``python -m harness.manual``: write the pages that are made of models and catalogue again."""

from __future__ import annotations

from harness.manual.pages import FOLDER, pages

for name, text in pages().items():
    (FOLDER / name).write_text(text, "utf-8")
    print(f"docs/{name}")
