"""Three databases of different character to measure with, each on a disposable server, with a backup."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.recovery.world import World, make_world
from tests.servers import FreshDatabase, fresh_database, server
from tui.demo.account import server_account
from tui.demo.binaries import reachable_bin

SHAPES = {
    "one huge table": """
        CREATE TABLE trades AS
            SELECT n AS id, now() - n * interval '1 second' AS at, n % 9973 AS account,
                   (n::bigint * 7919 % 1000003)::numeric / 100 AS price, md5(n::text) AS note
              FROM generate_series(1, {huge}) n;
        ALTER TABLE trades ADD PRIMARY KEY (id);
    """,
    "hundreds of small ones": """
        SELECT format('CREATE TABLE t_%1$s (id int, name text, at timestamptz, amount numeric);'
            'INSERT INTO t_%1$s SELECT n, md5(n::text), now() - n * interval ''1 minute'', n %% 1000'
            ' FROM generate_series(1, %2$s) n; ALTER TABLE t_%1$s ADD PRIMARY KEY (id);'
            'CREATE INDEX ON t_%1$s (name)', t, {small} + t * 7 % 500)
          FROM generate_series(1, {tables}) t \\gexec
    """,
    "heavy indexes and foreign keys": """
        CREATE TABLE accounts (id int PRIMARY KEY, name text UNIQUE, opened date, kind int);
        INSERT INTO accounts SELECT n, md5(n::text), current_date - n % 3000, n % 7
          FROM generate_series(1, {accounts}) n;
        CREATE TABLE wallets (id int PRIMARY KEY, account int, label text);
        INSERT INTO wallets SELECT n, 1 + n % {accounts}, md5((n * 3)::text)
          FROM generate_series(1, {accounts}) n;
        CREATE TABLE moves (id bigint PRIMARY KEY, source int, sink int, account int, at timestamptz,
                            note text);
        INSERT INTO moves SELECT n, 1 + n * 31 % {accounts}, 1 + n * 17 % {accounts}, 1 + n * 7 % {accounts},
                                 now() - n * interval '1 second', md5(n::text)
          FROM generate_series(1, {moves}) n;
        CREATE INDEX ON moves (note); CREATE INDEX ON moves (at); CREATE INDEX ON moves (source, at);
        CREATE INDEX ON moves (sink, at); CREATE INDEX ON moves (lower(note));
        CREATE INDEX ON moves (account); CREATE INDEX ON wallets (label);
        CREATE INDEX ON wallets (account); CREATE INDEX ON accounts (opened, kind);
        ALTER TABLE wallets ADD FOREIGN KEY (account) REFERENCES accounts;
        ALTER TABLE moves ADD FOREIGN KEY (source) REFERENCES wallets,
            ADD FOREIGN KEY (sink) REFERENCES wallets, ADD FOREIGN KEY (account) REFERENCES accounts;
    """,
}  # fmt: skip

# So that each restore lasts 15 s or more with two workers on two cores.
SIZES = {"huge": 11_000_000, "tables": 900, "small": 6_000, "accounts": 900_000, "moves": 3_600_000}


def filled(shape: str, scale: float) -> str:
    """Given a shape's name, returns the SQL that makes it, `scale` times as large as usual."""
    text = SHAPES[shape]
    for name, number in SIZES.items():
        text = text.replace("{" + name + "}", str(max(1, int(number * scale))))
    return text


@contextmanager
def world_of(shape: str, scale: float) -> Iterator[tuple[World, str]]:
    """A fleet of one database of that shape on a server of its own, and the ref of its backup."""
    with (
        server("bench", reachable_bin(server_account())) as made,
        fresh_database(made) as fresh,
        tempfile.TemporaryDirectory(prefix="pgdr-bench-") as scratch,
    ):
        yield backed_up(fresh, Path(scratch), shape, scale)


def backed_up(fresh: FreshDatabase, directory: Path, shape: str, scale: float) -> tuple[World, str]:
    """Fills the database, and takes its backup."""
    world = make_world(fresh, directory)
    world.sql("DROP VIEW rich; DROP TABLE orders, wallets, users CASCADE")
    world.sql(filled(shape, scale))
    return world, world.back_up().refs[0]
