"""The sample is the same each time, and believable."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from itertools import pairwise

import pytest

from tests.servers import FreshDatabase
from tui.demo import sample
from tui.demo.server import Server

ANCHOR = datetime(2026, 11, 21, 3, 10, tzinfo=timezone.utc)
NOW = timedelta(0)
TABLES = (
    *("users", "sessions", "verification_codes", "wallets"),
    *("transactions", "orders", "trades", "kyc_submissions"),
)


def _found(server: Server, scale: float, *stops: timedelta) -> dict[str, str]:
    """Makes the exchange in stages, returns each table's rows and checksum, and drops it again."""
    sample.found_exchange(server, ANCHOR, scale, stops[0])
    for since, until in pairwise(stops):
        sample.grow_exchange(server, ANCHOR, scale, since, until)
    found = {
        table: server.sql(
            f"SELECT count(*), md5(string_agg(t::text, ',' ORDER BY id)) FROM {table} AS t", "crypto_exchange"
        )
        for table in TABLES
    }
    server.sql("DROP DATABASE crypto_exchange; DROP ROLE reporting")
    return found


def test_equal_scales_give_equal_data_however_often_it_is_backed_up(db18: FreshDatabase) -> None:
    once = _found(db18.server, 0.02, NOW)
    in_stages = _found(db18.server, 0.02, timedelta(days=29), timedelta(days=4), timedelta(hours=2), NOW)
    assert once == in_stages
    assert once["users"].startswith("200|") and once["trades"].startswith("780|")


@pytest.fixture
def exchange(db18: FreshDatabase) -> FreshDatabase:
    """The exchange, gone on with for a day after its anchor."""
    sample.found_exchange(db18.server, ANCHOR, 0.05, timedelta(hours=3))
    sample.grow_exchange(db18.server, ANCHOR, 0.05, timedelta(hours=3), timedelta(days=-1))
    return FreshDatabase(db18.server, "crypto_exchange")


def test_its_data_is_believable(exchange: FreshDatabase) -> None:
    assert (
        exchange.sql("SELECT count(*) FROM wallets WHERE balance < 0 OR locked > balance OR locked < 0")
        == "0"
    )
    assert exchange.sql("SELECT count(*) = 3 * (SELECT count(*) FROM users) FROM wallets") == "t"
    strays = """
        SELECT count(*) FROM trades AS t JOIN orders AS b ON b.id = buy_order_id
        JOIN orders AS s ON s.id = sell_order_id
        WHERE b.side <> 'buy' OR s.side <> 'sell' OR b.pair <> t.pair OR s.pair <> t.pair
            OR b.user_id <> buyer_id OR s.user_id <> seller_id"""
    assert exchange.sql(strays) == "0"
    foreign = """
        SELECT count(*) FROM transactions AS t JOIN wallets AS w ON w.id = wallet_id
        WHERE w.user_id <> t.user_id"""
    assert exchange.sql(foreign) == "0"


def test_its_time_goes_up_to_the_present(exchange: FreshDatabase) -> None:
    newest = datetime.fromisoformat(exchange.sql("SELECT max(executed_at) FROM trades") + ":00")
    assert timedelta(0) <= ANCHOR + timedelta(days=1) - newest < timedelta(hours=4)


def test_it_has_what_a_restore_must_bring_back(exchange: FreshDatabase) -> None:
    counted = exchange.sql(
        "SELECT count(*) FILTER (WHERE contype = 'p'), count(*) FILTER (WHERE contype = 'f')"
        " FROM pg_constraint WHERE connamespace = 'public'::regnamespace"
    )
    assert counted == "8|11"
    assert int(exchange.sql("SELECT count(*) FROM pg_indexes WHERE schemaname = 'public'")) >= 30
    assert exchange.sql("SELECT count(*) FROM pg_sequences WHERE last_value IS NOT NULL") == "8"
    assert exchange.sql("SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal") == "3"
    assert exchange.sql("SELECT has_table_privilege('reporting', 'trades', 'SELECT')") == "t"
    next_id = exchange.sql("SELECT nextval('users_id_seq') > max(id) FROM users")
    assert next_id == "t"


@pytest.mark.parametrize("member", [sample.KONG, sample.GOALERT], ids=lambda m: m.name)
def test_the_small_ones_are_made_too(db18: FreshDatabase, member: sample.Member) -> None:
    sample.make(member, db18.server, ANCHOR, 0.02)
    assert int(db18.server.sql("SELECT count(*) FROM pg_stat_user_tables", member.name)) >= 11
