"""The faults, as data. Each is done by the class of the same name in :mod:`.misbehaviour`, in one small place."""

from __future__ import annotations

from dataclasses import dataclass

_CLIENT = ("uac", "b2bua")
_BRIDGE = ("b2bua",)
_PROXY = ("proxy",)
_REDIRECT = ("redirect",)
_UAS = ("uas",)
_ANSWERING = ("redirect", "uas")
_PATH = ("proxy", "b2bua")
_BLOCKING = ("uas", "redirect", "b2bua", "proxy")
_RECURSING = "proxy_recurses_3xx"
_FOLLOWING = ("uac", "b2bua", "proxy")
_FOLLOWS = "follows_redirects or proxy_recurses_3xx"


@dataclass(frozen=True, slots=True)
class Fault:
    """A named misbehaviour: what it is called, the roles in which it shows, and what the device does wrong."""

    name: str
    sentence: str
    roles: tuple[str, ...] = _CLIENT
    claim: str = ""
    """The PICS condition under which the fault shows in a device; empty: always."""
    over: str = ""
    """What it shows over, where UDP over IPv4 does not show it: a transport, with a 6 behind it if it needs IPv6."""


FAULTS: tuple[Fault, ...] = (
    # Whether a redirection is followed, and where to.
    Fault("ignores_302", "Takes a 3xx for a failure and calls none of its Contacts."),
    Fault("first_contact_only", "Calls the first Contact listed and forgets the others."),
    Fault("endless_loop", "Forgets which URIs it has tried: A redirecting to B and B to A keep it going for ever."),
    Fault("retries_equal_contact", "Calls a Contact that equals the Request-URI which has just been redirected."),
    Fault("retries_original", "Tries the original URI once more when every redirect target has failed."),
    Fault("retries_without_contact", "Tries the original URI once more when a 3xx has no Contact."),
    Fault("bends_foreign_scheme", "Makes a sip: URI of a mailto: or http: Contact and calls that."),
    Fault("remembers_contact", "Begins the next call to the same URI at the Contact of an earlier 3xx."),
    Fault("keeps_contact_for_ever", "Keeps a Contact that says how long it may be kept, and keeps it for ever."),
    Fault("redials_after_302", "Takes a 3xx for a failed call and dials the same URI again once."),
    Fault("reads_reason_phrase", "Knows only a 302 Moved Temporarily and a 603 Decline; redials after any other 603."),
    Fault("needs_reason_phrase", "Drops a response without a reason phrase; no ACK, and the INVITE goes on."),
    Fault("ignores_unknown_3xx", "Does not hear a 3xx that RFC 3261 does not define: no ACK, and the INVITE goes on."),
    Fault("follows_302_only", "Takes a 3xx other than 302 for a failure."),
    Fault("ignores_3xx_after_media", "Takes a 3xx that follows a 183 for the end of the call."),
    Fault("skips_same_place", "Calls no Contact at the host and port that was dialled."),
    Fault("goes_on_after_hangup", "Calls the next Contact of a call that its user has hung up."),
    Fault("swaps_transport", "Calls a Contact with an unknown or unsupported ;transport= by UDP."),
    Fault("calls_sips_in_clear", "Calls a sips: Contact as a sip: URI, without TLS."),
    Fault("retries_after_482", "Tries the same target once more after a 482 or 483."),
    Fault("retries_after_503", "Tries the same redirect target once more after a 503."),
    Fault("repeats_after_415", "Repeats the INVITE unchanged to the same target after a 415 or 420."),
    # How the Contacts of a redirection are read.
    Fault("first_value_of_line", "Takes only the first value of each Contact line.", _FOLLOWING, _FOLLOWS),
    Fault("no_compact_contact", "Does not know the compact form m: of Contact in a response.", _FOLLOWING, _FOLLOWS),
    Fault("cuts_display_name", "Cuts a Contact at the first comma or bracket, even inside a quoted display name."),
    Fault(
        "reads_q_as_integer",
        "Compares the digits of q behind the point as whole numbers: 0.10 is above 0.9.",
        _FOLLOWING,
        _FOLLOWS,
    ),
    Fault("chokes_on_bad_q", "Drops a 3xx in which a q cannot be read, without ACK.", _FOLLOWING, _FOLLOWS),
    Fault("chokes_on_expires", "Throws a Contact away whose expires cannot be read.", _FOLLOWING, _FOLLOWS),
    Fault("chokes_on_contact", "Drops a 3xx whose Contact is * or cannot be read, without ACK."),
    Fault(
        "takes_apostrophe_for_quote",
        "Reads an apostrophe in a Contact as the beginning of a quotation.",
        _FOLLOWING,
        _FOLLOWS,
    ),
    Fault(
        "needs_brackets_for_quotes",
        "Passes over a Contact without brackets that has a quoted parameter.",
        _FOLLOWING,
        _FOLLOWS,
    ),
    Fault("needs_brackets_in_lists", "Reads only the first of several Contacts in a line that has no brackets."),
    Fault("needs_user", "Passes over a Contact without user."),
    # What carries it.
    Fault("keeps_transport", "Calls a Contact with another ;transport= over that of the call so far."),
    Fault("via_of_old_transport", "Writes the old transport into the Via of a redirected INVITE over another one."),
    Fault(
        "repeats_refusal_over_streams",
        "Repeats a refusal over TCP until its ACK comes.",
        ("b2bua", "uas", "redirect"),
        over="tcp",
    ),
    Fault(
        "answers_on_new_connection",
        "Sends responses on a connection of their own, not on that of the request.",
        ("b2bua", "uas", "redirect"),
        over="tcp",
    ),
    Fault("mangles_ipv6", "Leaves the brackets of an IPv6 address out of the new Request-URI.", over="udp6"),
    # Where the server of a name is.
    Fault("reverses_srv_priorities", "Begins with the SRV record of the highest priority.", _CLIENT, "dns"),
    Fault("ignores_srv_port", "Calls the host of an SRV record at port 5060.", _CLIENT, "dns"),
    Fault("ignores_srv", "Asks for the address of a name, and for no SRV record.", _CLIENT, "dns"),
    Fault("ignores_naptr", "Asks for the SRV records of UDP, and for no NAPTR record.", _CLIENT, "dns"),
    Fault("asks_srv_despite_port", "Goes by SRV records where the URI has a port.", _CLIENT, "dns"),
    Fault(
        "next_server_after_603", "Takes a 603 for a failed server and tries the next one of the name.", _CLIENT, "dns"
    ),
    Fault("stays_with_dead_server", "Knows one server of a name, whatever becomes of it.", _CLIENT, "dns"),
    Fault("unknown_name_to_old_server", "Sends an INVITE whose host does not exist to the redirector.", _CLIENT, "dns"),
    Fault("looks_up_addresses", "Asks the name server about a numeric host.", _CLIENT, "dns"),
    Fault("looks_up_again", "Sends ACK and CANCEL to the next server of the name.", _CLIENT, "dns"),
    # The redirected INVITE.
    Fault("decodes_user", "Writes the user of a Contact with its escapes undone."),
    Fault("cuts_user_at_semicolon", "Cuts the user of a Contact at its first semicolon."),
    Fault("old_address", "Puts the Contact into the Request-URI, but sends the INVITE to the old address."),
    Fault("keeps_old_host", "Takes only the user part of the Contact; host, port and destination stay the old ones."),
    Fault("drops_contact_parameters", "Leaves the URI parameters of the Contact out of the Request-URI."),
    Fault("keeps_uri_headers", "Leaves ?headers and ;method of the Contact in the Request-URI."),
    Fault("reads_q_into_uri", "Appends header parameters of the Contact (q, expires) to the Request-URI."),
    Fault("folds_user_case", "Writes the user part of the Contact in lower case."),
    Fault("reuses_branch", "Sends the redirected INVITE with the branch of the one before."),
    Fault("keeps_cseq", "Does not raise CSeq in the redirected INVITE."),
    Fault("keeps_to_tag", "Keeps the To tag of the 3xx in the redirected INVITE."),
    Fault("changes_from", "Changes URI and tag of From under the same Call-ID."),
    Fault("drops_body", "Sends the redirected INVITE without its session description."),
    Fault("no_max_forwards", "Sends the redirected INVITE without Max-Forwards."),
    Fault("loses_headers", "Sends the redirected INVITE without Supported and Allow."),
    Fault("drops_contact_header", "Sends the redirected INVITE without Contact."),
    Fault("routes_by_record_route", "Makes a Route of the Record-Route of a 3xx."),
    Fault("routes_by_lr", "Makes a Route of a Contact with ;lr and keeps the old Request-URI."),
    Fault("honours_every_uri_header", "Lets every ?header of the Contact replace the INVITE's own: From, Via, Route."),
    Fault("appends_uri_headers", "Appends harmless ?headers (Subject, Call-Info) to the INVITE with escapes left in."),
    # Final responses, their copies and their ACKs.
    Fault("follows_every_copy", "Follows each copy of a 3xx again."),
    Fault("ignores_copies", "Does not acknowledge copies of a final response."),
    Fault("no_ack", "Acknowledges no final response other than 2xx."),
    Fault("ack_new_branch", "Acknowledges a non-2xx with a branch of its own."),
    Fault("ack_contact_request_uri", "Writes the Contact of a 3xx into the Request-URI of its ACK."),
    Fault("ack_to_contact_host", "Sends the right ACK of a 3xx to the host of its Contact."),
    Fault("ack_wrong_to_tag", "Acknowledges a non-2xx without the To tag of the response."),
    Fault("ack_wrong_cseq", "Acknowledges a non-2xx with the next CSeq number."),
    Fault("ack_with_body", "Sends a session description in the ACK of a non-2xx."),
    Fault("keeps_retransmitting", "Goes on sending copies of the INVITE 0.5, 1.5 and 3.5 s after its final response."),
    Fault("acks_only_first_branch", "Acknowledges only what the first branch of a call was answered.", _PROXY),
    Fault("no_ack_of_487", "Sends no ACK for the 487 of an INVITE that it has cancelled.", ("b2bua", "proxy")),
    Fault("ack_without_max_forwards", "Sends the ACK of a non-2xx without Max-Forwards."),
    # How requests are repeated.
    Fault("never_repeats_invite", "Sends each INVITE once, however long nobody answers."),
    Fault("repeats_without_doubling", "Sends an INVITE without answer again every half second.", ("uac", "proxy")),
    Fault("copies_lose_hops", "Lowers Max-Forwards in each copy of a request."),
    Fault("repeats_while_ringing", "Goes on sending copies of an INVITE that rings."),
    Fault("sends_requests_once", "Sends each request other than INVITE once.", _PROXY),
    # The form of messages.
    Fault("no_empty_line", "Ends a message that has no body with its last header.", ("uac", "uas", "proxy")),
    Fault("nameless_header", "Writes a header line without a name into its messages.", ("uac", "uas")),
    Fault("loses_call_id", "Sends its responses without Call-ID.", _REDIRECT),
    Fault("two_max_forwards", "Adds a Max-Forwards to requests that have one.", ("uac", "proxy")),
    Fault("doubles_from_tag", "Appends a second tag to the From of its calls.", ("uac",)),
    Fault("cancels_with_two_vias", "Writes the Via of another element into its CANCEL.", ("proxy",)),
    Fault("empty_from", "Leaves the URI of the From out of the redirected INVITE."),
    Fault("swaps_uri_headers", "Takes name and value of ?name=value in a Contact the wrong way round."),
    Fault("counts_characters", "Counts a line end as one byte in the Content-Length."),
    Fault("no_content_type", "Sends its session description without Content-Type.", ("uac",)),
    Fault("garbles_sdp", "Leaves the address out of o= and c= in its session description.", ("uac",)),
    Fault("answers_without_session", "Sends its 200 to an INVITE without the answer to the offer.", _BRIDGE),
    Fault("forgets_allowed_methods", "Leaves ACK and CANCEL out of its Allow.", ("uac",)),
    Fault("refuses_media_by_silence", "Leaves out of its answer every medium of the offer.", _BRIDGE),
    Fault("constant_from_tag", "Calls with one From tag as long as it runs.", ("uac",)),
    Fault("acts_on_second_final", "Acts on another final response that comes after the first."),
    Fault("no_ack_of_redirected_200", "Does not acknowledge the 200 of a call that was redirected."),
    Fault("acks_200_once", "Acknowledges the first copy of a 2xx only."),
    Fault("forgets_refusal_after_2s", "Has forgotten an INVITE two seconds after its refusal: a copy gets no ACK."),
    Fault("accepts_200_after_302", "Takes a 2xx that comes after a 3xx for an answered call.", ("uac",)),
    Fault("ignores_unknown_1xx", "Does not hear a 1xx that it does not know: the INVITE goes on."),
    Fault("reads_what_is_cut_short", "Reads a datagram that ends before its body does.", ("uac", "b2bua", "proxy")),
    Fault("accepts_second_final", "Takes a 2xx that comes after a 6xx for an answered call.", ("uac",)),
    Fault("acks_200_to_redirector", "Sends the ACK of the target's 200 to the address of the redirector."),
    Fault("bye_after_302", "Sends BYE in the early dialog when a ringing call is answered 3xx."),
    Fault("cancels_after_302", "Sends CANCEL for an INVITE that has just been answered 3xx."),
    # After a 603 or another 6xx.
    Fault("redials_at_once", "Calls the same URI again at once after a 6xx, under the same Call-ID."),
    Fault("redials_after_1s", "Calls the same URI again one second after a 6xx."),
    Fault("redials_after_ringing", "Calls the same URI again one second after a 6xx, if the phone has rung."),
    Fault("redials_after_8s", "Calls the same URI again eight seconds after a 6xx, when a quick window is over."),
    Fault("redials_at_33s", "Calls the same URI again 33 s after a 6xx, when the transaction is forgotten."),
    Fault("redials_other_number", "Calls another number at the same server two seconds after a 6xx."),
    Fault("redials_before_retry_after", "Calls again after a third of the Retry-After of a 6xx."),
    Fault("redials_at_retry_after", "Calls again by itself as soon as the Retry-After of a 6xx has passed."),
    Fault("repeats_call_at_retry_after", "Calls again with the old Call-ID and CSeq when Retry-After has passed."),
    Fault("chokes_on_retry_after", "Drops a response whose Retry-After is more than a number, or none."),
    Fault("follows_485", "Calls the candidates that a 485 lists."),
    Fault("redials_other_port", "Calls the same URI again at once after a 6xx, from another local port."),
    Fault("tries_backup_after_603", "Sends the INVITE that was answered 603 to the backup server."),
    Fault("follows_contact_in_603", "Calls the Contact of a 603."),
    Fault("second_contact_after_603", "Calls the next Contact of a 3xx after the one before has answered 603."),
    Fault("unknown_6xx_as_4xx", "Takes a 6xx it does not know for a 4xx: calls the next Contact, then the original."),
    Fault("ends_call_on_refused_reinvite", "Sends BYE when a re-INVITE is refused."),
    Fault("repeats_refused_reinvite", "Sends a refused re-INVITE again one second later."),
    Fault("repeats_cseq_in_dialog", "Sends a request in a dialog with the CSeq number of the one before."),
    Fault("moves_dialog_on_302", "Takes the Contact of a 302 to a re-INVITE for where its peer is."),
    Fault("calls_contact_of_reinvite", "Places a new call to the Contact of a 302 to a re-INVITE."),
    Fault("answers_bye_500", "Answers the BYE 500 after a re-INVITE of its own was refused."),
    Fault("cancels_after_603", "Sends CANCEL for an INVITE that has just been answered 6xx."),
    Fault("cancels_after_final", "Sends CANCEL when the user hangs up a call that has been refused."),
    Fault("bye_after_603", "Sends BYE for a call that was answered 603."),
    Fault("message_after_603", "Sends the user who answered a call 603 a MESSAGE that nobody has written."),
    Fault("dies_after_603", "Crashes 200 ms after it has acknowledged a 603."),
    # Responses that are odd, broken or hostile.
    Fault("takes_foreign_via", "Takes a response with the sent-by of another host in its Via.", _CLIENT),
    Fault("takes_foreign_branch", "Takes a 3xx of its Call-ID for its own, whatever its branch."),
    Fault("takes_final_after_200", "Follows a 3xx that comes after the 200 of the same INVITE."),
    Fault("reads_no_folds", "Leaves out of a response what stands on a continuation line."),
    Fault("needs_content_length", "Drops a response without Content-Length."),
    Fault("reads_4_kb", "Reads 4,000 bytes of a datagram, and drops a longer one."),
    Fault("takes_second_via", "Takes a response with a second Via."),
    Fault("dies_without_call_id", "Crashes when a response has no Call-ID."),
    Fault("dies_of_long_user", "Crashes when the user of a URI has 2,000 bytes."),
    Fault("dies_of_many_contacts", "Crashes when a 3xx has more than 500 Contacts."),
    Fault("dies_of_deep_chain", "Crashes in the 40th redirection of a call."),
    Fault("hangs_on_star", "Hangs when a Contact is *."),
    Fault("amplifies", "Calls each Contact of a 3xx three times."),
    Fault("calls_wrong_port", "Cuts the port of a Contact to 16 bits and calls that."),
    Fault("injects_uri_headers", "Writes the ?headers of a Contact into the INVITE with line breaks and all."),
    Fault("sends_credentials_to_stranger", "Takes the credentials for one server along to whom it redirects to."),
    # What the caller of a B2BUA is told.
    Fault("relays_and_follows", "Follows a 3xx, and passes it on to the caller as well.", _BRIDGE),
    Fault("redirects_to_itself", "Answers the caller 302 with its own address for Contact.", _BRIDGE),
    Fault("hides_603", "Tells the caller of a 6xx as 503.", _BRIDGE),
    Fault("hangs_on_dead_302", "Tells the caller nothing of a 3xx that leads nowhere.", _BRIDGE),
    Fault("loses_200", "Does not answer its caller when the target of a redirection has answered.", _BRIDGE),
    Fault("ends_one_leg", "Leaves the caller's leg up when the callee says BYE.", _BRIDGE),
    Fault("byes_to_redirector", "Sends the BYE of a redirected call to the address of the redirector."),
    Fault("leaves_caller_ringing", "Tells the caller nothing of a 6xx.", _BRIDGE),
    # How long a proxy searches, and what becomes of its branches.
    Fault("new_branch_after_6xx", "Tries the next registered target after a 6xx.", _PROXY),
    Fault("leaves_branches_ringing", "Does not cancel the other branches after a 6xx.", _PROXY),
    Fault("no_cancel_after_final", "Passes a 2xx on and lets the other branches ring.", _PROXY),
    Fault("sends_603_early", "Passes a 6xx on at once, while other branches are still pending.", _PROXY),
    Fault("holds_2xx", "Does not pass a 2xx on when it has a 6xx; the 6xx goes upstream.", _PROXY),
    Fault("prefers_other_class", "Chooses the highest class below 6xx for its answer.", _PROXY),
    Fault("cancels_after_4xx", "Cancels the other branches after a 4xx or 5xx, too.", _PROXY),
    Fault("cancels_with_new_branch", "Sends CANCEL with a branch of its own.", ("proxy", "b2bua")),
    Fault("cancels_before_provisional", "Sends CANCEL on a branch that has not answered anything.", _PROXY),
    Fault("never_gives_up", "Waits for ever for the final response of a cancelled branch.", _PROXY),
    Fault("changes_reason", "Leaves the cause out of the Reason that it copies into its CANCELs.", _PROXY),
    Fault("repeats_reason", "Writes two SIP causes into the Reason of its CANCELs and refusals.", ("proxy", "uas")),
    # What a proxy passes on.
    Fault("forwards_at_zero_hops", "Forwards a request that came with Max-Forwards 0.", _PROXY),
    Fault("recurses_for_others", "Follows a 3xx for a Request-URI that is not in its own domain.", _PROXY),
    Fault("changes_6xx", "Passes a 6xx on as 480.", _PROXY),
    Fault("softens_6xx_after_ringing", "Passes a 6xx on as 480 when the phone has rung.", _PROXY),
    Fault("drops_ack_of_200", "Does not forward the ACK of a 200.", _PROXY),
    Fault("relays_302_without_contact", "Leaves the Contacts out of a 3xx that it passes on.", _PROXY),
    Fault("rewrites_302", "Writes its own address into the Contacts of a 3xx that it passes on.", _PROXY),
    Fault("strips_302", "Leaves Expires, Diversion and what it does not know out of a 3xx that it passes on.", _PROXY),
    Fault("loses_retry_after", "Leaves Retry-After out of what it passes on.", _PROXY),
    Fault("second_final_upstream", "Sends another final response after the first refusal.", _PROXY),
    Fault("sends_408_to_message", "Answers 408 to a request other than INVITE.", _PROXY, _RECURSING),
    Fault("relays_100", "Passes a 100 on to the caller.", _PROXY),
    Fault("swallows_18x", "Passes no provisional response on when one branch has ended.", _PROXY),
    Fault("relays_stray", "Passes a response on that belongs to no transaction.", _PROXY),
    # A proxy that follows redirections itself.
    Fault("tries_same_target_again", "Tries a Contact as often as it is listed, for ever.", _PROXY, _RECURSING),
    Fault("tries_same_target_twice", "Tries a Contact that was tried before once more.", _PROXY, _RECURSING),
    Fault("leaves_tried_contacts", "Leaves the Contacts that it has tried in the 3xx.", _PROXY, _RECURSING),
    Fault("emptied_302_upstream", "Passes a 3xx on from which it has taken every Contact.", _PROXY, _RECURSING),
    Fault("never_recurses", "Passes every 3xx on and calls none of its Contacts.", _PROXY, _RECURSING),
    Fault("recursion_ends_after_603_only", "Tries the next Contact after any 6xx but 603.", _PROXY, _RECURSING),
    Fault("swallows_302", "Neither follows a 3xx with Contacts nor passes it on.", _PROXY, _RECURSING),
    Fault("swallows_302_without_contact", "Does not pass a 3xx without Contact on.", _PROXY, _RECURSING),
    Fault("tries_contacts_after_603", "Tries the next Contact of a 3xx after a 6xx.", _PROXY, _RECURSING),
    Fault("recurses_after_cancel", "Tries the next Contact of a 3xx after the caller's CANCEL.", _PROXY, _RECURSING),
    Fault("reuses_branch_on_recursion", "Calls a Contact with the branch of the one before.", _PROXY, _RECURSING),
    Fault("recursion_changes_from", "Calls a Contact with a From of its own.", _PROXY, _RECURSING),
    Fault("recursion_keeps_uri_headers", "Leaves ?headers and ;method in the Request-URI.", _PROXY, _RECURSING),
    Fault(
        "recursion_ignores_q",
        "Tries the Contacts of a 3xx in the order of the header, whatever their q.",
        _PROXY,
        _RECURSING,
    ),
    Fault("keeps_max_forwards", "Calls a Contact with Max-Forwards as received.", _PROXY, _RECURSING),
    Fault("unreachable_contact_ends_search", "Gives up when a Contact cannot be reached.", _PROXY, _RECURSING),
    Fault("parallel_recursion_leaves_ringing", "Cancels no Contact after the 6xx of another.", _PROXY, _RECURSING),
    # What a redirect server or a UAS answers.
    Fault("redirects_to_request_uri", "Redirects a call to its own Request-URI.", _ANSWERING),
    Fault("contactless_302", "Sends its 302 without Contact.", _ANSWERING),
    Fault("odd_contact", "Writes a Contact twice: with method and lr, and with no brackets around it.", _ANSWERING),
    Fault("adds_own_contact", "Adds its own address to the Contacts of a redirection.", _REDIRECT),
    Fault("offers_own_contact", "Writes its own address in the place of each Contact.", _REDIRECT),
    Fault("offers_first_binding", "Lists only the first of several bindings.", _REDIRECT),
    Fault("sends_305", "Redirects with 305 instead of 302.", _REDIRECT),
    Fault("redirect_also_forwards", "Redirects a call and calls the Contacts as well.", _REDIRECT),
    Fault("answers_message_481", "Answers a MESSAGE outside of a dialog 481.", _UAS),
    Fault("stumbles_over_require", "Answers 420 where a request requires something.", _REDIRECT),
    Fault("empty_302_for_unknown", "Answers 302 without Contact for an unknown user.", ("redirect", "proxy")),
    Fault("provisional_to_message", "Sends 183 before it answers a MESSAGE.", _ANSWERING),
    Fault("no_to_tag", "Sends its refusals and redirections without a To tag.", _ANSWERING),
    Fault("other_to_tag", "Gives a refusal or redirection another To tag than the 180 before it.", _UAS),
    Fault("changes_via", "Loses the second Via of a request in its refusals and redirections.", _ANSWERING),
    Fault("changes_cseq_from", "Writes another From into its refusals and redirections.", _ANSWERING),
    Fault("answers_without_contact", "Sends its 200 to an INVITE without Contact.", _BRIDGE),
    Fault("constant_to_tag", "Gives every answer one To tag.", _REDIRECT),
    Fault("bare_answer_to_cancel", "Answers a CANCEL without a To tag.", ("uas", "proxy")),
    Fault("rport_without_received", "Fills in rport, but adds no received.", ("uas", "redirect", "proxy", "b2bua")),
    Fault("received_is_own_address", "Writes its own address into received.", ("uas", "redirect", "proxy", "b2bua")),
    Fault("answers_contact_too", "Sends its redirection to the address of its Contact as well.", _REDIRECT),
    Fault("sends_no_100", "Sends no 100 while it waits for the other side.", ("proxy", "b2bua")),
    # A call that analytics blocked (603+): who blocks it.
    Fault("blocks_with_608", "Answers a call that analytics block 608 Rejected.", _BLOCKING),
    Fault("blocks_with_decline", "Writes the phrase Decline into its 603+.", _BLOCKING),
    Fault("blocks_without_contact", "Names no contact in its 603+.", _BLOCKING),
    Fault("blocks_with_http", "Names only an http URL in its 603+.", _BLOCKING),
    Fault("blocks_unquoted", "Writes the text of its 603+ without quotation marks.", _BLOCKING),
    Fault("blocks_somewhere", "Writes the name of an operator into the location of its 603+.", _BLOCKING),
    Fault("blocks_after_ringing", "Sends 180 before its 603+.", _BLOCKING),
    Fault(
        "blocks_everything",
        "Answers 603+ to everybody whom it does not know or who is declined.",
        (*_ANSWERING, "proxy"),
    ),
    Fault("maps_cause_21_to_403", "Answers 403 where ISUP says cause 21, location user.", _UAS),
    # A 603+ on its way.
    Fault("resets_603plus_phrase", "Passes a 603+ on with the phrase Decline.", _PATH),
    Fault("strips_reason_of_603plus", "Passes a 603+ on without its Reason.", _PATH),
    Fault("adds_second_reason", "Adds Q.850;cause=17 to a 603+ that it passes on.", _PATH),
    Fault("maps_603plus_to_403", "Passes a 603+ on as 403.", _PATH),
    Fault("maps_603plus_to_480", "Passes a 603+ on as 480.", _PATH),
    Fault("maps_603plus_to_486", "Passes a 603+ on as 486, with its Reason.", _PATH),
    Fault("cuts_reason_at_semicolon", "Cuts the Reason of a 603+ at the first semicolon of its text.", _PATH),
    Fault("loses_603plus_after_180", "Passes a 603+ on as a plain 603 if the phone has rung.", _PATH),
    Fault("makes_603plus", "Passes a plain 603 on as a 603+.", _PATH),
    Fault("makes_plain_603", "Passes a 603+ on as a plain 603.", _PATH),
    Fault("rewrites_redress", "Writes a host of its own into the contacts of a 603+.", _PATH),
    Fault("loses_location", "Leaves the location out of a 603+.", _PATH),
    Fault("doubles_quotes", "Puts quotation marks around the text of a 603+ that has them.", _PATH),
    Fault("lowers_reason", "Writes the Reason of a 603+ in small letters.", _PATH),
    Fault("takes_607_for_603plus", "Passes a 607 or 608 on as a 603+.", _PATH),
    Fault("tries_next_route_after_603plus", "Takes a 603+ for a failed route and tries the next.", (*_CLIENT, "proxy")),
    # How it repeats that.
    Fault("final_not_repeated", "Does not repeat a refusal for which no ACK comes.", _ANSWERING),
    Fault("final_repeated_for_ever", "Repeats a refusal without ACK for longer than 64*T1.", _ANSWERING),
    Fault("final_repeated_after_ack", "Goes on repeating a refusal after its ACK.", _ANSWERING),
    Fault("ignores_invite_copy", "Does not answer the copy of an INVITE that it has refused.", _ANSWERING),
    Fault("answers_ack", "Answers the second ACK of a refusal 481.", _ANSWERING),
    Fault("late_cancel_ends_call", "Sends 487 when a CANCEL comes after its refusal.", _ANSWERING),
    Fault("ignores_cancel", "Ends a cancelled call, and sends no response to the CANCEL.", ("uas", "b2bua", "proxy")),
    Fault("cancel_declined", "Answers a ringing INVITE 603 when it is cancelled.", _UAS),
    Fault("remembers_calls", "Answers 482 to a call whose Call-ID, From tag and CSeq it has ever seen.", _UAS),
)


def fault_named(name: str) -> Fault:
    """Return a fault; raises :class:`LookupError` that names the nearest where there is none of this name."""
    for fault in FAULTS:
        if fault.name == name:
            return fault
    import difflib

    near = difflib.get_close_matches(name, [fault.name for fault in FAULTS], n=1, cutoff=0)
    raise LookupError(f"no fault is called {name}; the nearest is {near[0]}")
