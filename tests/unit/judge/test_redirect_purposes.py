from __future__ import annotations

import pytest
from redirect_flow import Try, drive, outcomes

from suites.plans import CHAIN, NEXT_CALL, REDIRECT, REDIRECT_RINGING
from suites.uac import _plans as plans
from suites.uac import test_redirect_contact_forms as forms
from suites.uac import test_redirect_ends_the_early_dialog as early
from suites.uac import test_redirect_hunts as hunts
from suites.uac import test_redirect_is_followed as followed
from suites.uac import test_redirect_is_not_remembered as remembered
from suites.uac import test_redirect_request_uri as uri
from suites.uac import test_redirect_target_set as target_set
from suites.uac import test_redirect_then_decline as decline
from suites.uac import test_redirect_uri_headers as uri_headers
from suites.uac import test_redirect_without_target as without
from suites.uac import test_redirected_request as request
from suites.uac import test_without_following as not_following

MOVED = "sip:9{token}@{target}"
GOOD = Try(MOVED, "target")
PLAIN = drive(REDIRECT, Try(), GOOD)
IGNORED = drive(REDIRECT, Try())


def to(digit: str, seat: str = "target", **more: object) -> Try:
    return Try(f"sip:{digit}{{token}}@{{{seat}}}", seat, **more)  # type: ignore[arg-type]


# --- followed, and where to


def test_following_is_judged_whatever_became_of_the_invite():
    astray = drive(REDIRECT, Try(), Try(MOVED, "callee"))
    old_host = drive(REDIRECT, Try(), Try("sip:9{token}@{callee}"))
    for flow in (PLAIN, astray, old_host):
        assert outcomes(followed.test_contact_is_called, flow) == ["satisfied", "satisfied"]
    assert outcomes(followed.test_contact_is_called, IGNORED) == ["satisfied", "violated"]
    assert outcomes(followed.test_contact_is_called, drive(REDIRECT, Try(), Try())) == ["satisfied", "violated"]
    assert outcomes(followed.test_contact_is_called, drive(REDIRECT, Try(), alive=False)) == ["unseen"]


@pytest.mark.parametrize(
    ("new", "outcome"),
    [
        (GOOD, "satisfied"),
        (Try(MOVED + ";x=y", "target"), "satisfied"),
        (Try(MOVED, "callee"), "violated"),
        (Try("sip:9{token}@{callee}", "callee"), "unseen"),
        (Try(MOVED, "callee", headers=("Route: <sip:proxy.test;lr>",)), "unseen"),
    ],
)
def test_the_destination_is_judged_by_the_request_uri(new, outcome):
    assert outcomes(followed.test_destination_is_worked_out_afresh, drive(REDIRECT, Try(), new)) == [outcome]


def test_another_port_is_another_address():
    judge = followed.test_destination_is_worked_out_afresh
    assert outcomes(judge, drive(plans.OTHER_PORT, Try(), GOOD)) == ["satisfied"]
    assert outcomes(judge, drive(plans.OTHER_PORT, Try(), Try(MOVED))) == ["violated"]


def test_reason_phrases_are_compared_with_the_plain_302():
    judge = followed.test_reason_phrase_changes_nothing
    both, one = drive(plans.WORDING, Try(), GOOD, to("8")), drive(plans.WORDING, Try(), GOOD)
    chain = drive(CHAIN, Try(), GOOD, to("8"), to("7"), to("6"))
    assert outcomes(judge, chain, both) == ["satisfied", "satisfied"]
    assert outcomes(judge, chain, one) == ["satisfied", "violated"]
    # A device that follows one redirection in a call, and no more, has not met the second phrase.
    assert outcomes(judge, drive(CHAIN, Try(), GOOD), one) == ["satisfied", "satisfied"]
    assert outcomes(judge, IGNORED, drive(plans.WORDING, Try())) == ["satisfied"]
    assert outcomes(judge, PLAIN, drive(plans.WORDING, Try(acked=False))) == ["violated"]


