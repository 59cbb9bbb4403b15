"""Whether each response is made of its request (RFC 3261 8.2.6.2), as far as its sender can match the two."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from harness.judge.answers import asked
from harness.judge.form import in_words
from harness.judge.responses import from_changes, via_changes
from harness.judge.say import Findings, expect
from harness.judge.served import served, stray_tags
from harness.judge.shape import Sent, sent_by_us
from harness.model.flow import Event, Flow
from harness.sip.uri import SipUri, same_uri


def complete_responses(flow: Flow, requirement: str) -> Findings:
    """Every response has the Vias, From, To, Call-ID and CSeq of its request, and above 100 a To tag."""
    ours = sent_by_us(flow)
    for request, responses in _answered(flow):
        for response in responses:
            wrong = _unlike(request, response, ours)
            code, expected, actual = wrong or ("", "", "")
            yield expect(
                not wrong,
                code=code,
                expected=expected,
                actual=f"{in_words(response)}: {actual}",
                event=response,
                means="the caller, or an element on the way to it, cannot match the response and drops it",
                look_at="is the response made of the request, header by header?",
                requirement=requirement,
            )


def _answered(flow: Flow) -> Iterator[tuple[Event, Iterable[Event]]]:
    """The requests of ours with their responses: those that match by 17.1.3, and those that were only meant to.

    What a proxy passes on of ours that belongs to nothing is not meant for a request.
    """
    matched: set[int] = set()
    for one in served(flow):
        yield one.request, one.responses
        matched.update(response.number for response in one.responses)
    strays = stray_tags(flow)
    for meant in asked(flow):
        yield meant.request, [r for r in meant.responses if r.number not in matched and r.to_tag not in strays]


def _unlike(request: Event, response: Event, ours: Sent) -> tuple[str, str, str] | None:
    changed, writing = via_changes(request, response)
    if changed and not writing:
        return "other-via", f"the Vias of the {request.method}", changed
    if response.call_id != request.call_id:
        return "other-call-id", f"Call-ID: {request.call_id}", f"Call-ID: {response.call_id}"
    changed, writing = from_changes(request, response)
    if changed and not writing:
        return "other-from", f"From: {request.header('From')}", changed
    line = f"To: {response.header('To') or '(none)'}"
    if not _same_in_to(request.to_uri, response.to_uri):
        return "other-to", f"To: {request.header('To')}", line
    if request.to_tag and response.to_tag != request.to_tag:
        return "other-to-tag", f"To: {request.header('To')}", line
    if (response.header("To") or "") in ours.tagged:
        return None  # A proxy passes on what the callee said.
    if response.to_tag == "" or (response.to_tag is None and (response.status or 0) > 100):
        return "no-to-tag", "a tag in the To", line
    if response.cseq_number != request.cseq_number:
        return "other-cseq", f"CSeq: {request.header('CSeq')}", f"CSeq: {response.header('CSeq')}"
    return None


def _same_in_to(ours: str, theirs: str) -> bool:
    """Whether two URIs are equal as far as a To may have them: without port and parameters (19.1.1, table 1)."""
    a, b = SipUri.parse(ours), SipUri.parse(theirs)
    if a is None or b is None:
        return ours == theirs
    return same_uri(*(f"{uri.scheme}:{uri.user or 'nobody'}@{uri.host}" for uri in (a, b)))
