"""The JSON Schema agrees with the loader about every profile there is, and finds what an editor can find."""

from __future__ import annotations

import copy
import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import harness
from harness import cli
from harness.device import builtin_profiles, load_profile, load_profiles
from harness.device.tables.pics import PICS
from harness.manual.schema import FILE_NAME, NUMBER_SENTENCES, profile_schema
from harness.model.plan import NUMBERS

ROOT = Path(harness.__file__).resolve().parent.parent
BUILTIN = [load_profile(name).source for name in builtin_profiles()]
EXAMPLES = sorted((ROOT / "docs").glob("examples/*.toml")) + sorted((ROOT / "tests/run/devices").glob("*.toml"))
SCHEMA = json.loads((ROOT / "docs" / FILE_NAME).read_text("utf-8"))


OURS = ("DeviceSection", "ProcessSection", "ReadySection", "SecretReference", ".p", ".s")


def complaints(table: dict[str, Any]) -> list[str]:
    return [error.json_path for error in jsonschema.Draft7Validator(SCHEMA).iter_errors(table)]


def test_it_is_a_schema() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    assert set(SCHEMA["properties"]["pics"]["properties"]) == set(PICS)
    assert set(NUMBER_SENTENCES) == set(NUMBERS)


def test_it_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == profile_schema()


@pytest.mark.parametrize("path", [*BUILTIN, *EXAMPLES], ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_profiles_are_valid_for_both(path: Path) -> None:
    load_profiles(path)
    assert complaints(tomllib.loads(path.read_text("utf-8"))) == []


def _without_descriptions(schema: Any, path: str = "") -> list[str]:
    if not isinstance(schema, dict):
        return []
    found = []
    for key, value in schema.get("properties", {}).items():
        if "description" not in value and "$ref" not in value and "anyOf" not in value:
            found.append(f"{path}.{key}")
        found += _without_descriptions(value, f"{path}.{key}")
    for name, table in schema.get("definitions", {}).items():
        found += [] if name.startswith("Variant") else _without_descriptions(table, name)
    return found


def test_every_key_says_what_it_is_for() -> None:
    known = {key for key in _without_descriptions(SCHEMA) if key.startswith(OURS)}
    assert known == set()


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("device.max_calls", "many"),
        ("device.max_calls", 0),
        ("device.roles", ["phone"]),
        ("device.serial", 7),
        ("device.nme", "x"),
        ("pics.follow_redirects", True),
        ("pics.digest", "yes"),
        ("pixit.x", {"y": 1}),
        ("secrets.X", "hunter2"),
        ("secrets.X", {"env": "A", "file": "b"}),
        ("secrets.X", {}),
        ("lab.numbers.redirect", "sip:1@{device}"),
        ("process.argv", "phone --listen"),
        ("process.stop_timeout_s", 1000),
        ("ready.udp_bound", False),
        ("stimulus.kind", "stdn"),
        ("stimulus.dial", "x"),
        ("over.tls.lab.adress", "192.0.2.7:5061"),
        ("over.sctp", {}),
        ("over.tls.device", {"max_calls": 2}),
        ("variant.x.device.rols", []),
        ("variant.x.device.name", "y"),
        ("variant.x.stimulus.kind", "stdn"),
        ("vendor", "x"),
    ],
)
def test_what_an_editor_underlines(place: str, value: object) -> None:
    table = tomllib.loads(load_profile("reference").source.read_text("utf-8"))
    *tables, key = place.split(".")
    inner = table
    for name in tables:
        inner = inner.setdefault(name, {})
    before = copy.deepcopy(table)
    inner[key] = value
    assert complaints(before) == [] or tables == ["variant", "x", "device"]
    assert complaints(table) != []
