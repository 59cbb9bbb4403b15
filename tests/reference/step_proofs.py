"""How the faults in one step of a redirection show on the wire; see :mod:`fault_proofs`."""

from __future__ import annotations

from fault_proofs import Shows, Wire


def _nobody(wire: Wire) -> bool:
    return not wire.target.heard


STEPS: dict[str, tuple[str | tuple[str, ...], str, Shows]] = {
    "follows_302_only": ("301 M\nContact: <sip:m@{target}>", "200 OK", _nobody),
    "ignores_3xx_after_media": (
        ("183 Session Progress", "302 M\nContact: <sip:m@{target}>"),
        "200 OK",
        _nobody,
    ),
    "skips_same_place": ("302 M\nContact: <sip:other@{callee}>", "200 OK", lambda wire: len(wire.invites) == 1),
    "takes_apostrophe_for_quote": ('302 M\nContact: "O\'B" <sip:m@{target}>', "200 OK", _nobody),
    "needs_brackets_for_quotes": ('302 M\nContact: sip:m@{target};x="<y>"', "200 OK", _nobody),
    "needs_brackets_in_lists": (
        "302 M\nContact: sip:m@{target}, sip:n@{second}",
        "486 Busy Here",
        lambda wire: bool(wire.target.heard) and not wire.second.heard,
    ),
    "needs_user": ("302 M\nContact: <sip:{target}>", "200 OK", _nobody),
    "decodes_user": ("302 M\nContact: <sip:m%23@{target}>", "200 OK", lambda wire: "sip:m#@" in wire.redirected.uri),
    "cuts_user_at_semicolon": (
        "302 M\nContact: <sip:m;n=1@{target}>",
        "200 OK",
        lambda wire: ";n=1" not in wire.redirected.uri,
    ),
    "accepts_200_after_302": (
        ("302 M\nContact: <sip:m@{target}>", "200 OK"),
        "180 Ringing",
        lambda wire: len(wire.acks) > 1,
    ),
    "ignores_unknown_1xx": ("188 Odd Progress", "200 OK", lambda wire: len(wire.invites) > 1),
    "acks_200_once": (("200 OK", "200 OK"), "200 OK", lambda wire: len(wire.acks) == 1),
}
