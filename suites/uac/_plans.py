"""The plans of the redirect side: one 3xx each, and what its Contact is written like.

Several targets mostly share the endpoint ``target`` and differ in the user.  The Request-URI then identifies the
target, and a plan needs few endpoints.
"""

from __future__ import annotations

from harness.model.plan import Answer, Call, Endpoint, Plan
from suites.plans import DIALLED, MOVED, SECOND_URI, accept, callee, guard, redirect, refuse, target

# --- whether and where to

OTHER_PORT = Plan((callee(redirect(MOVED)), Endpoint("target", "target", (accept(),), beside="callee")))
"""The Contact is another port of the host that redirects."""

WORDING = Plan(
    (
        callee(redirect(MOVED, reason="Anders erreichbar")),
        target(redirect("<sip:8{token}@{target}>", reason="", tag="b"), accept()),
    )
)
"""Two 302 in a row, one with a reason phrase of its own, one with none."""

UNKNOWN_3XX = Plan(
    (
        callee(redirect(MOVED, status=399, reason="Somewhere Else")),
        target(redirect("<sip:8{token}@{target}>", status=310, reason="Yet Somewhere Else", tag="b"), accept()),
    )
)
"""Two redirections in a row with codes that no RFC defines."""

MADDR = Plan(
    (
        callee(redirect("<sip:9{token}@nowhere.test:{target.port};maddr={target.host}{target.parameters}>")),
        target(accept()),
    )
)
"""The host of the Contact does not exist; ;maddr says where it is."""

BLACK_HOLE = Plan(
    (
        callee(redirect("<sip:9{token}@{deaf}>;q=1.0", "<sip:8{token}@{target}>;q=0.5")),
        target(accept()),
        target(Answer(), name="deaf"),
    )
)
"""Two Contacts; the first one never answers."""

# --- the Request-URI

PARAMETERS = Plan(
    (
        callee(
            redirect(
                "<sip:+9{token}@{target.host}:{target.port};user=phone;transport={transport};target=sip:bob%40x.test;cause=486;foo=bar>"
            )
        ),
        target(accept()),
    )
)
"""A Contact URI with parameters known and unknown, those of a voice mailbox (RFC 4458) among them."""

URI_HEADERS = Plan(
    (
        callee(redirect("<sip:9{token}@{target};lr;method=INVITE?Subject=moved&Call-Info=%3Chttp://www.x.test%3E>")),
        target(accept()),
    )
)
"""A Contact URI with what table 1 of 19.1.1 does not allow there (lr, method), and with harmless headers."""

METHOD = Plan((callee(redirect("<sip:9{token}@{target};method=BYE>")), target(accept())))
"""A Contact URI that asks for another request than an INVITE."""

DANGEROUS = Plan(
    (
        callee(
            redirect(
                "<sip:9{token}@{target}?From=sip:evil%40evil.test&Call-ID=evil&CSeq=4711%20INVITE"
                "&Via=SIP/2.0/UDP%20evil.test&Record-Route=%3Csip:evil.test%3Blr%3E&Route=%3Csip:{detour.host}:{detour.port}%3Blr%3E"
                "&Accept=text/evil&Accept-Encoding=evil&Accept-Language=evil&Allow=EVIL"
                "&Contact=%3Csip:evil%40evil.test%3E&Organization=evil&Supported=evil&User-Agent=evil>"
            )
        ),
        target(accept()),
        guard("detour"),
    )
)
"""A Contact URI with headers that a redirector must not set."""

INVALID = Plan(
    (
        callee(
            redirect(
                "<sip:1{token}@{target}?Content-Length=9999&Max-Forwards=abc>;q=0.9",
                "<sip:2{token}@{target}?Require=foo-unknown>;q=0.8",
                "<sip:3{token}@{target}>;q=0.5",
            )
        ),
        target(refuse(486)),
    )
)
"""Contact URIs whose headers would make an invalid request or one that needs an unknown extension, and a good one."""

UNKNOWN_EXTENSION = Plan((callee(redirect("<sip:2{token}@{target}?Require=foo-unknown>")), target(refuse(486))))
"""The only Contact asks for a request that needs an unknown extension."""

