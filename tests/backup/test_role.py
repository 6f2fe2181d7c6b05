"""The role that takes backups: what it lacks is told, and the printed SQL gives it that."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.recovery.world import World, make_world
from tests.servers import FreshDatabase
from tui.config.write import text_of
from tui.files import write_whole
from tui.model.errors import PgdrError
from tui.postgres.backup_role import role_facts, role_sql, role_sql_facts

MORE = """
CREATE SCHEMA market;
CREATE TABLE market.symbols (id serial PRIMARY KEY, name text);
CREATE TABLE secrets (id int);
ALTER TABLE secrets ENABLE ROW LEVEL SECURITY;
SELECT lo_from_bytea(0, 'one');
"""


def as_psql_would(world: World, text: str) -> None:
    """Runs the printed SQL, but for the one line that asks a person."""
    lines = [line for line in text.splitlines() if not line.startswith("\\password")]
    assert len(lines) == len(text.splitlines()) - 1
    world.sql("\n".join(lines))


def restricted(db: FreshDatabase, directory: Path) -> World:
    """A world whose backups are taken by the role keeper, which may nothing yet."""
    world = make_world(db, directory)
    world.sql(MORE)
    world.sql(f'REVOKE CONNECT ON DATABASE "{db.name}" FROM PUBLIC')
    fleet = world.fleet
    policy = replace(world.database.backup, role="keeper")
    write_whole(world.config, text_of(replace(fleet, databases=(replace(world.database, backup=policy),))))
    return world


@pytest.mark.parametrize("version", ["18", "15", "13"])
def test_what_it_lacks_and_what_gives_it(
    version: str, db18: FreshDatabase, db15: FreshDatabase, tmp_path: Path
) -> None:
    db = db18 if version == "18" else db15
    world = restricted(db, tmp_path)
    assert role_facts(db.endpoint, db.name, "keeper").missing() == ("The role keeper does not exist.",)
    world.sql("CREATE ROLE keeper LOGIN")
    lacks = " ".join(role_facts(db.endpoint, db.name, "keeper").missing())
    for wanted in ("lacks CONNECT", "USAGE on the schema market", "public.secrets", "market.symbols",
                   "the sequences market.symbols_id_seq", "Policies hide rows of the table public.secrets",
                   "1 large objects"):  # fmt: skip
        assert wanted in lacks
    facts = role_sql_facts(db.endpoint, db.name)
    if version == "13":  # as such a server is told: schema by schema; these servers understand that too
        facts = replace(facts, version_num=130000)
    text = role_sql(facts, db.name, "keeper")
    assert ("GRANT pg_read_all_data" in text) == (version != "13")
    as_psql_would(world, text)
    as_psql_would(world, text)  # again: no harm
    assert role_facts(db.endpoint, db.name, "keeper").complete
    made = world.back_up()
    assert {t.name for t in made.manifest.tables} >= {"symbols", "secrets"}
    if version == "13":
        world.sql("CREATE TABLE market.later (id serial)")
        assert role_facts(db.endpoint, db.name, "keeper").complete  # by the default privileges


def test_a_backup_without_the_rights_says_what_is_missing(db18: FreshDatabase, tmp_path: Path) -> None:
    world = restricted(db18, tmp_path)
    world.sql(f'CREATE ROLE keeper LOGIN; GRANT CONNECT ON DATABASE "{db18.name}" TO keeper')
    with pytest.raises(PgdrError, match=r"permission denied|could not be"):
        world.back_up()
    assert not list((tmp_path / "backups").iterdir())


def test_the_verb_prints_sql_and_judges(db18: FreshDatabase, tmp_path: Path) -> None:
    world = restricted(db18, tmp_path)
    answer = world.answer("role", "shop", code=1)
    assert answer["role"] == "keeper" and not answer["complete"] and answer["missing"]
    assert "PASSWORD" not in answer["sql"].upper().replace("\\PASSWORD", "")
    done = world.pgdr("role", "shop")
    assert done.returncode == 1 and done.stdout == answer["sql"] and "does not exist" in done.stderr
    as_psql_would(world, done.stdout)
    done = world.pgdr("role", "shop", "--name", "other")
    assert done.returncode == 0 and 'GRANT pg_read_all_data TO "other";' in done.stdout
    assert "can read everything" in done.stderr


def test_a_superuser_lacks_nothing(world: World) -> None:
    world.sql(MORE)
    assert role_facts(world.live.endpoint, world.live.name, None).complete


def test_names_that_would_end_a_line_are_refused(world: World) -> None:
    facts = role_sql_facts(world.live.endpoint, world.live.name)
    with pytest.raises(PgdrError):
        role_sql(facts, world.live.name, 'a"\n\\! touch /tmp/x')
    text = role_sql(facts, world.live.name, "o'd\"d")
    assert """SELECT 'CREATE ROLE "o''d""d" LOGIN' WHERE NOT EXISTS""" in text
    assert "rolname = 'o''d\"d')" in text
