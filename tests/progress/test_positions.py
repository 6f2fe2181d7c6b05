"""Where a real pg_restore is in its archive, and what the picture makes of that."""

from __future__ import annotations

import subprocess
import time
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

from tests.recovery.world import make_world
from tests.servers import FreshDatabase
from tui.model.event import (
    ArchivePosition,
    Entry,
    Item,
    ItemLaunched,
    ItemsListed,
    LoadAdvanced,
    Phase,
)
from tui.operations.catalogue.catalogue import describe
from tui.postgres.archive.positions import Positions, spans
from tui.postgres.commands import restore
from tui.postgres.connection import environment
from tui.postgres.programs import restore_program
from tui.postgres.progress.progress import Fold
from tui.process import start
from tui.stores.open import open_store

T0 = datetime(2026, 11, 21, 3, 10, tzinfo=timezone.utc)


def test_workers_are_seen_where_they_read(db18: FreshDatabase, tmp_path: Path) -> None:
    world = make_world(db18, tmp_path, rows=120_000)
    key = world.back_up().refs[0].partition(":")[2]
    store = open_store(world.fleet.stores[0])
    found, archive = describe(store, key), store.path(key)
    assert found.contents is not None and archive is not None
    size = archive.stat().st_size
    assert spans(found.contents, size, found.manifest) == {}  # the manifest tells all rows
    assert found.manifest is not None
    blocks = spans(found.contents, size, replace(found.manifest, tables=()))
    wallets = next(e.dump_id for e in found.contents.entries if (e.desc, e.name) == ("TABLE DATA", "wallets"))
    db18.server.sql('CREATE DATABASE "read"')
    client = restore_program(world.fleet.programs, db18.endpoint, 18, 18)
    command = restore(client, environment(db18.endpoint), archive, "read", jobs=2)
    process = start(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    positions, seen = Positions(archive, blocks), []
    while process.poll() is None:
        seen += [p.bytes for p in positions.poll(process.pid) if p.dump_id == wallets]
        time.sleep(0.01)
    assert process.returncode == 0
    size = blocks[wallets][1]
    assert len(set(seen)) > 2 and min(seen) >= 0 and size / 3 < max(seen) <= size
    assert positions.poll(process.pid) == []


def test_a_place_in_the_archive_is_believed_over_a_guess() -> None:
    item = Item(1, "TABLE DATA", "public", "users", Phase.DATA, None, 1000)
    made = Fold()
    for event in (
        ItemsListed((item,)),
        ItemLaunched(1),
        ArchivePosition(1, 250),
        LoadAdvanced("public", "users", 9, 3900),
        ArchivePosition(7, 250),
    ):
        made.add(Entry(T0, event))
    assert made.picture(T0).workers[0].fraction == 0.25
    made.add(Entry(T0, ArchivePosition(1, 1000)))
    assert made.picture(T0).workers[0].fraction == 0.99