UNKNOWN_TRANSPORT = Plan(
    (callee(redirect("<sip:9{token}@{nobody.host}:{nobody.port};transport=xyz>")), guard("nobody"))
)
"""The only Contact names a transport that does not exist."""

HEADER_PARAMETERS = Plan(
    (
        callee(redirect(MOVED + ';audio;video;+sip.instance="<urn:uuid:1>";expires=60;q=0.8')),
        target(accept()),
    )
)
"""A Contact with parameters of the header behind the brackets."""

BARE = Plan(
    (callee(redirect("sip:9{token}@{target};transport=udp;q=0.5")), target(accept())),
    # Without brackets the ;transport is the header's, so that the URI means UDP (RFC 3263 4.1).
    over=("udp",),
)
"""A Contact without brackets: its parameters are the header's."""

# --- the target set

_EXHAUST = ("<sip:1{token}@{target}>;q=0.125", "<sip:2{token}@{target}>;q=1.000", "<sip:3{token}@{target}>;q=0.9")
"""The order of q is neither that of the list nor that of a q misread: cut to its whole number, or 0.125 above 0.9."""
_FAILING = target(refuse(486), refuse(404), refuse(480))

EXHAUST = Plan((callee(redirect(*_EXHAUST)), _FAILING))
"""Three Contacts, a header line each and not in the order of q, and all of them fail."""

COMMA = Plan((callee(redirect(", ".join(_EXHAUST))), _FAILING))
"""The same three Contacts in one line."""

FOLDED = Plan((callee(redirect(",\r\n ".join(_EXHAUST))), _FAILING))
"""The same three Contacts in one folded line."""

BARE_LIST = Plan(
    (callee(redirect(", ".join(value.replace("<", "").replace(">", "") for value in _EXHAUST))), _FAILING),
    over=("udp",),  # as BARE
)
"""The same three Contacts in one line, without brackets."""

BAD_Q = Plan(
    (
        callee(
            redirect("<sip:1{token}@{target}>;q=1.5", "<sip:2{token}@{target}>;q=abc", "<sip:3{token}@{target}>;q=0.5")
        ),
        target(refuse(486)),
    )
)
"""Three Contacts, two with a q that is none."""

HUNT = Plan(
    (
        callee(
            redirect(
                "<sip:1{token}@{second}>;q=0.9",
                "<sip:2{token}@{target}>;q=0.8",
                "<sip:3{token}@{target}>;q=0.7",
                "<sip:4{token}@{target}>;q=0.6",
            )
        ),
        target(refuse(486), refuse(482), refuse(415, "Accept: application/sdp")),
        target(refuse(503), name="second"),
    )
)
"""Four Contacts that fail in four ways: 503, 486, 482 and at last 415."""

DUPLICATES = Plan(
    (
        callee(
            redirect(
                "<sip:a{token}@{target.host}:{target.port};foo=bar;transport={transport}>;q=1.0",
                "<sip:a{token}@{target.host}:{target.port};foo=bar;transport={transport}>;q=0.9",
                "<sip:%61{token}@{target.host}:{target.port};Transport={TRANSPORT};FOO=bar>;q=0.8",
                "<sip:b{token}@{target}>;q=0.5",
                "<sip:B{token}@{target}>;q=0.4",
            )
        ),
        target(refuse(486)),
    )
)
"""One URI written three times, once in other words, and two URIs that differ in the case of the user."""

SELF = Plan((callee(redirect("<{request_uri}>")),))
"""The only Contact is the URI that was called."""

SELF_PLUS = Plan((callee(redirect("<{request_uri}>;q=1.0", MOVED + ";q=0.5")), target(refuse(486))))
"""The URI that was called and a new one; the new one is busy."""

LOOP = Plan((callee(redirect("<" + SECOND_URI + ">")), target(redirect("<" + DIALLED + ">", tag="b"), name="second")))
"""A redirects to B and B to A, every time."""

REJOIN = Plan(
    (
        callee(redirect(MOVED)),
        target(
            redirect("<" + DIALLED + ">;q=1.0", MOVED + ";q=0.9", "<sip:8{token}@{target}>;q=0.5", tag="b"),
            refuse(486),
        ),
    )
)
"""A redirects to B, B to A, B and C, and C is busy."""

# --- the forms of a Contact

