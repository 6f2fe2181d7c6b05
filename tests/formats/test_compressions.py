"""lz4 and zstd as pg_dump itself writes them: taken, shown, restored whole and in part, here and from afar.

They need a PostgreSQL of 16 or newer that was built with both, which neither the embedded one nor Debian 12
has. It is looked for in $PGDR_TEST_BIN, else where Debian puts it; without one these tests are skipped.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.backup.keys import age_key
from tests.faults.life import fingerprint
from tests.formats.conftest import MORE, Packed
from tests.recovery.world import make_world
from tests.servers import fresh_database, server
from tui.config.write import text_of
from tui.demo.objects import ObjectServer
from tui.demo.server import Server
from tui.files import write_whole
from tui.model.backup import ArchiveFormat, Verdict
from tui.model.fleet import Programs
from tui.operations.backup.backup import Making
from tui.postgres.archive.compression import offered
from tui.postgres.programs import candidates


def packing_programs() -> Path | None:
    """The directory of a PostgreSQL whose pg_dump has both."""
    told = os.environ.get("PGDR_TEST_BIN")
    for directory in [Path(told)] if told else sorted(Path("/usr/lib/postgresql").glob("*/bin")):
        if (directory / "postgres").exists():
            found = (p for p in candidates("pg_dump", Programs((directory,))) if p.path.parent == directory)
            if any({"lz4", "zstd"} <= set(offered(program)) for program in found):
                return directory
    return None


@pytest.fixture(scope="module")
def pg_packing() -> Iterator[Server]:
    directory = packing_programs()
    if directory is None:
        pytest.skip("No PostgreSQL built with lz4 and zstd is installed (see $PGDR_TEST_BIN).")
    with server("pg_packing", directory) as made:
        yield made


@pytest.fixture
def packed(pg_packing: Server, s3: ObjectServer, tmp_path: Path) -> Iterator[Packed]:
    with fresh_database(pg_packing) as live:
        world = make_world(live, tmp_path, offsite=s3.store("offsite", tmp_path.name), rows=3000)
        world.sql(MORE)
        key = age_key(tmp_path)
        encryption = key.fleet.encryption
        write_whole(world.config, text_of(replace(world.fleet, encryption=encryption)))
        yield Packed(world, s3.objects / tmp_path.name, key, fingerprint(world, live.name), tmp_path)


@pytest.mark.parametrize("form", [ArchiveFormat.CUSTOM, ArchiveFormat.DIRECTORY, ArchiveFormat.PLAIN])
@pytest.mark.parametrize("compression", ["lz4", "zstd:3", "lz4:1"])
@pytest.mark.parametrize("sealed", [False, True])
def test_it_comes_back_as_it_was(packed: Packed, form: ArchiveFormat, compression: str, sealed: bool) -> None:
    to = (packed.age.recipient,) if sealed else ()
    made = packed.world.back_up(making=Making(form, compression, to))
    assert made.manifest.compression == compression
    for number, ref in enumerate(made.refs):
        shown = packed.world.answer("show", ref)
        assert shown["format"] == form.value and {t["name"] for t in shown["tables"]} >= {"users", "wallets"}
        if form is not ArchiveFormat.PLAIN and not sealed:
            assert all(t["compressed_bytes"] for t in shown["tables"])
        done = packed.restore(ref, str(number))
        assert done.verdict is Verdict.CLEAN, done.errors
        packed.equal(str(number))
        if form is not ArchiveFormat.PLAIN:
            part = packed.restore(ref, f"part{number}", tables=("public.users",))
            assert part.verdict is Verdict.CLEAN
            assert packed.world.count("users", f"{packed.world.live.name}_part{number}") == 400
        assert packed.world.answer("verify", ref)["verdict"] == "clean"
