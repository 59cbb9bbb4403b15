"""Faults about calls that analytics blocked (603+)."""

from __future__ import annotations

from .fault import ANSWERING, BLOCKING, CLIENT, PATH, PROXY, UAS, Fault

FAULTS: tuple[Fault, ...] = (
    # A call that analytics blocked (603+): who blocks it.
    Fault("blocks_with_608", "Answers a call that analytics block 608 Rejected.", BLOCKING),
    Fault("blocks_with_decline", "Writes the phrase Decline into its 603+.", BLOCKING),
    Fault("blocks_without_contact", "Names no contact in its 603+.", BLOCKING),
    Fault("blocks_with_http", "Names only an http URL in its 603+.", BLOCKING),
    Fault("blocks_unquoted", "Writes the text of its 603+ without quotation marks.", BLOCKING),
    Fault("blocks_somewhere", "Writes the name of an operator into the location of its 603+.", BLOCKING),
    Fault("blocks_second_call_with_403", "Answers every other call that analytics block 403.", BLOCKING),
    Fault("blocks_after_ringing", "Sends 180 before its 603+.", BLOCKING),
    Fault(
        "blocks_everything",
        "Answers 603+ to everybody whom it does not know or who is declined.",
        (*ANSWERING, "proxy"),
    ),
    Fault("garbles_location_of_isup", "Writes an empty location where ISUP says cause 21, location user.", UAS),
    Fault("maps_cause_21_to_403", "Answers 403 where ISUP says cause 21, location user.", UAS),
    # A 603+ on its way.
    Fault("resets_603plus_phrase", "Passes a 603+ on with the phrase Decline.", PATH),
    Fault("strips_reason_of_603plus", "Passes a 603+ on without its Reason.", PATH),
    Fault("adds_second_reason", "Adds Q.850;cause=17 to a 603+ that it passes on.", PATH),
    Fault("maps_603plus_to_403", "Passes a 603+ on as 403.", PATH),
    Fault("maps_603plus_to_480", "Passes a 603+ on as 480.", PATH),
    Fault("maps_603plus_to_486", "Passes a 603+ on as 486, with its Reason.", PATH),
    Fault("cuts_reason_at_semicolon", "Cuts the Reason of a 603+ at the first semicolon of its text.", PATH),
    Fault("loses_603plus_after_180", "Passes a 603+ on as a plain 603 if the phone has rung.", PATH),
    Fault("forgets_603plus_in_copies", "Repeats a 603+ that has no ACK yet as a plain 603.", (*PATH, *ANSWERING)),
    Fault("remembers_reason_of_603plus", "Passes the 603 of a host on as the 603+ that came from it before.", PATH),
    Fault("makes_603plus", "Passes a plain 603 on as a 603+.", PATH),
    Fault("makes_plain_603", "Passes a 603+ on as a plain 603.", PATH),
    Fault("rewrites_redress", "Writes a host of its own into the contacts of a 603+.", PATH),
    Fault("decodes_percent", "Undoes the escapes (%2F) in the Reason of a 603+.", PATH),
    Fault("knows_reason_by_spelling", "Loses the Reason of a 603+ that is not spelled so: REASON.", PROXY),
    Fault("loses_location", "Leaves the location out of a 603+.", PATH),
    Fault("doubles_quotes", "Puts quotation marks around the text of a 603+ that has them.", PATH),
    Fault("lowers_reason", "Writes the Reason of a 603+ in small letters.", PATH),
    Fault("merges_reasons_of_branches", "Puts the Reasons of all branches into the answer of one.", PROXY),
    Fault("takes_607_for_603plus", "Passes a 607 or 608 on as a 603+.", PATH),
    Fault("tries_next_route_after_603plus", "Takes a 603+ for a failed route and tries the next.", (*CLIENT, "proxy")),
    # How it repeats that.
    Fault("final_not_repeated", "Does not repeat a refusal for which no ACK comes.", ANSWERING),
    Fault("final_repeated_for_ever", "Repeats a refusal without ACK for longer than 64*T1.", ANSWERING),
    Fault("final_repeated_after_ack", "Goes on repeating a refusal after its ACK.", ANSWERING),
    Fault("ignores_invite_copy", "Does not answer the copy of an INVITE that it has refused.", ANSWERING),
    Fault("forgets_acknowledged_call", "Takes a copy of an INVITE whose refusal was acknowledged for a call.", PATH),
    Fault("answers_ack", "Answers the second ACK of a refusal 481.", ANSWERING),
    Fault("late_cancel_ends_call", "Sends 487 when a CANCEL comes after its refusal.", ANSWERING),
    Fault("ignores_cancel", "Ends a cancelled call, and sends no response to the CANCEL.", ("uas", "b2bua", "proxy")),
    Fault("cancel_declined", "Answers a ringing INVITE 603 when it is cancelled.", UAS),
    Fault("merges_by_call_id", "Answers 482 to the next INVITE of a caller who keeps the Call-ID.", ANSWERING),
    Fault("remembers_calls", "Answers 482 to a call whose Call-ID, From tag and CSeq it has ever seen.", UAS),
)
