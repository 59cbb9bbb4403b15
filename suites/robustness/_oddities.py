"""The oddities: what the tap changes in a plain response.  Grouped by what a device may make of them."""

from __future__ import annotations

from harness.judge.odd import INJECTED
from harness.model.oddity import Oddity, Rewrite

_MANDATORY = ("Via", "From", "To", "Call-ID", "CSeq")
_ANY_OF_THEM = r"^(?:Via|From|To|Call-ID|CSeq|Content-Length)(?=:)"


def line(name: str, put: str, times: int = 1) -> Rewrite:
    """Write the whole line of header ``name`` anew, its line end included."""
    return Rewrite(rf"^{name}:[^\r\n]*\r\n", put, times)


def value(name: str, put: str) -> Rewrite:
    """Write what stands behind the colon of header ``name`` anew."""
    return Rewrite(rf"(?<=^{name}: )[^\r\n]*", put)


def start(put: str) -> Rewrite:
    """Write the status line anew."""
    return Rewrite(r"\ASIP/2\.0 [^\r\n]*", put)


def contact(name: str, put: str) -> Oddity:
    """A response whose Contact is another, byte for byte."""
    return Oddity(name, (value("Contact", put),))


def more(put: str) -> Rewrite:
    """Further header lines, right behind the status line."""
    return Rewrite(r"\A[^\r\n]*\r\n", "{it}" + put)


# --- legal, if unusual: a plain response by other means (RFC 3261 7.3.1, 7.3.3, 25.1; RFC 4475 3.1.1)


def legal(status: int) -> tuple[Oddity, ...]:
    """The legal oddities of a response with ``status``."""
    compact = [Rewrite(f"^{long}:", f"{short}:") for long, short in _COMPACT if long != "Contact" or status < 400]
    return (
        Oddity("folded header lines", (Rewrite(_ANY_OF_THEM + ": ?", "{it}\r\n \t", 0),)),
        Oddity("compact header names", tuple(compact)),
        Oddity("blanks before and behind its colons", (Rewrite(_ANY_OF_THEM + ": ?", "{it}\t  ", 0), _SPACED)),
        Oddity("header names in odd case", tuple(Rewrite(f"^{n}:", f"{n.swapcase()}:") for n in _MANDATORY)),
        Oddity("no reason phrase", (start(f"SIP/2.0 {status} "),)),
        Oddity("a reason phrase of punctuation and UTF-8", (start(f"SIP/2.0 {status} = 2**3 * 5**2 {_UTF8}"),)),
        Oddity("no Content-Length", (line("Content-Length", ""),)),
        Oddity("bytes behind the body", (Rewrite(r"\r\n\r\n\Z", "{it}SIP/2.0 200 OK\r\nX: y\r\n\r\n"),)),
        Oddity(
            "header lines that nobody knows", (more(f'X-Nobody: {_UTF8};=,"\\\r\nNew-Fangled-Header: newvalue\r\n'),)
        ),
        Oddity("a hundred header lines more", (more("".join(f"X-{n}: {n}\r\n" for n in range(100))),)),
        Oddity("parameters of To that nobody knows", (Rewrite(r"^To:[^\r\n]*", '{it};x;y="a;tag=b,c";z=%ff'),)),
        Oddity("zeros before its CSeq", (Rewrite(r"(?<=^CSeq: )", "0000"),)),
    )


_SPACED = Rewrite(r"\t  ", "\t  ")
_COMPACT = (*(("Via", "v"), ("From", "f"), ("To", "t"), ("Call-ID", "i"), ("Content-Length", "l"), ("Contact", "m")),)
_UTF8 = "äöü нет".encode().decode("latin-1")

# --- legal Contacts, if strange: the URI is to be called as it is written (RFC 3261 19.1.1; RFC 4475 3.1.1.6 and more)

STRANGE_CONTACTS = (
    contact("an escaped NUL in its Contact", "<sip:9{token}%00@{target}>"),
    contact("an escaped at sign and brackets in its Contact", "<sip:9{token}%40%3C%3E%22@{target}>"),
    contact("semicolons and a question mark in the user", "<sip:9{token};x=1;y?z@{target}>"),
    contact("a scheme in capital letters", "<SIP:9{token}@{target}>"),
    contact("a display name of quotes, commas and brackets", r'"\"Doe\", <sip:x>, \\" <sip:9{token}@{target}>'),
    contact("parameters that nobody knows", "<sip:9{token}@{target};x-y=%20;lr=on;ttl=99>;q=0.5;x;expires=99999999999"),
)

