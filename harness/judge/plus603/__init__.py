"""603+: what a device makes that blocks a call, what one in the path passes on, and the redress data in both.

A 603+ is read by :mod:`harness.sip.plus603`, in one place.
"""
