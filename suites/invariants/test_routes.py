"""The route that proxies have recorded: who is told of it, and whose requests take it (RFC 3261 12.1, 12.2.1.1)."""

from __future__ import annotations

from itertools import zip_longest

from harness.judge.acks import routes
from harness.judge.answers import asked
from harness.judge.legs import dialogs, is_strict, recorded_routes
from harness.judge.say import Findings, expect
from harness.model.flow import Flow
from harness.purposes.invariant import invariant
from harness.sip.address import NameAddr
from harness.sip.message import addr_spec
from harness.sip.uri import same_uri

_TAKES_ROUTE = ("ACK", "BYE", "INVITE", "INFO")
"""UPDATE and PRACK are left out: sent before the 2xx, they take the route of a 18x."""


@invariant("RFC3261-12.2.1.1-04", faults=["forgets_route_set", "keeps_route_of_ringing"])
def test_requests_of_a_dialog_take_its_route(flow: Flow) -> Findings:
    """The ACK of a 2xx, BYE, INFO and re-INVITE carry the Route values of their dialog: the Record-Route of the 2xx
    backwards, or that of the INVITE that the device has answered.

    A proxy that is left out loses sight of a call that it bills, or whose media it relays; where the peer is behind it,
    the request does not arrive at all. Typical defects: after a redirection the dialog has no route set; it has that of
    the 180; the order of the proxies is not turned round.

    A Route of the device's own before these, as to an outbound proxy, is let pass, and so are strict routers.
    """
    for leg in dialogs(flow).legs:
        wanted = leg.route_set
        if leg.answer is None or not wanted or is_strict(wanted[0]):
            continue
        for event in leg.theirs:
            inside = event.method in _TAKES_ROUTE and event.number > leg.answer.number
            if inside and not leg.acknowledges_refusal(event):
                carried = routes(event)
                yield expect(
                    _same(carried[-len(wanted) :], wanted),
                    code="off-route",
                    expected=f"Route: {', '.join(wanted)}",
                    actual=f"Route: {', '.join(carried) or '(none)'}",
                    event=event,
                    means="a proxy that wants to see the call does not, or the request never arrives",
                    look_at="which response gives the dialog its route set: the 2xx, after a redirection as well",
                )


@invariant("RFC3261-12.1.1-02", faults=["answers_without_record_route"])
def test_recorded_route_is_repeated_to_the_caller(flow: Flow) -> Findings:
    """A 2xx to an INVITE, and a 18x with a To tag, has each Record-Route of that INVITE, in order.

    It is how the caller learns by which proxies its ACK and BYE go. Typical defect: headers are copied one of each
    name; or by the code for the 2xx alone.
    """
    for one in asked(flow):
        wanted = recorded_routes(one.request)
        if one.request.method != "INVITE" or not wanted:
            continue
        for response in one.responses:
            if 100 < (response.status or 0) < 300 and response.to_tag:
                carried = recorded_routes(response)
                yield expect(
                    _same(carried, wanted),
                    code="record-route-lost",
                    expected=f"Record-Route: {', '.join(wanted)}",
                    actual=f"Record-Route: {', '.join(carried) or '(none)'}",
                    event=response,
                    means="the caller's ACK and BYE do not go by its proxies, and may not arrive",
                    look_at="are all Record-Route values of the INVITE copied into responses that make a dialog?",
                )


@invariant("RFC3261-16.6-08", faults=["records_without_brackets"])
def test_recorded_route_is_one_for_loose_routers(flow: Flow) -> Findings:
    """A Record-Route that a proxy adds is a URI in brackets, with lr among its parameters.

    Without brackets what follows are no parameters of the URI: its transport is lost, and lr with it. Then the next
    element takes the proxy for a strict router and replaces the Request-URI. Typical defect: the header is put together
    as a string, and tried with one other product.
    """
    # What was written first by whom: our 2xx repeats what the device has recorded, and it passes on what we have.
    ours: dict[str, bool] = {}
    for event in flow.events:
        for value in recorded_routes(event):
            if ours.setdefault(value, not event.from_device) or not event.from_device:
                continue
            bracketed = NameAddr.parse(value).bracketed
            yield expect(
                bracketed and not is_strict(value),
                code="strict-route" if bracketed else "bare-route",
                expected="Record-Route: <URI;lr>",
                actual=f"Record-Route: {value}",
                event=event,
                means="in-dialog requests of other products miss their target, or go by another transport",
                look_at="how the header is written: is ;lr inside of the brackets?",
            )


def _same(carried: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    return all(
        one is not None and other is not None and (one == other or same_uri(addr_spec(one), addr_spec(other)))
        for one, other in zip_longest(carried, wanted)
    )
