"""A small fleet of one real database, its stores and its state: what tests of whole operations work on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from tests.servers import FreshDatabase
from tui.config.load import load
from tui.config.write import text_of
from tui.files import write_whole
from tui.incident.book import Book
from tui.incident.guide import Guide
from tui.model.fleet import (
    BackupPolicy,
    Criticality,
    Database,
    Fleet,
    LocalStore,
    Programs,
    SqlCheck,
    StoreSpec,
)
from tui.operations.backup.backup import BackedUp, back_up
from tui.operations.report import never
from tui.stores.open import open_store

SHOP = """
CREATE TABLE users (id serial PRIMARY KEY, email text NOT NULL UNIQUE);
CREATE TABLE wallets (id bigserial PRIMARY KEY, user_id int NOT NULL REFERENCES users,
                      balance numeric NOT NULL, note text);
CREATE INDEX wallets_user ON wallets (user_id);
CREATE TABLE orders (id bigserial PRIMARY KEY, wallet_id bigint REFERENCES wallets, at timestamptz NOT NULL);
CREATE VIEW rich AS SELECT * FROM wallets WHERE balance > 900;
INSERT INTO users (email) SELECT 'user' || n || '@example.org' FROM generate_series(1, 400) n;
INSERT INTO wallets (user_id, balance, note)
    SELECT 1 + n % 400, n % 1000, repeat(md5(n::text), 3) FROM generate_series(1, {rows}) n;
INSERT INTO orders (wallet_id, at) SELECT n, now() - n * interval '1 second' FROM generate_series(1, 500) n;
"""


def utc_now() -> datetime:
    return datetime.now(timezone.utc)


@dataclass(frozen=True)
class World:
    """One database of a fleet on a real server, with everything around it on disk."""

    live: FreshDatabase
    config: Path
    state: Path

    @property
    def fleet(self) -> Fleet:
        """The configuration, read anew."""
        return load(self.config)

    @property
    def database(self) -> Database:
        """The one database."""
        return self.fleet.databases[0]

    def sql(self, text: str) -> str:
        """Runs SQL in the live database."""
        return self.live.sql(text)

    def count(self, table: str, database: str | None = None) -> int:
        """A table's rows."""
        return int(self.live.server.sql(f"SELECT count(*) FROM {table}", database or self.live.name))

    def databases(self) -> set[str]:
        """The databases of the server that were made from the live one, itself among them."""
        found = self.live.server.sql("SELECT datname FROM pg_database").splitlines()
        return {name for name in found if name.startswith(self.live.name)}

    def drop_live(self) -> None:
        """The disaster."""
        self.live.server.sql(f'DROP DATABASE "{self.live.name}" WITH (FORCE)')

    @contextmanager
    def hung_server(self) -> Iterator[None]:
        """The server takes connections, as its kernel does, and says nothing."""
        process = self.live.server._process
        assert process is not None
        os.kill(process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(process.pid, signal.SIGCONT)

    def back_up(self, **how: Any) -> BackedUp:
        """Takes a backup into every store. Its key holds the second, so another one waits for the next."""
        local = next(s.path for s in self.fleet.stores if isinstance(s, LocalStore))
        while any(local.glob(f"*{utc_now():%Y%m%d-%H%M%S}*")):
            time.sleep(0.05)
        stores = [open_store(s) for s in self.fleet.stores]
        staging = self.state / "staging"
        return back_up(
            self.fleet, self.database, stores, staging=staging,
            report=lambda event: None, stop=never, now=utc_now, **how,
        )  # fmt: skip

    def guide(self) -> Guide:
        """A newly declared incident."""
        book = Book(self.state)
        incident = book.declare(self.database.name, "ann@db1", utc_now())
        return Guide(self.fleet, self.state, book, incident, "ann@db1", utc_now)

    def pgdr(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Runs the program as a user does."""
        return subprocess.run(self.argv(*arguments), **self._how(env), timeout=120, check=False)

    def answer(self, *arguments: str, code: int = 0) -> Any:
        """Runs a verb with --json; returns what it answered. Fails when its exit code isn't `code`."""
        done = self.pgdr(*arguments, "--json")
        assert done.returncode == code, f"exit {done.returncode}\n{done.stderr}\n{done.stdout}"
        return json.loads(done.stdout)

    def argv(self, *arguments: str) -> list[str]:
        """The command line of a verb on this world."""
        general = ["--config", str(self.config), "--state", str(self.state)]
        return [sys.executable, "-m", "tui", *general, *arguments]

    def _how(self, env: dict[str, str]) -> dict[str, Any]:
        return {"capture_output": True, "text": True, "env": {**os.environ, **env}}


def make_world(
    live: FreshDatabase,
    directory: Path,
    *,
    rows: int = 2000,
    offsite: StoreSpec | None = None,
    change: Callable[[Database], Database] = lambda database: database,
) -> World:
    """Fills `live` with a small shop and writes its configuration, with a local store and maybe another."""
    live.sql(SHOP.format(rows=rows))
    (directory / "backups").mkdir()
    stores: tuple[StoreSpec, ...] = (LocalStore("local", directory / "backups"),)
    stores += (offsite,) if offsite else ()
    database = Database(
        name="shop",
        dbname=live.name,
        service="shop-db",
        endpoint=live.endpoint,
        criticality=Criticality.CRITICAL,
        rpo=timedelta(hours=6),
        rto=timedelta(minutes=30),
        key_tables=("public.users", "public.wallets", "public.orders"),
        checks=(SqlCheck("No negative balances", "SELECT count(*) FROM wallets WHERE balance < 0", "0"),),
        backup=BackupPolicy(stores=tuple(s.name for s in stores)),
    )
    fleet = Fleet(
        name="Shop",
        source=directory / "pgdr.toml",
        databases=(change(database),),
        stores=stores,
        programs=Programs((live.server.bin_directory,)),
    )
    write_whole(directory / "pgdr.toml", text_of(fleet))
    return World(live, directory / "pgdr.toml", directory / "state")


def with_channels(world: World, *channels: Any) -> World:
    """The same world with these channels configured."""
    write_whole(world.config, text_of(replace(world.fleet, channels=channels)))
    return world
