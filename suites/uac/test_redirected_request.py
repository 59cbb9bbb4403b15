"""The INVITE to the redirect target: a new attempt made of the old request (RFC 3261 8.1.3.4)."""

from __future__ import annotations

import re

from sipmessage.message import COMPACT_FORMS

from harness.judge.redirection import NOT_FOLLOWED, redirected
from harness.judge.say import Findings, expect, satisfied, unseen, violated
from harness.model.flow import Event, Flow
from harness.model.verdict import Verdict
from harness.purposes.purpose import purpose
from harness.sip.uri import same_uri
from suites.plans import REDIRECT, REDIRECT_RINGING

_ANY = (REDIRECT, REDIRECT_RINGING)
_WRITTEN_ANEW = frozenset(
    {
        *("via", "from", "to", "call-id", "cseq", "contact", "max-forwards", "route", "record-route", "subject"),
        *("content-length", "content-type", "content-disposition", "mime-version", "date", "timestamp", "identity"),
        *("authorization", "proxy-authorization", "user-to-user", "diversion", "history-info"),
        *("p-asserted-identity", "p-preferred-identity", "p-access-network-info", "remote-party-id"),
        *("p-charging-vector", "p-charging-function-addresses", "p-visited-network-id", "security-verify"),
    }
)
"""Headers that a new attempt writes anew, that have purposes of their own, or that are for its own network only: a
stranger gets none of them (RFC 3325 5, RFC 7315 4.4, RFC 3329 2.3)."""


@purpose("RFC3261-8.1.1.2-01", plan=_ANY, faults=["keeps_to_tag"])
def test_new_invite_has_no_to_tag(flow: Flow) -> Findings:
    """The redirected INVITE opens a new attempt outside any dialog, so its To carries no tag.

    A target that sees a To tag looks for a dialog that does not exist and answers 481: the forwarded call fails
    although every phone "supports forwarding".  Typical defect: the device builds the request from the 302, whose To
    has the redirector's tag.
    """
    pair = redirected(flow)
    if pair is None:
        yield unseen(NOT_FOLLOWED, code="not-followed")
        return
    invite = pair.new.invite
    yield expect(
        invite.to_tag is None,
        code="to-tag-kept",
        expected="a To without tag",
        actual=f"To: {invite.header('To')}",
        event=invite,
        means="the target answers 481 Call/Transaction Does Not Exist and the forwarded call fails",
        look_at="where the new request's To comes from: the first INVITE, or the 302?",
    )


@purpose("RFC3261-8.1.3.4-12", plan=_ANY, faults=["changes_from", "empty_from"])
def test_caller_and_callee_stay_the_same(flow: Flow) -> Findings:
    """To, From and Call-ID of the redirected INVITE are those of the first one; a fresh Call-ID is allowed.

    The target shows the caller and the user whom they called, and call records are joined by these headers.  Typical
    defect: the device writes the Contact into To, or builds From anew as for a new call.

    The clause says RECOMMENDED, so a violation is a warning at most.  With a new Call-ID the From tag may be new as
    well: that is a new call.
    """
    pair = redirected(flow)
    if pair is None:
        yield unseen(NOT_FOLLOWED, code="not-followed")
        return
    old, new = pair.old.invite, pair.new.invite
    wrong: dict[str, str] = {}
    if not same_uri(old.to_uri, new.to_uri):
        wrong["to-changed"] = f"To is {new.to_uri}, it was {old.to_uri}"
    if not same_uri(old.from_uri, new.from_uri):
        wrong["from-changed"] = f"From is {new.from_uri}, it was {old.from_uri}"
    if old.call_id == new.call_id and old.from_tag != new.from_tag:
        wrong["from-tag-changed"] = f"the From tag is {new.from_tag}, it was {old.from_tag}, under the same Call-ID"
    if not wrong:
        kept = "Call-ID are as they were" if old.call_id == new.call_id else "From tag go with a new Call-ID"
        yield satisfied(f"To, From and {kept}")
        return
    yield violated(
        code=next(iter(wrong)),
        expected="To URI, From URI and From tag as in the first INVITE, Call-ID the same or new",
        actual="; ".join(wrong.values()),
        event=new,
        means="the target shows another caller or another called user; call records cannot be joined",
        look_at="from which message the new request is built; some stacks have a setting (keep or replace To)",
    )


