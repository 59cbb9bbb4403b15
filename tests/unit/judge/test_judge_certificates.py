"""What the judges say of a device that was redirected to a target with a certificate, by flows made by hand."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from redirect_flow import Try, drive, outcomes

from harness.model.connection import Connection
from harness.model.flow import Flow
from harness.model.windows import QUICK
from harness.model.zone import Lookup
from harness.net.address import Address
from suites.plans import REDIRECT
from suites.uac import test_redirect_to_a_certificate as certificate

FOLLOWED = Try("sip:9{token}@{target}", "target")
DEVICE, TARGET = Address("127.0.0.9", 40000, "tls"), Address("127.0.1.2", 5061, "tls")
REFUSED = Connection(TARGET, DEVICE, "device", 1_000.1, None, 1_000.2, "device", None, "TLS handshake: unknown ca")
LATE = dataclasses.replace(REFUSED, closed_by="suite", trouble="TLS handshake: not established in time")
ASKED = (Lookup("t7001.test", "SRV", "10 50 5061 host."),)


def tls(plan: Any, *tries: Try, connections: tuple[Connection, ...] = (), clear: str = "", **how: Any) -> Flow:
    """A flow over TLS; what came to the seat ``clear`` came without it."""
    flow = drive(plan, Try(), *tries, **how)
    events = tuple(dataclasses.replace(one, transport="tcp" if one.seat == clear else "tls") for one in flow.events)
    seats = tuple(
        dataclasses.replace(seat, connections=connections) if seat.name == "target" else seat for seat in flow.seats
    )
    return dataclasses.replace(flow, events=events, seats=seats, transport="tls", lookups=ASKED)


@pytest.mark.parametrize(
    ("judge", "good", "bad"),
    [
        (certificate.test_certificate_of_somebody_else_is_refused, REDIRECT, certificate.WRONG_NAME),
        (certificate.test_expired_certificate_is_refused, REDIRECT, certificate.EXPIRED),
        (certificate.test_certificate_of_an_unknown_authority_is_refused, REDIRECT, certificate.STRANGER),
        (certificate.test_name_that_dns_gave_is_not_the_one_to_check, certificate.BY_DOMAIN, certificate.BY_HOST),
    ],
)
def test_a_wrong_certificate_gets_no_invite(judge: Any, good: Any, bad: Any) -> None:
    plain = tls(good, FOLLOWED)
    assert outcomes(judge, (plain, tls(bad, connections=(REFUSED,)))) == ["satisfied"]
    [finding] = judge((plain, tls(bad, FOLLOWED)))
    assert (finding.outcome, finding.code, finding.event) == ("violated", "certificate-not-checked", 4)
    for unclear in (
        (plain, tls(bad)),  # it never looked
        (plain, tls(bad, connections=(LATE,))),  # this side gave up
        (plain, tls(bad, connections=(REFUSED,), alive=False)),
        (tls(good), tls(bad, connections=(REFUSED,))),  # it calls no target at all
        (plain, tls(bad, FOLLOWED, clear="target")),  # another rule covers this
    ):
        assert outcomes(judge, unclear) == ["unseen"]


def test_a_call_in_clear_fails_wherever_it_comes() -> None:
    judge = certificate.test_refused_certificate_is_no_reason_to_call_in_clear
    plain, refused = (
        tls(REDIRECT, FOLLOWED),
        [
            tls(plan, connections=(REFUSED,))
            for plan in (certificate.WRONG_NAME, certificate.EXPIRED, certificate.STRANGER)
        ],
    )
    assert outcomes(judge, (plain, *refused)) == ["satisfied"] * 3
    for seat in ("target", "by_udp"):
        there = dataclasses.replace(FOLLOWED, seat=seat)
        findings = judge((plain, tls(certificate.EXPIRED, there, clear=seat), *refused[1:]))
        assert [(one.outcome, one.code) for one in findings][:1] == [("violated", "called-in-clear")]
    assert outcomes(judge, (tls(REDIRECT), *refused)) == ["unseen"]
    assert outcomes(judge, (plain, tls(certificate.EXPIRED, window=QUICK, alive=False))) == ["unseen"]


def test_a_sip_uri_in_a_certificate_is_read() -> None:
    judge = certificate.test_domain_may_be_named_by_a_sip_uri
    plain = tls(certificate.BY_DOMAIN, FOLLOWED)
    assert outcomes(judge, (plain, tls(certificate.BY_URI, FOLLOWED))) == ["satisfied"]
    [finding] = judge((plain, tls(certificate.BY_URI, connections=(REFUSED,))))
    assert (finding.outcome, finding.code) == ("violated", "sip-uri-not-read")
    assert outcomes(judge, (plain, tls(certificate.BY_URI, connections=(LATE,)))) == ["unseen"]
    assert outcomes(judge, (plain, tls(certificate.BY_URI))) == ["unseen"]
    assert outcomes(judge, (tls(certificate.BY_DOMAIN), tls(certificate.BY_URI, connections=(REFUSED,)))) == ["unseen"]
    unasked = dataclasses.replace(tls(certificate.BY_URI, connections=(REFUSED,)), lookups=())
    assert outcomes(judge, (plain, unasked)) == ["unseen"]
