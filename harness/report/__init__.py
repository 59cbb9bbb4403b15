"""Reports of a stored run: pages, ladders, findings as text, packets, the matrix, the table at the end.

Nothing here decides a verdict.  What came from a device passes :mod:`harness.model.printable` before it is shown.
"""
