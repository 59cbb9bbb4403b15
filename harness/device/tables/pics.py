"""The features that a device can claim (PICS): the keys of the catalogue's conditions, in the words of a manual.

The one source of ``sipverdict list pics``, docs/pics.md, the JSON Schema and the profile that ``init`` writes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Claim:
    """One PICS key."""

    key: str
    topic: str
    """Its heading in the list."""
    sentence: str
    """What a device that claims it does; its subject is the device."""
    find_out: str
    """How a manual, a menu or a test call shows it."""


def _claims(topic: str, *rows: tuple[str, str, str]) -> list[Claim]:
    return [Claim(key, topic, sentence, find_out) for key, sentence, find_out in rows]


_ALL: Final = [
    *_claims(
        "Redirection, as a caller",
        (
            "follows_redirects",
            "calls a Contact of a 3xx response",
            "Have it call a number that is forwarded by 302 and look whether the new target rings. Phones mostly do. "
            "Asterisk: redirect_method of the endpoint; FreeSWITCH: manual-redirect; Oracle SBC: redirect-action "
            "(recurse); AudioCodes SBC: Remote 3xx Mode (Handle Locally); Cisco CUBE: redirection.",
        ),
        (
            "multi_contact",
            "tries further Contacts of a 3xx after the first one failed",
            "Seldom in a menu; manuals speak of contact hunting or a serial search. Answer one call with two Contacts, "
            "let the first answer 486, and see whether the second one rings.",
        ),
        (
            "uri_headers",
            "turns ?headers of a Contact URI into header fields",
            "Not in menus. Redirect to <sip:x@host?Subject=hello>: claim it if the next INVITE has a Subject.",
        ),
        (
            "caches_302",
            "remembers a redirection for as long as the response's expires says",
            "Rare. Redirect with ;expires=600 and call the same number again: claim it if the second call goes to the "
            "Contact at once.",
        ),
        (
            "b2bua_follows",
            "a B2BUA that follows a redirection itself instead of relaying it",
            "SBC manuals call it local handling, recursion or termination of 3xx: Oracle redirect-action, AudioCodes "
            "Remote 3xx Mode, CUBE redirection. Claim follows_redirects with it.",
        ),
        (
            "forwards_tel",
            "handles tel: URIs in a Contact",
            "Gateways and proxies with number routing: look for tel URI, E.164 or ENUM routing of redirect targets.",
        ),
    ),
    *_claims(
        "Redirection, as a server",
        (
            "call_forwarding",
            "forwards calls by sending a 302 itself",
            "Yealink, Snom, Polycom and Grandstream: Call Forward (always, busy, no answer) while the server does "
            "not do it by a feature code. A forwarded phone that answers 302 claims it.",
        ),
        (
            "redirect_server",
            "answers requests with 3xx as a redirect server",
            "Number portability, least-cost-routing and LRN servers; a proxy that is configured to reply 302 instead "
            'of relaying (Kamailio, OpenSIPS: sl_send_reply("302", ...)).',
        ),
        (
            "redirecting_registrar",
            "a registrar that answers REGISTER with 3xx",
            "Geographically redundant registrars and provisioning redirectors: look for registration redirect.",
        ),
    ),
    *_claims(
        "Proxies",
        (
            "stateful_proxy",
            "a proxy that keeps transactions",
            "Kamailio, OpenSIPS: t_relay() (module tm). Nearly every proxy that forks, retries or does accounting.",
        ),
        (
            "stateless_proxy",
            "a proxy that keeps no transactions",
            "Kamailio, OpenSIPS: forward(); load balancers in front of a cluster. Excludes stateful_proxy: make two "
            "variants of a product that can be both.",
        ),
        (
            "stateless_server",
            "answers without keeping server transactions (RFC 3261 8.2.7)",
            "Kamailio, OpenSIPS: sl_send_reply() without t_newtran(). Such a server repeats no refusal by itself.",
        ),
        (
            "forking_proxy",
            "a proxy that tries several targets in parallel",
            "Two phones registered for one user ring together. Manuals: parallel forking, simultaneous ringing, hunt "
            "group at the proxy.",
        ),
        (
            "proxy_recurses_3xx",
            "a proxy that follows a 3xx itself",
            "Kamailio, OpenSIPS: get_redirects() of uac_redirect. Manuals: recursion on redirect. The caller then "
            "never sees the 302.",
        ),
        (
            "relays_foreign",
            "a proxy that relays any request, also for URIs of other domains (an open relay)",
            "Kamailio as shipped answers 403 to these. Claim it only if a call to user@another-host is relayed without "
            "a registration.",
        ),
        (
            "callerprefs",
            "sends caller preferences such as Request-Disposition, or acts on them (RFC 3841)",
            "Look for RFC 3841, Accept-Contact or Request-Disposition in the list of supported RFCs.",
        ),
        (
            "trust_domain",
            "belongs to a trust domain for P-Asserted-Identity (RFC 3325)",
            "Trusted peers and P-Asserted-Identity. Asterisk: trust_id_inbound, send_pai; SBCs: trust level of a realm "
            "or IP group.",
        ),
    ),
    *_claims(
        "How its calls find their way",
        (
            "registers",
            "sends REGISTER requests",
            "A SIP account with a registrar. Yealink: Account > Register; Grandstream: SIP Registration.",
        ),
        (
            "digest",
            "answers 401 and 407 challenges with Digest credentials",
            "Username (authentication ID) and password of the account or trunk.",
        ),
        (
            "outbound_proxy",
            "sends every request to a configured outbound proxy, also those to a redirection's Contact",
            "Yealink, Snom, Grandstream: Outbound Proxy; Polycom: voIpProt.SIP.outboundProxy; "
            "Asterisk: outbound_proxy.",
        ),
        (
            "backup_proxy",
            "has a backup address configured that it tries when the first fails",
            "Yealink: SIP Server 2; Grandstream: Secondary or Failover SIP Server; Polycom: voIpProt.server.2; SBCs: "
            "route advance, failover group. The suite watches that address: lab.backup.",
        ),
        (
            "preloaded_route",
            "starts requests with a configured Route set",
            "A Route, or an outbound proxy with ;lr, that then stands in each INVITE as a Route header.",
        ),
        (
            "dns",
            "resolves SIP URIs with host names by NAPTR, SRV and A records (RFC 3263)",
            "Grandstream: DNS Mode (SRV, NAPTR/SRV); Yealink: Transport DNS-NAPTR; Polycom: transport DNSnaptr. A "
            "product that only knows A records does not claim it.",
        ),
        (
            "both_families",
            "sends over IPv4 and over IPv6 at the same time, as each URI says",
            "Often a dual-stack mode. Yealink: IP Mode IPv4&IPv6; Grandstream: Internet Protocol, Both; Polycom: "
            "net.ipStack; Kamailio, Asterisk, SBCs: a listener of each family. A product that is set to one or the "
            "other does not claim it.",
        ),
        ("tcp", "speaks SIP over TCP", "Transport: TCP, in the account, trunk or listener."),
        ("tls", "speaks SIP over TLS", "Transport: TLS, with a certificate store."),
        (
            "verifies_certificates",
            "checks the certificate of a TLS server before it sends a request: signer, dates and name (RFC 5922)",
            "A list of trusted certificates and a switch. Yealink: Only Accept Trusted Certificates, Common Name "
            "Validation; Snom: Check Server Certificate; Polycom: sec.TLS.SIP.strictCertCommonNameValidation; "
            "Grandstream: Validate Server Certificates; Kamailio: verify_certificate of tls.cfg.",
        ),
        (
            "sips",
            "handles sips: URIs",
            "Not the same as TLS: dial sips:user@host, and look whether the INVITE says sips:.",
        ),
        (
            "rfc5630",
            "implements the clarified rules for sips: (RFC 5630)",
            "Look for RFC 5630 in the list of supported RFCs; without it, do not claim it.",
        ),
        (
            "gruu",
            "uses globally routable user agent URIs (RFC 5627)",
            "Look for GRUU or ;gr= in Contacts, and pub-gruu in answers to REGISTER.",
        ),
    ),
    *_claims(
        "What it sends",
        (
            "sends_reinvite",
            "sends re-INVITEs, for instance to hold a call",
            "A Hold key that sends INVITE within the call; session timers; a B2BUA that passes its caller's on. "
            "The profile wants stimulus.reinvite, where the role is uac.",
        ),
        (
            "sends_options",
            "sends OPTIONS requests of its own",
            "Keepalive or monitoring. Yealink: Keep Alive Type Options; Asterisk: qualify_frequency; CUBE: "
            "options-keepalive; Kamailio: dispatcher with ds_ping_interval.",
        ),
        ("refer", "handles REFER (RFC 3515)", "Call transfer by REFER: Transfer key, blind transfer, click-to-dial."),
        ("replaces", "handles Replaces (RFC 3891)", "Attended transfer and directed call pickup; Supported: replaces."),
        (
            "subscribes",
            "sends SUBSCRIBE requests (RFC 6665)",
            "Busy lamp fields (BLF), message waiting (MWI), presence, shared lines.",
        ),
        (
            "notifier",
            "sends NOTIFY requests as a notifier (RFC 6665)",
            "The other side of BLF, MWI and presence: the PBX or presence server that is subscribed to.",
        ),
        (
            "publish",
            "sends PUBLISH requests (RFC 3903)",
            "Presence that the phone itself reports; voice quality reports.",
        ),
        ("message", "sends MESSAGE requests (RFC 3428)", "Text or instant messages, SMS over SIP."),
    ),
    *_claims(
        "Identity and history of a call",
        (
            "diversion",
            "writes or reads Diversion (RFC 5806)",
            "Asterisk: send_diversion; AudioCodes: Diversion Header Mode. Forward a call and look for Diversion.",
        ),
        (
            "history_info",
            "writes or reads History-Info (RFC 7044)",
            "Asterisk: send_history_info; AudioCodes: History-Info Header Mode; IMS products.",
        ),
        (
            "privacy",
            "writes or reads Privacy (RFC 3323)",
            "Anonymous call, CLIR, hide caller ID: claim it if the INVITE then has Privacy: id.",
        ),
        (
            "stir",
            "signs or verifies caller identity (RFC 8224)",
            "STIR/SHAKEN: an Identity header in INVITEs; certificates and an attestation level in the trunk.",
        ),
        ("uui", "writes or reads User-to-User (RFC 7433)", "Contact centres: UUI, User-to-User, call-associated data."),
        (
            "isup_gateway",
            "a gateway to ISUP",
            "SS7, ISUP or SIP-T/SIP-I towards the telephone network; cause codes that are mapped to SIP.",
        ),
    ),
    *_claims(
        "Blocked calls",
        (
            "call_blocker_608",
            "rejects calls with 608 on behalf of its user (RFC 8688)",
            "Spam call protection that answers 608 Rejected, with Call-Info.",
        ),
        (
            "sends_603plus",
            "blocks calls on analytics grounds and answers them 603+ (47 CFR 64.1200(k)(9))",
            "Robocall blocking sold in the US: 603 Network Blocked (ATIS-1000099). The suite calls a number that it "
            "blocks: lab.numbers.blocked.",
        ),
        (
            "transports_603plus",
            "is in the call path of a US voice provider and passes a 603+ on as it is",
            "A proxy, SBC or softswitch between networks under the rules of the FCC: a matter of who runs it. "
            "Elsewhere a B2BUA may map a 603 as it likes: do not claim it.",
        ),
        (
            "stops_on_603plus",
            "ends a call for good when it is answered 603+: no retry, no next route",
            "The side where a call of a US voice provider begins, or that chooses its route. Route advance, hunting "
            "and failover must leave 603 out.",
        ),
        (
            "maps_isup",
            "a gateway that maps ISUP cause 21 with location user to 603 or 603+, and 603+ to cause 21",
            "Cause mapping of an ISUP, SS7 or SIP-I gateway: look for Q.850 cause 21 in its table. Claim isup_gateway "
            "with it. The suite calls a number that the other side releases so: lab.numbers.isup_rejects.",
        ),
    ),
]

CLAIMS: Final[dict[str, Claim]] = {claim.key: claim for claim in _ALL}
"""Every key, topic by topic, the ones that matter most first."""

PICS: Final[dict[str, str]] = {key: CLAIMS[key].sentence for key in sorted(CLAIMS)}
"""Every key and its sentence, sorted."""
