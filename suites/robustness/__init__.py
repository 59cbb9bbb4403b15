"""Responses that no honest network sends, and what must not come of them.  Run with ``--robustness``."""
