"""What a look into a remote backup costs: bytes and time, on loopback.

    python -m tests.bench.show [MB] [--rounds R]

A database of a hundred tables is dumped by the embedded PostgreSQL, MB (200) of it rows that don't compress,
and put into a bucket of rclone's S3 server and of moto's, on this machine. It is described R times (5) by a
process of its own, `pgdr show`, and by a client that is already open. It prints the bytes that were read,
their share of the archive, and medians of seconds. rclone hashes the whole object for every request (0.18 s
for 120 MB, whatever is asked for); moto, which holds objects in memory, answers at once, as clouds do.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from tests.servers import fresh_database, server
from tests.stores.clouds import served
from tui.config.write import text_of
from tui.demo.account import server_account
from tui.demo.binaries import reachable_bin
from tui.demo.objects import ObjectServer
from tui.demo.ports import free_port
from tui.model.fleet import Fleet, S3Store
from tui.operations.catalogue.catalogue import describe
from tui.process import Command, run
from tui.stores.open import open_store
from tui.stores.s3 import BucketStore

TABLES = 100
KEY = "many-20261121-010210.dump"


TABLE = """
CREATE TABLE {name} (id int PRIMARY KEY, a text, b timestamptz DEFAULT now(), raw bytea);
INSERT INTO {name} SELECT n, 'x', now(),
    (SELECT string_agg(decode(md5(random()::text || n || i), 'hex'), '') FROM generate_series(1, 64) i)
    FROM generate_series(1, {rows}) n;
CREATE INDEX ON {name} (b);
"""


def dump(megabytes: int, into: Path) -> int:
    """Makes the archive; returns its size."""
    with server("bench", reachable_bin(server_account())) as made, fresh_database(made) as database:
        rows = max(1, megabytes * 1000 // TABLES)
        for number in range(TABLES):
            database.sql(TABLE.format(name=f"t{number:03}", rows=rows))
        end = made.endpoint
        env = {"PGHOST": end.host or "", "PGPORT": str(end.port), "PGUSER": end.user or "",
               "PGPASSFILE": str(end.passfile), "PGDATABASE": database.name}  # fmt: skip
        argv = (str(made.bin_directory / "pg_dump"), "-Fc", "-Z1", "-f", str(into))
        done = run(Command(argv, env), timeout_s=600)
        assert done.code == 0, done.stderr
    return into.stat().st_size


def measure(spec: S3Store, directory: Path, rounds: int, size: int) -> str:
    """Describes the backup in that store; returns a line of figures."""
    (directory / "pgdr.toml").write_text(text_of(Fleet("bench", stores=(spec,))))
    argv = [sys.executable, "-m", "tui", "--config", str(directory / "pgdr.toml")]
    argv += ["--state", str(directory / "state"), "show", f"{spec.name}:{KEY}", "--json"]
    whole, inside = [], []
    fetched = 0
    for _ in range(rounds):
        began = time.perf_counter()
        done = subprocess.run(argv, capture_output=True, check=True, env=dict(os.environ))
        whole.append(time.perf_counter() - began)
        answer = json.loads(done.stdout)
        fetched = answer["fetched_bytes"]
        assert len(answer["tables"]) == TABLES
        began = time.perf_counter()
        found = describe(open_store(spec), KEY)
        inside.append(time.perf_counter() - began)
    assert found.contents is not None
    toc = found.contents.toc_bytes
    return (
        f"{spec.name:8} read {fetched:,} bytes: {fetched / size:.3%}, {fetched / toc:.2f} of the contents; "
        f"pgdr show {statistics.median(whole):.2f} s, with an open client {statistics.median(inside):.3f} s"
    )


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser()
    parser.add_argument("megabytes", nargs="?", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pgdr-show-") as made, ObjectServer(Path(made)) as objects:
        directory, port = Path(made), free_port()
        objects.start()
        rclone = objects.store("rclone", "bucket")
        archive = objects.objects / "bucket" / KEY
        size = dump(arguments.megabytes, archive)
        print(f"archive {size / 1e6:.1f} MB, {TABLES} tables")
        print(measure(rclone, directory, arguments.rounds, size))
        argv = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        with served(argv, port, directory) as url:
            moto = replace(rclone, name="moto", endpoint_url=url)
            store = open_store(moto)
            assert isinstance(store, BucketStore)
            store._client().create_bucket(Bucket="bucket")
            store.write(KEY, [archive.read_bytes()])
            print(measure(moto, directory, arguments.rounds, size))


if __name__ == "__main__":
    main()
