"""The suite's own profiles: what they demand is in the catalogue and can be decided; a wrong one is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from handmade import CATALOGUE, CLAIMS, PURPOSES

from harness.errors import SetupError
from harness.policy.profiles import RequirementProfile, demands, load, undecided
from harness.store.verdict_lines import Declared

NAMES = ("ua-redirect", "ua-decline", "proxy-3xx-6xx", "redirect-server", "us-603plus", "robustness")


@pytest.fixture
def own(profiles: Path) -> dict[str, RequirementProfile]:
    return load(CATALOGUE, profiles)


def test_profiles_of_the_suite(own: dict[str, RequirementProfile]) -> None:
    assert tuple(own) == NAMES
    assert {profile.status for profile in own.values()} == {"final"}
    assert own["us-603plus"].positions.keys() == {
        "sends_603plus",
        "transports_603plus",
        "stops_on_603plus",
        "maps_isup",
    }


@pytest.mark.parametrize("name", NAMES)
def test_everything_demanded_can_be_decided_in_the_standard_window(
    name: str, own: dict[str, RequirementProfile]
) -> None:
    assert undecided(own[name], PURPOSES, CATALOGUE) == []


def test_demand_follows_the_pics(own: dict[str, RequirementProfile]) -> None:
    device = Declared("phone", ("uac", "proxy"), ("udp",), ("ipv4",), CLAIMS)
    asked = {one.requirement: one for one in demands(own["ua-decline"], device, PURPOSES, CATALOGUE)}
    assert asked["RFC3261-21.6-01"].applies
    assert not asked["RFC3261-14.1-01"].applies
    assert {one.role for one in asked.values()} == {"uac"}


def test_what_nothing_decides_is_told(own: dict[str, RequirementProfile]) -> None:
    without = {name: one for name, one in PURPOSES.items() if "RFC3261-21.6-01" not in one.requirements}
    assert "ua-decline: no purpose decides RFC3261-21.6-01 in the role uac" in undecided(
        own["ua-decline"], without, CATALOGUE
    )


ENTRY = """
[p]
title = "t"
status = "final"
roles = ["uac"]
requirements = ["RFC3261-21.6-01"]
"""


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("", "", ""),
        ("[p]", "[p", "expected profiles of requirements, but"),
        ('"t"', "1", "p.title: Input should be a valid string"),
        ('"final"', '"done"', "p.status"),
        ('roles = ["uac"]\n', "", "p.roles: Field required"),
        ("21.6-01", "21.6-77", "RFC3261-21.6-77 is not in the catalogue"),
        ("21.6-01", "9.1-01", "RFC3261-9.1-01 cannot fail: its violation costs less"),
        ('["RFC3261-21.6-01"]', '["RFC3261-21.6-01", "RFC3261-21.6-01"]', "RFC3261-21.6-01 is named twice"),
        ('["uac"]', '["redirect"]', "RFC3261-21.6-01 binds none of the roles redirect"),
        ('["uac"]', '["uac"]\nneeds = "flies"', "needs: no PICS key is called flies"),
        ('["uac"]', '["uac"]\npositions = { flies = "in the air" }', "positions: no PICS key is called flies"),
        ('["uac"]', '["uac"]\nawaiting = ["ATIS603P-01"]', "ATIS603P-01 is awaited, so the profile must be a draft"),
    ],
)
def test_profile_that_is_wrong(old: str, new: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text(ENTRY.replace(old, new) if old else ENTRY)
    if not words:
        assert load(CATALOGUE, tmp_path / "p.toml")["p"].requirements == ("RFC3261-21.6-01",)
        return
    with pytest.raises(SetupError) as refused:
        load(CATALOGUE, tmp_path / "p.toml")
    assert words in refused.value.cause
    assert str(tmp_path / "p.toml") in refused.value.cause
