"""pytest-xdist: all items of one device go to one worker.

``--dist loadgroup`` silently does nothing on pytest 9.2 with xdist 3.8 (xdist issue 1386).  So this is a scheduler of
our own, on the base class that xdist documents for schedulers.
"""

from __future__ import annotations

from typing import Any

import pytest
from xdist.scheduler.loadscope import LoadScopeScheduling

from harness.run.items import Items


class DevicePerWorker(LoadScopeScheduling):  # type: ignore[misc]  # xdist carries no types
    """Distributes devices over workers, each device to one worker; other tests by their files."""

    def __init__(self, config: pytest.Config, log: Any, items: Items) -> None:
        super().__init__(config, log)
        self._items = items

    def _split_scope(self, nodeid: str) -> str:
        case = self._items.case(nodeid)
        return case.device if case else nodeid.split("::", 1)[0]
