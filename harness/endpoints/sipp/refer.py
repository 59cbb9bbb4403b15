"""The scenario of a SIPp that asks a device by REFER to place a call."""

from __future__ import annotations

import re

from harness.endpoints.sipp.scenario import render
from harness.endpoints.sipp.values import check_line
from harness.errors import PlanError
from harness.net.address import Address
from harness.sip.reasons import REASONS

_WORD = re.compile(r"[^\s\[\]\\\"'<>&;,=]+")


def render_refer(uri: str, to: str, own: Address, username: str = "", password: str = "") -> str:
    """The scenario of a REFER from ``own`` to the URI ``to``, which is to call ``uri``.

    With ``username`` a challenge is answered (digest, MD5).  PlanError if it cannot be rendered.
    """
    for text in (uri, to):
        check_line(text, "a REFER")
    if username and not (_WORD.fullmatch(username) and _WORD.fullmatch(password)):
        # SIPp reads both inside a keyword, where nothing can be escaped.
        raise PlanError(
            "the user name or the password of a REFER holds a blank or one of []\\\"'<>&;,= which SIPp cannot use",
            "give the device another password for the test",
        )
    return render(
        "refer.xml.j2", "refer", own, uri=uri, to=to, username=username, password=password, statuses=sorted(REASONS)
    )
