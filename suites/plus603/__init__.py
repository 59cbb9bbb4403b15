"""603+: a call that analytics blocked, from the device that blocks it to the one that placed it.

Three positions in the path, each asked of a device that claims it: ``sends_603plus``, ``transports_603plus``,
``stops_on_603plus``.  See docs/603plus.md.
"""
