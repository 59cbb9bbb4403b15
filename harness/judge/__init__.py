"""Judging: pure functions from flows to findings, and from findings to verdicts.

Nothing in this package opens a file or a socket, reads a clock or knows the driver.
"""