@purpose("RFC3261-8.1.3.4-13", plan=_ANY, faults=["reuses_branch"])
def test_new_invite_is_a_new_transaction(flow: Flow) -> Findings:
    """The redirected INVITE is a new transaction: its branch was not used before, in none of its Vias.

    With the old branch the target, or a proxy that both attempts pass, takes it for a copy of the first INVITE and
    answers with the 302 again.  Typical defect: the device sends the old request again and changes only its first line.

    More than one Via conforms: a device may have a proxy inside, or before it.
    """
    pair = redirected(flow)
    if pair is None:
        yield unseen(NOT_FOLLOWED, code="not-followed")
        return
    invite, branch = pair.new.invite, pair.new.invite.branch or ""
    earlier = flow.select(received=True, where=lambda event: event.method is not None and event.number < invite.number)
    used = {via.branch for event in earlier for via in event.vias}
    again = [via.branch for via in invite.vias if via.branch in used]
    wrong = [f"branch {one} was used before" for one in again]
    if not branch.lower().startswith("z9hg4bk"):
        wrong.append(f"branch {branch or 'is missing: it'} does not begin with z9hG4bK")
    yield expect(
        not wrong,
        code="branch-reused" if again else "bad-branch",
        expected="a new branch that begins with z9hG4bK",
        actual="; ".join(wrong) or f"branch {branch}",
        event=invite,
        means="the forwarded call is taken for a copy of the first one and never rings",
        look_at="is the Via of the first INVITE copied, or does the second INVITE get a transaction of its own?",
    )


@purpose("RFC3261-8.1.3.4-14", plan=_ANY, faults=["drops_body", "loses_headers"])
def test_headers_and_body_are_used_again(flow: Flow) -> Findings:
    """The new INVITE keeps the session description and all headers that the Contact does not change.

    A target that gets no offer has to make one, and many phones cannot.  Without Supported or Session-Expires the two
    ends lose features that they share.  Typical defect: another part of the software makes the second INVITE.

    Another version or address in the session description is sensible, so this test compares which headers are present,
    not their values.  A lost header is a warning (SHOULD).  A lost session description is a fail, by the catalogue's
    note.
    """
    pair = redirected(flow)
    if pair is None:
        yield unseen(NOT_FOLLOWED, code="not-followed")
        return
    old, new = pair.old.invite, pair.new.invite
    wrong = [f"header {name} is lost" for name in _lost(old, new)]
    bodiless = bool(old.body.strip()) and not new.body.strip()
    if bodiless:
        wrong.insert(0, "the session description is lost")
    elif (old.header("Content-Type") is None) != (new.header("Content-Type") is None):
        wrong.insert(0, f"Content-Type is {new.header('Content-Type')}, it was {old.header('Content-Type')}")
    yield expect(
        not wrong,
        code="body-lost" if bodiless else "headers-lost",
        expected="the headers and the body of the first INVITE",
        actual="; ".join(wrong) or "all of them are there",
        event=new,
        means="the forwarded call lacks an offer, a session timer or privacy that the direct call has",
        look_at="is the second INVITE built from the first one, or from scratch?",
        at_least=Verdict.FAIL if bodiless else Verdict.NONE,
    )


