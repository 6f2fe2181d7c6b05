"""What items() foretells against what pg_restore says it does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.archive.rich import Rich, program, restore
from tests.servers import FreshDatabase
from tui.model.errors import UsageError
from tui.model.event import ErrorSeen, Item, ItemFinished, ItemLaunched, Phase
from tui.postgres.archive.items import items, use_list


def all_items(rich: Rich, *tables: str) -> tuple[Item, ...]:
    return items(rich.contents, rich.custom.stat().st_size, None, tables)


@pytest.mark.parametrize("jobs", ["-j1", "-j2"])
def test_what_is_foretold_is_what_is_done(rich: Rich, target: FreshDatabase, jobs: str) -> None:
    events, code, text = restore(rich.server, target.name, rich.custom, jobs)
    assert code == 0, text
    foretold = [item.dump_id for item in all_items(rich)]
    launched = [e.dump_id for e in events if isinstance(e, ItemLaunched)]
    finished = [e.dump_id for e in events if isinstance(e, ItemFinished)]
    assert sorted(launched) == sorted(finished) == sorted(foretold)
    assert not [e for e in events if isinstance(e, ErrorSeen)]
    if jobs == "-j1":  # alone it works in the very order that was foretold
        assert launched == foretold
    else:  # these are pg_restore's own numbers
        numbers = {int(n) for n in re.findall(r"launching item (\d+) ", text)}
        assert numbers <= set(foretold)


def test_statistics_are_foretold_too(rich18: Rich, tmp_path: Path) -> None:
    archive = tmp_path / "statistics.dump"
    source = rich18.contents.database
    assert source
    done = program(rich18.server, "pg_dump", "-Fc", "--statistics", "-f", str(archive), dbname=source)
    assert done.returncode == 0, done.stderr.decode()
    name = f"{source}_statistics"
    rich18.server.sql(f"CREATE DATABASE {name}")
    try:
        rich = Rich(rich18.server, tmp_path)
        archive.rename(rich.custom)
        for jobs in ("-j1", "-j2"):
            events, _, text = restore(rich18.server, name, rich.custom, jobs, "--clean", "--if-exists")
            foretold = {item.dump_id for item in all_items(rich)}
            assert {e.dump_id for e in events if isinstance(e, ItemFinished)} == foretold, text
        assert any(item.desc == "STATISTICS DATA" for item in all_items(rich))
    finally:
        rich18.server.sql(f"DROP DATABASE {name} WITH (FORCE)")


def test_phases_tables_and_weights(rich: Rich) -> None:
    by_name = {(i.desc, i.name): i for i in all_items(rich)}
    orders = by_name["TABLE DATA", "orders"]
    assert orders.phase is Phase.DATA
    assert orders.weight_bytes
    assert by_name["SEQUENCE SET", "orders_id_seq"].phase is Phase.DATA
    assert by_name["TABLE", "orders"].phase is Phase.SCHEMA
    for desc, name in (("CONSTRAINT", "orders_pkey"), ("INDEX", "orders_user")):
        item = by_name[desc, name]
        assert (item.phase, item.table, item.weight_bytes) == (Phase.INDEXES, "orders", orders.weight_bytes)
    key = by_name["FK CONSTRAINT", "orders_user_id_fkey"]
    assert (key.phase, key.table) == (Phase.FOREIGN_KEYS, "orders")
    assert by_name["FK CONSTRAINT", "self_parent_fkey"].table == "self"
    assert by_name["INDEX", "i x\ny"].table == 'we ird\nna"me'
    assert by_name["INDEX", "mv_n"].table == "mv"
    for last in (("TRIGGER", "orders tr"), ("MATERIALIZED VIEW DATA", "mv"), ("ACL", "TABLE users")):
        assert by_name[last].phase is Phase.FINISH
    assert not [i for i in by_name.values() if i.desc in ("DATABASE", "ENCODING", "DATABASE PROPERTIES")]


def test_two_tables_come_with_all_that_is_theirs(rich: Rich, target: FreshDatabase, tmp_path: Path) -> None:
    chosen = all_items(rich, "app.orders", "users")
    chosen_file = tmp_path / "use.list"
    chosen_file.write_text(use_list(rich.contents, [i.dump_id for i in chosen]))
    events, code, text = restore(rich.server, target.name, rich.custom, "-j2", "-L", str(chosen_file))
    assert code == 0, text
    assert {i.dump_id for i in chosen} <= {e.dump_id for e in events if isinstance(e, ItemFinished)}
    assert target.sql("SELECT count(*) FROM app.orders") == "20000"
    relations = "SELECT relname FROM pg_class WHERE relnamespace = 'app'::regnamespace ORDER BY relname"
    assert target.sql(relations).split() == [
        "orders", "orders_id_seq", "orders_pkey", "orders_user",
        "users", "users_id_seq", "users_name_key", "users_pkey", "users_trgm",
    ]  # fmt: skip
    assert target.sql("SELECT conname FROM pg_constraint WHERE contype = 'f'") == "orders_user_id_fkey"
    assert target.sql("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal") == "tr"
    assert target.sql("SELECT has_table_privilege('rich_reader', 'app.users', 'SELECT')") == "t"
    assert target.sql("SELECT nextval('app.users_id_seq')") == "2001"
    assert target.sql("SELECT obj_description('app.users'::regclass)") == "people"


@pytest.mark.parametrize(
    ("table", "there", "rows"),
    [
        ("app.orders", "orders", 20000),
        ("app.measures", "measures", 3000),
        ("app.measures_25", "measures_25", None),
        ("app.self", "self", 0),
        ("app.mv", "mv", None),
        ('we ird\nna"me', 'we ird\nna"me', None),
    ],
)
def test_one_table_can_be_restored_alone(
    rich: Rich, target: FreshDatabase, tmp_path: Path, table: str, there: str, rows: int | None
) -> None:
    chosen_file = tmp_path / "use.list"
    ids = [i.dump_id for i in all_items(rich, table)]
    chosen_file.write_text(use_list(rich.contents, ids))
    _, code, text = restore(rich.server, target.name, rich.custom, "-L", str(chosen_file))
    assert code == 0, text
    quoted = there.replace('"', '""').replace("'", "''")
    found = target.sql(
        f"SELECT oid::regclass FROM pg_class WHERE relname = '{quoted.replace(chr(34) * 2, chr(34))}'"
    )
    assert found
    if rows is not None:
        assert target.sql(f"SELECT count(*) FROM {found}") == str(rows)


def test_a_table_that_is_not_there_is_named_with_its_neighbours(rich: Rich) -> None:
    with pytest.raises(UsageError) as caught:
        all_items(rich, "app.order")
    assert "app.order " in caught.value.what
    assert "app.orders" in (caught.value.mend or "")


def test_lists_hold_no_line_breaks_of_names(rich: Rich) -> None:
    text = use_list(rich.contents, [e.dump_id for e in rich.contents.entries])
    assert len(text.splitlines()) == len(rich.contents.entries)
    assert all(re.match(r"\d+; ", line) for line in text.splitlines())
