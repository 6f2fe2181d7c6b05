"""sample.toml is a fleet, says what the two documents say, and leaves no key undocumented."""

from __future__ import annotations

import re
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tui.config.keys import known_keys
from tui.config.load import load, load_text
from tui.config.resources import sample
from tui.model.channels import Ntfy
from tui.model.fleet import Component, Contact, Criticality, Fleet, LocalStore, S3Store, SqlCheck
from tui.model.secret import Secret

SAMPLE = Path(__file__).parents[2] / "sample.toml"
HOURS, DAYS = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    return load(SAMPLE)


def uncommented() -> str:
    """The sample with every key that it keeps behind a "#" in use."""
    return re.sub(r"^#(?=[\w\[])", "", sample(), flags=re.MULTILINE)


def said(table: dict[str, Any], at: str = "") -> set[str]:
    """The full names of the keys that are in use, `NAME` standing for a name."""
    found = set()
    for key, value in table.items():
        named = at in ("stores", "databases", "services", "channels", "components")
        path = ".".join(filter(None, (at, "NAME" if named else key)))
        found.add(path)
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, dict):
                found |= said(inner, path)
    return found


def test_every_known_key_is_documented() -> None:
    shared = {key for key in known_keys() if key.startswith("defaults.")}
    assert known_keys() - shared - said(tomllib.loads(uncommented())) == set()


def test_what_defaults_may_hold_is_documented() -> None:
    """[defaults] lists no key again: it says which it takes, and that is what it takes."""
    assert "Any key of a database but dbname, checks and smokes" in sample()
    own = {key.removeprefix("databases.NAME.") for key in known_keys() if key.startswith("databases.NAME.")}
    shared = {key.removeprefix("defaults.") for key in known_keys() if key.startswith("defaults.")}
    assert {key.split(".")[0] for key in own - shared} == {"dbname", "checks", "smokes"}


def test_every_commented_key_is_right() -> None:
    fleet = load_text(uncommented(), SAMPLE)
    assert len(fleet.channels) == 5 and len(fleet.messages) == 6


def test_the_databases_of_the_first_fleet(fleet: Fleet) -> None:
    exchange, kong, goalert = fleet.databases[:3]

    assert fleet.name == "KrystalineX"
    assert [
        (d.dbname, d.service, d.place, d.endpoint.port, d.endpoint.user) for d in (exchange, kong, goalert)
    ] == [
        ("crypto_exchange", "app-database", "docker:app-database", 5433, "exchange"),
        ("kong", "kong-database", "docker:kong-database", 5432, "kong"),
        ("goalert", "goalert-db", "docker:goalert-db", 5434, "goalert"),
    ]
    assert [d.criticality for d in (exchange, kong, goalert)] == [
        Criticality.CRITICAL,
        Criticality.HIGH,
        Criticality.MEDIUM,
    ]
    assert (exchange.rpo, exchange.rto) == (6 * HOURS, timedelta(minutes=30))
    assert (exchange.backup.every, exchange.backup.keep_for) == (6 * HOURS, 30 * DAYS)
    assert {"users", "wallets", "orders"} <= set(exchange.key_tables)
    assert exchange.checks == (
        SqlCheck("No negative balances", "SELECT count(*) FROM wallets WHERE balance < 0", "0"),
    )
    assert exchange.health_url == "http://localhost:5000/health"
    assert exchange.services == ("server", "payment-processor")
    for database in (kong, goalert):
        assert (database.backup.every, database.backup.keep_for) == (DAYS, 7 * DAYS)
        assert database.backup.stores == ("local", "offsite")


def test_the_databases_of_the_second_fleet(fleet: Fleet) -> None:
    prod, staging, dev = fleet.databases[3:]

    assert [d.name for d in (prod, staging, dev)] == ["cryptopi_prod", "cryptopi_staging", "cryptopi_dev"]
    assert [d.environment for d in (prod, staging, dev)] == ["prod", "staging", "dev"]
    assert [d.backup.every for d in (prod, staging, dev)] == [6 * HOURS, DAYS, None]
    for database in (prod, staging, dev):
        assert database.schemas == (
            "settings",
            "market",
            "str_aux",
            "matrices",
            "cin_aux",
            "mea_dynamics",
            "ops",
        )
        assert database.backup.role == "cp_backup"
        store = fleet.store(database.backup.stores[0])
        assert isinstance(store, S3Store)
        assert store.offsite


def test_stores_channels_components_contacts(fleet: Fleet) -> None:
    assert fleet.stores == (
        LocalStore("local", SAMPLE.parent / "backups"),
        S3Store("offsite", "your-backup-bucket", "krystalinex/"),
        S3Store("cryptopi-offsite", "your-backup-bucket", "cryptopi/"),
    )
    assert fleet.channels == (Ntfy("ntfy", Secret(env="NTFY_TOPIC")),)
    assert fleet.components == (
        Component("configuration files", "Git + tar", note="May lose 24 hours at most"),
        Component("docker volumes", "Volume backup", every=7 * DAYS, keep_for=28 * DAYS),
    )
    assert fleet.contacts == (
        Contact("GoAlert", "http://localhost:8081"),
        Contact("On-Call", "See RUNBOOK.md Section 10"),
    )
