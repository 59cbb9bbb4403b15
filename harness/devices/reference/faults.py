"""The faults, as data. Each is done by the class of the same name in :mod:`.misbehaviour`, in one small place."""

from __future__ import annotations

from dataclasses import dataclass

_CLIENT = ("uac", "b2bua")
_BRIDGE = ("b2bua",)


@dataclass(frozen=True, slots=True)
class Fault:
    """A named misbehaviour: what it is called, the roles in which it shows, and what the device does wrong."""

    name: str
    sentence: str
    roles: tuple[str, ...] = _CLIENT


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
    Fault("redials_after_302", "Takes a 3xx for a failed call and dials the same URI again once."),
    Fault("reads_reason_phrase", "Knows only a 302 Moved Temporarily and a 603 Decline; redials after any other 603."),
    Fault("needs_reason_phrase", "Drops a response without a reason phrase; no ACK, and the INVITE goes on."),
    Fault("ignores_unknown_3xx", "Does not hear a 3xx that RFC 3261 does not define: no ACK, and the INVITE goes on."),
    Fault("swaps_transport", "Calls a Contact with an unknown or unsupported ;transport= by UDP."),
    Fault("calls_sips_in_clear", "Calls a sips: Contact as a sip: URI, without TLS."),
    Fault("retries_after_482", "Tries the same target once more after a 482 or 483."),
    Fault("repeats_after_415", "Repeats the INVITE unchanged to the same target after a 415 or 420."),
    # How the Contacts of a redirection are read.
    Fault("first_value_of_line", "Takes only the first value of each Contact line."),
    Fault("no_compact_contact", "Does not know the compact form m: of Contact in a response."),
    Fault("cuts_display_name", "Cuts a Contact at the first comma or bracket, even inside a quoted display name."),
    Fault("reads_q_as_integer", "Compares the digits of q behind the point as whole numbers: 0.10 is above 0.9."),
    Fault("chokes_on_bad_q", "Drops a 3xx in which a q cannot be read, without ACK."),
    Fault("chokes_on_expires", "Throws a Contact away whose expires cannot be read."),
    Fault("chokes_on_contact", "Drops a 3xx whose Contact is * or cannot be read, without ACK."),
    # The redirected INVITE.
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
    Fault("acts_on_second_final", "Acts on another final response that comes after the first."),
    Fault("accepts_second_final", "Takes a 2xx that comes after a 6xx for an answered call.", ("uac",)),
    Fault("acks_200_to_redirector", "Sends the ACK of the target's 200 to the address of the redirector."),
    Fault("bye_after_302", "Sends BYE in the early dialog when a ringing call is answered 3xx."),
    Fault("cancels_after_302", "Sends CANCEL for an INVITE that has just been answered 3xx."),
    # After a 603 or another 6xx.
    Fault("redials_at_once", "Calls the same URI again at once after a 6xx, under the same Call-ID."),
    Fault("redials_after_1s", "Calls the same URI again one second after a 6xx."),
    Fault("redials_at_33s", "Calls the same URI again 33 s after a 6xx, when the transaction is forgotten."),
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
    Fault("cancels_after_603", "Sends CANCEL for an INVITE that has just been answered 6xx."),
    Fault("cancels_after_final", "Sends CANCEL when the user hangs up a call that has been refused."),
    Fault("bye_after_603", "Sends BYE for a call that was answered 603."),
    Fault("dies_after_603", "Crashes 200 ms after it has acknowledged a 603."),
    # What the caller of a B2BUA is told.
    Fault("relays_and_follows", "Follows a 3xx, and passes it on to the caller as well.", _BRIDGE),
    Fault("redirects_to_itself", "Answers the caller 302 with its own address for Contact.", _BRIDGE),
    Fault("hides_603", "Tells the caller of a 6xx as 503.", _BRIDGE),
    Fault("leaves_caller_ringing", "Tells the caller nothing of a 6xx.", _BRIDGE),
)


def fault_named(name: str) -> Fault:
    """Return a fault; raises :class:`LookupError` that names the nearest where there is none of this name."""
    for fault in FAULTS:
        if fault.name == name:
            return fault
    import difflib

    near = difflib.get_close_matches(name, [fault.name for fault in FAULTS], n=1, cutoff=0)
    raise LookupError(f"no fault is called {name}; the nearest is {near[0]}")
