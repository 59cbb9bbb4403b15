"""The data that flows through a run: plan, flow, finding, verdict.  Frozen, printable, storable; knows nobody."""
