"""The reference device: a small SIP element that is right by default and wrong on request.

``python -m harness.devices.reference --listen 127.0.30.1:5060 --role ROLE`` binds its socket and prints ``READY``. It
ends when stdin does. ``--fault NAME`` gives it one named misbehaviour and may be repeated; ``--list-faults`` lists all.

=================== ===================================================================================================
role                what it is
=================== ===================================================================================================
``ua`` (default)    a user agent and B2BUA. An INVITE that reaches it is bridged to its Request-URI by the UAC core: a
                    call through the device follows redirections, and stops at a 603, as one that it places itself
``proxy``           a stateful, forking proxy with a registrar; responsible for the URIs at its own host and port
``recursing-proxy`` the same, but for its own users it tries the Contacts of a 3xx itself
``redirect``        a redirect server with a registrar
``uas``             a phone that answers by the number that is called (see ``answering``)
=================== ===================================================================================================

A ``ua`` or ``uas`` takes one command a line on stdin (``call URI``, ``hangup URI``, ``reinvite URI``; a ``uas`` also
``answer URI`` and ``reject URI`` for a call that rings), on a port (``--control``) and by HTTP (``--http``, with
``--http-auth``), calls whom a REFER names (``--refer``), and prints what becomes of its calls as JSON lines,
``{"call": URI, "event": EVENT, "status": CODE}``, where the event is ``ringing``, ``redirected``, ``answered``,
``reinvited``, ``failed`` or ``ended`` (which has no status).

The layers, each of which imports only from itself and from those above it:

=====================================  ===============================================================================
``sip_uri uri_equality headers         text: URIs, comma lists, addresses; everything keeps the bytes it was given
tokens``
``wire parsing contacts``              messages as frozen data, datagrams into messages, the Contacts of a redirection
``binding transport framing stream     sockets behind one Protocol that says whether it is reliable; connections and
timers``                               their messages
``behaviour proxy_rules server_rules   every decision that a fault can turn; the base classes decide as the RFC does
faults misbehaviour``
``transactions``                       the state machines (17.1, 17.2, RFC 6026) and the layer that matches them
``identity dialog stack leg``          a dialog, and what a user agent does inside it
``invites targets call incoming``      the UAC core with its redirections (8.1.3.4), and the UAS side of an INVITE
``b2bua console``                      the two users: a bridge of two legs, and the calls of the stdin commands
``control_port web referral``          the same commands on a port and by HTTP, and those of a REFER
``location registrar redirection``     who is where (10.3), and how a 3xx is made of it (8.3)
``user_agent answering redirect        the cores, one for each role: what takes the requests that begin something
proxy``
``device roles``                       put them together
=====================================  ===============================================================================

What it does not do: RTP, authentication of its callers, and passing on the answer to a delayed offer (it answers such
an offer with a session of its own). The proxy stays in a dialog only where that changes its transport, knows no strict
routers, and forks however many branches it has targets (no Max-Breadth).
"""
