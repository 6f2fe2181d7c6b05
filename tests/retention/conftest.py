"""Stores with backups of all ages: one real backup, kept again under older keys."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from tests.recovery.conftest import two_stores, world
from tests.recovery.world import World, utc_now
from tui.model.backup import Verdict, Verification
from tui.operations.catalogue.catalogue import (
    GLOBALS,
    key_for,
    read_manifest,
    record_verification,
    split_ref,
    write_manifest,
)
from tui.stores.open import open_store
from tui.stores.store import Store

__all__ = ["two_stores", "world"]


@dataclass(frozen=True)
class Aged:
    """A world and one backup of it, from which older ones are made."""

    world: World
    ref: str

    def store(self, name: str = "local") -> Store:
        spec = self.world.fleet.store(name)
        assert spec is not None
        return open_store(spec)

    def add(
        self, days: float, store: str = "local", *, verdict: Verdict | None = None,
        manifest: bool = True, cut: int | None = None,
    ) -> str:  # fmt: skip
        """The same backup as if it had been taken so many days ago; returns its ref."""
        _, source = split_ref(self.world.fleet, self.ref)
        into, at = self.store(store), (utc_now() - timedelta(days=days)).replace(microsecond=0)
        was = read_manifest(self.store(), source)
        assert was is not None
        key = key_for(self.world.live.name, at)
        data = self.store().read(source, 0, was.size_bytes)[:cut]
        into.put(key, data)
        into.put(key + GLOBALS, b"-- roles\n")
        if manifest:
            write_manifest(into, replace(was, key=key, created_at=at, size_bytes=len(data)))
        if verdict is not None:
            record_verification(into, key, Verification(at, verdict), ())
        return f"{store}:{key}"

    def there(self, store: str = "local") -> set[str]:
        return {found.key for page in self.store(store).pages() for found in page}


@pytest.fixture
def aged(world: World) -> Aged:
    """One store."""
    return Aged(world, world.back_up().refs[0])


@pytest.fixture
def aged_in_two(two_stores: World) -> Aged:
    """A local store and a bucket."""
    return Aged(two_stores, two_stores.back_up().refs[0])
