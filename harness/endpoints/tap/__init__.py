"""The tap: the suite's own socket at every address that a device can reach.  Its messages are the evidence.

===========================  ================================================================
:func:`.ports.open_port`      the socket of a seat, whatever carries its messages
:class:`.port.UdpPort`        knows when each datagram came, and how many were lost
:class:`.stream.StreamPort`   listens, and keeps the connections between one seat and the device
:class:`.framing.Framer`      cuts a stream into messages
:class:`.tap.Tap`             one seat: records what crosses it, passes it on to whoever acts there
:mod:`.routes`                where a response, or a request within a call, has to go
===========================  ================================================================

The tap changes no byte of the record, and asserts nothing.
"""
