"""A phone on PJSUA2 for the suite: says READY, then obeys ``call URI``, ``hangup URI``, ``reinvite URI`` on stdin.

With ``--answers`` it answers calls as their numbers say (``lab.numbers`` of its profile); else nobody is at home.
PJSUA2 wants everything from one thread: there are no worker threads, the loop below polls it.
"""

from __future__ import annotations

import argparse
import os
import re
import select
import signal
import sys
import time
from typing import Any

from pjsua2 import pjsua2 as pj  # type: ignore[import-untyped, import-not-found, unused-ignore]

POLL_MS = 5
MOVED_TO = "192.0.2.60:5060"
RING_S = 0.3
NUMBER = re.compile(r"<?sip:(?:(18)?(302|603)|180)[0-9]*@")
"""What is to be said: the status, after an 18 when it has rung; 180: nothing but that."""
ASKED_CALLS = 64
"""PJSUA takes as many as it was compiled for (PJSUA_MAX_CALLS) if it is asked for more."""


def say(*words: object) -> None:
    """One line for the suite and for people; no device must die of a closed pipe."""
    try:
        print(*words, flush=True)
    except OSError:
        os._exit(1)


class PhoneCall(pj.Call):  # type: ignore[misc]
    """One outgoing call."""

    def __init__(self, phone: Phone, uri: str) -> None:
        super().__init__(phone.account)
        self.phone = phone
        self.uri = uri
        self.reinvite_wanted = False

    def dial(self) -> None:
        """Send the INVITE."""
        parameters = pj.CallOpParam(True)
        parameters.opt.audioCount = 1
        parameters.opt.videoCount = 0
        self.makeCall(self.uri, parameters)

    def send_reinvite(self) -> None:
        """Send a re-INVITE, at once or as soon as the call is up."""
        if self.getInfo().state != pj.PJSIP_INV_STATE_CONFIRMED:
            self.reinvite_wanted = True
            return
        self.reinvite_wanted = False
        self.reinvite(pj.CallOpParam(True))

    def onCallRedirected(self, prm: Any) -> int:
        """Follow.

        Without this callback PJSUA2 never follows.  ACCEPT and not ACCEPT_REPLACE, which puts the new target into
        To: RFC 3261 8.1.3.4 recommends that the redirected request keeps To, From and Call-ID.
        """
        say("redirected", self.uri, prm.targetUri)
        return int(pj.PJSIP_REDIRECT_ACCEPT)

    def onCallState(self, prm: Any) -> None:
        """Tell what became of it; a call that has ended is let go of outside this callback."""
        info = self.getInfo()
        say("state", self.uri, info.stateText, info.lastStatusCode)
        if info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            self.phone.ended.append(self)
        elif info.state == pj.PJSIP_INV_STATE_CONFIRMED and self.reinvite_wanted:
            self.phone.due.append(self)


class AnsweringCall(pj.Call):  # type: ignore[misc]
    """One incoming call."""

    def __init__(self, phone: Phone, call_id: int) -> None:
        super().__init__(phone.account, call_id)
        self.phone = phone
        phone.incoming.add(self)

    def answer_as_dialled(self) -> None:
        """What the number says: at once, after having rung, or ring until the caller gives up."""
        found = NUMBER.match(self.getInfo().localUri)
        if found is None:
            self.respond(404)
            return
        rings, final = found[1] or not found[2], found[2]
        if rings:
            self.respond(180)
        if rings and final:
            self.phone.later.append((time.monotonic() + RING_S, self, int(final)))
        elif final:
            self.respond(int(final))

    def respond(self, status: int) -> None:
        """Send one response; a caller that has given up meanwhile is no error."""
        parameters = pj.CallOpParam(True)
        parameters.statusCode = status
        if status == 302:
            contact = pj.SipHeader()
            contact.hName, contact.hValue = "Contact", f"<sip:moved@{MOVED_TO}>"
            headers = pj.SipHeaderVector()  # what txOption.headers gives is a copy
            headers.append(contact)
            parameters.txOption.headers = headers
        try:
            self.answer(parameters)
        except pj.Error as error:
            say("error: cannot answer", status, error.reason)

    def onCallState(self, prm: Any) -> None:
        """A call that has ended is let go of outside this callback."""
        if self.getInfo().state == pj.PJSIP_INV_STATE_DISCONNECTED:
            self.phone.ended.append(self)


class PhoneAccount(pj.Account):  # type: ignore[misc]
    """The phone's only identity; it registers nowhere."""

    def __init__(self, phone: Phone) -> None:
        super().__init__()
        self.phone = phone

    def onIncomingCall(self, prm: Any) -> None:
        """Answer as the number says, or nobody is at home."""
        call = AnsweringCall(self.phone, prm.callId)
        if self.phone.answers:
            call.answer_as_dialled()
        else:
            call.respond(int(pj.PJSIP_SC_BUSY_HERE))


