"""What of an interrupted restore is in a database, and clearing it for the rest."""

from __future__ import annotations

from tests.servers import FreshDatabase
from tui.postgres.databases.remains import clear, remains

TABLES = """
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (id int PRIMARY KEY, parent int REFERENCES parent) PARTITION BY RANGE (id);
CREATE TABLE child_1 PARTITION OF child FOR VALUES FROM (0) TO (100);
CREATE TABLE "a ""b"" c" (id int REFERENCES parent);
CREATE TABLE empty (id int);
INSERT INTO parent VALUES (1);
INSERT INTO child VALUES (1, 1);
INSERT INTO "a ""b"" c" VALUES (1);
"""


def test_tables_are_told_apart_and_emptied_with_their_foreign_keys(db18: FreshDatabase) -> None:
    db18.sql(TABLES)
    names = [("public", n) for n in ("parent", "child_1", 'a "b" c', "empty", "missing")]
    seen = remains(db18.endpoint, db18.name, names)
    assert seen.with_rows == {("public", "parent"), ("public", "child_1"), ("public", 'a "b" c')}
    assert ("public", "child", "child_parent_fkey") in seen.constraints
    clear(db18.endpoint, db18.name, [("public", "parent"), ("public", "empty")])
    left = remains(db18.endpoint, db18.name, names)
    assert left.with_rows == {("public", "child_1"), ("public", 'a "b" c')}
    assert not any("fkey" in name for _, _, name in left.constraints)
    assert left.indexes == seen.indexes


def test_a_partition_takes_the_keys_of_the_whole_along(db18: FreshDatabase) -> None:
    db18.sql(TABLES)
    clear(db18.endpoint, db18.name, [("public", "child_1")])
    seen = remains(db18.endpoint, db18.name, [("public", "child_1")])
    assert not seen.with_rows
    assert {k for k in seen.constraints if "fkey" in k[2]} == {("public", 'a "b" c', 'a "b" c_id_fkey')}


def test_an_extension_s_own_rows_stay(db18: FreshDatabase) -> None:
    db18.sql("""
        CREATE EXTENSION citext;
        CREATE TABLE systems (id int, mine bool);
        ALTER EXTENSION citext ADD TABLE systems;
        UPDATE pg_extension
           SET extconfig = ARRAY['systems'::regclass::oid], extcondition = ARRAY['WHERE mine']
         WHERE extname = 'citext';
        INSERT INTO systems VALUES (1, false), (2, true)""")
    assert remains(db18.endpoint, db18.name, ()).extensions_tables == {("public", "systems")}
    clear(db18.endpoint, db18.name, [("public", "systems")])
    assert db18.sql("SELECT id FROM systems") == "1"
