"""The ``[stimulus]`` with which a new profile starts, for each kind."""

from __future__ import annotations

from typing import Final

STIMULI: Final[dict[str, str]] = {
    "sipp": """\
kind = "sipp" # a SIPp caller calls the device, or calls through it
""",
    "manual": """\
kind = "manual" # a person dials the number on the screen
phone = "the phone on the desk" # as that person knows it
call = "{user}" # the text to dial: {user} is the digits, {uri} the whole URI
""",
    "command": """\
kind = "command" # a program for each call: no shell, {uri} is one argument
call = ["/path/to/dial", "{uri}"] # CHANGE THIS
# hangup = ["/path/to/hang-up", "{uri}"] # also: reinvite
timeout_s = 10.0 # seconds until a command that does not end is killed
""",
    "stdin": """\
kind = "stdin" # a line on its standard input
call = "call {uri}" # CHANGE THIS to the command of the program
# hangup = "hangup {uri}" # also: reinvite
""",
    "tcp": """\
kind = "tcp" # messages to its control port
control = "{host}:4444" # CHANGE THIS
framing = "line" # or "netstring"
call = "dial {uri}" # CHANGE THIS
# hangup = "hangup" # also: reinvite
# reply = "^OK" # a regular expression that matches its replies; without it no reply is awaited
# refused = "^ERROR" # with reply: one for replies that mean refusal
""",
    "http": """\
kind = "http" # a GET (or POST) for each call: Yealink, Snom, Polycom, Grandstream ...
call = "http://{host}/call?number={user}" # CHANGE THIS: {user} is the digits, {uri} the whole URI
auth = "digest" # or "basic", "none"
username = "admin" # CHANGE THIS
password = "{secret:WEB_PASSWORD}" # see [secrets]
""",
    "refer": """\
kind = "refer" # a REFER that requests a call
to = "sip:{address}" # a phone may need its own user in it: sip:2001@{address}
# username = "2001" # if it challenges the REFER; with password
""",
    "ami": """\
kind = "ami" # Asterisk's manager interface
control = "{host}:5038" # the manager port
username = "sipverdict" # CHANGE THIS: the section of manager.conf
secret = "{secret:AMI_SECRET}" # see [secrets]
channel = "PJSIP/sipverdict/{uri}" # CHANGE THIS: technology, endpoint, what it calls
application = "Wait" # the application of the calling side when the call is answered
data = "60" # its argument
""",
    "esl": """\
kind = "esl" # FreeSWITCH's event socket
control = "{host}:8021" # the event socket
password = "{secret:ESL_PASSWORD}" # see [secrets]
dial = "sofia/external/{uri}" # the dial string; or through a gateway: sofia/gateway/NAME/{user}
""",
}
"""The first ``[stimulus]`` of each kind."""
TO_THE_EXCHANGE: Final = {
    "PJSIP/sipverdict/{uri}": "PJSIP/{user}@sipverdict",
    'sofia/external/{uri}" # the dial string; or through a gateway: sofia/gateway/NAME/{user}': (
        'sofia/gateway/sipverdict/{user}" # CHANGE THIS: the gateway whose proxy is lab.exchange'
    ),
}
"""How a PBX calls any URI, and how it calls a number through the trunk that is the exchange."""
