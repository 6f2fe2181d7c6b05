"""Databases made, measured, locked, given their rights and dropped, on both versions."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from tests.postgres.conftest import HOSTILE, Ground
from tui.model.errors import PgdrError, Refused
from tui.postgres.catalog.properties import apply_properties, parse_acl
from tui.postgres.databases import databases
from tui.postgres.facts.locales import DatabaseLocale

MOMENT = datetime(2026, 11, 21, 3, 10, tzinfo=timezone.utc)


def test_a_hostile_name_goes_through_everything(ground: Ground) -> None:
    at = ground.endpoint
    databases.create(at, HOSTILE, DatabaseLocale("UTF8", "C", "C", at.user))
    assert databases.exists(at, HOSTILE)
    assert (databases.size(at, HOSTILE) or 0) > 1_000_000
    apply_properties(at, HOSTILE, (f"=Tc/{at.user}",), ("work_mem=8MB",))
    held = ground.connect(HOSTILE)
    assert databases.live_size_and_sessions(at, HOSTILE) == (databases.size(at, HOSTILE), 1)
    assert databases.terminate(at, HOSTILE) == 1
    held.close()
    with ground.connect(HOSTILE):
        databases.drop(at, HOSTILE, force=True)
    assert not databases.exists(at, HOSTILE)
    assert databases.size(at, HOSTILE) is None
    databases.drop(at, HOSTILE)  # twice is no error


def test_create_starts_empty_and_as_told(ground: Ground) -> None:
    at = ground.endpoint
    ground.sql("CREATE ROLE keeper")
    ground.sql("CREATE TABLE of_the_site ()", "template1")
    try:
        databases.create(at, "made", DatabaseLocale("SQL_ASCII", "C", "C", "keeper"))
    finally:
        ground.sql("DROP TABLE of_the_site", "template1")
    row = ground.sql(
        "SELECT pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datcollate FROM pg_database"
        " WHERE datname = 'made'"
    )
    assert row == [("keeper", "SQL_ASCII", "C")]
    assert ground.sql("SELECT count(*) FROM pg_class WHERE relname = 'of_the_site'", "made") == [(0,)]
    databases.drop(at, "made")


def test_create_refuses_what_is_there_and_what_cannot_be(ground: Ground) -> None:
    with pytest.raises(Refused, match="already"):
        databases.create(ground.endpoint, ground.name)
    with pytest.raises(PgdrError, match=r"could not be made.*locale"):
        databases.create(ground.endpoint, "made", DatabaseLocale(None, "xx_XX.UTF-8", None, None))
    with pytest.raises(PgdrError, match="63 bytes"):
        databases.create(ground.endpoint, "é" * 32)
    assert "made" not in ground.databases()


def test_a_restored_database_goes_with_the_subscriptions_that_were_restored(ground: Ground) -> None:
    at = ground.endpoint
    databases.create(at, "made", DatabaseLocale("UTF8", "C", "C", at.user))
    how = "CONNECTION 'host=/nowhere' PUBLICATION p WITH (connect = false, slot_name = s)"
    for name in ('"we ird"', "other"):
        ground.sql(f"CREATE SUBSCRIPTION {name} {how}", "made")
    with pytest.raises(PgdrError, match="subscription"):  # what isn't restored may need its slot dropped too
        databases.drop(at, "made", force=True)
    databases.drop(at, "made", force=True, restored=True)
    assert not databases.exists(at, "made")
    databases.drop(at, "made", restored=True)  # twice is no error


def test_a_drop_that_is_not_possible_says_why(ground: Ground) -> None:
    ground.sql(f"ALTER DATABASE {ground.name} IS_TEMPLATE true")
    with pytest.raises(PgdrError, match=r"could not be dropped.*template"):
        databases.drop(ground.endpoint, ground.name, force=True)
    assert ground.name in ground.databases()


@pytest.mark.parametrize("name", ["shop", "x" * 63, "é" * 31, "🙂" * 15, "a" + "é" * 31])
def test_fresh_names_fit_and_stay_readable(name: str) -> None:
    fresh = databases.fresh_name(name, "restore", MOMENT)
    assert len(fresh.encode()) <= 63
    assert fresh.endswith("_restore_20261121T031000Z")
    assert fresh[:8] == (name[:8] if len(name) > 8 else name + fresh[len(name) :])[:8]


def test_names_that_are_cut_stay_apart() -> None:
    one, other = (databases.fresh_name("x" * 60 + end, "before", MOMENT) for end in "ab")
    assert one != other


def test_rights_and_settings_arrive(ground: Ground) -> None:
    at = ground.endpoint
    ground.sql("""CREATE ROLE "o'dd "" role"; CREATE ROLE reader""")
    acl = (f"{at.user}=CTc/{at.user}", '"o\'dd "" role"=C*c/nobody', "reader=c/nobody")
    settings = (
        'search_path="$user", "a, b", public',
        "work_mem=8MB",
        "application_name=it's",
        "pgdr.mode=x y",
    )
    apply_properties(at, ground.name, acl, settings)
    found = ground.sql(
        f"SELECT unnest(datacl)::text FROM pg_database WHERE datname = '{ground.name}'", "postgres"
    )
    rights = {str(row[0]).split("/")[0] for row in found}
    assert rights == {f"{at.user}=CTc", '"o\'dd "" role"=C*c', "reader=c"}
    with ground.connect() as connection:
        assert connection.execute("SHOW search_path").fetchone() == ('"$user", "a, b", public',)
        assert connection.execute("SHOW work_mem").fetchone() == ("8MB",)
        assert connection.execute("SHOW pgdr.mode").fetchone() == ("x y",)
    apply_properties(at, ground.name, (), (), {"o'dd \" role": ('search_path=a, "b c"', "work_mem=7MB")}, 9)
    assert ground.sql(
        f"""SELECT rolname::text, setconfig, datconnlimit FROM pg_database d JOIN pg_db_role_setting s
              ON s.setdatabase = d.oid JOIN pg_roles r ON r.oid = s.setrole WHERE datname = '{ground.name}'"""
    ) == [("o'dd \" role", ['search_path=a, "b c"', "work_mem=7MB"], 9)]
    apply_properties(at, ground.name, (), (), None, -1)
    assert len(ground.sql(f"SELECT unnest(datacl) FROM pg_database WHERE datname = '{ground.name}'")) == 3
    ground.sql(f"""ALTER DATABASE {ground.name} OWNER TO {at.user}; REVOKE ALL ON DATABASE {ground.name}
                   FROM reader, "o'dd "" role";
                   ALTER ROLE "o'dd "" role" IN DATABASE {ground.name} RESET ALL""")


def test_what_cannot_be_set_is_named_and_the_rest_is_set(ground: Ground) -> None:
    with pytest.raises(PgdrError) as caught:
        apply_properties(ground.endpoint, ground.name, ("ghost=c/x",), ("no_such=1", "work_mem=9MB"))
    assert "ghost=c/x" in str(caught.value) and "no_such" in str(caught.value)
    with ground.connect() as connection:
        assert connection.execute("SHOW work_mem").fetchone() == ("9MB",)


def test_an_acl_item_is_read_as_it_is_written() -> None:
    assert parse_acl("=Tc/owner") == ("", "Tc")
    assert parse_acl('"a=b""c"=C*c/"o=x"') == ('a=b"c', "C*c")


def test_the_lock_names_its_holder_and_goes(ground: Ground) -> None:
    at = ground.endpoint
    with databases.target_lock(at, "shop", application="pgdr restore 7"):
        with databases.target_lock(at, "another"):
            pass
        with pytest.raises(Refused) as caught, databases.target_lock(at, "shop"):
            raise AssertionError("two holders")
        assert "pgdr restore 7" in str(caught.value) and "since 20" in str(caught.value)
    with databases.target_lock(at, "shop"):
        pass


def test_the_lock_is_free_as_soon_as_it_is_given_back(ground: Ground) -> None:
    for _ in range(50):
        with databases.target_lock(ground.endpoint, "one after another"):
            pass
