"""Messages that a device passes on: their sender is an endpoint of the suite, and the device is only on their way."""

from __future__ import annotations

from typing import Final

from harness.model.flow import Event, Flow

RELAYED_S: Final = 1.0
"""Seconds in which a proxy passes a response on, on a busy machine as well."""


def passed_on(flow: Flow, event: Event) -> bool:
    """Whether ``event`` is a request of a caller that the device has forwarded, and not one that it made itself.

    Below the device's Via is that of a request of the same method which a caller has sent before.  An ACK that a proxy
    makes for its own branch has one Via; one with a copy of the INVITE's Vias is its own as well, if no caller has sent
    an ACK yet.
    """
    below = {via.branch for via in event.vias[1:]} - {None}
    if event.method is None or not below:
        return False
    return any(
        sent.method == event.method
        and not sent.from_device
        and sent.number < event.number
        and sent.call_id == event.call_id
        and sent.branch in below
        for sent in flow.events
    )


def relayed_again(flow: Flow, response: Event) -> bool:
    """Whether a proxy passed ``response`` on because an endpoint had just sent that response once more.

    A proxy whose transaction has ended forwards such a copy without one (16.7).  It has not repeated it by itself.
    """
    if flow.role != "proxy":
        return False
    same = [
        sent
        for sent in flow.events
        if not sent.from_device
        and (sent.call_id, sent.status, sent.to_tag) == (response.call_id, response.status, response.to_tag)
        and sent.number < response.number
    ]
    return len(same) > 1 and response.time - same[-1].time <= RELAYED_S
