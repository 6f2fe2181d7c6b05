"""What the tests of taking backups work on: the worlds of whole operations, and real keys."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest

from tests.backup.keys import GpgKey, gpg_home, gpg_key
from tests.recovery.conftest import two_stores, world

__all__ = ["two_stores", "world"]


@pytest.fixture(scope="session")
def gpg_one() -> Iterator[GpgKey]:
    """A GPG key without a passphrase."""
    if shutil.which("gpg") is None:
        said = "gpg is not installed (Debian: apt-get install gnupg)."
        if os.environ.get("CI"):
            pytest.fail(said)
        pytest.skip(said)
    with gpg_home() as home:
        yield gpg_key(home)
