"""The reference device: a small SIP user agent and B2BUA that is right by default and wrong on request.

``python -m harness.devices.reference --listen 127.0.30.1:5060`` binds its socket, prints ``READY`` and then takes one
command a line on stdin (``call URI``, ``hangup URI``, ``reinvite URI``). It prints what becomes of its calls as JSON
lines on stdout, ``{"call": URI, "event": EVENT, "status": CODE}``, where the event is ``ringing``, ``redirected``,
``answered``, ``reinvited``, ``failed`` or ``ended`` (which has no status). It ends when stdin does.

An INVITE that reaches it is bridged to its Request-URI by the same UAC core, so a call through the device follows
redirections, and stops at a 603, exactly as one that it places itself. ``--fault NAME`` gives it one named misbehaviour
and may be repeated; ``--list-faults`` lists them.

The layers, each of which imports only from itself and from those above it:

=====================================  ===============================================================================
``sip_uri headers tokens``             text: URIs, comma lists, addresses; everything keeps the bytes it was given
``wire parsing contacts``              messages as frozen data, datagrams into messages, the Contacts of a redirection
``binding transport timers``           sockets behind one Protocol that says whether it is reliable
``behaviour faults misbehaviour``      every decision that a fault can turn; the base class decides as the RFC does
``transactions``                       the state machines (17.1, 17.2, RFC 6026) and the layer that matches them
``identity dialog stack leg``          a dialog, and what a user agent does inside it
``invites targets call incoming``      the UAC core with its redirections (8.1.3.4), and the UAS side of an INVITE
``b2bua console``                      the two users: a bridge of two legs, and the calls of the stdin commands
``device``                             puts them together; a new INVITE goes to a handler, which need not be a bridge
=====================================  ===============================================================================

What it does not do: DNS (hosts are numeric), IPv6, TCP and TLS (a Contact that needs one of them is stepped over), RTP,
authentication, and passing on the answer to a delayed offer (it answers such an offer with a session of its own).
"""
