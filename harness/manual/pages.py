"""The pages of docs/ that are made, not written."""

from __future__ import annotations

import harness
from harness.manual import options_page, pics_page, profile_page, schema
from harness.requirements.catalogue import Catalogue


def pages() -> dict[str, str]:
    """Every such page by its name in docs/, as it should be.  Kinds of stimulus of other packages are left out."""
    kinds = {
        kind: section
        for kind, section in schema.stimulus_sections().items()
        if section.__module__.split(".")[0] == harness.__name__
    }
    return {
        schema.FILE_NAME: schema.as_text(schema.profile_schema(kinds)),
        "profile.md": profile_page.page(kinds),
        "pics.md": pics_page.page(Catalogue.load()),
        options_page.FILE_NAME: options_page.page(),
    }
