"""The commands of ``sipverdict``: comfort over the pytest suite, never a second way to run it."""

from __future__ import annotations

import argparse
from typing import NoReturn

from harness.errors import SetupError


class Parser(argparse.ArgumentParser):
    """Says what is wrong the way everything else does, and with the same exit status."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of leaving with argparse's own status, which means something else here."""
        raise SetupError(message, f"{self.prog} --help shows what there is")
