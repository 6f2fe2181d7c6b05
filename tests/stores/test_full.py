"""A store that is full: said so, nothing half-written stays, and what was there before does."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.copy.conftest import KEY, Original, original
from tui.model.fleet import LocalStore
from tui.operations.copy import copy_backup
from tui.stores.local import DirectoryStore
from tui.stores.store import StoreFull

__all__ = ["original"]


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of 4 MiB: a file system of its own. Skipped where this user may not mount one."""
    place = tmp_path / "small"
    place.mkdir()
    argv = ["mount", "-t", "tmpfs", "-o", "size=4m,mode=700", "tmpfs", str(place)]
    mounted = subprocess.run(argv, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False)


def test_a_full_disk(small: Path) -> None:
    store = DirectoryStore(LocalStore("small", small))
    store.put("kept.dump", b"before")
    with pytest.raises(StoreFull, match="small is full") as raised:
        store.write("big.dump", (bytes(1 << 20) for _ in range(8)))
    assert raised.value.mend
    assert [p.name for p in small.rglob("*")] == ["kept.dump"]
    assert store.read("kept.dump", 0, 9) == b"before"


def test_a_copy_to_a_full_disk_leaves_nothing(small: Path, original: Original) -> None:
    with pytest.raises(StoreFull):
        copy_backup(original.store, KEY, DirectoryStore(LocalStore("small", small)), lambda *_: None)
    assert list(small.rglob("*")) == []
    assert len(original.files()) == 4


def test_a_download_to_a_full_disk_leaves_nothing(small: Path, original: Original) -> None:
    with pytest.raises(StoreFull, match="disk here"):
        original.store.fetch(KEY, small / "here.dump", lambda _: None, lambda: False)
    assert list(small.rglob("*")) == []