def test_an_unknown_redirection_may_be_given_up():
    assert outcomes(followed.test_unknown_redirection_is_like_300, PLAIN, drive(plans.UNKNOWN_3XX, Try())) == [
        "satisfied"
    ]


# --- the new request


@pytest.mark.parametrize(
    ("new", "outcome"),
    [
        (Try(MOVED, "target", cseq=1), "violated"),
        (Try(MOVED, "target", cseq=1, call_id="c2"), "satisfied"),
        (Try(MOVED, "target", cseq=1, from_="<sip:device@127.0.0.9>;tag=f2"), "satisfied"),
    ],
)
def test_an_equal_number_is_dangerous_only_in_the_same_call(new, outcome):
    assert outcomes(request.test_sequence_number_rises, drive(REDIRECT, Try(), new)) == [outcome]


@pytest.mark.parametrize(
    ("from_", "call_id", "outcome"),
    [
        ("sip:device@127.0.0.9;tag=f1", "c1", "satisfied"),
        ('"Somebody" <sip:device@127.0.0.9>;tag=f1', "c1", "satisfied"),
        ("<sip:device@127.0.0.9>;tag=f2", "c1", "violated"),
        ("<sip:device@127.0.0.9>;tag=f2", "c2", "satisfied"),
        ("<sip:other@127.0.0.9>;tag=f1", "c1", "violated"),
    ],
)
def test_the_caller_stays_the_same(from_, call_id, outcome):
    flow = drive(REDIRECT, Try(), Try(MOVED, "target", from_=from_, call_id=call_id))
    assert outcomes(request.test_caller_and_callee_stay_the_same, flow) == [outcome]


@pytest.mark.parametrize(
    ("headers", "body", "outcome"),
    [
        (("k: timer", "Max-Forwards: 70"), "v=0\r\n", "satisfied"),
        (("Max-Forwards: 70",), "v=0\r\n", "violated"),
        (("Supported: timer",), "v=0\r\no=other\r\n", "satisfied"),
        (("Supported: timer",), "", "violated"),
    ],
)
def test_headers_are_compared_by_presence(headers, body, outcome):
    flow = drive(REDIRECT, Try(), Try(MOVED, "target", headers=headers, body=body))
    assert outcomes(request.test_headers_and_body_are_used_again, flow) == [outcome]


@pytest.mark.parametrize(
    ("headers", "outcome"),
    [
        (("Max-Forwards: 70",), "satisfied"),
        (("Max-Forwards: 0070",), "satisfied"),
        (("Max-Forwards: 69",), "violated (warn)"),
        ((), "violated"),
        (("Max-Forwards: many",), "violated"),
    ],
)
def test_max_forwards(headers, outcome):
    flow = drive(REDIRECT, Try(), Try(MOVED, "target", headers=headers))
    assert outcomes(request.test_new_invite_has_max_forwards, flow) == [outcome]


def test_the_early_dialog_is_over():
    flow = drive(REDIRECT_RINGING, Try(), GOOD)
    kept = drive(REDIRECT_RINGING, Try(), Try(MOVED, "target", to_tag="callee.a.1"))
    assert outcomes(early.test_forward_on_no_answer_starts_afresh, flow) == ["satisfied"]
    assert outcomes(early.test_forward_on_no_answer_starts_afresh, kept) == ["violated"]
    for judge in (early.test_nothing_is_sent_in_the_early_dialog, early.test_finished_invite_is_not_cancelled):
        assert outcomes(judge, flow) == ["satisfied"]
        assert outcomes(judge, drive(REDIRECT_RINGING, Try(), GOOD, alive=False)) == ["unseen"]


# --- the Request-URI


