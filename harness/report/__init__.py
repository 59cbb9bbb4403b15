"""What a run leaves behind and shows: the stream of verdicts, ladders, findings as text, Allure, JUnit, a summary.

Nothing here decides a verdict.  What came from a device passes :mod:`harness.model.printable` before it is shown.
"""
