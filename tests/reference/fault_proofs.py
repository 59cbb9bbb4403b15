"""How each fault shows on the wire: who answers what, and what is to be seen then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sip_peer import Message, Peer

MOVED = "302 Moved Temporarily\nContact: <sip:Moved@{target};x=1?Subject=s>;q=0.7;expires=60"
DECLINED = "603 Decline"


@dataclass
class Wire:
    """What the peers heard: the callee, two targets, a backup."""

    callee: Peer
    target: Peer
    second: Peer
    backup: Peer

    @property
    def invites(self) -> list[Message]:
        return self.callee.of("INVITE")

    @property
    def first(self) -> Message:
        return self.invites[0]

    @property
    def redirected(self) -> Message:
        return (self.target.of("INVITE") + self.invites[1:])[0]

    @property
    def acks(self) -> list[Message]:
        return self.callee.of("ACK")

    @property
    def peers(self) -> list[Peer]:
        return [self.callee, self.target, self.second, self.backup]


Shows = Callable[[Wire], bool]

# fault: what the callee answers to each INVITE, what the target answers, and how the fault shows.
PROOFS: dict[str, tuple[str | tuple[str, ...], str, Shows]] = {
    "ignores_302": (MOVED, "200 OK", lambda wire: not wire.target.heard),
    "first_contact_only": (
        "302 M\nContact: <sip:a@{target}>;q=0.1, <sip:b@{second}>;q=0.9",
        "200 OK",
        lambda wire: bool(wire.target.heard) and not wire.second.heard,
    ),
    "forgets_older_contacts": (
        ("302 M\nContact: <sip:a@{target}>;q=0.9, <sip:b@{second}>;q=0.1", "486 Busy Here"),
        "302 M\nContact: <sip:c@{callee}>",
        lambda wire: len(wire.invites) == 2 and not wire.second.heard,
    ),
    "endless_loop": (
        MOVED,
        "302 M\nContact: <sip:700@{callee}>",
        lambda wire: len(wire.invites) > 1,
    ),
    "retries_equal_contact": ("302 M\nContact: <sip:700@{callee}>", "200 OK", lambda wire: len(wire.invites) > 1),
    "retries_original": (MOVED, "486 Busy Here", lambda wire: len(wire.invites) == 2),
    "retries_without_contact": ("302 M", "200 OK", lambda wire: len(wire.invites) == 2),
    "bends_foreign_scheme": ("302 M\nContact: <mailto:x@{target}>", "200 OK", lambda wire: bool(wire.target.heard)),
    "old_address": (MOVED, "200 OK", lambda wire: not wire.target.heard and "Moved" in wire.redirected.uri),
    "keeps_old_host": (
        MOVED,
        "200 OK",
        lambda wire: not wire.target.heard and wire.redirected.uri == wire.first.uri.replace("700@", "Moved@"),
    ),
    "drops_contact_parameters": (MOVED, "200 OK", lambda wire: ";x=1" not in wire.redirected.uri),
    "keeps_uri_headers": (MOVED, "200 OK", lambda wire: "?Subject" in wire.redirected.uri),
    "reads_q_into_uri": (MOVED, "200 OK", lambda wire: wire.redirected.uri.endswith(";q=0.7;expires=60")),
    "folds_user_case": (MOVED, "200 OK", lambda wire: "sip:moved@" in wire.redirected.uri),
    "reuses_branch": (MOVED, "200 OK", lambda wire: wire.redirected.branch == wire.first.branch),
    "keeps_cseq": (MOVED, "200 OK", lambda wire: wire.redirected.header("CSeq") == wire.first.header("CSeq")),
    "keeps_to_tag": (MOVED, "200 OK", lambda wire: "tag=" in wire.redirected.header("To")),
    "changes_from": (MOVED, "200 OK", lambda wire: wire.redirected.header("From") != wire.first.header("From")),
    "drops_body": (MOVED, "200 OK", lambda wire: not wire.redirected.body),
    "no_max_forwards": (MOVED, "200 OK", lambda wire: not wire.redirected.header("Max-Forwards")),
    "loses_headers": (MOVED, "200 OK", lambda wire: not wire.redirected.header("Allow")),
    "follows_every_copy": ((MOVED, MOVED), "180 Ringing", lambda wire: calls(wire.target) == 2),
    "ignores_copies": ((DECLINED, DECLINED), "", lambda wire: len(wire.acks) == 1),
    "no_ack": (DECLINED, "", lambda wire: not wire.acks),
    "ack_new_branch": (DECLINED, "", lambda wire: wire.acks[0].branch != wire.first.branch),
    "ack_contact_request_uri": (MOVED, "200 OK", lambda wire: wire.acks[0].uri != wire.first.uri),
    "ack_to_contact_host": (MOVED, "486 Busy", lambda wire: wire.target.heard[0].method == "ACK"),
    "ack_wrong_to_tag": (DECLINED, "", lambda wire: "tag=" not in wire.acks[0].header("To")),
    "ack_wrong_cseq": (DECLINED, "", lambda wire: wire.acks[0].header("CSeq") == "2 ACK"),
    "ack_without_max_forwards": (DECLINED, "", lambda wire: not wire.acks[0].header("Max-Forwards")),
    "empty_from": (MOVED, "200 OK", lambda wire: wire.redirected.header("From").startswith(";tag=")),
    "swaps_uri_headers": (MOVED, "200 OK", lambda wire: "\r\ns: Subject\r\n" in wire.redirected.text),
    "ack_with_body": (DECLINED, "", lambda wire: bool(wire.acks[0].body)),
    "acts_on_second_final": ((DECLINED, MOVED), "200 OK", lambda wire: bool(wire.target.heard)),
    "redials_at_once": (DECLINED, "", lambda wire: _same_call(wire.invites) and len(wire.invites) == 2),
    "redials_before_retry_after": (
        f"{DECLINED}\nRetry-After: 1 (later)",
        "",
        lambda wire: len(wire.invites) == 2 and wire.invites[1].time - wire.first.time < 0.6,
    ),
    "redials_at_retry_after": (f"{DECLINED}\nRetry-After: 0", "", lambda wire: len(wire.invites) == 2),
    "redials_other_port": (
        DECLINED,
        "",
        lambda wire: len({message.source for message in wire.invites}) == 2 and len(wire.acks) == 2,
    ),
    "tries_backup_after_603": (DECLINED, "", lambda wire: wire.backup.heard[:1] != []),
    "follows_contact_in_603": (f"{DECLINED}\nContact: <sip:x@{{target}}>", "", lambda wire: bool(wire.target.heard)),
    "second_contact_after_603": (
        "302 M\nContact: <sip:a@{target}>, <sip:b@{second}>",
        DECLINED,
        lambda wire: bool(wire.second.heard),
    ),
    "unknown_6xx_as_4xx": ("699 Whatever", "", lambda wire: len(wire.invites) == 2),
    "bye_after_603": (DECLINED, "", lambda wire: len(wire.callee.of("BYE")) == 1),
    "message_after_603": (DECLINED, "", lambda wire: len(wire.callee.of("MESSAGE")) == 1),
    "redials_after_302": (MOVED, "200 OK", lambda wire: len(wire.invites) == 2 and not wire.target.heard),
    "reads_reason_phrase": (
        "302 Anders erreichbar\nContact: <sip:x@{target}>",
        "200 OK",
        lambda wire: not wire.target.heard,
    ),
    "needs_reason_phrase": ("603 ", "", lambda wire: not wire.acks),
    "chokes_on_retry_after": (f"{DECLINED}\nRetry-After: 5 (busy)", "", lambda wire: not wire.acks),
    "repeats_call_at_retry_after": (
        f"{DECLINED}\nRetry-After: 1",
        "",
        lambda wire: [invite.header("CSeq") for invite in _different(wire.invites)] == ["1 INVITE"] * 2,
    ),
    "follows_485": ("485 Ambiguous\nContact: <sip:x@{target}>", "200 OK", lambda wire: bool(wire.target.heard)),
    "ignores_unknown_3xx": ("399 Else\nContact: <sip:x@{target}>", "200 OK", lambda wire: not wire.acks),
    "swaps_transport": (
        "302 M\nContact: <sip:x@{target};transport=xyz>",
        "200 OK",
        lambda wire: any(message.uri.endswith(";transport=xyz") for message in wire.target.heard),
    ),
    "calls_sips_in_clear": ("302 M\nContact: <sips:x@{target}>", "200 OK", lambda wire: bool(wire.target.heard)),
    "retries_after_482": (MOVED, "482 Loop Detected", lambda wire: calls(wire.target) == 2),
    "retries_after_503": (MOVED, "503 Service Unavailable", lambda wire: calls(wire.target) == 2),
    "repeats_after_415": (MOVED, "415 Unsupported", lambda wire: calls(wire.target) == 2),
    "first_value_of_line": (
        "302 M\nContact: <sip:a@{target}>, <sip:b@{second}>",
        "486 Busy Here",
        lambda wire: not wire.second.heard,
    ),
    "no_compact_contact": ("302 M\nm: <sip:x@{target}>", "200 OK", lambda wire: not wire.target.heard),
    "cuts_display_name": (
        '302 M\nContact: "Doe, J; <sip:x@{second}> \\"x\\"" <sip:y@{target}>;q=1',
        "200 OK",
        lambda wire: bool(wire.second.heard) and not wire.target.heard,
    ),
    "reads_q_as_integer": (
        "302 M\nContact: <sip:a@{target}>;q=0.9, <sip:b@{second}>;q=0.10",
        "200 OK",
        lambda wire: bool(wire.second.heard),
    ),
    "chokes_on_bad_q": ("302 M\nContact: <sip:x@{target}>;q=abc", "200 OK", lambda wire: not wire.acks),
    "chokes_on_expires": (
        '302 M\nContact: <sip:x@{target}>;expires="Thu, 01 Dec 1994"',
        "200 OK",
        lambda wire: not wire.target.heard,
    ),
    "chokes_on_contact": ("302 M\nContact: *", "", lambda wire: not wire.acks),
    "drops_contact_header": (MOVED, "200 OK", lambda wire: not wire.redirected.header("Contact")),
    "routes_by_record_route": (
        "302 M\nContact: <sip:x@{target}>\nRecord-Route: <sip:{second};lr>",
        "200 OK",
        lambda wire: bool(wire.redirected.header("Route")),
    ),
    "routes_by_lr": (
        "302 M\nContact: <sip:x@{target};lr>",
        "200 OK",
        lambda wire: wire.redirected.uri == wire.first.uri and "sip:x@" in wire.redirected.header("Route"),
    ),
    "honours_every_uri_header": (
        "302 M\nContact: <sip:x@{target}?from=sip:evil%40x&CSeq=4711%20INVITE&Route=%3Csip:{second}%3Blr%3E"
        "&Accept=text/evil&Content-Length=9999&Max-Forwards=abc>",
        "200 OK",
        lambda wire: (
            [
                wire.second.of("INVITE")[0].header(name) if wire.second.heard else ""
                for name in ("From", "CSeq", "Accept", "Content-Length", "Max-Forwards")
            ]
            == ["sip:evil@x", "4711 INVITE", "text/evil", "9999", "abc"]
        ),
    ),
    "appends_uri_headers": (
        "302 M\nContact: <sip:x@{target}?Subject=a&Subject=b%20c&From=d>",
        "200 OK",
        lambda wire: "Subject: a\r\nSubject: b%20c\r\n" in wire.redirected.text,
    ),
    "accepts_second_final": (
        (DECLINED, "200 OK"),
        "",
        lambda wire: [ack.branch == wire.first.branch for ack in wire.acks] == [True, False],
    ),
    "acks_200_to_redirector": (
        MOVED,
        "200 OK",
        lambda wire: any(wire.target.uri in ack.uri for ack in wire.acks) and not wire.target.of("ACK"),
    ),
    "bye_after_302": (("180 Ringing", MOVED), "486 Busy", lambda wire: _parting(wire) == ["ACK", "BYE"]),
    "cancels_after_302": (MOVED, "486 Busy", lambda wire: _parting(wire) == ["ACK", "CANCEL"]),
    "cancels_after_603": (DECLINED, "", lambda wire: _parting(wire) == ["ACK", "CANCEL"]),
}


def calls(peer: Peer) -> int:
    return len({message.branch for message in peer.of("INVITE")})


def _different(invites: list[Message]) -> list[Message]:
    return list({message.branch: message for message in invites}.values())


def _parting(wire: Wire) -> list[str]:
    """What the callee hears after the first INVITE, as long as it is in order."""
    _, *after = wire.callee.heard
    cancels = [message.branch == wire.first.branch for message in after if message.method == "CANCEL"]
    tagged = all(";tag=peer" in message.header("To") for message in after if message.method == "BYE")
    return [message.method for message in after] if all(cancels) and tagged else []


def _same_call(invites: list[Message]) -> bool:
    return len({message.header("Call-ID") for message in invites}) == 1
