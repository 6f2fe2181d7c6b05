"""A demo from its start to its end, on real servers."""

from __future__ import annotations

import contextlib
import json
import socket
import stat
import urllib.error
import urllib.request
from datetime import datetime, timedelta, timezone
from functools import partial
from hashlib import sha256
from pathlib import Path

import psutil
import pytest

from tests.demo.conftest import SCALE
from tui.config.load import load
from tui.demo import history
from tui.demo.disasters import DISASTERS, hurt
from tui.demo.ports import ADDRESS
from tui.demo.start import RunningDemo, prepare
from tui.model.backup import Backup
from tui.model.errors import Refused, UsageError
from tui.operations import catalogue
from tui.postgres.archive import read_contents
from tui.stores.open import open_store

EXCHANGE = "crypto_exchange"


def _backups(demo: RunningDemo) -> list[Backup]:
    found: list[Backup] = []
    problems: list[catalogue.StoreProblem] = []
    catalogue.backups(demo.fleet, None, found.extend, problems.append)
    assert problems == []
    return found


def _health(demo: RunningDemo) -> int:
    try:
        with urllib.request.urlopen(f"{demo.messages.url}/health", timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_the_configuration_it_writes_is_its_fleet(demo: RunningDemo) -> None:
    assert load(demo.config) == demo.fleet
    assert [d.name for d in demo.fleet.databases] == [EXCHANGE, "kong", "goalert"]
    assert _health(demo) == 200


def test_its_secrets_are_its_owners_alone(demo: RunningDemo) -> None:
    for path in (
        demo.config,
        demo.directory / "pgpass",
        demo.directory / "ntfy-topic",
        demo.objects.secret_key_file,
    ):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    passwords = [line.rsplit(":", 1)[1] for line in (demo.directory / "pgpass").read_text().splitlines()]
    secrets = [*passwords, demo.objects.secret_key_file.read_text().strip()]
    shown = " ".join(
        part for process in psutil.process_iter(["cmdline"]) for part in process.info["cmdline"] or []
    )
    assert len(set(secrets)) == 4 and not any(secret in shown for secret in secrets)


def test_its_backups_have_the_ages_of_the_handbook(demo: RunningDemo) -> None:
    now = datetime.now(timezone.utc)
    by_database = {
        d.name: sorted(now - b.sort_time for b in _backups(demo) if b.database == d.name)
        for d in demo.fleet.databases
    }
    assert timedelta(hours=2, minutes=9) < by_database[EXCHANGE][0] < timedelta(hours=3)
    assert timedelta(hours=26) <= by_database["kong"][0] < timedelta(hours=27)
    assert timedelta(hours=4) < by_database["goalert"][0] < timedelta(hours=5)
    assert len([age for age in by_database[EXCHANGE] if age < timedelta(days=2)]) == 14  # two stores
    assert {b.store for b in _backups(demo) if b.database == EXCHANGE} == {"local", "offsite"}
    verified = {b.database for b in _backups(demo) if b.verification}
    assert verified == {EXCHANGE, "kong"}


def test_its_backups_are_true_to_their_manifests(demo: RunningDemo) -> None:
    stores = {spec.name: open_store(spec) for spec in demo.fleet.stores}
    short = []
    for backup in _backups(demo):
        data = stores[backup.store].read(backup.key, 0, backup.size_bytes)
        manifest = catalogue.read_manifest(stores[backup.store], backup.key)
        assert manifest is not None and manifest.created_at == backup.created_at
        if len(data) < manifest.size_bytes:
            short.append((backup.store, backup.database, round(len(data) / manifest.size_bytes, 2)))
            continue
        assert sha256(data).hexdigest() == manifest.sha256
        contents = read_contents(partial(_part, data), len(data))
        assert (contents.created_at, contents.database) == (backup.created_at, backup.database)
    assert short == [("local", EXCHANGE, history.CUT_SHORT_TO)]


def _part(data: bytes, start: int, length: int) -> bytes:
    return data[start : start + length]


def test_older_backups_hold_less(demo: RunningDemo) -> None:
    store = open_store(demo.fleet.stores[1])
    rows = []
    for backup in sorted(_backups(demo), key=lambda b: b.sort_time):
        if backup.database == EXCHANGE and backup.store == "offsite":
            manifest = catalogue.read_manifest(store, backup.key)
            assert manifest is not None
            rows.append(manifest.rows)
    assert rows == sorted(rows) and rows[0] < rows[-1]


def test_messages_are_kept_without_the_topic(demo: RunningDemo) -> None:
    request = urllib.request.Request(
        f"{demo.messages.url}/ntfy/very-secret-topic",
        data="Zurück".encode(),
        headers={"Title": "DR"},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        assert answer.status == 200
    text = demo.messages.file.read_text()
    kept = json.loads(text.splitlines()[-1])
    assert (kept["channel"], kept["headers"]["Title"], kept["body"]) == ("ntfy", "DR", "Zurück")
    assert "very-secret-topic" not in text


def test_one_directory_has_one_demo(demo: RunningDemo) -> None:
    with pytest.raises(Refused, match="A demo is running"):
        prepare(demo.directory, SCALE)
    assert _health(demo) == 200


def test_a_directory_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "backups").mkdir()
    (tmp_path / "backups" / "precious.dump").write_text("x")
    with pytest.raises(UsageError, match="not empty"):
        prepare(tmp_path, SCALE)
    assert [p.name for p in tmp_path.rglob("*")] == ["backups", "precious.dump"]


def test_a_scale_must_make_sense(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="scale"):
        prepare(tmp_path / "demo", 0)


def test_after_any_disaster_the_next_start_is_healthy(directory: Path) -> None:
    hurts = {
        "dropped-database": (
            "SELECT count(*) FROM pg_database WHERE datname = 'crypto_exchange'",
            "postgres",
            "0",
        ),
        "instance-loss": ("SELECT count(*) FROM pg_roles WHERE rolname = 'reporting'", "postgres", "0"),
        "truncated-table": ("SELECT (SELECT count(*) FROM trades) + count(*) FROM wallets", EXCHANGE, "0"),
        "corrupt-rows": ("SELECT count(*) > 0 FROM wallets WHERE balance < 0", EXCHANGE, "t"),
        "bad-migration": ("SELECT to_regclass('orders') IS NULL", EXCHANGE, "t"),
    }
    assert hurts.keys() == DISASTERS.keys()
    told: list[str] = []
    for kind, (question, dbname, answer) in hurts.items():
        with prepare(directory, SCALE, lambda what, fraction: told.append(what)) as demo:
            server = demo.servers[EXCHANGE]
            _assert_healthy(demo)
            before = server.port
            assert hurt(demo, kind).endswith(".")
            assert server.sql(question, dbname) == answer
            assert server.port == before
            assert (_health(demo) == 503) == (kind in ("dropped-database", "instance-loss"))
    with prepare(directory, SCALE) as demo:
        _assert_healthy(demo)
    assert "crypto_exchange is filled" not in told  # nothing was made anew


def _assert_healthy(demo: RunningDemo) -> None:
    server = demo.servers[EXCHANGE]
    whole = """SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM wallets WHERE balance >= 0),
        (SELECT count(*) > 700 FROM trades), to_regclass('orders') IS NOT NULL"""
    assert server.sql(whole, EXCHANGE) == "200|600|t|t"
    names = server.sql("SELECT datname FROM pg_database ORDER BY 1").split()
    assert names == [EXCHANGE, "postgres", "template0", "template1"]


def test_the_exchange_lives_on_between_two_starts(directory: Path) -> None:
    later = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(hours=20)
    with prepare(directory, SCALE, now=lambda: later) as demo:
        newest = demo.servers[EXCHANGE].sql("SELECT max(executed_at) FROM trades", EXCHANGE)
        assert timedelta(0) <= later - datetime.fromisoformat(newest + ":00") < timedelta(hours=4)
        ages = sorted({later - b.sort_time for b in _backups(demo) if b.database == EXCHANGE})
        assert ages[:3] == [history.NEWEST + n * history.EVERY for n in range(3)]
    with prepare(directory, SCALE, now=lambda: later + timedelta(minutes=5)) as demo:
        again = sorted({later - b.sort_time for b in _backups(demo) if b.database == EXCHANGE})
        assert again == ages


def test_an_old_sample_is_made_anew(directory: Path) -> None:
    told: list[str] = []
    later = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(days=9)
    with prepare(directory, SCALE, lambda what, fraction: told.append(what), now=lambda: later) as demo:
        assert "crypto_exchange is filled" in told
        assert min(later - b.sort_time for b in _backups(demo) if b.database == EXCHANGE) == history.NEWEST


def test_it_stands_beside_a_server_at_its_port(directory: Path) -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):  # some other server is there already, which serves as well
            other.bind((ADDRESS, 5433))
            other.listen()
        with prepare(directory, SCALE) as demo:
            assert demo.servers[EXCHANGE].port != 5433
            assert _health(demo) == 200


def test_nothing_runs_after_its_end(directory: Path, registry_of_its_own: Path) -> None:
    with prepare(directory, SCALE) as demo:
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
