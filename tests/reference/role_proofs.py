"""How each fault of a proxy, a redirect server or a UAS shows on the wire."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sip_peer import Message, Peer


@dataclass
class Scene:
    """What was heard by the caller, and by the phones a, b and c, to which the device sends."""

    device: str
    caller: Peer
    a: Peer
    b: Peer
    c: Peer
    acknowledged: float = 0.0
    """When the caller sent its last ACK."""

    @property
    def finals(self) -> list[Message]:
        """The different final responses to the caller's request."""
        finals = [m for m in self.caller.heard if m.code >= 200 and "REGISTER" not in m.header("CSeq")]
        return [m for m in finals if "CANCEL" not in m.header("CSeq")]

    @property
    def codes(self) -> list[int]:
        """Their codes, copies left out."""
        return list(dict.fromkeys(m.code for m in self.finals))

    @property
    def final(self) -> Message:
        return self.finals[0]


Shows = Callable[[Scene], bool]


@dataclass(frozen=True)
class Call:
    """One call: how the phones answer (responses with ``|`` between), and how the fault shows.

    A phone that is cancelled ends its INVITE with ``cancelled`` ("" for nothing).
    """

    shows: Shows
    a: str = ""
    b: str = ""
    c: str = ""
    to: tuple[str, ...] = ("<sip:700@{a}>",)
    """The Contacts registered for the number that is called; none: the call goes to a directly."""
    role: str = "proxy"
    headers: tuple[str, ...] = ()
    cancel: tuple[str, ...] | None = None
    """Headers of the CANCEL that the caller sends when it hears a 180."""
    cancelled: str = "487 Request Terminated"
    method: str = "INVITE"
    quick: bool = False
    """Timers so short that 64*T1 passes in the test."""


@dataclass(frozen=True)
class Question:
    """One request to a redirect server or a UAS, and what the caller does after the answer."""

    shows: Shows
    user: str
    role: str
    method: str = "INVITE"
    headers: tuple[str, ...] = ()
    then: tuple[str, ...] = field(default=("ACK",))
    """``CANCEL``, ``ACK`` and ``INVITE`` (a copy), in turn; for a fresh call with the old identifiers: ``AGAIN``."""
    quick: bool = False


BLOCKED = '603 Network Blocked\nReason: SIP;cause=603;text="v=analytics1;url=https://r.example/A";location=TN'
PLUS = 'Reason: SIP;cause=603;text="v=analytics1;url=https://r.example/A";location=TN'
FORK = ("<sip:700@{a}>", "<sip:700@{b}>")
BOTH = ("<sip:700@{a}>", "<sip:700@{b}>")
SERIAL = ("<sip:700@{a}>;q=0.9", "<sip:700@{b}>;q=0.5")
TWO_LOWEST_FIRST = "302 M\nContact: <sip:y@{c}>;q=0.5, <sip:x@{b}>;q=0.9"
TWO = "302 M\nContact: <sip:x@{b}>;q=0.9, <sip:y@{c}>;q=0.5"
MOVED = "302 M\nContact: <sip:x@{b};foo=1;method=INVITE?Subject=s>\nExpires: 5\nX-Own: 1"
DECLINED = "603 Decline\nRetry-After: 5"
RECURSING = "recursing-proxy"


def forged(scene: Scene) -> bool:
    """Whether a response of a to no known branch reached the caller."""
    return any(m.header("X-Forged") for m in scene.caller.heard)


def branches(peer: Peer) -> int:
    return len({m.branch for m in peer.of("INVITE")})