# --- Contacts that lead nowhere, or are none

_LONG = "x" * 4000
HOSTILE_CONTACTS = (
    contact("a Contact user of 4 kB", f"<sip:9{{token}}{_LONG}@{{target}}>"),
    contact("a Contact host of 4 kB", f"<sip:9{{token}}@{_LONG}.example>"),
    contact("a Contact of 500 parameters", "<sip:9{token}@{target}" + "".join(f";p{n}=v" for n in range(500)) + ">"),
    contact("a NUL in its Contact", "<sip:9{token}\0x@{target}>"),
    contact("control characters in its Contact", "<sip:9{token}\x01\x1b[2J\x7f\xff\xfe@{target}>"),
    contact("a Contact of *", "*"),
    contact("a Contact of * among others", "*, <sip:9{token}@{target}>, *"),
    contact("a Contact without its closing bracket", "<sip:9{token}@{target}"),
    contact("a Contact without its opening bracket", "sip:9{token}@{target}>"),
    contact("a Contact in two pairs of brackets", "<<sip:9{token}@{target}>>"),
    contact("a Contact of brackets alone", "<>, <sip:>, <sip:@>, <sips:>, <:>"),
    contact("a Contact with an open quote", '"open <sip:9{token}@{target}>'),
    contact("a Contact of commas", ",,,,;;;;,,,,"),
    contact("an empty Contact", ""),
    contact("format directives in its Contact", "<sip:9{token}%n%s%25n@{target}>;q=%n"),
    contact(
        "Contacts of other schemes", "<mailto:a@b>, <http://{target}/>, <tel:+1555>, <urn:x:y>, <foo:bar>, <data:,x>"
    ),
    contact(
        "a maddr that is no address", "<sip:9{token}@{target};maddr=;transport=>, <sip:9{token}@{target};maddr=%00>"
    ),
    contact("a Contact that is a path", "<file:///dev/zero>, <sip:../../../etc/passwd{token}@{target}>"),
)
WRONG_ADDRESSES = (
    contact("the device's own address for Contact", "<sip:9{token}@{device}>"),
    contact("a multicast address for Contact", "<sip:9{token}@224.0.1.75;ttl=0>"),
    contact("the broadcast address for Contact", "<sip:9{token}@255.255.255.255>"),
    contact("0.0.0.0 for Contact", "<sip:9{token}@0.0.0.0>"),
    contact("port 0 in its Contact", "<sip:9{token}@{target.host}:0>"),
    contact("port 65536 in its Contact", "<sip:9{token}@{target.host}:65536>"),
    # 5060 in its lower 16 bits, where the target is.
    contact("port 70596 in its Contact", "<sip:9{token}@{target.host}:70596>"),
    contact("a port of 40 digits in its Contact", f"<sip:9{{token}}@{{target.host}}:{'9' * 40}>"),
    contact("a negative port in its Contact", "<sip:9{token}@{target.host}:-1>"),
    contact("an address that is none", "<sip:9{token}@999.1.1.1>, <sip:9{token}@1.2.3.4.5>"),
    contact("IPv6 references that do not end", "<sip:9{token}@[::1>, <sip:9{token}@::1]>, <sip:9{token}@[]>"),
    contact("an IPv6 address without brackets", "<sip:9{token}@2001:db8::10:5070>, <sip:9{token}@[2001:db8::1%25lo]>"),
    contact(
        "an IPv6 reference of three colons", "<sip:9{token}@[2001:db8:::192.0.2.1]>, <sip:9{token}@[::ffff:1.2.3]>"
    ),
)

INJECTION = contact(
    "escaped line breaks in its Contact",
    f"<sip:9{{token}}@{{target}}?Subject=x%0d%0a{INJECTED}:%20yes&Call-Info=%3csip:a%3e%0a{INJECTED}:%20no>",
)

# --- messages that are none, or say what cannot be

