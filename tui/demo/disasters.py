"""What can be done to the sample's exchange, each for real and each to be recovered from."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tui.demo import pristine
from tui.demo.sample import EXCHANGE
from tui.demo.start import RunningDemo
from tui.model.errors import UsageError


def hurt(demo: RunningDemo, kind: str) -> str:
    """Does the disaster `kind` (a key of DISASTERS) to the running demo; returns a sentence on what it did.

    Raises UsageError on another kind, PgdrError when the exchange isn't there to be hurt.
    """
    disaster = DISASTERS.get(kind)
    if disaster is None:
        raise UsageError(f"There is no disaster {kind}.", mend=f"There are {', '.join(DISASTERS)}.")
    return disaster(demo)


def dropped_database(demo: RunningDemo) -> str:
    """Somebody meant the test server."""
    demo.servers[EXCHANGE.name].sql(f"DROP DATABASE {EXCHANGE.name} WITH (FORCE)")
    return "The database crypto_exchange was dropped."


def truncated_table(demo: RunningDemo) -> str:
    """A clean-up script without its WHERE. CASCADE takes transactions, which refer to wallets, along."""
    _sql(demo, "TRUNCATE trades; TRUNCATE wallets CASCADE")
    return "The tables trades, wallets and transactions were emptied."


def corrupt_rows(demo: RunningDemo) -> str:
    """A bug in the application that has written nonsense for a while."""
    _sql(
        demo,
        """
        UPDATE wallets SET balance = -balance - 1 WHERE id % 7 = 0;
        UPDATE wallets SET locked = balance * 3 + 1 WHERE id % 11 = 0;
        UPDATE orders SET price = 0.00000001, filled = quantity * 40 WHERE id % 13 = 0;
        UPDATE users SET email = 'x' || id || '@', full_name = repeat(chr(191), 12) WHERE id % 17 = 0;
        """,
    )
    return (
        "Every seventh wallet has a negative balance; orders have absurd prices and users garbage for names."
    )


def bad_migration(demo: RunningDemo) -> str:
    """A deployment that stopped half-way, after the part that destroys and before the one that rebuilds."""
    _sql(
        demo,
        """
        DROP VIEW open_orders;
        ALTER TABLE orders RENAME TO orders_v2;
        ALTER TABLE orders_v2 DROP COLUMN filled CASCADE, ADD COLUMN fill_state jsonb;
        ALTER TABLE wallets DROP COLUMN locked;
        DROP INDEX trades_executed_at_idx, transactions_created_at_idx;
        ALTER TABLE trades DROP CONSTRAINT trades_buyer_id_fkey;
        """,
    )
    return (
        "A migration renamed orders to orders_v2, dropped columns of orders and wallets, a view, two indexes"
        " and a foreign key, and stopped half-way."
    )


def instance_loss(demo: RunningDemo) -> str:
    """The disk is gone. A new, empty server of the same name stands in its place, with the same superuser."""
    server = demo.servers[EXCHANGE.name]
    port = server.port
    server.stop()
    server.data.rename(pristine.lost(server))
    server.create()
    found = server.start(port)
    return (
        f"The server {server.name} was lost with all its data; an empty new one answers at port {found}."
        " Roles other than its superuser are gone too."
    )


def _sql(demo: RunningDemo, text: str) -> None:
    demo.servers[EXCHANGE.name].sql(text, EXCHANGE.name)


DISASTERS: Mapping[str, Callable[[RunningDemo], str]] = {
    "dropped-database": dropped_database,
    "truncated-table": truncated_table,
    "corrupt-rows": corrupt_rows,
    "bad-migration": bad_migration,
    "instance-loss": instance_loss,
}
