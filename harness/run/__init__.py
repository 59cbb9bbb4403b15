"""A run: its options, the session that drives and judges, and what publishes it."""
