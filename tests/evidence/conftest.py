"""What the tests about evidence share: a profile of their own, a run made by hand, keys."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from securesystemslib.signer import CryptoSigner

sys.path.insert(0, str(Path(__file__).parent))

from handmade import TINY, WHOLE, Maker, parts_of

from harness.evidence.keys import generate, load_private
from harness.policy import profiles as requirement_profiles
from harness.store.stored_run import StoredRun


@pytest.fixture(scope="module", autouse=True)
def profiles(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The data file of profiles is another one here: those of the suite demand more than eight purposes."""
    path = tmp_path_factory.mktemp("profiles") / "profiles.toml"
    path.write_text(TINY)
    before, requirement_profiles.PATH = requirement_profiles.PATH, path
    yield before
    requirement_profiles.PATH = before


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> StoredRun:
    """A run that bears a certificate."""
    return Maker(tmp_path_factory.mktemp("run"), purposes=WHOLE).make()


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The name of a pair of keys: ``lab.key``, ``lab.pub``; beside it another one, ``other``."""
    folder = tmp_path_factory.mktemp("keys")
    for name in ("lab", "other"):
        generate(folder / name)
    return folder


@pytest.fixture(scope="module")
def signer(keys: Path) -> CryptoSigner:
    return load_private(keys / "lab.key")


@pytest.fixture(scope="module")
def parts(run: StoredRun, signer: CryptoSigner) -> dict[str, bytes]:
    """The files of the dossier of ``run``."""
    return parts_of(run, signer)
