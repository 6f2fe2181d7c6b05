"""A dump into a directory of this machine: it is looked through before anything of it is stored."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.backup.keys import age_key
from tests.recovery.world import World
from tui.model.errors import PgdrError
from tui.operations.backup.directory import DirectoryDump
from tui.postgres import commands
from tui.postgres.connection import environment
from tui.postgres.programs import dump_program
from tui.stores.open import open_store


@pytest.mark.parametrize("sealed", [False, True])
@pytest.mark.parametrize("pattern", ["toc.dat", "[0-9]*.dat*", "*", "later"])
def test_one_that_has_lost_a_file_is_no_backup(
    world: World, tmp_path: Path, pattern: str, sealed: bool
) -> None:
    """Someone clears the disk up between pg_dump's end and the storing, or while it is made ready."""
    fleet, endpoint, staging = world.fleet, world.database.endpoint, tmp_path / "staging"
    program = dump_program("pg_dump", fleet.programs, endpoint, 18)
    env = environment(endpoint, None)
    at = staging / "archive"
    command = commands.dump(program, env, world.live.name, file=at, format="directory", jobs=2)
    stores = [open_store(spec) for spec in fleet.stores]
    to = (age_key(tmp_path).recipient,) if sealed else ()
    with DirectoryDump(command, stores, "shop.dir", lambda event: None, at, recipients=to) as dump:
        dump.wait(lambda: None)
        found = sorted(at.glob("[0-9]*.dat*" if pattern == "later" else pattern))
        gone = found if pattern == "*" else found[-1:]

        def clear_up() -> None:
            for file in gone:
                file.unlink(missing_ok=True)

        if pattern != "later":
            clear_up()
        # The first heed comes when the dump was looked through, and before any of it is read
        with pytest.raises(PgdrError, match="isn't whole") as raised:
            dump.made(clear_up if pattern == "later" else lambda: None)
        assert raised.value.mend and raised.value.why
        told = "table of contents" if pattern in ("*", "toc.dat") else gone[0].name.partition(".")[0]
        assert told in raised.value.why
    assert not staging.exists() and not list((world.config.parent / "backups").iterdir())
