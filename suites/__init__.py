"""The purposes: one folder per role, one file per topic, one sentence per test; and the requirement catalogue."""
