"""From a template in ``scenarios/`` to the XML that SIPp plays, whoever plays it.

:mod:`harness.endpoints.sipp.values` checks and escapes every value.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import jinja2

from harness.endpoints.sipp.values import escape
from harness.errors import PlanError
from harness.net.address import Address
from harness.paths import SCENARIOS

HANG_UP = "SIPVERDICT-HANGUP"
"""Method of the harness's own request that makes an endpoint say BYE.  :mod:`harness.endpoints.sipp.legible` drops
those of a device."""
FOREVER_MS = 2_000_000_000
"""A pause longer than any run (23 days); SIPp's pauses have 32 bits."""
LONGEST_SCENARIO = 65_535
"""The most bytes that SIPp can parse.  Beyond them its error message names no cause."""
MEDIA_PORT = 40000

_MESSAGE_OR_LABEL = re.compile(
    r"<!\[CDATA\[.*?\]\]>|<!--.*?-->|<(?P<message>send|recv|nop|pause)\b|<label id=\"(?P<label>\w+)\"/>", re.DOTALL
)
_BLANK_LINES = re.compile(r"\n\s*\n(?= *<)")
_AT = re.compile(r"\[at:(\w+)\]")
_NAME = re.compile(r"[^A-Za-z0-9]")


def render(template: str, name: str, own: Address, **values: Any) -> str:
    """The scenario of ``template`` with ``values``; PlanError if it cannot be rendered."""
    try:
        text = (
            _environment()
            .get_template(template)
            .render(
                name=name,
                name_token=_NAME.sub("", name) or "endpoint",
                own=own,
                reliable=own.reliable,
                media_port=MEDIA_PORT,
                forever=FOREVER_MS,
                hang_up_method=HANG_UP,
                **values,
            )
        )
    except jinja2.UndefinedError as error:
        raise PlanError(
            f"scenario template {template}: {error.message}", "the template and its renderer disagree"
        ) from error
    except jinja2.TemplateError as error:
        raise PlanError(f"scenario template {template} cannot be rendered: {error}") from error
    return _number_labels(_BLANK_LINES.sub("\n", text.lstrip()))


def measured(text: str, name: str) -> str:
    """``text``, the scenario of ``name``; PlanError if it is longer than SIPp can parse."""
    if (size := len(text.encode())) > LONGEST_SCENARIO:
        raise PlanError(f"the scenario of {name!r} has {size} bytes, and SIPp reads at most {LONGEST_SCENARIO}")
    return text


def _number_labels(text: str) -> str:
    """``text`` with each ``[at:LABEL]`` replaced by the number that SIPp gives to the message behind the label."""
    count, labels = 0, {}
    for found in _MESSAGE_OR_LABEL.finditer(text):
        if found["label"]:
            labels[found["label"]] = count
        elif found["message"]:
            count += 1
    return _AT.sub(lambda at: str(labels[at[1]]), text)


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(SCENARIOS),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # what a send holds is escaped for SIPp, by the filter
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["sipp"] = escape
    return environment
