"""The commands of ``sipverdict``: comfort over the pytest suite, never a second way to run it."""
