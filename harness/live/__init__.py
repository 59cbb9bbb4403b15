"""The live line of a run, and its requests to a person."""
