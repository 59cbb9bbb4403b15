"""The device's responses: which request of ours each answers, and what made the device say so."""

from __future__ import annotations

from harness.judge.account.calls import WantedCall
from harness.judge.account.entry import Entry, Explanation, Unexplained, named
from harness.judge.account.openings import Openings
from harness.judge.account.transactions import Transaction, Transactions, crossed
from harness.judge.passed_on import relayed_again
from harness.model.flow import Event, Flow


class Responses:
    """Explains the responses of one flow."""

    def __init__(self, flow: Flow, transactions: Transactions, openings: Openings) -> None:
        self._flow = flow
        self._relays = flow.role in ("proxy", "b2bua")
        self._transactions = transactions
        self._openings = openings

    def answered(self, response: Event) -> Entry:
        """Which request ``response`` answers, and why."""
        asked = self._transactions.asked_by_us(response)
        stray = self._transactions.strays.get((response.call_id, response.status, response.to_tag))
        if stray is not None and self._relays:
            # A proxy may pass on, without state, what belongs to none of its transactions (16.7, 16.11).
            return Explanation("relay", stray.number, f"passes on {named(stray)}, which belongs to no transaction")
        if asked is None:
            return Unexplained("answer-to-nothing", f"{response.status} to no {response.cseq_method} of ours")
        if asked.request.seat != response.seat:
            where = f"{named(asked.request)}, which {asked.request.seat} sent"
            return Unexplained("answer-astray", f"answer to {where}, arrived at {response.seat}")
        earlier = asked.final
        same = next((final for final in asked.finals if _same(final, response)), None)
        asked.add(response)
        if same is not None:
            return self._copy(asked, same, response)
        if earlier is None:
            return self._first(asked, response)
        if (response.status or 0) < 200:
            if crossed(response, earlier):
                return self._first(asked, response)
            return Unexplained("provisional-after-final", f"{response.status} after {named(earlier)}")
        below = self._below(self._openings.call_asked_by(asked.request), response)
        if (response.status or 0) < 300 and below is not None:
            return Explanation("relay", below.number, f"passes on {named(below)}, of another branch")
        return Unexplained("second-final", f"another final response after {named(earlier)}", elsewhere=True)

    def _first(self, asked: Transaction, response: Event) -> Entry:
        """A response that says something new."""
        request = asked.request
        if response.status == 100 and response.cseq_method == "INVITE":
            return Explanation("answer", request.number, f"has got {named(request)}")
        if response.status == 487 and asked.cancel is not None:
            number = asked.cancel.number
            return Explanation("answer", number, f"answers {named(request)}: cancelled by message {number}")
        below = self._below(self._openings.call_asked_by(request), response) if self._relays else None
        if below is not None:
            return Explanation("relay", below.number, f"passes on {named(below)}")
        return Explanation("answer", request.number, f"answers {named(request)}")

    def _copy(self, asked: Transaction, first: Event, response: Event) -> Entry:
        """A final response that is sent again."""
        what = f"copy of message {first.number}"
        if asked.copies > asked.answered_copies:
            asked.answered_copies += 1
            return Explanation("copy", first.number, f"{what}, for a copy of message {asked.request.number}")
        if asked.request.method != "INVITE":
            return Unexplained("copy-unasked", f"{what}, though message {asked.request.number} was not repeated")
        call = self._openings.call_asked_by(asked.request) if self._relays else None
        # A 2xx is repeated by whoever answered, and passed on each time (16.7 item 5).  So is a copy of a refusal by a
        # proxy whose transaction has ended (16.7).
        passes_on = asked.status < 300 or relayed_again(self._flow, response)
        below = [again for one in call.tries for again in one.finals[1:]] if call and passes_on else []
        if below and below[-1].number > first.number:
            return Explanation("relay", below[-1].number, f"passes on the copy, message {below[-1].number}")
        acked = asked.acks[0] if asked.acks else None
        if not crossed(response, acked):
            assert acked is not None
            return Unexplained("copy-after-ack", f"{what} after {named(acked)}", elsewhere=True)
        return Explanation("copy", first.number, f"{what} (Timer G)" if asked.status >= 300 else f"{what}: no ACK yet")

    @staticmethod
    def _below(call: WantedCall | None, response: Event) -> Event | None:
        """The response of a callee or target that ``response`` passes on: the last one with its status."""
        tries = call.tries if call else ()
        found = [
            one
            for attempt in tries
            for one in (*attempt.provisionals, *attempt.finals[:1])
            if one.status == response.status
        ]
        return max(found, key=lambda event: event.number, default=None)


def _same(final: Event, response: Event) -> bool:
    return (final.status, final.to_tag) == (response.status, response.to_tag)
