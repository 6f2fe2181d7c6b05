"""A demo's lives: hurt, gone on with later, made anew, beside others, and gone when it ends."""

from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path

import psutil
import pytest

from tests.demo.asking import backups, health
from tests.demo.conftest import SCALE
from tui.demo import history
from tui.demo.disasters import DISASTERS, hurt
from tui.demo.ports import ADDRESS
from tui.demo.start import RunningDemo, prepare

EXCHANGE = "crypto_exchange"

HURT = (
    ("corrupt-rows", "SELECT count(*) > 0 FROM wallets WHERE balance < 0", EXCHANGE, "t"),
    ("truncated-table", "SELECT (SELECT count(*) FROM trades) + count(*) FROM wallets", EXCHANGE, "0"),
    ("bad-migration", "SELECT to_regclass('orders') IS NULL", EXCHANGE, "t"),
)
LOST = (
    (
        *("dropped-database", "SELECT count(*) FROM pg_database WHERE datname = 'crypto_exchange'"),
        *("postgres", "0"),
    ),
    ("instance-loss", "SELECT count(*) FROM pg_roles WHERE rolname = 'reporting'", "postgres", "0"),
)


def test_after_any_disaster_the_next_start_is_healthy(made: Path) -> None:
    assert {kind for kind, *_ in HURT + LOST} == DISASTERS.keys()
    told: list[str] = []
    for hurts, code in ((HURT, 200), (LOST, 503), ((), 200)):
        with prepare(made, SCALE, lambda what, fraction: told.append(what)) as demo:
            server = demo.servers[EXCHANGE]
            _assert_healthy(demo)
            before = server.port
            for kind, question, dbname, answer in hurts:
                assert hurt(demo, kind).endswith(".")
                assert (kind, server.sql(question, dbname)) == (kind, answer)
            assert server.port == before and health(demo) == code
    assert "crypto_exchange is filled" not in told  # nothing was made anew


def _assert_healthy(demo: RunningDemo) -> None:
    server = demo.servers[EXCHANGE]
    whole = """SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM wallets WHERE balance >= 0),
        (SELECT count(*) > 700 FROM trades), to_regclass('orders') IS NOT NULL"""
    assert server.sql(whole, EXCHANGE) == "200|600|t|t"
    names = server.sql("SELECT datname FROM pg_database ORDER BY 1").split()
    assert names == [EXCHANGE, "postgres", "template0", "template1"]


def test_the_exchange_lives_on_between_two_starts(own_copy: Path) -> None:
    later = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(hours=20)
    with prepare(own_copy, SCALE, now=lambda: later) as demo:
        newest = demo.servers[EXCHANGE].sql("SELECT max(executed_at) FROM trades", EXCHANGE)
        assert timedelta(0) <= later - datetime.fromisoformat(newest + ":00") < timedelta(hours=4)
        ages = sorted({later - b.sort_time for b in backups(demo) if b.database == EXCHANGE})
        assert ages[:3] == [history.NEWEST + n * history.EVERY for n in range(3)]
    with prepare(own_copy, SCALE, now=lambda: later + timedelta(minutes=5)) as demo:
        again = sorted({later - b.sort_time for b in backups(demo) if b.database == EXCHANGE})
        assert again == ages


def test_an_old_sample_is_made_anew(own_copy: Path) -> None:
    told: list[str] = []
    later = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(days=9)
    with prepare(own_copy, SCALE, lambda what, fraction: told.append(what), now=lambda: later) as demo:
        assert "crypto_exchange is filled" in told
        assert min(later - b.sort_time for b in backups(demo) if b.database == EXCHANGE) == history.NEWEST


@contextmanager
def _taken(port: int) -> Iterator[None]:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):  # some other server is there already, which serves as well
            other.bind((ADDRESS, port))
            other.listen()
        yield


def test_it_stands_beside_a_server_at_its_port_and_leaves_nothing(
    made: Path, registry_of_its_own: Path
) -> None:
    with _taken(5433), prepare(made, SCALE) as demo:
        assert demo.servers[EXCHANGE].port != 5433
        assert health(demo) == 200
        entries = [json.loads(p.read_text()) for p in registry_of_its_own.rglob("*.json")]
        assert sorted(e["kind"] for e in entries) == ["postgres", "postgres", "postgres", "rclone"]
        pids = [p.pid for e in entries for p in psutil.Process(e["pid"]).children(recursive=True)]
        pids += [e["pid"] for e in entries]
        assert len(pids) > 12
        url = demo.messages.url
    assert [pid for pid in pids if psutil.pid_exists(pid)] == []
    assert list(registry_of_its_own.rglob("*.json")) == []
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"{url}/health", timeout=2)
