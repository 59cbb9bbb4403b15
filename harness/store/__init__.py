"""The files of a run: its folder, the stream of verdicts, and reading both back."""