STRAYS = (
    Oddity("the Via of another host", (Rewrite(r"(?<=SIP/2\.0/UDP )[^\s;]+", "192.0.2.99:5060"),)),
    Oddity("a foreign branch", (Rewrite(r"(?<=branch=)[^;,\s]+", "z9hG4bK-of-nobody"),)),
)
LOOSE = (
    Oddity("a foreign Call-ID", (value("Call-ID", "of-nobody@192.0.2.99"),)),
    Oddity(
        "a foreign From tag", (Rewrite(r"(?<=^From: )([^\r\n]*tag=)[^;\r\n]*", "<sip:nobody@192.0.2.99>;tag=nobody"),)
    ),
    Oddity("another port for its source", aside=True),
)
BIG = tuple(Oddity(f"a header line of {size} kB", (more(f"X-Long: {'a' * 1000 * size}\r\n"),)) for size in (8, 32))
BROKEN = (
    *(Oddity(f"no {name}", (line(name, ""),)) for name in _MANDATORY),
    *(Oddity(f"an empty {name}", (value(name, ""),)) for name in _MANDATORY),
    *(Oddity(f"two of {name}", (line(name, "{it}{it}"),)) for name in ("From", "To", "Call-ID", "CSeq")),
    Oddity("another To beside its own", (line("To", "{it}To: <sip:other@192.0.2.99>;tag=other\r\n"),)),
    Oddity("another Call-ID beside its own", (line("Call-ID", "{it}Call-ID: of-nobody\r\n"),)),
    Oddity("a CSeq beyond all numbers", (value("CSeq", "36893488147419103232 INVITE"),)),
    Oddity("a CSeq without method", (value("CSeq", "1"),)),
    Oddity("a CSeq of another method", (value("CSeq", "1 NEWMETHOD"),)),
    Oddity("a negative Content-Length", (value("Content-Length", "-999"),)),
    Oddity("a Content-Length of 30 digits", (value("Content-Length", "9" * 30),)),
    Oddity("a Content-Length that is no number", (value("Content-Length", "zero"),)),
    Oddity("two Content-Lengths", (line("Content-Length", "{it}Content-Length: 7\r\n"),)),
    Oddity("a status beyond all classes", (start("SIP/2.0 4294967301 better not break the receiver"),)),
    Oddity("a status of class 9", (start("SIP/2.0 999 What"),)),
    Oddity("a status that is no number", (start("SIP/2.0 xyz Moved"),)),
    Oddity("another version of SIP", (start("SIP/7.0 302 Moved Temporarily"),)),
    Oddity("a status line of 30 kB", (start(f"SIP/2.0 302 {'A' * 30000}"),)),
    Oddity("no end of its header", (Rewrite(r"\r\n\r\n[\s\S]*\Z", ""),)),
    Oddity("an end in the middle of a header", (Rewrite(r"(?<=^Call-ID: ..)[\s\S]*", ""),)),
    Oddity("line feeds alone", (Rewrite(r"\r\n", "\n", 0),)),
    Oddity("carriage returns alone", (Rewrite(r"\r\n", "\r", 0),)),
    Oddity("line ends before its first line", (Rewrite(r"\A", "\r\n\r\n\r\n"),)),
    Oddity("NULs in its header", (Rewrite(r"^(?:To|Call-ID):", "{it}\0\0"),)),
    Oddity("a header line without colon", (more("no colon here at all\r\n: no name\r\n\t\r\n"),)),
    Oddity("a To with open quote and bracket", (Rewrite(r"(?<=^To: )", '"open <'),)),
    Oddity("a Via port of 99999", (Rewrite(r"(?<=SIP/2\.0/UDP )([^\s;:]+)(:\d+)?", "{it}99999"),)),
    Oddity("a Via of another transport", (Rewrite(r"SIP/2\.0/UDP", "SIP/2.0/XXX"),)),
    Oddity(
        "a received and rport that are none", (Rewrite(r"^Via:[^\r\n]*", "{it};received=[::;rport=x;ttl=999;maddr="),)
    ),
    Oddity("a thousand Vias", (line("Via", "{it}" + "Via: SIP/2.0/UDP 192.0.2.99;branch=z9hG4bKx\r\n" * 1000),)),
    Oddity("60 kB of one header", (more(f"X-Long: {'a' * 60000}\r\n"),)),
    Oddity(
        "a reading of other headers as numbers",
        (more("Expires: -1\r\nMax-Forwards: 99999\r\nRetry-After: 1e9 (\\\r\n"),),
    ),
    Oddity("nothing but noise", (Rewrite(r"\A[\s\S]*\Z", "SIP/2.0 302 \0\xff\xfe\x00\x80\r\n\r\n"),)),
)
SECOND_VIA = Oddity(
    "a second Via",
    (Rewrite(r"^Via:[^\r\n]*\r\n", "{it}Via: SIP/2.0/UDP 192.0.2.99:5060;branch=z9hG4bKunder\r\n"),),
)