@pytest.mark.parametrize(
    ("rest", "outcome"),
    [
        (";foo=bar;transport=udp;cause=486;target=sip:bob%40x.test;user=phone", "satisfied"),
        (";user=phone;target=sip:bob%40x.test;cause=486;foo=bar", "violated (warn)"),
        (";user=phone;transport=udp;target=sip:bob%40x.test;cause=486", "violated"),
        ("", "violated"),
    ],
)
def test_every_parameter_stays(rest, outcome):
    flow = drive(plans.PARAMETERS, Try(), Try("sip:+9{token}@{target}" + rest, "target"))
    assert outcomes(uri.test_request_uri_is_the_contact, flow) == [outcome]


def test_parameters_are_judged_one_by_one():
    flow = drive(
        plans.PARAMETERS, Try(), Try("sip:+9{token}@{target};user=phone;target=sip:bob%40x.test;cause=486", "target")
    )
    assert outcomes(uri.test_known_parameters_stay, flow) == ["violated (warn)"]
    assert outcomes(uri.test_unknown_parameters_stay, flow) == ["violated", "satisfied"]


@pytest.mark.parametrize(
    ("rest", "outcome"),
    [("", "satisfied"), (";lr", "satisfied"), (";method=INVITE", "violated"), ("?Subject=moved", "violated")],
)
def test_headers_and_method_stay_out(rest, outcome):
    flow = drive(plans.URI_HEADERS, Try(), Try(MOVED + rest, "target"))
    assert outcomes(uri.test_headers_and_method_stay_out, flow) == [outcome]


def test_a_contact_with_a_method_may_be_passed_over():
    judge = uri.test_method_of_the_contact_has_no_effect
    assert outcomes(judge, drive(plans.METHOD, Try())) == ["satisfied"]
    assert outcomes(judge, drive(plans.URI_HEADERS, Try())) == ["unseen"]
    assert outcomes(judge, drive(plans.METHOD, Try(), Try(MOVED + ";method=BYE", "target"))) == ["violated"]


@pytest.mark.parametrize(
    ("headers", "outcomes_"),
    [
        ((), ["satisfied"]),
        (("Subject: moved", "Call-Info: <http://www.x.test>"), ["satisfied"]),
        (("Subject: old", "Subject: moved"), ["violated"]),
        (("Call-Info: %3Chttp://www.x.test%3E",), ["violated"]),
    ],
)
def test_harmless_headers(headers, outcomes_):
    flow = drive(plans.URI_HEADERS, Try(), Try(MOVED, "target", headers=headers))
    assert outcomes(uri_headers.test_harmless_headers_are_placed_well, flow) == outcomes_


def test_dangerous_headers():
    taken = drive(plans.DANGEROUS, Try(), Try(MOVED, "target", from_="<sip:evil@evil.test>;tag=f1"))
    routed = drive(plans.DANGEROUS, Try(), Try(MOVED, "detour"))
    refused = drive(plans.DANGEROUS, Try())
    assert outcomes(uri_headers.test_who_calls_is_not_for_the_redirector_to_say, taken) == ["violated"]
    assert outcomes(uri_headers.test_what_the_device_can_do_is_its_own_to_say, taken) == ["satisfied"]
    assert outcomes(uri_headers.test_redirector_sets_no_route, taken) == ["satisfied"]
    assert outcomes(uri_headers.test_redirector_sets_no_route, routed) == ["violated"]
    assert outcomes(uri_headers.test_redirector_sets_no_route, refused) == ["satisfied"]


def test_what_was_not_come_to_is_unseen():
    judge = uri_headers.test_no_unknown_extension_is_required
    assert outcomes(judge, drive(plans.INVALID, Try(), to("1"))) == ["unseen"]
    assert outcomes(judge, drive(plans.INVALID, Try(), to("3"))) == ["satisfied"]
    assert outcomes(judge, drive(plans.INVALID, Try(), to("2", headers=("Require: foo-unknown",)))) == ["violated"]
    bad = to("1", headers=("Max-Forwards: 70", "Max-Forwards: abc"))
    assert outcomes(uri_headers.test_no_invalid_request_is_made, drive(plans.INVALID, Try(), bad)) == ["violated"]


