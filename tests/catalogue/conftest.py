"""Archives that a real pg_dump made, and stores to put them into."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import pytest

from tests.servers import fresh_database
from tui.demo.server import Server
from tui.model.backup import ArchiveFormat, Manifest, TableState
from tui.model.fleet import LocalStore
from tui.process import Command, run
from tui.stores.local import DirectoryStore

DATABASE = "shop"
SCHEMA = """
CREATE TABLE big AS SELECT n, md5(n::text) AS code FROM generate_series(1, 20000) AS n;
CREATE TABLE small AS SELECT n FROM generate_series(1, 10) AS n;
CREATE TABLE nothing (n int);
SELECT lo_from_bytea(0, decode(repeat('ab', 5000), 'hex'));
"""


@dataclass(frozen=True)
class Archives:
    """The same database as each kind of dump; `piped` is one that pg_dump couldn't seek in, `redirected` what
    `pg_dump -Fc > FILE` leaves: from 16 on with its table of contents a second time behind the data."""

    custom: bytes
    piped: bytes
    redirected: bytes
    no_large_objects: bytes
    schema_only: bytes
    tar: bytes
    directory: Path


@pytest.fixture(scope="session")
def archives(pg18: Server, tmp_path_factory: pytest.TempPathFactory) -> Archives:
    """Dumps by the embedded pg_dump 18."""
    return dumps(pg18, tmp_path_factory.mktemp("archives18"))


@pytest.fixture(scope="session")
def archives15(pg15: Server, tmp_path_factory: pytest.TempPathFactory) -> Archives:
    """Dumps by Debian's pg_dump 15, in an older format."""
    return dumps(pg15, tmp_path_factory.mktemp("archives15"))


def dumps(server: Server, where: Path) -> Archives:
    """Dumps of one database on `server` by its own pg_dump, files left in `where`."""
    endpoint = server.endpoint
    with fresh_database(server) as made:
        made.sql(SCHEMA)
        env = {
            "PGHOST": endpoint.host or "",
            "PGPORT": str(endpoint.port),
            "PGUSER": endpoint.user or "",
            "PGPASSFILE": str(endpoint.passfile),
            "PGDATABASE": made.name,
        }

        def dump(*options: str) -> bytes:
            done = run(Command((str(server.bin_directory / "pg_dump"), *options), env), timeout_s=60)
            assert done.code == 0, done.stderr
            return done.stdout

        def dump_file(name: str, *options: str) -> bytes:
            dump("-f", str(where / name), *options)
            return (where / name).read_bytes()

        def redirected(name: str) -> bytes:
            program = str(server.bin_directory / "pg_dump")
            run(Command(("sh", "-c", '"$0" -Fc > "$1"', program, str(where / name)), env), timeout_s=60)
            return (where / name).read_bytes()

        dump("-Fd", "-f", str(where / "directory"))
        return Archives(
            custom=dump_file("custom", "-Fc"),
            piped=dump("-Fc"),
            redirected=redirected("redirected"),
            no_large_objects=dump_file("none", "-Fc", "--no-blobs"),
            schema_only=dump_file("schema", "-Fc", "--schema-only"),
            tar=dump_file("tar", "-Ft"),
            directory=where / "directory",
        )


@pytest.fixture
def store(tmp_path: Path) -> DirectoryStore:
    """An empty store in a directory."""
    (tmp_path / "store").mkdir()
    return DirectoryStore(LocalStore("local", tmp_path / "store"))


def manifest_for(key: str, size_bytes: int, database: str, **changed: object) -> Manifest:
    """A manifest of the archive at `key`."""
    fields: dict[str, object] = {
        "version": 1,
        "key": key,
        "database": database,
        "created_at": datetime(2026, 11, 21, 1, 2, 10, tzinfo=timezone.utc),
        "duration_s": 1.5,
        "size_bytes": size_bytes,
        "sha256": "0" * 64,
        "format": ArchiveFormat.CUSTOM,
        "server_version": "18.6",
        "dump_version": "18.6",
        "system_identifier": "7412000000000000093",
        "database_bytes": 10_000_000,
        "encoding": "UTF8",
        "collate": "C",
        "ctype": "C",
        "owner": "pgdr_test",
        "acl": (),
        "settings": (),
        "tables": (TableState("public", "big", 20000, 1_500_000, ("n", "code")),),
        "sequences": (),
        "extensions": {"plpgsql": "1.0"},
        "roles": ("pgdr_test",),
        "indexes": 0,
        "constraints": 0,
        **changed,
    }
    return Manifest(**fields)  # type: ignore[arg-type]
