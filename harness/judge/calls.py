"""A flow read as calls: what each wish of a user, or each INVITE of a caller, led to."""

from __future__ import annotations

from dataclasses import dataclass

from harness.judge.answers import Asked, asked
from harness.judge.attempts import Attempt, attempts
from harness.judge.legs import is_inside
from harness.judge.once import once_per_flow
from harness.judge.redirection import call_index
from harness.model.flow import Event, Flow
from harness.sip.uri import same_uri


@dataclass(frozen=True)
class Call:
    """One call that the device was asked for."""

    asked: Asked | None
    """What a caller asked for; None where the device's own user did."""
    tries: tuple[Attempt, ...]
    """The INVITEs outside of a dialog by which the device placed it, wherever they arrived, in order."""

    def before(self, attempt: Attempt) -> tuple[Attempt, ...]:
        """What had been tried before ``attempt``."""
        return tuple(other for other in self.tries if other.invite.number < attempt.invite.number)

    def named_before(self, event: Event) -> tuple[str, ...]:
        """The Contacts of every 3xx of this call that was sent before ``event``."""
        finals = (a.final for a in self.tries if a.final is not None and 300 <= (a.status or 0) < 400)
        return tuple(uri for final in finals if final.number < event.number for uri in final.contact_uris)


@once_per_flow
def calls(flow: Flow) -> tuple[Call, ...]:
    """The calls of ``flow``, in order.

    What goes on under a Call-ID belongs to the call in which that was first seen.  A new Call-ID belongs to the last
    call that was asked for before it, or, where only one before has dialled its URI, to that one.
    """
    requests = [one for one in asked(flow) if one.request.method == "INVITE"]
    at_caller = {one.request.call_id: number for number, one in enumerate(requests)}
    known: dict[str, int] = {}
    groups: dict[int, list[Attempt]] = {number: [] for number in range(len(requests))}
    for attempt in attempts(flow):
        invite = attempt.invite
        if attempt.in_dialog or is_inside(flow, invite):
            continue
        number = at_caller.get(invite.call_id)
        if number is None:
            number = known.setdefault(invite.call_id, _wished(flow, invite))
        groups.setdefault(number, []).append(attempt)
    by_caller = dict(enumerate(requests))
    return tuple(Call(by_caller.get(number), tuple(group)) for number, group in sorted(groups.items()))


def _wished(flow: Flow, invite: Event) -> int:
    """Which call, from 0, a new Call-ID was most likely placed for."""
    last = call_index(flow, invite)
    dialled = [n for n, call in enumerate(flow.calls[: last + 1]) if same_uri(call.uri, invite.request_uri)]
    return dialled[0] if len(dialled) == 1 else last
