"""Why a device may open a call: one small model for each role (RFC 3261 8.1.3, 16.5 to 16.7)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from harness.judge.account.calls import Target, WantedCall, place_of
from harness.judge.account.entry import Entry, Explanation, Unexplained, named
from harness.judge.account.transactions import Transaction
from harness.model.flow import Event, Flow

ASK_AGAIN: Final = {
    401: "with credentials",
    407: "with credentials",
    413: "with a smaller body",
    415: "with another body",
    416: "with another URI scheme",
    420: "without the extension",
    421: "with the extension",
    422: "with a longer session interval",
    488: "with another offer",
    491: "after a while",
    494: "with a security agreement",
    500: "after a while",
}
"""Responses after which the same request may be sent once more, changed or later (RFC 3261 8.1.3.5, 22; RFC 4028)."""
MOVE_ON: Final = frozenset({408, 430, 480, 500, 502, 503, 504})
"""Failures after which a device may try another server or route for the same request (RFC 3263 4.3)."""
NO_ANSWER_S: Final = 1.0
"""After so long without any response a device may take its target for unreachable."""


class Openings:
    """The calls of one flow, and the INVITEs that open them."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._calls: list[WantedCall] = []
        self._by_call_id: dict[str, WantedCall] = {}
        self._by_try: dict[int, WantedCall] = {}
        self._asked = [] if flow.role != "uac" else sorted(flow.calls, key=lambda call: call.placed_at)
        self._seats = {str(address) for address in flow.places.seats.values()}

    # --- what is wanted

    def caller_asks(self, transaction: Transaction) -> None:
        """A caller's INVITE that opens a call."""
        request = transaction.request
        call = WantedCall(request.request_uri, f"the INVITE of the caller (message {request.number})", transaction)
        self._calls.append(call)
        if self._flow.role == "proxy":
            self._by_call_id[request.call_id] = call

    def answered(self, transaction: Transaction, response: Event) -> None:
        """We have answered one of the device's INVITEs for good."""
        call = self._by_try.get(transaction.request.number)
        if call is not None and transaction.final is response:
            call.answered(response, transaction)

    def call_of(self, transaction: Transaction) -> WantedCall | None:
        """The call that an INVITE of the device belongs to."""
        return self._by_try.get(transaction.request.number)

    def call_asked_by(self, request: Event) -> WantedCall | None:
        """The call that a caller's INVITE opened."""
        return next((call for call in self._calls if call.cause == request.number), None)

    # --- what opens it

    def opened(self, transaction: Transaction) -> Entry:
        """Why the device sent this INVITE."""
        invite = transaction.request
        call = self._wanted(invite)
        if call is None:
            return Unexplained("call-unasked", f"{invite.method} though nobody asked the device for a call")
        entry = next(self._reasons(call, invite))
        call.tries.append(transaction)
        self._by_try[invite.number] = call
        self._by_call_id.setdefault(invite.call_id, call)
        return entry

    def _wanted(self, invite: Event) -> WantedCall | None:
        while self._asked and self._asked[0].placed_at <= invite.time:
            placed = self._asked.pop(0)
            wanted = f"call {len(self._calls) + 1}, which the device was asked for"
            self._calls.append(WantedCall(placed.uri, wanted))
        latest = self._calls[-1] if self._calls else None
        known = self._by_call_id.get(invite.call_id)
        if known is None or (self._flow.role == "uac" and latest is not None and not latest.tries):
            return latest
        return known

    def _reasons(self, call: WantedCall, invite: Event) -> Iterator[Entry]:
        """The reason for ``invite`` is the first of these."""
        ended = call.ended_before(invite)
        if (failed := self._asks_again(call, invite)) and not ended:
            call.retried.add(failed.number)
            yield Explanation("again", failed.number, f"again, {ASK_AGAIN[failed.status or 0]}, after {named(failed)}")
        target = call.target(invite.request_uri)
        if ended is not None:
            yield _after_the_end(ended, target)
        if not call.tries and (entry := self._first(call, invite)):
            yield entry
        if target is not None and target.tried is None:
            target.tried = invite
            yield Explanation("target", target.by.number, f"to the Contact of message {target.by.number}")
        if self._flow.role == "proxy" and (branch := self._branch(call, invite)):
            yield branch
        before = call.tried(invite.request_uri)
        if left := self._moves_on(call, invite):
            call.retried.add(left.request.number)
            why = named(left.final) if left.final else f"message {left.request.number} got no response"
            yield Explanation("target", (left.final or left.request).number, f"another server or route: {why}")
        if before is not None:
            number = before.request.number
            yield Unexplained("target-tried", f"{invite.request_uri} was tried by message {number}", elsewhere=True)
        yield Unexplained("target-unknown", f"nothing named {invite.request_uri} to the device for this call")

    def _first(self, call: WantedCall, invite: Event) -> Entry | None:
        """The INVITE that begins ``call``."""
        if self._flow.role == "proxy":
            return None
        if self._flow.role not in ("uac", "b2bua"):
            return Unexplained("call-unasked", f"{call.wanted} asks a {self._flow.role}, which answers it by itself")
        if not self._goes_where_it_should(call, invite):
            remembered = next((old for old in self._calls if old.target(invite.request_uri)), None)
            if remembered and (target := remembered.target(invite.request_uri)):
                return Explanation("target", target.by.number, f"to the Contact of message {target.by.number}, kept")
            return None
        if call.request is None:
            return Explanation("call", None, call.wanted)
        return Explanation("call", call.cause, f"leg for {call.wanted}")

    def _goes_where_it_should(self, call: WantedCall, invite: Event) -> bool:
        token = self._flow.places.token
        if place_of(invite.request_uri) == place_of(call.uri) or invite.seat in self._flow.plan.dialled:
            return True
        # A gateway may rewrite whom it calls; the digits are this drive's own.
        return call.request is not None and token in f"{invite.request_uri} {invite.to_uri}"

    def _branch(self, call: WantedCall, invite: Event) -> Entry | None:
        """A proxy's branch to what the caller asked for: each member of the target set once (16.5)."""
        place = place_of(invite.request_uri)
        named_by = [place_of(call.uri), *map(place_of, self._bound())]
        if call.tried(invite.request_uri) or (place not in named_by and invite.seat not in self._flow.plan.dialled):
            return None
        return Explanation("relay", call.cause, f"branch for {call.wanted}")

    def _bound(self) -> Iterator[str]:
        """The URIs of the bindings that were registered before the call."""
        for binding in self._flow.plan.bindings:
            uri = self._flow.places.fill(binding).strip()
            yield uri.partition("<")[2].partition(">")[0] if "<" in uri else uri.partition(";")[0]

    def _asks_again(self, call: WantedCall, invite: Event) -> Event | None:
        """The response that asked for the same request once more, and has not been followed yet."""
        for one in call.tries:
            final = one.final
            if final is None or final.status not in ASK_AGAIN or final.number in call.retried:
                continue
            same = place_of(one.request.request_uri) == place_of(invite.request_uri)
            allowed = final.status not in (401, 407) or _has_credentials(invite)
            if same and allowed and one.request.seat == invite.seat:
                return final
        return None

    def _moves_on(self, call: WantedCall, invite: Event) -> Transaction | None:
        """The try that failed so that another server, or route, may be tried for the same call."""
        for one in call.tries:
            if one.request.number in call.retried:
                continue
            elsewhere = (one.request.seat, one.request.destination) != (invite.seat, invite.destination)
            unreachable = one.first_response is None and invite.time - one.request.time >= NO_ANSWER_S
            if elsewhere and (one.status in MOVE_ON or unreachable):
                return one
        return None


def _after_the_end(ended: Event, target: Target | None) -> Unexplained:
    where = f"to the Contact of message {target.by.number}, " if target else ""
    if ended.method == "CANCEL":
        return Unexplained("call-after-cancel", f"{where}after the caller's CANCEL (message {ended.number})", True)
    code = "call-after-6xx" if (ended.status or 0) >= 600 else "call-after-2xx"
    return Unexplained(code, f"{where}after {named(ended)} had ended the search", elsewhere=True)


def _has_credentials(event: Event) -> bool:
    return bool(event.headers("Authorization") or event.headers("Proxy-Authorization"))