# --- the target set


def test_original_uri_in_other_words_is_another_uri():
    again = drive(plans.LOOP, Try(), to("8", "second"), Try("sip:{token}@{callee.host}"))
    assert outcomes(target_set.test_ping_pong_stops_at_once, again) == ["satisfied"]
    same = drive(plans.LOOP, Try(), to("8", "second"), Try())
    assert outcomes(target_set.test_ping_pong_stops_at_once, same) == ["violated"]


def test_a_repetition_in_other_words_costs_less():
    a = "sip:a{token}@{target};foo=bar;transport=udp"
    words = drive(plans.DUPLICATES, Try(), Try(a, "target"), Try(a.replace("foo=bar", "FOO=bar"), "target"))
    exact = drive(plans.DUPLICATES, Try(), Try(a, "target"), Try(a, "target"))
    assert outcomes(target_set.test_contact_listed_twice_is_tried_once, words) == ["violated (warn)"]
    assert outcomes(target_set.test_contact_listed_twice_is_tried_once, exact) == ["violated"]


def test_case_makes_another_user_and_no_repetition():
    a = Try("sip:a{token}@{target};foo=bar;transport=udp", "target")
    plain = drive(plans.EXHAUST, Try(), to("3"), to("1"), to("2"))
    full, short = drive(plans.DUPLICATES, Try(), a, to("b"), to("B")), drive(plans.DUPLICATES, Try(), a, to("b"))
    folded = drive(plans.DUPLICATES, Try(), a, to("b"), to("b"))
    assert outcomes(target_set.test_contact_listed_twice_is_tried_once, folded) == ["satisfied"]
    assert outcomes(hunts.test_users_differ_by_case, plain, full) == ["satisfied"]
    assert outcomes(hunts.test_users_differ_by_case, plain, short) == ["violated"]
    assert outcomes(hunts.test_users_differ_by_case, plain, folded) == ["violated"]
    assert outcomes(hunts.test_users_differ_by_case, drive(plans.EXHAUST, Try(), to("1")), short) == ["unseen"]


def test_nothing_follows_when_all_have_failed():
    judge = target_set.test_call_has_failed_when_all_targets_have
    tries = (Try(), to("3"), to("1"), to("2"))
    assert outcomes(judge, drive(plans.EXHAUST, *tries)) == ["satisfied"]
    assert outcomes(judge, drive(plans.EXHAUST, *tries, Try())) == ["violated"]
    assert outcomes(judge, drive(plans.EXHAUST, *tries, Try("sip:elsewhere@{callee}"))) == ["violated"]


def test_hunting_ends_early_only_if_the_last_answer_was_taken():
    judge = hunts.test_next_contact_is_tried_when_one_fails
    two = (Try(), to("1", "second"), to("2"))
    assert outcomes(judge, drive(plans.HUNT, *two, to("3"), to("4"))) == ["satisfied"]
    assert outcomes(judge, drive(plans.HUNT, *two)) == ["violated"]
    assert outcomes(judge, drive(plans.HUNT, Try(), to("1", "second", acked=False))) == ["unseen"]
    assert outcomes(judge, drive(plans.HUNT, Try())) == ["unseen"]


@pytest.mark.parametrize(
    ("later", "outcome"),
    [
        ((to("4"),), "satisfied"),
        ((to("3"),), "violated"),
        ((Try(),), "violated"),
        ((to("4"), Try()), "satisfied"),
    ],
)
def test_482_leads_on_or_ends_the_call(later, outcome):
    flow = drive(plans.HUNT, Try(), to("1", "second"), to("2"), to("3"), *later)
    assert outcomes(hunts.test_loop_detected_is_an_ordinary_failure, flow) == [outcome]


