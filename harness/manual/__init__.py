"""What is said of a device profile beforehand: its JSON Schema, its pages, and the profile that ``init`` writes.

All of it is made from the models, the PICS keys and the requirement catalogue.  ``python -m harness.manual`` writes
docs/device-profile.schema.json, docs/profile.md and docs/pics.md again.
"""
