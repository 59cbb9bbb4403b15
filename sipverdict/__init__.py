"""The installed name of the product: finds the product's folders, and starts the command line.

In a checkout harness, suites, scenarios and reports are in the folder beside this one.  In an installed wheel they are
in ``product``, which is no package of its own, so that ``suites.uac…`` has the same name in both.
"""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> int:
    """Run ``sipverdict`` with the arguments of this process."""
    here = Path(__file__).resolve().parent
    product = here / "product"
    root = str(product if product.is_dir() else here.parent)
    # First: the folder in which somebody works may have a `harness` or `suites` of its own.
    sys.path.insert(0, root)
    from harness.system.output import make_output_last
    from harness.system.signals import end_like_ctrl_c

    make_output_last()
    try:
        end_like_ctrl_c()
        from harness.cli import main as command_line

        return command_line()
    except KeyboardInterrupt:  # modules were still being imported
        return 2
