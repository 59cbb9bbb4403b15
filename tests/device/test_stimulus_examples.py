"""Every example profile can be used: loaded, and its stimulus made."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from harness.device import load_profile
from harness.device.stimuli import Stimulus, StimulusContext, registry
from harness.device.tables.placeholders import secrets_in
from harness.net.address import Address

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "docs" / "examples").glob("stimulus-*.toml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example(path: Path, tmp_path: Path) -> None:
    profile = load_profile(path)

    async def made() -> Stimulus:
        context = StimulusContext(
            profile.name,
            Address("127.0.0.1"),
            tmp_path,
            {"address": "127.0.0.1:5060", "here": str(tmp_path)},
            secret=lambda name: f"secret {name}",
        )
        stimulus = profile.stimulus.make(context)
        await stimulus.close()
        return stimulus

    if profile.stimulus.kind != "stdin":  # which needs the process
        assert isinstance(asyncio.run(made()), Stimulus)
    assert secrets_in(path.read_text()) == set(re.findall(r"^(\w+) = \{ env", path.read_text(), re.MULTILINE))


def test_every_kind_has_an_example_and_a_section_of_the_manual() -> None:
    text = "".join(path.read_text() for path in EXAMPLES)
    manual = (ROOT / "docs" / "stimuli.md").read_text()
    for kind in registry.kinds():
        assert f'kind = "{kind}"' in text
        assert f"\n## {kind}\n" in manual
        for key in set(registry.keys_of(kind)) - {"kind", "reaction_s"}:
            assert f"`{key}`" in manual, f"docs/stimuli.md does not speak of {key} of {kind}"
    for path in EXAMPLES:
        assert path.name in manual