def test_415_asks_for_another_body():
    judge, tries = hunts.test_same_request_is_not_repeated_to_who_refused_it, (Try(), to("2"), to("3"), to("4"))
    assert outcomes(judge, drive(plans.HUNT, *tries)) == ["satisfied"]
    assert outcomes(judge, drive(plans.HUNT, *tries, to("4"))) == ["violated"]
    assert outcomes(judge, drive(plans.HUNT, *tries, to("4", body=""))) == ["satisfied"]
    hunt = (Try(), to("2"), to("3"), to("4", body="v=0\r\no=- 1 1 IN IP4 127.0.0.9\r\ns=-\r\n"))
    counted = to("4", body="v=0\r\no=- 1 2 IN IP4 127.0.0.9\r\ns=-\r\n")
    assert outcomes(judge, drive(plans.HUNT, *hunt, counted)) == ["violated"], "its o= was counted up, no more"
    other = to("4", body="v=0\r\no=- 1 2 IN IP4 127.0.0.9\r\ns=-\r\nm=audio 0 RTP/AVP 0\r\n")
    assert outcomes(judge, drive(plans.HUNT, *hunt, other)) == ["satisfied"]


@pytest.mark.parametrize(
    ("order", "outcome"),
    [("231", "satisfied"), ("123", "satisfied"), ("2", "satisfied"), ("213", "violated"), ("", "unseen")],
)
def test_order_of_q(order, outcome):
    good = drive(plans.EXHAUST, Try(), *map(to, order))
    bad = drive(plans.BAD_Q, Try(), to("3"))
    assert outcomes(hunts.test_q_values_are_read, PLAIN, good, bad) == [outcome]


def test_a_malformed_q_does_not_stop_the_call():
    good = drive(plans.EXHAUST, Try(), to("2"))
    assert outcomes(hunts.test_q_values_are_read, PLAIN, good, drive(plans.BAD_Q, Try())) == ["violated"]
    unacked = drive(plans.BAD_Q, Try(acked=False))
    assert outcomes(hunts.test_q_values_are_read, PLAIN, good, unacked) == ["violated"]


# --- forms


def test_only_a_difference_between_the_forms_counts():
    judge = forms.test_lines_and_commas_are_one_list
    one = [drive(plan, Try(), to("1")) for plan in (plans.EXHAUST, plans.COMMA, plans.FOLDED)]
    assert outcomes(judge, *one) == ["satisfied", "satisfied"]
    three = drive(plans.EXHAUST, Try(), to("3"), to("1"), to("2"))
    assert outcomes(judge, three, *one[1:]) == ["violated", "violated"]
    bare = drive(plans.BARE_LIST, Try(), to("1"))
    judge = forms.test_list_without_brackets_is_the_same_list
    assert outcomes(judge, one[0], bare) == ["satisfied"]
    assert outcomes(judge, three, bare) == ["violated"]


def test_the_user_behind_the_display_name_is_called():
    judge = forms.test_display_name_may_hold_anything
    assert outcomes(judge, PLAIN, drive(plans.DISPLAY_NAME, Try(), to("9"))) == ["satisfied"]
    assert outcomes(judge, PLAIN, drive(plans.DISPLAY_NAME, Try(), to("7"))) == ["violated"]
    assert outcomes(judge, PLAIN, drive(plans.DISPLAY_NAME, Try(), to("7"), to("9"))) == ["violated"]
    assert outcomes(judge, PLAIN, drive(plans.DISPLAY_NAME, Try())) == ["violated"]
    assert outcomes(judge, IGNORED, drive(plans.DISPLAY_NAME, Try())) == ["unseen"]


