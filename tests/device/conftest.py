from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from device_bench import MINIMAL, Write

from harness.device import Profile, load_profile
from harness.net.address import Address
from harness.net.loopback import LoopbackPool


@pytest.fixture(scope="session")
def pool() -> Iterator[LoopbackPool]:
    pool = LoopbackPool()
    yield pool
    pool.close()


@pytest.fixture
def lease(pool: LoopbackPool) -> Callable[[], Address]:
    return pool.lease


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a profile, and its device as a Python script, and loads it."""

    def written(script: str = "print('READY')", profile: str = MINIMAL, **files: str) -> Profile:
        (tmp_path / "toy.py").write_text(textwrap.dedent(script))
        for name, text in files.items():
            (tmp_path / name.replace("__", ".")).write_text(text)
        (tmp_path / "device.toml").write_text(profile)
        return load_profile(tmp_path / "device.toml")

    return written
