"""A device in the path of a 603+: everybody there transmits it (47 CFR 64.1200(k)(9))."""

from __future__ import annotations

import dataclasses

from harness.judge.plus603.path import BY_THE_RFC, ROWS, passed_on
from harness.judge.say import Findings
from harness.model.flow import Flow
from harness.purposes.purpose import purpose
from suites.plus603._plans import AFTER_1XX, CHANGES_IT, RECURSED, REDIRECTED, VARIED, calls_of

ALL_ROWS = (*ROWS, BY_THE_RFC)
NOTATIONS = ("q850", "folded", "location-first", "blanks", "cases", "header-case", "no-location")
MIDDLE = ("proxy", "b2bua")


@purpose(*ALL_ROWS, plan=VARIED, faults=CHANGES_IT, roles=MIDDLE)
def test_blocked_call_is_reported_as_it_was(flow: Flow) -> Findings:
    """A 603+ that comes at once reaches the caller with its status, its phrase and its Reason.

    Without it the caller cannot tell a block from a person who declined, and does not learn where to complain.  Typical
    defects: the phrase becomes Decline again (FreeSWITCH), the Reason is dropped, or the code is mapped to 403
    (Asterisk) or 480.

    Blanks, folds, the order of headers and parameters, and the case of names may differ: they say the same.
    """
    yield from passed_on(flow, calls_of("usual"))


@purpose(*ALL_ROWS, plan=AFTER_1XX, faults=[*CHANGES_IT, "loses_603plus_after_180"], roles=MIDDLE)
def test_provisional_responses_before_it_change_nothing(flow: Flow) -> Findings:
    """A 603+ after 100, 180 or 183 reaches the caller as one that comes at once does.

    Many blocks are decided while the called network is already ringing.  Typical defect: once a 180 has been passed on,
    the call ends by another part of the program, which knows plain codes only.
    """
    yield from passed_on(flow)


@purpose(*ALL_ROWS, plan=VARIED, faults=[*CHANGES_IT, "knows_reason_by_spelling"], roles=MIDDLE)
def test_every_lawful_notation_arrives(flow: Flow) -> Findings:
    """A 603+ arrives whatever its notation: Q.850 form, folded, with blanks, location first or absent, names in
    other case.

    RFC 3261 7.3.1 makes these equal.  Typical defect: a pattern that expects the example of the standard letter by
    letter, and a plain 603 for everything else.
    """
    yield from passed_on(flow, calls_of(*NOTATIONS))


@purpose(*ALL_ROWS, plan=VARIED, faults=CHANGES_IT, roles=MIDDLE)
def test_reason_beside_it_stays(flow: Flow) -> Findings:
    """A 603+ with two Reason values, on one line or on two, reaches the caller with both.

    A gateway before this device may have written the second one.  Typical defect: only the first value, or the last, is
    kept.
    """
    yield from passed_on(flow, calls_of("beside", "one-line"))


@purpose(*ALL_ROWS, plan=VARIED, faults=CHANGES_IT, roles=MIDDLE)
def test_any_kind_of_contact_arrives(flow: Flow) -> Findings:
    """A 603+ that names a telephone number only, or an e-mail address only, arrives as one with a URL does.

    Typical defect: the product looks for url= to know a 603+.
    """
    yield from passed_on(flow, calls_of("tel", "email"))


@purpose(*ALL_ROWS, plan=VARIED, faults=[*CHANGES_IT, "decodes_percent"], roles=MIDDLE)
def test_text_is_not_taken_apart(flow: Flow) -> Findings:
    """The quoted text arrives whole: with ; and = and % and escaped quotation marks in it, UTF-8, a URL of 1 kB, and
    beside parameters that nobody knows.

    Typical defects: the value is split at the first semicolon; a buffer of 256 or 512 bytes cuts the URL; quotation
    marks are added to those that are there; %2F becomes a slash.
    """
    yield from passed_on(flow, calls_of("parameters", "long", "marks", "percent", "utf-8"))


@purpose(*ALL_ROWS, plan=VARIED, faults=CHANGES_IT, roles=MIDDLE)
def test_it_travels_over_further_hops(flow: Flow) -> Findings:
    """A 603+ for a call that came through two other elements arrives as well, for them to pass on.

    Typical defect: the response is made anew only where the caller is a direct neighbour.
    """
    yield from passed_on(flow, calls_of("hops"))


@purpose(*ALL_ROWS, plan=VARIED, faults=[*CHANGES_IT, "forgets_603plus_in_copies"], roles=MIDDLE)
def test_every_copy_of_it_says_the_same(flow: Flow) -> Findings:
    """A 603+ that is sent again because its ACK is missing is the same 603+: the caller may have lost the first one.

    Typical defect: the application writes phrase and Reason into the first response, and the transaction makes its
    copies of the status code alone.  Over TCP and TLS nothing is sent again.
    """
    yield from passed_on(flow, calls_of("unheard"))


@purpose("ATIS603P-16", plan={"b2bua": REDIRECTED, "proxy": RECURSED}, faults=CHANGES_IT)
def test_block_of_a_redirected_call_arrives(flow: Flow) -> Findings:
    """When the device followed a redirection and the new target is blocked, the caller gets that target's 603+.

    Typical defects: after a 302 the B2BUA reports how the redirection ended in words of its own; or the failure route
    of a proxy that follows ends with a reply of its own.
    """
    yield from (dataclasses.replace(finding, requirement="ATIS603P-16") for finding in passed_on(flow))
