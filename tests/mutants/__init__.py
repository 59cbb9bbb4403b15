"""Mechanical mutants: small changes of the reference device's source, and whether the suite notices them.

``make mutants`` measures what faults cannot: faults are what somebody thought of, and each has a purpose that was
written for it.  A mutant is what nobody thought of.  ``python -m tests.mutants --help`` lists the options;
CONTRIBUTING.md explains the report.
"""
