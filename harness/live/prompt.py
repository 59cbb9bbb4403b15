"""The requests to a person, as text for a terminal and as one plain line."""

from __future__ import annotations

from harness.live.person import Request

_RULE = "-" * 60


def beforehand(calls: int) -> str:
    """The announcement before a run that needs a person."""
    many = f"{calls} calls" if calls != 1 else "one call"
    return (
        f"you will be asked to place {many}, one after the other (some may be repeated): "
        "stay at the phone and dial what is shown"
    )


def block(request: Request, planned: int) -> list[str]:
    """Several lines in large type, readable from the phone."""
    dial = [f"DIAL     {_spaced(request.headline)}"] if request.is_call else [request.headline.upper()]
    exact = (
        [f"         {request.headline}"] if request.is_call and _spaced(request.headline) != request.headline else []
    )
    details = [f"         {detail}" for detail in request.details]
    return [_RULE, f"{_title(request, planned)}   on: {request.where}", "", *dial, *exact, *details, _RULE]


def plain(request: Request, planned: int) -> str:
    """The same as one line, for logs."""
    what = f"dial {request.headline}" if request.is_call else request.headline
    details = f" ({', '.join(request.details)})" if request.details else ""
    return f"{_title(request, planned)}: {what}{details} on {request.where}, within {request.left:.0f} s"


def waiting(request: Request) -> str:
    """The countdown."""
    return f"waiting for {'the call' if request.is_call else 'it'}: {request.left:.0f} s left"


def _title(request: Request, planned: int) -> str:
    if not request.is_call:
        return "please"
    return f"call {request.number} of {planned}" if request.number <= planned else f"call {request.number}"


def _spaced(text: str) -> str:
    return " ".join(text) if text.isdecimal() else text
