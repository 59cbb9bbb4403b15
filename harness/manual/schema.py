"""The JSON Schema of a device profile, for editors: it knows every key, its type and what it is for.

Draft 7, which every editor reads.  What two keys have to do with each other only loading a profile tells.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from harness.device.profile.variants import CARRIERS
from harness.device.stimuli import registry
from harness.device.tables.fields import models_in
from harness.device.tables.pics import PICS
from harness.device.tables.profile_tables import ProfileTables
from harness.manual import docstrings
from harness.model.plan import NUMBERS

FILE_NAME: Final = "device-profile.schema.json"
TITLE: Final = "sipverdict device profile"

NUMBER_SENTENCES: Final[dict[str, str]] = {
    "redirects": "answers at once 302",
    "declines": "answers at once 603",
    "rings_then_redirects": "rings, then answers 302",
    "rings_then_declines": "rings, then answers 603",
    "rings": "rings until the caller gives up",
    "redirects_to_itself": "forwards to itself, so that the only Contact it could send is the URI that was called",
    "unknown": "is nobody",
    "blocked": "is blocked by the device on analytics grounds: 603+ (pics.sends_603plus)",
    "isup_rejects": "is released by the ISUP side with cause 21, location user (pics.maps_isup)",
}
"""What comes of calling a number of ``lab.numbers``."""

_OF_EVERY_KIND: Final = {
    "kind": "Which kind of stimulus it is.",
    "call": "How it is made to call `{uri}`.",
    "hangup": "How it is made to hang up, or to give up, its call to `{uri}`.",
    "reinvite": "How it is made to send a re-INVITE in its call to `{uri}`.",
    "answer": "How it is made to answer the call that rings.",
    "reject": "How it is made to decline the call that rings.",
    "timeout_s": "Seconds until it is given up.",
}
"""What stands in for a docstring where a kind of stimulus has none."""
_PLACE = "#/definitions/{model}"


def stimulus_sections() -> dict[str, type[BaseModel]]:
    """The table of every kind of stimulus that is installed."""
    return dict(registry.all_sections())


def profile_schema(stimuli: Mapping[str, type[BaseModel]] | None = None) -> dict[str, Any]:
    """The schema of a profile with these kinds of stimulus (None: all that are installed)."""
    kinds = stimulus_sections() if stimuli is None else dict(stimuli)
    said = docstrings.sentences(ProfileTables)
    sections: list[type[BaseModel]] = [ProfileTables, *kinds.values()]
    places, made = models_json_schema(
        [(model, "validation") for model in sections], ref_template=_PLACE, schema_generator=_Generator
    )
    tables: dict[str, Any] = made["$defs"]
    _describe(tables, {model.__name__: model for model in _all_sections(*sections)})
    tables = {name: _without_null(table) for name, table in tables.items()}
    root = tables.pop(ProfileTables.__name__)
    each = [places[model, "validation"] for _, model in sorted(kinds.items())]
    root["properties"]["stimulus"] = {"description": "How it is made to act: one kind.", "oneOf": each}
    for key in ("pics", "pixit", "secrets"):
        root["properties"][key]["description"] = said[key]
    root["required"] = [*root.get("required", []), "stimulus"]
    root["properties"]["pics"] |= _closed({key: {"type": "boolean", "description": PICS[key]} for key in PICS})
    numbers = {name: {"type": "string", "description": f"Who {NUMBER_SENTENCES[name]}."} for name in NUMBERS}
    tables["LabSection"]["properties"]["numbers"] |= _closed(numbers)
    carrier = {"$ref": _PLACE.format(model="Over")}
    root["properties"]["over"] = {
        "type": "object",
        "description": "What is different over one transport and IP family.",
    } | _closed(dict.fromkeys(CARRIERS, carrier))
    root["properties"]["variant"] = {
        "type": "object",
        "description": "Variants of the device: what differs, by a name of your own.",
        "additionalProperties": {"$ref": _PLACE.format(model="Variant")},
    }
    parts = {name: _partial(table) for name, table in tables.items()}
    overlay = _partial({**root, "properties": {k: v for k, v in root["properties"].items() if k != "variant"}})
    kept = {k: v for k, v in root["properties"].items() if k not in ("variant", "over", "device", "pics")}
    over = _partial({**root, "properties": kept})
    over["description"] = "What is different over this transport, laid over the tables of the device."
    overlay["description"] = "What is different in this variant, laid over the tables of the device."
    parts["DeviceSection"]["properties"].pop("name", None)
    definitions = tables | {f"Variant{name}": part for name, part in parts.items()} | {"Variant": overlay, "Over": over}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": f"urn:sipverdict:{FILE_NAME.removesuffix('.schema.json')}",
        **root,
        "title": TITLE,
        "description": "One SIP device under test.",
        "definitions": dict(sorted(definitions.items())),
    }


def as_text(schema: Mapping[str, Any]) -> str:
    """The stored form."""
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


class _Generator(GenerateJsonSchema):
    """No ``title`` of a key, which says its name again."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def _all_sections(*models: type[BaseModel]) -> list[type[BaseModel]]:
    """``models`` and every section that they refer to."""
    found: list[type[BaseModel]] = []
    waiting = list(models)
    while waiting:
        model = waiting.pop()
        if model not in found:
            found.append(model)
            waiting += [inner for field in model.model_fields.values() for inner, _ in models_in(field.annotation)]
    return found


def _describe(tables: dict[str, Any], models: Mapping[str, type[BaseModel]]) -> None:
    """Write what the models say of themselves and of their keys into ``tables``."""
    for name, table in tables.items():
        table.pop("title", None)
        if name not in models:
            continue
        table["description"] = docstrings.running(models[name].__doc__)
        for key, text in docstrings.sentences(models[name]).items():
            said = text or _OF_EVERY_KIND.get(key, "")
            if said and key in table["properties"]:
                table["properties"][key] = _with(table["properties"][key], description=said)


def _without_null(value: Any) -> Any:
    """``value`` as TOML can have it: without null, and without the defaults that stand for absent."""
    if isinstance(value, list):
        return [_without_null(each) for each in value]
    if not isinstance(value, dict):
        return value
    made = {key: _without_null(each) for key, each in value.items()}
    if {"type": "null"} in made.get("anyOf", ()):
        rest = [each for each in made.pop("anyOf") if each != {"type": "null"}]
        made = {**made, **rest[0]} if len(rest) == 1 else {**made, "anyOf": rest}
    if "default" in made and (made["default"] in (None, [], {}, "") or "$ref" in made):
        del made["default"]
    return made


def _with(schema: dict[str, Any], **more: Any) -> dict[str, Any]:
    """``schema`` and ``more``.  What stands beside a $ref is not read in draft 7."""
    return {**more, "allOf": [schema]} if "$ref" in schema else {**schema, **more}


def _closed(properties: dict[str, Any]) -> dict[str, Any]:
    return {"properties": properties, "additionalProperties": False}


def _partial(table: dict[str, Any]) -> dict[str, Any]:
    """``table`` as a variant may have it: nothing is required, and other tables are such ones as well."""
    part = copy.deepcopy({key: value for key, value in table.items() if key != "required"})
    relinked: dict[str, Any] = _relinked(part)
    return relinked


def _relinked(value: Any) -> Any:
    if isinstance(value, list):
        return [_relinked(each) for each in value]
    if not isinstance(value, dict):
        return value
    made = {("anyOf" if key == "oneOf" else key): _relinked(each) for key, each in value.items()}
    if isinstance(made.get("$ref"), str):
        made["$ref"] = made["$ref"].replace("definitions/", "definitions/Variant")
    return made
