"""Stores of several kinds with a backup in one of them; no server of PostgreSQL is needed for a copy."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import pytest

from tests.catalogue.conftest import manifest_for
from tests.stores.conftest import (
    _small_parts,
    azure_spec,
    azurite,
    gcs,
    gcs_spec,
    kept,
    moto,
    moto_spec,
)
from tui.model.backup import Manifest, Verdict, Verification
from tui.model.fleet import LocalStore
from tui.operations.catalogue.catalogue import GLOBALS, record_verification, write_manifest
from tui.stores.local import DirectoryStore
from tui.stores.store import Store

__all__ = [
    "_small_parts",
    "azure_spec",
    "azurite",
    "gcs",
    "gcs_spec",
    "kept",
    "moto",
    "moto_spec",
]

KEY = "shop-20261121-010210.dump"
AT = datetime(2026, 11, 21, 3, 0, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Original:
    """A backup with everything beside it, in a directory."""

    store: DirectoryStore
    directory: Path
    data: bytes
    manifest: Manifest

    def files(self) -> dict[str, bytes]:
        """Everything that lies there."""
        return {
            str(p.relative_to(self.directory)): p.read_bytes()
            for p in self.directory.rglob("*")
            if p.is_file()
        }


@pytest.fixture
def original(tmp_path: Path) -> Original:
    """12 MB, of which S3 takes three parts."""
    directory = tmp_path / "near"
    directory.mkdir()
    store = DirectoryStore(LocalStore("near", directory))
    data = b"PGDMP" + os.urandom(12 << 20)
    store.write(KEY, [data])
    store.put(KEY + GLOBALS, b"CREATE ROLE shop;")
    record_verification(store, KEY, Verification(AT, Verdict.CLEAN), ())
    manifest = manifest_for(KEY, len(data), "shop", sha256=hashlib.sha256(data).hexdigest())
    write_manifest(store, manifest)
    return Original(store, directory, data, manifest)


def contents(store: Store) -> dict[str, bytes]:
    """Everything that lies in a store."""
    return {found.key: store.read(found.key, 0, found.size_bytes) for page in store.pages() for found in page}
