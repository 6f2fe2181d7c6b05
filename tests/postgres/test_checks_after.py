"""After the load: rights, the application's role, what isn't a table's row, statistics. On 18 and 15."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from tests.postgres.conftest import Ground
from tests.postgres.test_checks import manifest_of
from tui.model import codec
from tui.model.backup import Manifest
from tui.model.fleet import Database
from tui.model.verdict import Check
from tui.postgres.checks.checks import run_checks

SCHEMA = """
    CREATE ROLE keeper; CREATE ROLE "the app" LOGIN; CREATE ROLE reader;
    CREATE SCHEMA side; CREATE TABLE side.notes (id int, text text); INSERT INTO side.notes VALUES (1, 'x');
    CREATE TABLE users (id int); INSERT INTO users VALUES (1);
    CREATE FUNCTION twice(n int) RETURNS int LANGUAGE sql AS 'SELECT 2 * n';
    CREATE MATERIALIZED VIEW many AS SELECT * FROM users;
    CREATE MATERIALIZED VIEW later AS SELECT * FROM users WITH NO DATA;
    SELECT lo_create(4711), lo_create(4712);
    ALTER TABLE users OWNER TO keeper;
    GRANT SELECT, INSERT ON users TO "the app"; GRANT SELECT ON users TO PUBLIC;
    GRANT USAGE ON SCHEMA side TO reader WITH GRANT OPTION; REVOKE ALL ON FUNCTION twice(int) FROM PUBLIC;
    ANALYZE;
"""


def filled(ground: Ground) -> Manifest:
    ground.sql(SCHEMA)
    return manifest_of(ground)


def asked(ground: Ground, manifest: Manifest | None, **more: object) -> dict[str, Check]:
    database = Database("shop", ground.name, "svc", endpoint=ground.endpoint, app_role="the app")
    given = replace(database, **more)  # type: ignore[arg-type]
    return {c.name: c for c in run_checks(given.endpoint, ground.name, given, manifest)}


def test_what_is_as_it_was(ground: Ground) -> None:
    found = asked(ground, filled(ground))
    assert {n: c.found for n, c in found.items() if c.passed is not True} == {}
    assert found["large objects"].found == "2"
    assert found["materialized views"].found == "1 view with rows"
    assert found["owners"].found == "of 6 objects the same"
    assert found["grants"].expected == "3 grants on 6 objects"
    assert found["application role"].found == "it may; not tried, its password isn't here"


def test_owners_that_differ(ground: Ground) -> None:
    manifest = filled(ground)
    ground.sql("ALTER TABLE users OWNER TO reader")
    found = asked(ground, manifest)["owners"]
    assert (found.passed, found.found) == (False, "public.users is reader's, was keeper's")
    ground.sql("DROP ROLE keeper")
    found = asked(ground, manifest)["owners"]
    assert found.passed is None and 'First: CREATE ROLE "keeper"' in (found.mend or "")


def test_grants_that_are_lost_or_gained(ground: Ground) -> None:
    manifest = filled(ground)
    ground.sql('REVOKE INSERT ON users FROM "the app"; GRANT ALL ON SCHEMA side TO PUBLIC')
    found = asked(ground, manifest)["grants"]
    assert found.passed is False
    assert "public.users lacks the app=ar" in found.found and "side has besides =UC" in found.found
    ground.sql('GRANT INSERT ON users TO "the app"; REVOKE ALL ON SCHEMA side FROM PUBLIC')
    assert asked(ground, manifest)["grants"].passed is True
    ground.sql('REVOKE ALL ON users FROM "the app"; DROP ROLE "the app"')
    found = asked(ground, manifest)["grants"]
    assert found.passed is None and 'CREATE ROLE "the app"' in (found.mend or "")


def test_rights_survive_a_change_of_version(ground: Ground) -> None:
    """An owner's own rights have one more letter from 17 on; nobody was granted anything."""
    manifest = filled(ground)
    assert manifest.rights is not None
    users = next(r for r in manifest.rights if r.name == "public.users")
    assert users.grants == ("=r", "the app=ar") and users.owner == "keeper"


def test_the_applications_role(ground: Ground, tmp_path: Path) -> None:
    manifest = filled(ground)

    def answer(mend: str | None = None, **more: object) -> Check:
        if mend:
            ground.sql(mend.split(",")[0])
        return asked(ground, manifest, **more)["application role"]

    ground.sql(f"REVOKE CONNECT ON DATABASE {ground.name} FROM PUBLIC")
    for state in ("NOLOGIN", "CONNECTION LIMIT 0", "VALID UNTIL '2020-01-01'"):
        ground.sql(f'ALTER ROLE "the app" {state}')
    seen = []
    found = answer()
    while found.passed is False:
        seen.append(found.found)
        found = answer(found.mend)
    assert seen == [
        "it may not log in",
        "it has no CONNECT",
        "its password has expired",
        "its connection limit is 0",
    ]
    ground.sql("ALTER ROLE \"the app\" PASSWORD 'hush-8'")
    passfile = tmp_path / "pgpass"
    kept = ground.endpoint.passfile
    assert kept is not None
    for password, passed in (("hush-8", True), ("wrong", False)):
        passfile.write_text(f"{kept.read_text()}127.0.0.1:*:*:the app:{password}\n")
        passfile.chmod(0o600)
        tried = answer(endpoint=replace(ground.endpoint, passfile=passfile))
        assert tried.passed is passed and "hush" not in tried.found
    assert asked(ground, manifest, app_role="nosuch")["application role"].found == "there is no such role"
    assert "application role" not in asked(ground, manifest, app_role=None)


def test_views_objects_and_statistics_that_are_missing(ground: Ground) -> None:
    manifest = filled(ground)
    ground.sql("SELECT lo_unlink(4711); REFRESH MATERIALIZED VIEW many WITH NO DATA;"
               "CREATE TABLE fresh AS SELECT 1 AS one")  # fmt: skip
    found = asked(ground, manifest)
    assert (found["large objects"].passed, found["large objects"].found) == (False, "1")
    assert found["materialized views"].found == "without rows: public.many"
    assert (found["statistics"].passed, found["statistics"].found) == (None, "none of public.fresh")
    ground.sql("ANALYZE")
    assert asked(ground, manifest)["statistics"].passed is True


def test_collations_whose_version_has_moved(ground: Ground) -> None:
    manifest = filled(ground)
    assert asked(ground, manifest)["collation versions"].passed is True
    ground.sql(f"UPDATE pg_database SET datcollversion = '1' WHERE datname = '{ground.name}'")
    found = asked(ground, manifest)["collation versions"]
    assert found.passed is None and f"{ground.name} is 1, the system has none" in found.found
    assert found.mend is not None and "REFRESH COLLATION VERSION" in found.mend


def test_manifests_from_before_are_read(ground: Ground) -> None:
    plain = json.loads(json.dumps(codec.plain(filled(ground))))
    for name in ("rights", "large_objects", "populated", "disabled_triggers"):
        del plain[name]
    old = codec.build(plain, Manifest)
    found = asked(ground, old)
    assert not {"owners", "grants", "large objects", "materialized views"} & set(found)
    now = manifest_of(ground)
    assert codec.build(codec.plain(now), Manifest) == now