COMPACT = Plan((callee(redirect(MOVED, contact_header="m")), target(accept())))
"""The Contact is written ``m:``."""

DISPLAY_NAME = Plan(
    (callee(redirect('"Doe, J; <sip:7{token}@{target}> \\"x\\"" <sip:9{token}@{target}>;q=1')), target(accept()))
)
"""A display name that holds all that ends a value when it is not quoted."""

BAD_EXPIRES = Plan(
    (
        callee(redirect(MOVED + ';expires="Thu, 01 Dec 1994 16:00:00 GMT"')),
        target(redirect("<sip:8{token}@{target}>;expires=abc", tag="b"), accept()),
    )
)
"""Two 302 in a row with lifetimes that cannot be read."""

STAR = Plan((callee(redirect("*")),))
NO_HOST = Plan((callee(redirect("sip:9{token}@999.1.1.1")),))
"""A Contact within the grammar that names no target."""

NO_URI = Plan((callee(redirect("<sip:>")),))
NO_BRACKET = Plan((callee(redirect("<sip:9{token}@{nobody}")), guard("nobody")))
"""A Contact that is malformed."""

# --- no target

NO_CONTACT = Plan((callee(redirect()),))
"""A 302 without Contact."""

EMPTY_CONTACT = Plan((callee(redirect("")),))
"""A 302 whose Contact is empty."""

ALTERNATIVE = Plan((callee(redirect(status=380, sdp=True)),))
"""A 380 with a body and no Contact."""

MAILTO = Plan((callee(redirect("<mailto:9{token}@{nobody.host}>")), guard("nobody")))
HTTP = Plan((callee(redirect("<http://{nobody}/9{token}>")), guard("nobody")))
TEL = Plan((callee(redirect("<tel:+9{token}>")),))
FOO = Plan((callee(redirect("<foo:9{token}@{nobody}>")), guard("nobody")))
"""A 302 whose only Contact has a scheme that a SIP device cannot call."""

SIPS = Plan((callee(redirect("<sips:9{token}@{nobody}>")), guard("nobody")))
"""A 302 whose only Contact must be called by TLS; an endpoint without TLS listens at its address."""

MIXED = Plan((callee(redirect("<mailto:info@example.test>;q=1.0", MOVED + ";q=0.5")), target(accept())))
"""The best Contact cannot be called, the second can."""

# --- the next call, and a refusal

EXPIRES_ZERO = Plan((callee(redirect(MOVED + ";expires=0")), target(accept())), calls=(Call(), Call()), watched=False)
"""Two calls; the Contact is good for no time at all."""

EXPIRES_TEN = Plan(
    (callee(redirect(MOVED + ";expires=10")), target(accept())),
    calls=(Call(), Call(after=5.0), Call(after=8.0)),
    watched=False,
)
"""Three calls, at once, after 5 s and after 13 s; the Contact is good for 10 s."""

EXPIRED = Plan(
    (
        callee(redirect(MOVED + ";expires=2"), redirect(MOVED, headers=("Expires: 2",)), redirect(MOVED)),
        target(accept()),
    ),
    calls=(Call(), Call(after=3.0), Call(after=3.0)),
    watched=False,
)
"""Three calls, each 3 s after the end of the one before; the Contact is good for 2 s, by a parameter and by header."""

THEN_DECLINE = Plan(
    (callee(redirect(MOVED + ";q=1.0", "<" + SECOND_URI + ">;q=0.5")), target(refuse(603)), guard("second"))
)
"""Two Contacts; the first one declines."""

HUNT_DECLINES = Plan(
    (
        callee(redirect(MOVED + ";q=1.0", "<" + SECOND_URI + ">;q=0.5")),
        target(*map(refuse, (600, 604, 606, 607, 608, 699))),
        guard("second"),
    ),
    calls=tuple(Call(to=f"sip:{{token}}{n}@{{callee}}") for n in range(1, 7)),
)
"""The same with every other 6xx, known and unknown: a call for each, to a number of its own."""

BRIDGED_DECLINES = Plan(
    (HUNT_DECLINES.endpoints[0], target(*map(refuse, (600, 607, 699))), guard("second")), calls=HUNT_DECLINES.calls[:3]
)
"""The same with three of them, for a B2BUA: each call costs it and the suite a caller."""
