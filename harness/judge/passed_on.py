"""Requests that a device passes on: their sender is a caller of the suite, and the device's Via is only the topmost."""

from __future__ import annotations

from harness.model.flow import Event, Flow


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
