"""Rules that always hold, judged over every flow of the device: see harness/purposes/invariant.py."""