def test_a_malformed_contact_may_be_dropped_a_star_may_not():
    kinds = (plans.STAR, plans.NO_HOST, plans.NO_URI, plans.NO_BRACKET)
    flows = [drive(plan, Try(acked=False)) for plan in kinds]
    judge = forms.test_broken_contact_costs_no_more_than_the_call
    assert outcomes(judge, PLAIN, *flows) == ["violated", "violated", "violated (warn)", "violated (warn)"]
    repaired = drive(plans.NO_BRACKET, Try(), to("9", "nobody"))
    flows = [*(drive(plan, Try()) for plan in kinds[:3]), repaired]
    assert outcomes(judge, PLAIN, *flows) == ["satisfied"] * 4


# --- no target, next call, refusal


def test_a_number_may_be_called_through_the_devices_own_proxy():
    judge = without.test_foreign_scheme_is_no_target
    kinds = (plans.MAILTO, plans.HTTP, plans.TEL, plans.FOO)
    silent = [drive(plan, Try()) for plan in kinds]
    assert outcomes(judge, PLAIN, *silent) == ["satisfied"] * 4
    called = drive(plans.TEL, Try(), Try("sip:+9{token}@{callee};user=phone"))
    assert outcomes(judge, PLAIN, *silent[:2], called, silent[3])[2] == "satisfied"
    retried = drive(plans.TEL, Try(), Try())
    assert outcomes(judge, PLAIN, *silent[:2], retried, silent[3])[2] == "violated"
    bent = drive(plans.MAILTO, Try(), to("9", "nobody"))
    assert outcomes(judge, PLAIN, bent, *silent[1:])[0] == "violated"


def test_a_mixed_list():
    judge = without.test_unusable_contact_is_stepped_over
    assert outcomes(judge, PLAIN, drive(plans.MIXED, Try(), GOOD)) == ["satisfied"]
    assert outcomes(judge, PLAIN, drive(plans.MIXED, Try())) == ["violated"]
    assert outcomes(judge, IGNORED, drive(plans.MIXED, Try())) == ["unseen"]


def test_where_the_next_call_begins():
    judge = remembered.test_next_call_begins_at_the_original_uri
    second = Try(call=1, call_id="c2")
    assert outcomes(judge, drive(NEXT_CALL, Try(), GOOD, second, Try(MOVED, "target", call=1))) == ["satisfied"]
    assert outcomes(judge, drive(NEXT_CALL, Try(), GOOD, Try(MOVED, "target", call=1))) == ["violated"]
    assert outcomes(judge, drive(NEXT_CALL, Try(), GOOD)) == ["unseen"]
    assert outcomes(judge, drive(NEXT_CALL, Try(), second)) == ["unseen"]


def test_only_the_call_after_the_lifetime_counts():
    judge = remembered.test_contact_is_not_kept_beyond_its_lifetime
    cached = Try(MOVED, "target", call=1)
    assert outcomes(judge, drive(plans.EXPIRES_TEN, Try(), GOOD, cached, Try(call=2))) == ["satisfied"]
    late = Try(MOVED, "target", call=2)
    assert outcomes(judge, drive(plans.EXPIRES_TEN, Try(), GOOD, cached, late)) == ["violated"]


def test_a_target_that_declines():
    judge = decline.test_decline_of_a_target_ends_the_call
    assert outcomes(judge, drive(plans.THEN_DECLINE, Try(), GOOD)) == ["satisfied"]
    assert outcomes(judge, drive(plans.THEN_DECLINE, Try(), GOOD, to("8", "second"))) == ["violated"]
    assert outcomes(judge, drive(plans.THEN_DECLINE, Try())) == ["unseen"]


def test_a_device_that_does_not_follow():
    judge = not_following.test_redirection_is_a_failed_call
    other = drive(plans.ALTERNATIVE, Try())
    calls = drive(NEXT_CALL, Try(), Try(call=1, call_id="c2"))
    assert outcomes(judge, IGNORED, other, calls) == ["satisfied"] * 3
    assert outcomes(judge, drive(REDIRECT, Try(), Try()), other, calls)[0] == "violated"
    assert "unseen" in outcomes(judge, PLAIN, other, calls)
