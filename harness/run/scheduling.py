"""pytest-xdist: all items of one device go to one worker.

``--dist loadgroup`` silently does nothing on pytest 9.2 with xdist 3.8 (xdist issue 1386), hence a scheduler of
our own on the class that xdist documents for that.
"""

from __future__ import annotations

from xdist.scheduler.loadscope import LoadScopeScheduling


def device_of(nodeid: str) -> str:
    """The device in an item's id (``…[sippy-b2bua-b2bua-udp]`` -> ``sippy-b2bua``); the file for other tests."""
    parameters = nodeid.rpartition("[")[2].removesuffix("]")
    parts = parameters.rsplit("-", 2)
    return parts[0] if "[" in nodeid and len(parts) == 3 else nodeid.split("::", 1)[0]


class DevicePerWorker(LoadScopeScheduling):  # type: ignore[misc]  # xdist carries no types
    """Spreads devices over workers, never one device over two."""

    def _split_scope(self, nodeid: str) -> str:
        return device_of(nodeid)
