"""The device's other requests: ACK, CANCEL, what belongs to a dialog, and what devices send by themselves."""

from __future__ import annotations

from typing import Final

from harness.judge.account.dialogs import Dialogs
from harness.judge.account.entry import Entry, Explanation, Unexplained, named
from harness.judge.account.openings import Openings
from harness.judge.account.transactions import Transaction, Transactions, crossed
from harness.model.flow import Event, Flow

OWN: Final = {
    "OPTIONS": "OPTIONS: asks whether somebody is there",
    "REGISTER": "REGISTER: says where it is",
    "PUBLISH": "PUBLISH: tells its state",
    "SUBSCRIBE": "SUBSCRIBE: asks for news",
}
"""What devices send outside of dialogs by themselves."""
UNASKED_EVENTS: Final = frozenset({"message-summary", "check-sync", "keep-alive", "ua-profile"})
"""Events that are notified without a subscription by many products."""
GIVES_UP_S: Final = 9.5
"""A device that has let a phone ring for so long may give up by itself."""
_IN_A_DIALOG: Final = ("BYE", "UPDATE", "PRACK", "INVITE")
"""Requests about which another rule says that they need a dialog."""


class Requests:
    """Explains the requests of one flow that open no call."""

    def __init__(self, flow: Flow, transactions: Transactions, dialogs: Dialogs, openings: Openings) -> None:
        self._flow = flow
        self._transactions = transactions
        self._dialogs = dialogs
        self._openings = openings
        self._acts = frozenset(call.act for call in flow.plan.calls)
        self._our_byes: list[Event] = []
        self._our_last: dict[str, Event] = {}
        """Our last request outside of a dialog, by its method."""

    def we_ask(self, request: Event) -> None:
        """Take a request of ours: the device may pass it on."""
        if request.method == "BYE":
            self._our_byes.append(request)
        self._our_last[request.method or ""] = request

    def copy(self, request: Event, known: Transaction) -> Entry:
        """Why the device sent a request once more, with the same branch."""
        number = known.request.number
        timer = "A" if request.method == "INVITE" else "E"
        over = known.first_response if request.method == "INVITE" else known.final
        if crossed(request, over):
            return Explanation("copy", number, f"copy of message {number} (Timer {timer})")
        assert over is not None
        return Unexplained("copy-after-response", f"copy of message {number} after {named(over)}", elsewhere=True)

    def ack(self, request: Event) -> Entry:
        """Which response an ACK is for."""
        transaction = self._transactions.invite_of(request)
        final = transaction.final if transaction else None
        if transaction is None or final is None:
            relayed = self._relayed(request)
            return relayed or Unexplained("ack-of-nothing", "ACK of no response of ours")
        transaction.acks.append(request)
        finals, acks = transaction.finals, len(transaction.acks)
        if acks == 1:
            return Explanation("ack", final.number, f"ACK of {named(final)}")
        if acks <= len(finals):
            return Explanation("ack", finals[acks - 1].number, f"ACK of the copy, message {finals[acks - 1].number}")
        if caller := self._relayed(request):
            return caller
        return Unexplained("ack-unasked", f"ACK of {named(final)} once more, for no copy of it", elsewhere=True)

    def cancel(self, request: Event) -> Entry:
        """Which INVITE a CANCEL ends, and why."""
        transaction = self._transactions.invite_of(request)
        if transaction is None:
            return Unexplained("cancel-of-nothing", "CANCEL of no INVITE that came here", elsewhere=True)
        invite, transaction.cancel = transaction.request, request
        if not crossed(request, transaction.final):
            assert transaction.final is not None
            late = f"CANCEL of message {invite.number}, which {named(transaction.final)} had ended"
            return Unexplained("cancel-after-final", late, elsewhere=True)
        call = self._openings.call_of(transaction)
        if call and call.request and call.request.cancel:
            number = call.request.cancel.number
            return Explanation("cancel", number, f"CANCEL because the caller cancelled (message {number})")
        if call and (end := call.ended_by):
            return Explanation("cancel", end.number, f"CANCEL because {named(end)} ended the search")
        if self._acts & {"cancel", "hangup"}:
            return Explanation("cancel", invite.number, f"CANCEL of message {invite.number}: the user hangs up")
        waited = request.time - invite.time
        if waited >= GIVES_UP_S:
            return Explanation(
                "cancel", invite.number, f"CANCEL of message {invite.number}: gives up after {waited:.0f} s"
            )
        return Unexplained(
            "cancel-unasked", f"CANCEL of message {invite.number}, which nobody cancelled", elsewhere=True
        )

    def in_dialog(self, request: Event) -> Entry:
        """Which dialog a request with a To tag belongs to, and what it does there."""
        method = request.method or ""
        dialog = self._dialogs.of(request)
        if dialog is None:
            if relayed := self._relayed(request):
                return relayed
            if method == "NOTIFY" and (unasked := _unasked(request)):
                return unasked
            return Unexplained("no-such-dialog", f"{method} in a dialog that does not exist", method in _IN_A_DIALOG)
        if dialog.ended is not None and not crossed(request, dialog.ended):
            over = f"{method} in the dialog of message {dialog.by.number}, which {named(dialog.ended)} had ended"
            # A subscription outlives the call, and the last NOTIFY comes when it ends.
            if method != "NOTIFY":
                return Unexplained("dialog-over", over, elsewhere=method in _IN_A_DIALOG)
        if method == "BYE":
            self._dialogs.bye(request)
            other = next((bye for bye in reversed(self._our_byes) if bye.time <= request.time), None)
            why = f" because the other side hung up (message {other.number})" if other else ""
            cause = other.number if other else dialog.by.number
            return Explanation("dialog", cause, f"BYE in the dialog of message {dialog.by.number}{why}")
        what = "re-INVITE" if method == "INVITE" else method
        return Explanation("dialog", dialog.by.number, f"{what} in the dialog of message {dialog.by.number}")

    def alone(self, request: Event) -> Entry:
        """Why the device sent a request outside of dialogs that opens no call."""
        method = request.method or ""
        if relayed := self._relayed(request):
            return relayed
        if own := OWN.get(method):
            return Explanation("own", None, own)
        if method == "NOTIFY" and (unasked := _unasked(request)):
            return unasked
        dialog = f" (a {method} needs a dialog)" if method in _IN_A_DIALOG else ""
        return Unexplained("request-unasked", f"{method} that nothing asked for{dialog}", method in _IN_A_DIALOG)

    def _relayed(self, request: Event) -> Explanation | None:
        """What a caller sent, where the device is there to pass it on."""
        asked = self._our_last.get(request.method or "")
        if asked is None or self._flow.role not in ("proxy", "b2bua") or asked.seat == request.seat:
            return None
        if self._flow.role == "proxy" and asked.call_id != request.call_id:
            return None
        return Explanation("relay", asked.number, f"passes on {named(asked)}")


def _unasked(notify: Event) -> Explanation | None:
    event = (notify.header("Event") or "").partition(";")[0].strip().lower()
    return Explanation("own", None, f"NOTIFY of {event} without subscription") if event in UNASKED_EVENTS else None
