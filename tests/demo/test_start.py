"""A demo from its start to its end, on real servers."""

from __future__ import annotations

import json
import stat
import urllib.error
import urllib.request
from datetime import datetime, timedelta, timezone
from functools import partial
from hashlib import sha256
from pathlib import Path

import psutil
import pytest

from tests.demo.asking import backups, health
from tests.demo.conftest import SCALE
from tui.config.load import load
from tui.demo import history
from tui.demo.session import run_app
from tui.demo.start import RunningDemo, prepare
from tui.model.errors import Refused, UsageError
from tui.operations.catalogue import catalogue
from tui.postgres.archive.archive import read_contents
from tui.stores.open import open_store

EXCHANGE = "crypto_exchange"


def test_the_configuration_it_writes_is_its_fleet(demo: RunningDemo) -> None:
    assert load(demo.config) == demo.fleet
    assert [d.name for d in demo.fleet.databases] == [EXCHANGE, "kong", "goalert"]
    assert health(demo) == 200


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
        d.name: sorted(now - b.sort_time for b in backups(demo) if b.database == d.name)
        for d in demo.fleet.databases
    }
    assert timedelta(hours=2, minutes=9) < by_database[EXCHANGE][0] < timedelta(hours=3)
    assert timedelta(hours=26) <= by_database["kong"][0] < timedelta(hours=27)
    assert timedelta(hours=4) < by_database["goalert"][0] < timedelta(hours=5)
    assert len([age for age in by_database[EXCHANGE] if age < timedelta(days=2)]) == 14  # two stores
    assert {b.store for b in backups(demo) if b.database == EXCHANGE} == {"local", "offsite"}
    verified = {b.database for b in backups(demo) if b.verification}
    assert verified == {EXCHANGE, "kong"}


def test_its_backups_are_true_to_their_manifests(demo: RunningDemo) -> None:
    stores = {spec.name: open_store(spec) for spec in demo.fleet.stores}
    short = []
    for backup in backups(demo):
        data = stores[backup.store].read(backup.key, 0, backup.size_bytes)
        manifest = catalogue.read_manifest(stores[backup.store], backup.key)
        assert manifest is not None and manifest.created_at == backup.created_at
        if len(data) < manifest.size_bytes:
            short.append((backup.store, backup.database, round(len(data) / manifest.size_bytes, 2)))
            continue
        assert sha256(data).hexdigest() == manifest.sha256
        contents = read_contents(partial(_part, data), len(data))
        assert sha256(data[: contents.toc_bytes]).hexdigest() == manifest.toc_sha256
        assert (contents.created_at, contents.database) == (backup.created_at, backup.database)
    assert short == [("local", EXCHANGE, history.CUT_SHORT_TO)]


def _part(data: bytes, start: int, length: int) -> bytes:
    return data[start : start + length]


def test_older_backups_hold_less(demo: RunningDemo) -> None:
    store = open_store(demo.fleet.stores[1])
    rows = []
    for backup in sorted(backups(demo), key=lambda b: b.sort_time):
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
    assert health(demo) == 200


def test_a_directory_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "backups").mkdir()
    (tmp_path / "backups" / "precious.dump").write_text("x")
    with pytest.raises(UsageError, match="not empty"):
        prepare(tmp_path, SCALE)
    assert [p.name for p in tmp_path.rglob("*")] == ["backups", "precious.dump"]


def test_a_scale_must_make_sense(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="scale"):
        prepare(tmp_path / "demo", 0)


def test_the_app_runs_as_a_child_on_the_demo_s_configuration(
    demo: RunningDemo, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run_app(demo.config, demo.state, ["inventory", "--json"]) == 0
    rows = json.loads(capfd.readouterr().out)
    assert [(row["name"], row["status"]) for row in rows] == [
        (EXCHANGE, "up"),
        ("kong", "up"),
        ("goalert", "up"),
    ]
    assert run_app(demo.config, demo.state, ["no-such-verb"]) == 2
