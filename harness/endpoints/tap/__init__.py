"""The tap: the suite's own socket at every address that a device can reach.  Its messages are the evidence.

=====================  ======================================================================
:class:`.port.UdpPort`  a socket that knows when each datagram came, and how many were lost
:class:`.tap.Tap`       one seat: records what crosses it, passes it on to whoever acts there
:mod:`.routes`          where a response, or a request within a call, has to go
:mod:`.weather`         what the tap may do to messages on purpose: lose, delay, copy, reorder
=====================  ======================================================================

The tap changes no byte of the record, and asserts nothing.
"""
