"""The account: every message that the device sent in a flow, with its cause, or with why nothing explains it.

=====================  ====================================================================
:mod:`.entry`          what is said of one message, and of all of them
:mod:`.transactions`   the transaction layer: requests and responses of both sides, as they stand
:mod:`.dialogs`        the dialogs that have come about, and how they ended
:mod:`.calls`          the calls that somebody wanted, and the target set of each
:mod:`.openings`       why a device of some role may open a call: one small model per role
:mod:`.requests`       the other requests of the device
:mod:`.responses`      its responses
:mod:`.replay`         the flow message by message through all of them
=====================  ====================================================================

The account judges nothing.  A message that is explained may still be wrong in many ways, and rules judge those.  One
that nothing explains has a code and, where another rule judges exactly that, says so.
"""
