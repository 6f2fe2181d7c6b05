"""One store of each kind; the same tests hold for both."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.servers import Bucket
from tui.model.fleet import LocalStore
from tui.stores.open import open_store
from tui.stores.store import Store


@dataclass(frozen=True)
class Kept:
    """A store and the directory in which its objects lie as files."""

    store: Store
    directory: Path

    def files(self) -> set[str]:
        """Every file that is really there, half-written ones among them."""
        return {str(p.relative_to(self.directory)) for p in self.directory.rglob("*") if p.is_file()}


PART = 5 << 20  # the least that S3 takes for a part


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that few bytes are many parts."""
    monkeypatch.setattr("tui.stores.s3_write.PART_BYTES", PART)
    monkeypatch.setattr("tui.stores.s3_fetch.RANGE_BYTES", 1 << 20)


@pytest.fixture(params=["local", "s3"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Kept:
    """A fresh, empty store: a directory, or a prefix in a bucket of a real S3 server."""
    if request.param == "local":
        directory = tmp_path / "store"
        directory.mkdir(mode=0o700)
        return Kept(open_store(LocalStore("local", directory)), directory)
    bucket: Bucket = request.getfixturevalue("bucket")
    return Kept(open_store(bucket.store), bucket.directory)