@purpose("RFC3261-8.1.1.5-01", plan=_ANY, faults=["keeps_cseq"])
def test_sequence_number_rises(flow: Flow) -> Findings:
    """Under the same Call-ID and From tag the redirected INVITE has a higher CSeq than the first one.

    A server that still holds the first INVITE takes an equal one for a merged copy and answers 482 Loop Detected.  A
    PBX that redirects to itself does so.  Typical defect: the device changes only the first line of the request (JsSIP
    issue 617).

    No clause fixes the number; 8.2.2.2 makes an equal one dangerous, and RFC 3665 3.6 shows a higher one.
    """
    pair = redirected(flow)
    if pair is None:
        yield unseen(NOT_FOLLOWED, code="not-followed")
        return
    old, new = pair.old.invite, pair.new.invite
    before, after = old.cseq_number, new.cseq_number
    if old.call_id != new.call_id or old.from_tag != new.from_tag:
        yield satisfied("Call-ID or From tag is new, so the number is free", event=new)
    elif before is None or after is None:
        yield unseen("a CSeq could not be read", code="unreadable")
    else:
        yield expect(
            after > before,
            code="cseq-not-raised",
            expected=f"a CSeq above {before}, or a new Call-ID or From tag",
            actual=f"CSeq {after} with the same Call-ID and From tag",
            event=new,
            means="a PBX that redirects to itself answers 482 Loop Detected and the forwarded call fails",
            look_at="where the CSeq of the second INVITE is set",
        )


@purpose("RFC3261-8.1.1.6-01", plan=_ANY, faults=["no_max_forwards"])
def test_new_invite_has_max_forwards(flow: Flow) -> Findings:
    """The redirected INVITE carries Max-Forwards, and its initial value is 70.

    Without it nothing stops a call that is forwarded in circles.  Typical defect: the device sets the header for new
    calls, and other code makes this INVITE; or the value goes on falling from the first attempt.
    """
    pair = redirected(flow)
    if pair is None:
        yield unseen(NOT_FOLLOWED, code="not-followed")
        return
    invite = pair.new.invite
    value = (invite.header("Max-Forwards") or "").strip()
    yield expect(
        value.lstrip("0") == "70",
        code="wrong-max-forwards" if value else "no-max-forwards",
        expected="Max-Forwards: 70",
        actual=f"Max-Forwards: {value}" if value else "no Max-Forwards",
        event=invite,
        means="a call that is forwarded in circles is never stopped" if not value else "long routes may be cut short",
        look_at="where Max-Forwards is set for a new request",
        at_most=Verdict.WARN if value.isascii() and value.isdigit() else Verdict.FAIL,
    )


@purpose("RFC3261-8.1.1.8-01", plan=_ANY, faults=["drops_contact_header"])
def test_new_invite_has_one_contact(flow: Flow) -> Findings:
    """The redirected INVITE has exactly one Contact, a SIP URI; a SIPS one if the Request-URI is.

    The target sends all later requests to it, so without it the target cannot even end the call.  Typical defect: the
    second INVITE has no Contact, or the Contact of the 302 is added to it.
    """
    pair = redirected(flow)
    if pair is None:
        yield unseen(NOT_FOLLOWED, code="not-followed")
        return
    invite = pair.new.invite
    schemes = [uri.partition(":")[0].lower() for uri in invite.contact_uris]
    allowed = ("sips",) if invite.request_uri.lower().startswith("sips:") else ("sip", "sips")
    yield expect(
        len(schemes) == 1 and schemes[0] in allowed,
        code="wrong-contact" if schemes else "no-contact",
        expected=f"one Contact with a {' or '.join(allowed)} URI",
        actual=f"Contact: {', '.join(invite.headers('Contact'))}" if schemes else "no Contact",
        event=invite,
        means="the target cannot reach the caller: no BYE, no hold, no transfer",
        look_at="where the Contact of the second INVITE comes from",
    )


def _lost(old: Event, new: Event) -> list[str]:
    """The headers of ``old`` that ``new`` lacks, but for those that a new attempt writes anew."""
    head = re.split(r"\r?\n\r?\n", old.text, maxsplit=1)[0]
    names = dict.fromkeys(re.findall(r"^([^\s:]+)[ \t]*:", head, re.MULTILINE))
    return [
        name
        for name in names
        if not new.headers(name) and COMPACT_FORMS.get(name.lower(), name).lower() not in _WRITTEN_ANEW
    ]
