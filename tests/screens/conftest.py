"""A small fleet on real servers and stores, in every state that a row can have."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from tests.servers import Bucket, FreshDatabase
from tui.config.write import text_of
from tui.demo.ports import free_port
from tui.model.fleet import (
    BackupPolicy,
    Criticality,
    Database,
    Endpoint,
    Fleet,
    LocalStore,
    Programs,
    S3Store,
)
from tui.model.secret import Secret
from tui.operations.backup.backup import back_up
from tui.stores.open import open_store

SQL = """
CREATE TABLE trades AS SELECT n AS id, md5(n::text) AS note FROM generate_series(1, 5000) AS n;
CREATE TABLE users AS SELECT n AS id FROM generate_series(1, 20) AS n;
ANALYZE;
"""


@dataclass(frozen=True)
class Living:
    """The fleet, its state directory, its live database and the refs of that one's backup."""

    fleet: Fleet
    state: Path
    shop: FreshDatabase
    ref: str

    def narrowed(self, *databases: str, stores: tuple[str, ...] = ("local",)) -> Fleet:
        """The fleet with only some databases and stores."""
        kept = tuple(d for d in self.fleet.databases if d.name in databases)
        return replace(
            self.fleet,
            databases=tuple(replace(d, backup=BackupPolicy(stores=stores)) for d in kept),
            stores=tuple(s for s in self.fleet.stores if s.name in stores),
        )


@pytest.fixture
def living(db18: FreshDatabase, bucket: Bucket, tmp_path: Path) -> Iterator[Living]:
    """`shop` is up and backed up into `local` and `offsite`; `gone` is missing, `down` has no server,
    `deaf` has one that never answers; `locked` is a store that rejects the credentials."""
    db18.sql(SQL)
    (tmp_path / "local").mkdir()
    (tmp_path / "wrong").write_text("not the secret\n")
    locked = replace(bucket.store, name="locked", prefix="other", secret_key=Secret(file=tmp_path / "wrong"))
    stores: tuple[LocalStore | S3Store, ...] = (
        LocalStore("local", tmp_path / "local"),
        bucket.store,
        locked,
    )
    with socket.create_server(("127.0.0.1", 0)) as deaf:

        def database(name: str, criticality: Criticality, endpoint: Endpoint, dbname: str) -> Database:
            return Database(
                name=name,
                dbname=dbname,
                service="web-shop",
                endpoint=endpoint,
                purpose="Users and trades",
                criticality=criticality,
                rpo=timedelta(hours=6),
                rto=timedelta(minutes=30),
                backup=BackupPolicy(stores=("local", "offsite")),
            )

        server = replace(db18.endpoint, connect_timeout_s=2)
        fleet = Fleet(
            "KrystalineX",
            tmp_path / "pgdr.toml",
            (
                database("down", Criticality.LOW, Endpoint("127.0.0.1", free_port()), "down"),
                database("deaf", Criticality.LOW, replace(server, port=deaf.getsockname()[1]), "deaf"),
                database("shop", Criticality.HIGH, server, db18.name),
                database("gone", Criticality.CRITICAL, server, "gone"),
            ),
            stores,
            programs=Programs((db18.server.bin_directory,)),
        )
        (tmp_path / "pgdr.toml").write_text(text_of(fleet))
        state = tmp_path / "state"
        state.mkdir(mode=0o700)
        shop = fleet.database("shop")
        assert shop is not None
        made = back_up(
            fleet,
            shop,
            [open_store(stores[0])],
            staging=tmp_path / "staging",
            report=lambda event: None,
            stop=lambda: False,
            now=lambda: datetime.now(timezone.utc),
        )
        for path in (tmp_path / "local").iterdir():
            shutil.copy2(path, bucket.directory / path.name)
        yield Living(fleet, state, db18, made.refs[0])
