"""Faults of what carries messages: transports, connections, TLS and WebSockets."""

from __future__ import annotations

from .fault import BRIDGE, FOLLOWING, FOLLOWS, PATH, Fault

_CROSSES = f"both_families and ({FOLLOWS})"

FAULTS: tuple[Fault, ...] = (
    # What carries it.
    Fault(
        "keeps_transport",
        "Calls a Contact with another ;transport= over that of the call so far.",
        FOLLOWING,
        FOLLOWS,
    ),
    Fault(
        "knows_small_transports",
        "Calls a Contact with ;transport= in capitals over that of the call so far.",
        FOLLOWING,
        FOLLOWS,
    ),
    Fault(
        "acks_over_old_transport",
        "Sends CANCEL and the ACK of a refusal by the transport of the INVITE that was redirected.",
        FOLLOWING,
        FOLLOWS,
    ),
    Fault(
        "falls_back_to_udp",
        "Calls a Contact over UDP whose TCP port is closed.",
        FOLLOWING,
        FOLLOWS,
    ),
    Fault(
        "via_of_old_transport",
        "Writes the old transport into the Via of a redirected INVITE over another one.",
        FOLLOWING,
        FOLLOWS,
    ),
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
    Fault(
        "no_length_over_streams",
        "Leaves Content-Length out of messages without a body, over TCP.",
        ("uac", "b2bua", "uas", "redirect", "proxy"),
        over="tcp",
    ),
    Fault(
        "repeats_invite_over_streams",
        "Sends every INVITE twice over TCP.",
        ("uac", "b2bua", "proxy"),
        over="tcp",
    ),
    Fault(
        "plain_via_over_tls",
        "Writes TCP into the Via of its requests over TLS.",
        ("uac", "b2bua", "proxy"),
        over="tls",
    ),
    Fault(
        "takes_any_certificate",
        "Calls a TLS server whatever certificate it shows.",
        claim="verifies_certificates",
        over="tls",
    ),
    Fault(
        "takes_expired_certificates",
        "Calls a TLS server whose certificate has expired.",
        claim="verifies_certificates",
        over="tls",
    ),
    Fault(
        "takes_any_name",
        "Calls a TLS server whose certificate names somebody else.",
        claim="verifies_certificates",
        over="tls",
    ),
    Fault(
        "trusts_names_of_dns",
        "Lets the certificate of a TLS server name the host of an SRV record.",
        claim="verifies_certificates and dns",
        over="tls",
    ),
    Fault(
        "knows_no_sip_domains",
        "Reads no sip: URI in the certificate of a TLS server.",
        claim="verifies_certificates and dns",
        over="tls",
    ),
    Fault(
        "falls_back_to_tcp",
        "Calls a TLS server over TCP when the handshake has failed.",
        claim="verifies_certificates",
        over="tls",
    ),
    Fault(
        "omits_subprotocol",
        "Opens and accepts WebSockets without the subprotocol sip.",
        ("uac", "b2bua", "uas", "redirect", "proxy"),
        over="ws",
    ),
    Fault(
        "plain_via_when_secure",
        "Writes WS into the Via of its requests over a secure WebSocket.",
        ("uac", "b2bua", "proxy"),
        over="wss",
    ),
    # From the transport of the caller to another one.
    Fault(
        "keeps_callers_transport",
        "Follows a Contact over the transport by which the caller came.",
        PATH,
        FOLLOWS,
        over="wss-to-udp",
    ),
    Fault(
        "contact_of_callers_side",
        "Names the address at which it is called in its INVITE to the target of a redirection.",
        BRIDGE,
        over="wss-to-udp",
    ),
    Fault(
        "contact_of_trunk_side",
        "Names the address of its own calls to a caller who came over another transport.",
        BRIDGE,
        over="wss-to-udp",
    ),
    Fault(
        "records_one_side",
        "Records the route of its caller's side alone where the transport changes.",
        ("proxy",),
        over="wss-to-udp",
    ),
    # From one IP family to the other.
    Fault("stays_in_family", "Passes over a Contact of the other IP family.", FOLLOWING, _CROSSES),
    Fault("old_host_across", "Calls a Contact of the other IP family at the old host, at its port.", claim=_CROSSES),
    Fault("loses_brackets_across", "Leaves out the brackets when it goes from IPv4 to IPv6.", claim=_CROSSES),
    Fault("via_of_old_family", "Keeps the address of its Via when the IP family changes.", FOLLOWING, _CROSSES),
    Fault("contact_of_old_family", "Keeps its Contact when the IP family changes.", claim=_CROSSES),
    Fault(
        "reinvites_from_old_family",
        "Names the Contact of the first IP family in a re-INVITE of a call that has changed it.",
        claim=_CROSSES,
    ),
    Fault("records_old_family", "Records its route where the IP family changes for one side.", ("proxy",), _CROSSES),
    Fault("records_without_brackets", "Writes its Record-Route without brackets.", ("proxy",), _CROSSES),
    Fault("sends_once_across", "Sends each INVITE to the other IP family once.", FOLLOWING, _CROSSES),
    Fault(
        "goes_on_after_603_across",
        "Calls the next Contact, or server, when one of the other IP family answers 603.",
        FOLLOWING,
        _CROSSES,
    ),
    Fault("mangles_ipv6", "Leaves the brackets of an IPv6 address out of the new Request-URI.", over="udp6"),
)
