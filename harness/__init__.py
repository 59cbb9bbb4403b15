"""sipverdict's harness: drives a SIP device with SIPp, records the wire, judges it.

Suites import the harness; the harness never imports suites.
"""
