"""The pages that are made of code and data: a device profile's JSON Schema, its pages, and the table of options.

They come from the models, the PICS keys, the requirement catalogue and harness/run/options.py, as does the profile that
``init`` writes.  ``python -m harness.manual`` writes docs/device-profile.schema.json, docs/profile.md, docs/pics.md and
the table in docs/running.md again.
"""
