"""The archive is hurt, or was fetched before: what is told, what is used again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults.life import (
    accounted_for,
    ended,
    events,
    no_orphans,
    picture,
    reach,
    resumed_clean,
    rich_world,
    start_restore,
    supervisor,
    wait,
)
from tests.recovery.world import World
from tests.servers import Bucket, FreshDatabase
from tui.jobs.job import files_of
from tui.model.backup import Verdict
from tui.model.event import JobState, Phase, PhaseBegan
from tui.operations.catalogue.catalogue import describe, read_manifest, write_manifest
from tui.stores.open import open_store


def block_of(world: World, ref: str, table: str) -> tuple[Path, int]:
    """The archive's file, and where the data of a table begins in it."""
    key = ref.partition(":")[2]
    store = open_store(world.fleet.stores[0])
    found, path = describe(store, key), store.path(key)
    assert found.contents is not None and found.manifest is not None and path is not None
    entry = next(e for e in found.contents.entries if e.desc == "TABLE DATA" and e.name == table)
    return path, next(b.offset for b in found.manifest.blocks if b.dump_id == entry.dump_id)


@pytest.mark.parametrize("how", ["flipped bit", "cut short"])
def test_damaged_data_fails_and_a_whole_archive_goes_on(world: World, how: str) -> None:
    ref = world.back_up().refs[0]
    path, offset = block_of(world, ref, "wallets")
    whole = path.read_bytes()
    hurt = bytearray(whole)
    if how == "flipped bit":
        hurt[offset + 2000] ^= 16
    else:
        del hurt[offset + 2000 :]
    path.write_bytes(hurt)
    job = start_restore(world, ref)
    end = ended(world, job)
    assert end.verdict is Verdict.FAILED or end.state is JobState.FAILED
    assert end.message and end.mend
    no_orphans(world, job)
    if end.items_total == 0:  # the plan's look was enough: nothing was begun
        assert end.target not in world.databases()
        return
    accounted_for(world, job)
    path.write_bytes(whole)
    resumed_clean(world, job, from_done=any(t.state == "done" for t in end.tables))


@pytest.fixture
def remote(db18: FreshDatabase, bucket: Bucket, tmp_path: Path) -> World:
    return rich_world(db18, tmp_path, bucket.store)


def without_blocks(world: World, ref: str) -> None:
    """Makes a manifest like those that tell nothing of the archive's parts: it is fetched whole then."""
    store = open_store(next(s for s in world.fleet.stores if s.name == "offsite"))
    manifest = read_manifest(store, ref.partition(":")[2])
    assert manifest is not None
    write_manifest(store, replace(manifest, blocks=()))


def fetches(world: World, job: str) -> bool:
    return any(isinstance(e, PhaseBegan) and e.phase is Phase.FETCH for e in events(world, job))


@pytest.mark.parametrize("damaged", [False, True])
def test_a_fetched_archive_is_used_again_when_it_is_whole(remote: World, damaged: bool) -> None:
    ref = next(r for r in remote.back_up().refs if r.startswith("offsite:"))
    without_blocks(remote, ref)
    job = start_restore(remote, ref)
    reach(remote, job, "index")
    supervisor(remote, job).kill()
    wait(lambda: picture(remote, job).state is JobState.LOST, "not shown as lost")
    no_orphans(remote, job)
    staged = files_of(remote.state, job).staging / "archive.dump"
    assert staged.exists()
    if damaged:
        with staged.open("r+b") as file:
            file.seek(-100, 2)
            file.write(b"not what it was")
    again = resumed_clean(remote, job)
    assert fetches(remote, again.job) is damaged
    assert not staged.exists() and not files_of(remote.state, again.job).staging.exists()
