"""What follows from a fault in plans that are about something else: which purposes see it besides those that name it.

As the whole table showed it.  A line that names a purpose here is no promise that the purpose sees the fault.
"""

from __future__ import annotations

CONSEQUENCES: dict[str, frozenset[str]] = {
    # Its re-INVITE comes to a redirector of the other family with the Via of its peer's.
    "byes_to_redirector": frozenset({"invariants/crossings/each_side_is_told_addresses_of_its_family"}),
    "old_host_across": frozenset({"invariants/crossings/each_side_is_told_addresses_of_its_family"}),
    "knows_small_transports": frozenset(
        {
            "invariants/crossings/recorded_route_leads_to_the_side_that_it_is_told",
        }
    ),
    "keeps_transport": frozenset(
        {
            "invariants/crossings/recorded_route_leads_to_the_side_that_it_is_told",
        }
    ),
    "next_server_after_603": frozenset(
        {
            "invariants/upstream/proxy_relays_a_6xx_as_one",
        }
    ),
    "goes_on_after_603_across": frozenset(
        {
            "invariants/after_6xx/no_call_again_after_any_6xx",
            "invariants/upstream/proxy_relays_a_6xx_as_one",
        }
    ),
    "acks_over_old_transport": frozenset(
        {
            "invariants/acks/every_ack_of_a_refusal_is_made_of_its_invite",
            "invariants/cancels/each_cancel_matches_an_invite",
            "invariants/messages/every_request_is_complete",
        }
    ),
    # Its ACK cannot go to a Contact of the other IP family by the socket of the INVITE.
    "ack_to_contact_host": frozenset(
        {"invariants/messages/every_request_is_complete", "invariants/acks/every_refusal_is_acknowledged"}
    ),
    "acks_200_to_redirector": frozenset(
        {
            "invariants/messages/every_request_is_complete",
        }
    ),
    "adds_second_reason": frozenset(
        {
            "proxy/cancel/reasons_are_of_different_protocols",
        }
    ),
    "answers_on_new_connection": frozenset(
        {
            "invariants/final_response/every_caller_gets_a_final_response",
        }
    ),
    "changes_6xx": frozenset(
        {
            "plus603/beside/rejected_keeps_its_card",
            "plus603/beside/unwanted_stays_unwanted",
            "plus603/forks/block_in_a_hunt_arrives",
            "plus603/forks/block_of_one_branch_wins",
            "plus603/forks/blocks_of_two_branches_are_not_mixed",
            "plus603/middle/any_kind_of_contact_arrives",
            "plus603/middle/blocked_call_is_reported_as_it_was",
            "plus603/middle/every_lawful_notation_arrives",
            "plus603/middle/every_copy_of_it_says_the_same",
            "plus603/middle/it_travels_over_further_hops",
            "plus603/middle/provisional_responses_before_it_change_nothing",
            "plus603/middle/reason_beside_it_stays",
            "plus603/middle/text_is_not_taken_apart",
        }
    ),
    "constant_from_tag": frozenset(
        {
            "invariants/messages/every_response_is_made_of_its_request",
        }
    ),
    "contact_of_callers_side": frozenset({"invariants/crossings/each_side_is_told_addresses_of_its_family"}),
    "copies_lose_hops": frozenset({"uac/redirect_to_another_family/invite_across_is_repeated_until_it_is_answered"}),
    "counts_characters": frozenset(
        {
            "invariants/messages/every_message_has_the_shape_of_one",
        }
    ),
    "drops_contact_parameters": frozenset(
        {
            "uac/redirect_to_another_transport/transport_of_the_contact_is_not_replaced_by_another",
            "invariants/messages/every_request_is_complete",
            "uac/redirect_to_another_transport/contact_names_the_transport",
        }
    ),
    "falls_back_to_tcp": frozenset(
        {
            # Of the 200 that came in clear: its Contact says TLS, where the certificate is still wrong.
            "invariants/dialogs/every_2xx_is_acknowledged",
        }
    ),
    # What it takes for a new call is one in every respect.
    "forgets_acknowledged_call": frozenset(
        {
            "invariants/account/every_message_has_a_cause",
            # A further ACK matches nothing any more, and is forwarded.
            "invariants/acks/ack_of_a_refusal_ends_at_the_proxy",
            "invariants/after_6xx/no_call_again_after_any_6xx",
            "invariants/after_6xx/no_new_branch_after_any_6xx",
            "invariants/answers/every_request_gets_one_final_response",
            "invariants/targets/each_target_of_a_proxy_is_tried_once",
        }
    ),
    "hides_603": frozenset(
        {
            "plus603/beside/rejected_keeps_its_card",
            "plus603/beside/unwanted_stays_unwanted",
            "plus603/middle/any_kind_of_contact_arrives",
            "plus603/middle/block_of_a_redirected_call_arrives",
            "plus603/middle/blocked_call_is_reported_as_it_was",
            "plus603/middle/every_lawful_notation_arrives",
            "plus603/middle/every_copy_of_it_says_the_same",
            "plus603/middle/it_travels_over_further_hops",
            "plus603/middle/provisional_responses_before_it_change_nothing",
            "plus603/middle/reason_beside_it_stays",
            "plus603/middle/text_is_not_taken_apart",
        }
    ),
    "ignores_302": frozenset(
        {
            "uac/redirect_to_another_transport/contact_names_the_transport",
        }
    ),
    "ignores_unknown_1xx": frozenset(
        {
            "invariants/requests_are_repeated/no_request_is_repeated_after_its_response",
        }
    ),
    # What it calls so cannot be reached.
    "keeps_callers_transport": frozenset(
        {
            "invariants/final_response/every_caller_gets_a_final_response",
            "invariants/messages/every_message_has_the_shape_of_one",
            "proxy/best_response/redirection_is_preferred_to_a_failure",
            "proxy/recursion/unreachable_contact_is_a_failed_branch",
            "proxy/recursion_ends/each_branch_that_has_moved_is_followed",
            "uac/redirect_to_a_name/domain_says_by_what_it_is_called",
            "uac/redirect_to_a_name_across/name_is_looked_up_in_both_families",
            "uac/redirect_to_a_name/name_leads_to_its_best_server",
            "uac/redirect_to_a_name/port_of_a_contact_ends_the_search_for_servers",
            "uac/redirect_to_another_transport/contact_names_the_transport",
        }
    ),
    "keeps_unwanted_call": frozenset(
        {
            "invariants/dialogs/our_requests_in_a_dialog_are_answered",
        }
    ),
    "keeps_old_host": frozenset(
        {
            "invariants/crossings/each_side_is_told_addresses_of_its_family",
            "invariants/messages/every_request_is_complete",
            "uac/redirect_to_another_transport/contact_names_the_transport",
        }
    ),
    "keeps_retransmitting": frozenset(
        {
            "transaction/calling/unknown_provisional_response_is_one",
        }
    ),
    "leaves_caller_ringing": frozenset(
        {
            "plus603/beside/rejected_keeps_its_card",
            "plus603/beside/unwanted_stays_unwanted",
            "plus603/middle/any_kind_of_contact_arrives",
            "plus603/middle/block_of_a_redirected_call_arrives",
            "plus603/middle/blocked_call_is_reported_as_it_was",
            "plus603/middle/every_lawful_notation_arrives",
            "plus603/middle/every_copy_of_it_says_the_same",
            "plus603/middle/it_travels_over_further_hops",
            "plus603/middle/provisional_responses_before_it_change_nothing",
            "plus603/middle/reason_beside_it_stays",
            "plus603/middle/text_is_not_taken_apart",
        }
    ),
    "mangles_ipv6": frozenset(
        {
            "uac/redirect_steps/user_of_the_contact_is_kept_as_it_is",
            "uac/redirect_steps/what_is_in_quotes_ends_no_contact",
        }
    ),
    "moves_dialog_on_302": frozenset(
        {
            "invariants/dialogs/requests_of_a_dialog_go_to_its_peer",
        }
    ),
    "needs_reason_phrase": frozenset(
        {
            "invariants/account/no_call_comes_when_its_drive_is_over",
            "uac/redirect_then_decline/decline_of_a_target_ends_the_call",
        }
    ),
    "never_recurses": frozenset({"proxy/recursion_ends/each_branch_that_has_moved_is_followed"}),
    "never_repeats_invite": frozenset(
        {"uac/redirect_to_another_family/invite_across_is_repeated_until_it_is_answered"}
    ),
    "no_ack": frozenset(
        {
            "transaction/calling/unknown_provisional_response_is_one",
            "uac/redirect_hung_up/redirection_that_crosses_the_cancel_is_not_followed",
        }
    ),
    "no_compact_contact": frozenset(
        {
            "invariants/upstream/relayed_redirection_of_a_proxy_leads_where_it_led",
        }
    ),
    "no_content_type": frozenset(
        {
            "invariants/messages/every_offer_of_a_call_is_answered",
        }
    ),
    "no_empty_line": frozenset(
        {
            "invariants/acks/every_refusal_is_acknowledged",
            "invariants/dialogs/every_2xx_is_acknowledged",
        }
    ),
    "odd_contact": frozenset(
        {
            "redirect/registered_contacts/redirection_lists_what_is_registered",
        }
    ),
    "old_address": frozenset(
        {
            "invariants/crossings/each_side_is_told_addresses_of_its_family",
            "invariants/messages/every_request_is_complete",
            "uac/redirect_to_another_transport/contact_names_the_transport",
        }
    ),
    "prefers_other_class": frozenset(
        {
            "plus603/forks/block_in_a_hunt_arrives",
            "plus603/forks/block_of_one_branch_wins",
            "plus603/forks/blocks_of_two_branches_are_not_mixed",
        }
    ),
    "redials_after_302": frozenset(
        {
            "uac/redirect_to_another_transport/contact_names_the_transport",
        }
    ),
    # A name leads it to the other family all the same, so it is known that it can call there.
    "stays_in_family": frozenset({"uac/redirect_to_another_family/next_contact_may_be_of_the_other_family"}),
    "redials_after_ringing": frozenset({"invariants/account/every_message_has_a_cause"}),
    "relays_and_follows": frozenset(
        {
            "plus603/middle/block_of_a_redirected_call_arrives",
        }
    ),
    "repeats_call_at_retry_after": frozenset(
        {
            "plus603/upstream/retry_after_is_no_invitation",
        }
    ),
    "repeats_reason": frozenset(
        {
            "plus603/blocking/reason_names_whom_to_ask",
        }
    ),
    "repeats_refusal_over_streams": frozenset(
        {
            "invariants/final_response/every_caller_gets_a_final_response",
        }
    ),
    "repeats_while_ringing": frozenset(
        {
            "transaction/calling/unknown_provisional_response_is_one",
        }
    ),
    "repeats_without_doubling": frozenset(
        {"uac/redirect_to_another_family/invite_across_is_repeated_until_it_is_answered"}
    ),
    "reuses_branch": frozenset(
        {
            "invariants/requests_are_repeated/every_invite_without_response_is_repeated",
            "invariants/messages/every_request_is_complete",
            "transaction/completed/answer_after_a_redirection_makes_no_second_call",
            "uac/redirect_to_another_transport/contact_names_the_transport",
        }
    ),
    # A copy of the 302 ends the transaction of its Contact, and the next one is called.
    "reuses_branch_on_recursion": frozenset(
        {
            "proxy/recursion/contacts_are_tried_in_the_order_of_q",
            "invariants/final_response/every_caller_gets_a_final_response",
            "invariants/requests_are_repeated/every_invite_without_response_is_repeated",
            "proxy/recursion_ends/decline_of_a_contact_stops_the_others_ringing",
        }
    ),
    "softens_6xx_after_ringing": frozenset(
        {
            "plus603/forks/block_of_one_branch_wins",
            "plus603/forks/blocks_of_two_branches_are_not_mixed",
            "plus603/middle/provisional_responses_before_it_change_nothing",
        }
    ),
    "sends_once_across": frozenset({"invariants/requests_are_repeated/every_invite_without_response_is_repeated"}),
    "swallows_302": frozenset(
        {
            "uac/redirect_to_a_name/domain_says_by_what_it_is_called",
            "uac/redirect_to_a_name_across/name_is_looked_up_in_both_families",
            "proxy/recursion/proxy_that_claims_to_recurse_calls_the_contact",
            "proxy/recursion_ends/each_branch_that_has_moved_is_followed",
            "uac/redirect_to_another_transport/contact_names_the_transport",
        }
    ),
    "swaps_transport": frozenset(
        {
            "uac/redirect_to_another_transport/transport_of_the_contact_is_not_replaced_by_another",
            "invariants/messages/every_request_is_complete",
            "uac/redirect_to_another_transport/contact_names_the_transport",
        }
    ),
    "via_of_old_transport": frozenset(
        {
            "invariants/messages/every_request_is_complete",
        }
    ),
}
