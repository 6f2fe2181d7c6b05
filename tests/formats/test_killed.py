"""A restore of an encrypted backup that is killed outright: gone on with, and nothing in clear is left."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.backup.keys import age_key
from tests.faults.life import RICH, reach, resumed_clean, start_restore, supervisor
from tests.recovery.conftest import two_stores
from tests.recovery.world import World
from tui.config.write import text_of
from tui.files import write_whole

__all__ = ["two_stores"]


def test_it_is_gone_on_with_and_nothing_in_clear_is_left(two_stores: World, tmp_path: Path) -> None:
    world, fleet = two_stores, two_stores.fleet
    world.sql(RICH)
    (tmp_path / "keys").mkdir()
    key = age_key(tmp_path / "keys")
    policy = replace(world.database.backup, encrypt_to=(key.recipient,))
    database = replace(world.database, backup=policy)
    write_whole(
        world.config,
        text_of(replace(fleet, databases=(database,), encryption=key.fleet.encryption)),
    )
    job = start_restore(world, world.back_up().refs[1])
    reach(world, job, "data")
    jobs = world.state / "jobs"
    (archive,) = jobs.rglob("archive.dump")
    assert archive.stat().st_mode & 0o077 == 0
    process = supervisor(world, job)
    process.kill()
    process.wait(20)
    resumed_clean(world, job)
    assert not list(jobs.rglob("archive.dump*"))
