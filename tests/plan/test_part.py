"""How much of an archive a restore of single tables fetches and loads, and its estimate by that."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recovery.world import World, make_world, utc_now
from tests.servers import Bucket, FreshDatabase
from tui.model.backup import ArchiveFormat
from tui.model.plan import RestorePlan
from tui.operations.backup.backup import Making
from tui.operations.plan.plan import plan_restore
from tui.stores.open import open_store

ROWS = 40_000


@pytest.fixture
def world(db18: FreshDatabase, bucket: Bucket, tmp_path: Path) -> World:
    return make_world(db18, tmp_path, rows=ROWS, offsite=bucket.store)


def planned(world: World, ref: str, *tables: str) -> RestorePlan:
    target = f"{world.live.name}_planned"
    return plan_restore(
        world.fleet, world.state, world.database, ref, target=target, tables=tables, now=utc_now()
    )


@pytest.mark.parametrize("form", [ArchiveFormat.CUSTOM, ArchiveFormat.DIRECTORY])
def test_a_small_table_of_a_large_archive_takes_its_part(world: World, form: ArchiveFormat) -> None:
    near, far = world.back_up(making=Making(format=form)).refs
    for ref in (near, far):
        whole, part = planned(world, ref), planned(world, ref, "public.users")
        assert part.estimate.high < whole.estimate.high and part.estimate.low < whole.estimate.low
        assert part.archive_bytes == whole.archive_bytes
    staged = form is ArchiveFormat.DIRECTORY  # the custom format is read as it loads
    assert (0 < part.staging_bytes < whole.staging_bytes) is staged
    said = " ".join(f.what for f in part.findings if f.about == "fetching")
    assert ("of its" in said) is not staged


def test_what_can_t_be_read_in_parts_is_taken_for_all_of_it(world: World) -> None:
    _, far = world.back_up(making=Making(format=ArchiveFormat.CUSTOM)).refs
    store, _, key = far.partition(":")
    bucket = world.fleet.store(store)
    assert bucket is not None
    open_store(bucket).delete(
        f"{key}.manifest.json"
    )  # without it nothing tells where the data of a piped dump lies
    whole, part = planned(world, far), planned(world, far, "public.users")
    assert part.staging_bytes == whole.staging_bytes == whole.archive_bytes
    assert part.estimate == whole.estimate