CALLS: dict[str, Call] = {
    "new_branch_after_6xx": Call(lambda s: bool(s.b.heard), DECLINED, "486 Busy", to=SERIAL),
    "leaves_branches_ringing": Call(lambda s: not s.a.of("CANCEL"), "180 Ringing", DECLINED, to=FORK),
    "no_cancel_after_final": Call(lambda s: not s.a.of("CANCEL"), "180 Ringing", "180 Ringing|200 OK", to=FORK),
    "sends_603_early": Call(lambda s: s.codes == [603], "180 Ringing", DECLINED, to=FORK, cancelled=""),
    "holds_2xx": Call(lambda s: s.codes == [603], "180 Ringing", DECLINED, to=FORK, cancelled="200 OK"),
    "prefers_other_class": Call(lambda s: s.codes != [603], "486 Busy", DECLINED, to=FORK),
    "cancels_before_provisional": Call(lambda s: bool(s.a.of("CANCEL")), "", DECLINED, to=FORK),
    "never_gives_up": Call(lambda s: not s.finals, "180 Ringing", DECLINED, to=FORK, cancelled="", quick=True),
    "changes_reason": Call(
        lambda s: s.a.of("CANCEL")[0].header("Reason") == 'SIP;text="Elsewhere"',
        "180 Ringing",
        cancel=('Reason: SIP;cause=200;text="Elsewhere"',),
    ),
    "repeats_reason": Call(
        lambda s: s.a.of("CANCEL")[0].text.count("Reason: SIP") == 2,
        "180 Ringing",
        cancel=('Reason: SIP;cause=200;text="Elsewhere"',),
    ),
    "forwards_at_zero_hops": Call(
        lambda s: [m.header("Max-Forwards") for m in s.a.of("INVITE")] == ["0"],
        "486 Busy",
        to=(),
        headers=("Max-Forwards: 0",),
    ),
    "recurses_for_others": Call(lambda s: bool(s.b.heard), MOVED, "200 OK", to=(), role=RECURSING),
    "changes_6xx": Call(lambda s: s.codes == [480], DECLINED),
    "rewrites_302": Call(lambda s: s.final.header("Contact") == f"<sip:x@{s.device}>", MOVED),
    "strips_302": Call(lambda s: "Expires" not in s.final.text and "X-Own" not in s.final.text, MOVED),
    "loses_retry_after": Call(lambda s: not s.final.header("Retry-After"), DECLINED),
    "second_final_upstream": Call(lambda s: len(s.codes) == 2, DECLINED),
    "sends_408_to_message": Call(lambda s: s.codes == [408], to=(), method="MESSAGE", quick=True),
    "relays_100": Call(
        lambda s: any(m.header("X-Own") for m in s.caller.of("100")), "100 Trying\nX-Own: 1|180 Ringing|486 Busy"
    ),
    "swallows_18x": Call(
        lambda s: not s.caller.of("180"), "404 Not Found", "180 Ringing\nDelay: 1|486 Busy\nDelay: 1", to=FORK
    ),
    "relays_stray": Call(forged, "180 Ringing|603 Decline\nX-Forged: 1|486 Busy"),
    "tries_same_target_again": Call(
        lambda s: branches(s.a) > 3, "302 M\nContact: <sip:700@{a}>", role=RECURSING
    ),
    "tries_same_target_twice": Call(
        lambda s: branches(s.a) == 2, "302 M\nContact: <sip:700@{a}>", role=RECURSING
    ),
    "leaves_tried_contacts": Call(
        lambda s: s.codes == [302] and s.b.uri in s.final.header("Contact"), TWO, "486 Busy", "486 Busy", role=RECURSING
    ),
    "emptied_302_upstream": Call(
        lambda s: s.codes == [302] and not s.final.header("Contact"), TWO, "486 Busy", "486 Busy", role=RECURSING
    ),
    "swallows_302": Call(lambda s: not s.finals and not s.b.heard, MOVED, "486 Busy", role=RECURSING),
    "swallows_302_without_contact": Call(lambda s: not s.finals, "302 M", role=RECURSING),
    "tries_contacts_after_603": Call(lambda s: bool(s.c.heard), TWO, DECLINED, "486 Busy", role=RECURSING),
    "recurses_after_cancel": Call(
        lambda s: bool(s.c.heard), TWO, "180 Ringing", "486 Busy", role=RECURSING, cancel=()
    ),
    "reuses_branch_on_recursion": Call(
        lambda s: s.b.of("INVITE")[0].branch == s.a.of("INVITE")[0].branch, MOVED, "486 Busy", role=RECURSING
    ),
    "recursion_changes_from": Call(
        lambda s: (
            s.b.of("INVITE")[0].header("From") != s.a.of("INVITE")[0].header("From") == s.final.header("From")
        ),
        MOVED,
        "486 Busy",
        role=RECURSING,
    ),
    "recursion_keeps_uri_headers": Call(
        lambda s: s.b.of("INVITE")[0].uri.endswith(";foo=1;method=INVITE?Subject=s"), MOVED, "486 Busy", role=RECURSING
    ),
    "recursion_ignores_q": Call(
        lambda s: s.c.of("INVITE")[0].time < s.b.of("INVITE")[0].time,
        TWO_LOWEST_FIRST,
        "486 Busy",
        "486 Busy",
        role=RECURSING,
    ),
    "keeps_max_forwards": Call(
        lambda s: [m.header("Max-Forwards") for m in s.a.of("INVITE") + s.b.of("INVITE")] == ["29", "30"],
        MOVED,
        "486 Busy",
        role=RECURSING,
        headers=("Max-Forwards: 30",),
    ),
    "softens_6xx_after_ringing": Call(lambda s: s.codes == [480], "180 Ringing|603 Decline"),
    "never_recurses": Call(lambda s: not s.b.heard, "302 M\nContact: <sip:x@{b}>", "486 Busy", role=RECURSING),
    "recursion_ends_after_603_only": Call(
        lambda s: bool(s.c.heard),
        "302 M\nContact: <sip:x@{b}>, <sip:y@{c}>;q=0.5",
        "604 Nowhere",
        role=RECURSING,
    ),
    "recursion_ends_after_failure": Call(
        lambda s: not s.c.heard and s.codes == [486],
        "302 M\nContact: <sip:x@{b}>, <sip:y@{c}>;q=0.5",
        "486 Busy",
        role=RECURSING,
    ),
    "unreachable_contact_ends_search": Call(
        lambda s: not s.b.heard,
        "302 M\nContact: <sip:x@127.0.31.99:9>, <sip:y@{b}>;q=0.5",
        "486 Busy",
        role=RECURSING,
    ),
    "parallel_recursion_leaves_ringing": Call(
        lambda s: not s.b.of("CANCEL"),
        "302 M\nContact: <sip:x@{b}>, <sip:y@{c}>",
        "180 Ringing",
        DECLINED,
        role=RECURSING,
    ),
    "resets_603plus_phrase": Call(lambda s: "603 Decline\r\n" in s.final.text and PLUS in s.final.text, BLOCKED),
    "strips_reason_of_603plus": Call(lambda s: "Reason:" not in s.final.text, BLOCKED),
    "adds_second_reason": Call(lambda s: PLUS in s.final.text and "Reason: Q.850;cause=17" in s.final.text, BLOCKED),
    "maps_603plus_to_403": Call(lambda s: s.codes == [403], BLOCKED),
    "maps_603plus_to_480": Call(lambda s: s.codes == [480], BLOCKED),
    "maps_603plus_to_486": Call(lambda s: s.codes == [486] and PLUS in s.final.text, BLOCKED),
    "cuts_reason_at_semicolon": Call(lambda s: s.final.text.count('"v=analytics1"\r\n') == 1, BLOCKED),
    "loses_603plus_after_180": Call(lambda s: s.final.text.startswith("SIP/2.0 603 Decline"), f"180 Ringing|{BLOCKED}"),
    "makes_603plus": Call(lambda s: s.final.text.startswith("SIP/2.0 603 Network Blocked\r\n"), DECLINED),
    "makes_plain_603": Call(lambda s: "603 Decline" in s.final.text and "Reason:" not in s.final.text, BLOCKED),
    "rewrites_redress": Call(lambda s: "url=https://sbc.example/A" in s.final.text, BLOCKED),
    "loses_location": Call(lambda s: '/A"\r\n' in s.final.text, BLOCKED),
    "doubles_quotes": Call(lambda s: 'text=""v=' in s.final.text, BLOCKED),
    "decodes_percent": Call(lambda s: "/a/b" in s.final.text, BLOCKED.replace("/A", "/a%2Fb")),
    "knows_reason_by_spelling": Call(
        lambda s: "analytics1" not in s.final.text, BLOCKED.replace("Reason:", "REASON:")
    ),
    "lowers_reason": Call(lambda s: "r.example/a" in s.final.text, BLOCKED),
    "merges_reasons_of_branches": Call(lambda s: s.final.text.count(PLUS) == 2, BLOCKED, BLOCKED, to=BOTH),
    "takes_607_for_603plus": Call(lambda s: s.final.text.startswith("SIP/2.0 603 Network Blocked\r\n"), "607 Unwanted"),
    "tries_next_route_after_603plus": Call(lambda s: bool(s.b.heard), BLOCKED, "486 Busy", to=SERIAL),
}  # fmt: skip


