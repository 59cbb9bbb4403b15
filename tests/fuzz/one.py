"""``python -m tests.fuzz.one READER ARGUMENTS…``: one reader under atheris; ARGUMENTS are libFuzzer's."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["harness"]):
    from tests.fuzz.readers import READERS

if __name__ == "__main__":
    name, *arguments = sys.argv[1:]
    atheris.Setup([name, *arguments], READERS[name])
    atheris.Fuzz()
