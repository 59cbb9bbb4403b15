"""Fills in, checks and escapes the values that go from a plan into a scenario.

They are escaped twice: the text of a ``<send>`` is CDATA, in which SIPp reads ``[keywords]`` and ``\\xHH``.  So every
bracket and backslash becomes ``\\xHH``, and no value can end the CDATA section or be taken for a keyword.
"""

from __future__ import annotations

import re

from harness.errors import PlanError
from harness.model.places import REQUEST_URI, Places
from harness.model.plan import Answer, Call

_ESCAPED = re.compile(r"[\[\]\\\x01-\x09\x0b-\x1f\x7f]")
_METHOD = re.compile(r"[-A-Za-z0-9.!%*_+`'~]+")


def escape(text: str) -> str:
    """``text`` for a place inside a ``<send>``: it reaches the wire as it is, folded lines included."""
    lines = text.replace("\r\n", "\n").split("\n")
    escaped = [_ESCAPED.sub(_hex, line) for line in lines]
    # SIPp strips the blanks that begin a line of the scenario, so those of a folded line are written as \x20.
    folded = escaped[:1] + [_hex(line[0]) + line[1:] if line[:1] == " " else line for line in escaped[1:]]
    return "\n".join(folded).replace(REQUEST_URI, "[$request_uri]")


def _hex(found: re.Match[str] | str) -> str:
    return f"\\x{ord(found if isinstance(found, str) else found[0]):02X}"


def fill(text: str, places: Places, where: str) -> str:
    """``text`` with its placeholders filled in; PlanError names its place, ``where``."""
    try:
        return places.fill(text)
    except (KeyError, AttributeError, IndexError, ValueError, TypeError) as error:
        names = ("token", *(["device"] if places.device else []), *places.numbers, *places.seats)
        known = ", ".join(f"{{{name}}}" for name in names)
        raise PlanError(
            f"{where}: a placeholder of {text!r} cannot be filled in ({type(error).__name__}: {error})",
            f"the placeholders here are {known}, and .host and .port of the endpoints; a brace itself is written twice",
        ) from error


def check_answer(answer: Answer, where: str) -> None:
    """Raise PlanError if no endpoint could give ``answer``."""
    for response in (*answer.responses, *answer.reinvites, answer.crossing):
        if not 100 <= response.status <= 699:
            raise PlanError(f"{where}: {response.status} is not a SIP status code")
    if any(response.status >= 200 for response in answer.responses) and answer.responses[-1].status < 200:
        raise PlanError(f"{where}: a provisional response cannot be the last one when there is a final one")
    if any(response.status < 200 for response in answer.reinvites):
        raise PlanError(f"{where}: a re-INVITE is answered with one final response")
    if answer.crossing.status < 200:
        raise PlanError(f"{where}: what crosses a CANCEL is a final response")
    if answer.copies and not any(response.status >= 200 for response in answer.responses):
        raise PlanError(f"{where}: it has copies, but no final response to send again")


def check_call(call: Call) -> None:
    """Raise PlanError if no caller could make ``call``."""
    if not _METHOD.fullmatch(call.method):
        raise PlanError(f"a call: {call.method!r} is no method")
    if call.method != "INVITE" and call.act != "none":
        raise PlanError(f"a call: a {call.method} is no call that one could {call.act}")
    if call.from_params and not call.from_params.startswith(";"):
        raise PlanError(f"a call: the parameters of From begin with a semicolon, not as in {call.from_params!r}")
    if call.acks < 0 or call.ack_copy < 1 or call.max_forwards < 0:
        raise PlanError("a call: acks and max_forwards are 0 or more, ack_copy 1 or more")
    if call.ack_copy > 1 and call.act in ("cancel_late", "repeat"):
        raise PlanError(f"a call: with {call.act} the first copy of the refusal is acknowledged")


def header_name(line: str) -> str:
    """The name of a header line, lower case."""
    return line.partition(":")[0].strip().lower()


def check_line(text: str, where: str) -> None:
    """Raise PlanError if ``text`` would leave its header line."""
    if "\0" in text or re.search(r"\r(?!\n)|\n(?![ \t])|(?<!\r)\n", text):
        raise PlanError(
            f"{where}: {text!r} holds a NUL or a line break that does not fold",
            "a header line is folded by CR LF and a blank",
        )


def milliseconds(seconds: float, where: str) -> int:
    """``seconds`` as SIPp's milliseconds."""
    if seconds < 0:
        raise PlanError(f"{where}: {seconds} s is no time to wait")
    return round(seconds * 1000)