def _contacts(scene: Scene) -> list[str]:
    return [line[9:] for line in scene.final.text.split("\r\n") if line.startswith("Contact: ")]


def _times(scene: Scene) -> list[float]:
    return [m.time for m in scene.finals]


def _vias(scene: Scene) -> int:
    return scene.final.text.count("\r\nVia: ")


FAR = ("Via: SIP/2.0/UDP far;branch=z9hG4bKfar", "Via: SIP/2.0/UDP farther;branch=z9hG4bKfarther")


def blocked(shows: Shows) -> tuple[Question, ...]:
    """A call to a number that the device blocks, in each role in which it can."""
    return tuple(Question(shows, "217", role) for role in ("uas", "redirect", "proxy"))


QUESTIONS: dict[str, tuple[Question, ...]] = {
    "redirects_to_request_uri": tuple(
        Question(lambda s: s.codes == [302] and s.device in _contacts(s)[0], user, role)
        for user, role in (("4827", "uas"), ("701", "redirect"))
    ),
    "contactless_302": tuple(
        Question(lambda s: s.codes == [302] and not _contacts(s), user, role)
        for user, role in (("3027", "uas"), ("700", "redirect"))
    ),
    "odd_contact": (
        Question(
            lambda s: _contacts(s)[0].startswith("<sip:93027@") and ";method=INVITE;lr>, sip:93027@" in _contacts(s)[0],
            "3027",
            "uas",
        ),
        Question(lambda s: "<sip:x@127.0.0.1;y=1;method=INVITE;lr>, " in _contacts(s)[0], "700", "redirect"),
    ),
    "adds_own_contact": (Question(lambda s: len(_contacts(s)) == 3, "704", "redirect"),),
    "offers_own_contact": (
        Question(lambda s: all(c.startswith("<sip:0@") for c in _contacts(s)), "704", "redirect"),
    ),
    "offers_first_binding": (Question(lambda s: len(_contacts(s)) == 1, "704", "redirect"),),
    "sends_305": (Question(lambda s: s.codes == [305], "700", "redirect"),),
    "redirect_also_forwards": (Question(lambda s: [m.uri for m in s.a.of("INVITE")][:1] != [], "703", "redirect"),),
    "stumbles_over_require": (
        Question(lambda s: s.codes == [420], "700", "redirect", headers=("Require: foo",)),
    ),
    "empty_302_for_unknown": tuple(
        Question(lambda s: s.codes == [302] and not _contacts(s), user, role)
        for user, role in (("799", "redirect"), ("799", "proxy"))
    ),
    "provisional_to_message": tuple(
        Question(lambda s: bool(s.caller.of("183")), user, role, method="MESSAGE", then=())
        for user, role in (("3027", "uas"), ("700", "redirect"))
    ),
    "no_to_tag": (Question(lambda s: ";tag" not in s.final.header("To"), "6037", "uas"),),
    "other_to_tag": (
        Question(lambda s: s.final.header("To") != s.caller.of("180")[0].header("To"), "186037", "uas"),
    ),
    "changes_via": (Question(lambda s: _vias(s) == 2 and "farther" in s.final.text, "6037", "uas", headers=FAR),),
    "changes_cseq_from": (Question(lambda s: "sip:caller@" not in s.final.header("From"), "6037", "uas"),),
    "repeats_reason": (Question(lambda s: s.final.text.count("Reason: SIP") == 2, "6037", "uas"),),
    "final_not_repeated": (Question(lambda s: len(s.finals) == 1, "6037", "uas", then=(), quick=True),),
    "final_repeated_for_ever": (
        Question(lambda s: _times(s)[-1] - _times(s)[0] > 0.6, "6037", "uas", then=(), quick=True),
    ),
    "final_repeated_after_ack": (Question(lambda s: _times(s)[-1] > s.acknowledged + 0.1, "6037", "uas", quick=True),),
    "ignores_invite_copy": (Question(lambda s: len(s.finals) == 1, "6037", "uas", then=("INVITE",)),),
    "answers_ack": (
        Question(lambda s: 481 in s.codes and len(s.caller.of("481")) == 1, "6037", "uas", then=("ACK", "ACK")),
    ),
    "late_cancel_ends_call": (Question(lambda s: s.codes == [603, 487], "6037", "uas", then=("CANCEL", "ACK")),),
    "cancel_declined": (Question(lambda s: s.codes == [603], "1807", "uas", then=("CANCEL",)),),
    "remembers_calls": (Question(lambda s: s.codes == [603, 482], "6037", "uas", then=("ACK", "AGAIN"), quick=True),),
    "blocks_with_608": blocked(lambda s: s.codes == [608]),
    "blocks_with_decline": blocked(lambda s: s.final.text.startswith("SIP/2.0 603 Decline\r\n")),
    "blocks_without_contact": blocked(lambda s: '"v=analytics1;id=4711"' in s.final.text),
    "blocks_with_http": blocked(lambda s: "url=http://" in s.final.text),
    "blocks_unquoted": blocked(lambda s: "text=v=analytics1;" in s.final.text),
    "blocks_somewhere": blocked(lambda s: "location=Acme" in s.final.text),
    "blocks_second_call_with_403": tuple(
        Question(lambda s: s.codes == [603, 403], "217", role, then=("ACK", "AGAIN"), quick=True)
        for role in ("uas", "redirect", "proxy")
    ),
    "blocks_after_ringing": blocked(lambda s: bool(s.caller.of("180"))),
    "blocks_everything": (Question(lambda s: "603 Network Blocked\r\n" in s.final.text, "6037", "uas"),),
    "garbles_location_of_isup": (Question(lambda s: "location=\r\n" in s.final.text, "227", "uas"),),
    "maps_cause_21_to_403": (Question(lambda s: s.codes == [403], "227", "uas"),),
}  # fmt: skip