class Phone:
    """The library, one account, and the calls by the URI that was dialled."""

    def __init__(self, host: str, port: int, options: argparse.Namespace) -> None:
        self.answers = options.answers
        self.calls: dict[str, PhoneCall] = {}
        self.incoming: set[AnsweringCall] = set()
        self.later: list[tuple[float, AnsweringCall, int]] = []
        """When to give which call its final response."""
        self.ended: list[PhoneCall | AnsweringCall] = []
        self.due: list[PhoneCall] = []
        self.endpoint = pj.Endpoint()
        self.endpoint.libCreate()
        config = pj.EpConfig()
        config.uaConfig.threadCnt = 0
        config.uaConfig.mainThreadOnly = True
        config.uaConfig.maxCalls = ASKED_CALLS
        config.uaConfig.userAgent = f"PJSUA2 {self.endpoint.libVersion().full}"
        config.medConfig.hasIoqueue = False
        config.medConfig.threadCnt = 0
        config.logConfig.level = config.logConfig.consoleLevel = 1
        self.endpoint.libInit(config)
        transport = pj.TransportConfig()
        transport.boundAddress, transport.port = host, port
        if options.transport == "tls":
            transport.tlsConfig.certFile = transport.tlsConfig.privKeyFile = options.certificate
            transport.tlsConfig.CaListFile = options.authority
            transport.tlsConfig.verifyServer = True
        self.endpoint.transportCreate(_kind(options.transport), transport)
        # A redirection may lead to another transport than that of the account.
        for other in {"udp", "tcp"} - {options.transport}:
            transport = pj.TransportConfig()
            transport.boundAddress = host
            self.endpoint.transportCreate(_kind(other), transport)
        self.endpoint.libStart()
        self.endpoint.audDevManager().setNullDev()
        for codec in self.endpoint.codecEnum2():  # a short offer: one datagram, and nothing to renegotiate
            self.endpoint.codecSetPriority(codec.codecId, 255 if codec.codecId.startswith("PCM") else 0)
        account = pj.AccountConfig()
        by = "" if options.transport == "udp" else f";transport={options.transport}"
        account.idUri = f"sip:pjsua2@{host}:{port}{by}"
        account.mediaConfig.transportConfig.boundAddress = host
        self.account = PhoneAccount(self)
        self.account.create(account)

    def obey(self, line: str) -> None:
        """Do what one line says; what cannot be done is told, never a reason to end."""
        verb, _, uri = line.strip().partition(" ")
        try:
            if verb == "call" and uri:
                call = PhoneCall(self, uri)
                call.dial()
                self.calls[uri] = call
            elif verb in ("hangup", "reinvite") and uri not in self.calls:
                say("error: no call to", uri)
            elif verb == "hangup":
                self.calls[uri].hangup(pj.CallOpParam(True))
            elif verb == "reinvite":
                self.calls[uri].send_reinvite()
            elif verb:
                say("error: expected call, hangup or reinvite with a URI:", line)
        except pj.Error as error:
            say(f"error: {line}: {error.reason}")

    def tidy(self) -> None:
        """Let go of ended calls, answer those that have rung, and send the re-INVITEs that waited for an answer."""
        now = time.monotonic()
        for _, incoming, status in [due for due in self.later if due[0] <= now and due[1] in self.incoming]:
            incoming.respond(status)
        self.later = [due for due in self.later if due[0] > now]
        for call in self.due:
            self.obey(f"reinvite {call.uri}")
        self.due.clear()
        for ended in self.ended:
            if isinstance(ended, AnsweringCall):
                self.incoming.discard(ended)
            elif self.calls.get(ended.uri) is ended:
                del self.calls[ended.uri]
        self.ended.clear()


def _kind(transport: str) -> int:
    """PJSIP's number of a transport.  The library of the wheel is built without IPv6."""
    return int(getattr(pj, f"PJSIP_TRANSPORT_{transport.upper()}"))


def main() -> int:
    """Run until the end of standard input or SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listen", required=True, metavar="HOST:PORT")
    parser.add_argument("--transport", choices=("udp", "tcp", "tls"), default="udp")
    parser.add_argument("--certificate", default="", metavar="FILE", help="for TLS: certificate and key")
    parser.add_argument("--authority", default="", metavar="FILE", help="for TLS: whom it trusts")
    parser.add_argument("--answers", action="store_true", help="answer calls as their numbers say")
    options = parser.parse_args()
    host, _, port = options.listen.rpartition(":")
    # Nothing is to be kept, and an orderly libDestroy() takes a second: the end is immediate.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    try:
        phone = Phone(host, int(port), options)
    except pj.Error as error:
        say("error:", error.info())
        return 1
    say("READY pjsua2", phone.endpoint.libVersion().full)
    rest = b""
    while True:
        if select.select([0], [], [], 0)[0]:
            chunk = os.read(0, 65536)
            if not chunk:
                os._exit(0)
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                phone.obey(line.decode("utf-8", "replace"))
        phone.endpoint.libHandleEvents(POLL_MS)
        phone.tidy()


if __name__ == "__main__":
    sys.exit(main())
