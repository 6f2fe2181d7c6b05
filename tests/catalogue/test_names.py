"""Keys: what they are made of and what they tell."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tui.model.backup import Verdict, Verification
from tui.model.errors import UsageError
from tui.model.fleet import Fleet, LocalStore
from tui.operations.catalogue.catalogue import GLOBALS, MANIFEST, key_for, split_ref
from tui.operations.catalogue.names import beside, told, verification_key
from tui.stores.store import check_new_key

MOMENT = datetime(2026, 11, 21, 1, 2, 10, tzinfo=timezone.utc)
FLEET = Fleet("F", stores=(LocalStore("local", Path("/b")), LocalStore("offsite", Path("/o"))))


def test_a_key_is_the_database_and_the_moment_in_utc() -> None:
    assert key_for("crypto_exchange", MOMENT) == "crypto_exchange-20261121-010210.dump"
    east = MOMENT.astimezone(timezone(timedelta(hours=9)))
    assert key_for("kong", east, ".tar") == "kong-20261121-010210.tar"
    assert key_for("../../etc/a b\n", MOMENT) == "..%2F..%2Fetc%2Fa%20b%0A-20261121-010210.dump"


@pytest.mark.parametrize(
    ("key", "database", "at", "exact"),
    [
        ("crypto_exchange-20261121-010210.dump", "crypto_exchange", "2026-11-21T01:02:10", True),
        ("a/b/kong-20261121-010210.dump", "kong", "2026-11-21T01:02:10", True),
        ("cryptopi_2025-11-20.dump", "cryptopi", "2025-11-20T00:00:00", False),
        ("k8s-crypto_exchange-20261121.dump", "crypto_exchange", "2026-11-21T00:00:00", False),
        ("critical-tables-20261121.dump", "critical-tables", "2026-11-21T00:00:00", False),
        ("db_2026-11-21T01-02-10Z.backup", "db", "2026-11-21T01:02:10", True),
        ("db-20260101-20261121.dump", "db-20260101", "2026-11-21T00:00:00", False),
    ],
)
def test_what_a_key_tells(key: str, database: str, at: str, exact: bool) -> None:
    says = told(key)
    assert says is not None
    assert (says.database, says.to_the_second) == (database, exact)
    assert says.at == datetime.fromisoformat(at + "+00:00")


@pytest.mark.parametrize(
    "key",
    [
        "backup.dump",
        "crypto_exchange-latest.dump",
        "db-20261331-010210.dump",
        "db-20261121-990000.dump",
        "-20261121.dump",
        "db-20261121.sql",
        "",
        "/",
        "a-20261121-010210.dump.manifest.json",
    ],
)
def test_what_a_key_does_not_tell(key: str) -> None:
    assert told(key) is None


@given(
    some.text(min_size=1).filter(lambda name: "\0" not in name and len(name.encode("utf-8", "replace")) < 64),
    some.datetimes(datetime(1990, 1, 1), datetime(2200, 1, 1)),
)
def test_every_name_of_a_database_comes_back(name: str, moment: datetime) -> None:
    if not name.isascii():
        name = name.encode("utf-8", "replace").decode()
    moment = moment.replace(microsecond=0, tzinfo=timezone.utc)
    key = key_for(name, moment)
    check_new_key(key)
    assert "/" not in key
    says = told(key)
    assert says is not None
    assert (says.database, says.at) == (name, moment)
    assert beside(key) is None
    longest = verification_key(key, Verification(moment, Verdict.EXPLAINED))
    assert len(longest) <= 255  # what a file may be called


@given(some.text())
def test_no_key_is_too_odd(key: str) -> None:
    told(key)
    beside(key)


def test_what_lies_beside_a_backup() -> None:
    key = "a/kong-20261121-010210.dump"
    manifest = beside(key + MANIFEST)
    assert manifest is not None
    assert (manifest.key, manifest.is_manifest, manifest.verification) == (key, True, None)
    assert (found := beside(key + GLOBALS)) and (found.key, found.is_manifest) == (key, False)
    verified = Verification(MOMENT, Verdict.EXPLAINED)
    name = verification_key(key, verified)
    assert name == key + ".verified.20261121T010210Z.explained.json"
    assert (found := beside(name)) and (found.key, found.verification) == (key, verified)
    assert beside(key + ".verified.20261399T010210Z.clean.json") is None
    assert beside(key + ".verified.20261121T010210Z.perfect.json") is None


def test_a_ref_is_split_at_its_first_colon() -> None:
    spec, key = split_ref(FLEET, "offsite:a/b:c.dump")
    assert (spec.name, key) == ("offsite", "a/b:c.dump")


@pytest.mark.parametrize(
    ("ref", "said"),
    [
        ("offsit:a.dump", "Did you mean offsite?"),
        ("tape:a.dump", "There are: local, offsite."),
        ("a.dump", "STORE:KEY"),
        ("local:", "STORE:KEY"),
        ("", "STORE:KEY"),
        ("lo\x1b[2Jcal:x", "local"),
    ],
)
def test_a_ref_that_names_nothing(ref: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        split_ref(FLEET, ref)
    assert said in str(caught.value)
    assert str(caught.value).isprintable()
    with pytest.raises(UsageError):
        split_ref(Fleet("empty"), ref)
