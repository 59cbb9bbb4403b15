"""``python -m sipverdict``: the same as ``sipverdict``."""

import sys

from sipverdict import main

sys.exit(main())
