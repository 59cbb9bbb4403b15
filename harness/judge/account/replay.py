"""The account of a flow: its messages, one after the other, through the models of transactions, dialogs and role."""

from __future__ import annotations

from harness.judge.account.dialogs import Dialogs
from harness.judge.account.entry import Account, Entry
from harness.judge.account.openings import Openings
from harness.judge.account.requests import Requests
from harness.judge.account.responses import Responses
from harness.judge.account.transactions import Transactions
from harness.judge.once import once_per_flow
from harness.model.flow import Event, Flow


@once_per_flow
def account(flow: Flow) -> Account:
    """What caused every message that the device sent in ``flow``, and what nothing explains."""
    replay = _Replay(flow)
    entries: dict[int, Entry] = {}
    for event in (*flow.events, *flow.late):
        if event.from_device:
            entries[event.number] = replay.hears(event)
        else:
            replay.says(event)
    return Account(entries)


class _Replay:
    """The models of one flow, as far as it has come."""

    def __init__(self, flow: Flow) -> None:
        self._transactions = Transactions()
        self._dialogs = Dialogs()
        self._openings = Openings(flow)
        self._requests = Requests(flow, self._transactions, self._dialogs, self._openings)
        self._responses = Responses(flow, self._transactions, self._openings)

    def says(self, event: Event) -> None:
        """Take a message of ours."""
        if event.status is not None:
            self._dialogs.answered(event)
            transaction = self._transactions.we_answer(event)
            if transaction is not None and event.status >= 200 and event.cseq_method == "INVITE":
                self._openings.answered(transaction, event)
            return
        begun = self._transactions.we_ask(event)
        self._requests.we_ask(event)
        if event.method == "BYE":
            self._dialogs.bye(event)
        if begun is not None and event.method == "INVITE" and event.to_tag is None:
            self._openings.caller_asks(begun)

    def hears(self, event: Event) -> Entry:
        """Take a message of the device; what explains it, or that nothing does."""
        if event.status is not None:
            entry = self._responses.answered(event)
            self._dialogs.answered(event)
            return entry
        if event.method == "ACK":
            return self._requests.ack(event)
        if known := self._transactions.known(event):
            known.copies += 1
            return self._requests.copy(event, known)
        begun = self._transactions.begin(event)
        if event.method == "CANCEL":
            return self._requests.cancel(event)
        if event.to_tag is not None and (event.method != "INVITE" or self._dialogs.of(event)):
            return self._requests.in_dialog(event)
        if event.method == "INVITE":
            return self._openings.opened(begun)
        return self._requests.alone(event)
