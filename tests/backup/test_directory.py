"""A dump into a directory of this machine: it is looked through before anything of it is stored."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recovery.world import World
from tui.model.errors import PgdrError
from tui.operations.backup.directory import DirectoryDump
from tui.postgres import commands
from tui.postgres.connection import environment
from tui.postgres.programs import dump_program
from tui.stores.open import open_store


@pytest.mark.parametrize("pattern", ["toc.dat", "[0-9]*.dat*", "*"])
def test_one_that_has_lost_a_file_is_no_backup(world: World, tmp_path: Path, pattern: str) -> None:
    """Someone clears the disk up between pg_dump's end and the storing."""
    fleet, endpoint, staging = world.fleet, world.database.endpoint, tmp_path / "staging"
    program = dump_program("pg_dump", fleet.programs, endpoint, 18)
    env = environment(endpoint, None)
    at = staging / "archive"
    command = commands.dump(program, env, world.live.name, file=at, format="directory", jobs=2)
    stores = [open_store(spec) for spec in fleet.stores]
    with DirectoryDump(command, stores, "shop.dir", lambda event: None, at) as dump:
        dump.wait(lambda: None)
        found = sorted(at.glob(pattern))
        for file in found if pattern == "*" else found[-1:]:
            file.unlink()
        with pytest.raises(PgdrError, match="isn't whole") as raised:
            dump.made(lambda: None)
        assert raised.value.why and (pattern == "*" or found[-1].name.partition(".")[0] in raised.value.why
                                     or "table of contents" in raised.value.why)  # fmt: skip
    assert not staging.exists() and not list((world.config.parent / "backups").iterdir())
