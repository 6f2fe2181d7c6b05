"""Command lines as values, and run against hostile names with both versions' programs."""

from __future__ import annotations

from pathlib import Path

from tests.postgres.conftest import HOSTILE, ROLE_PASSWORD, Ground
from tui.model.fleet import Programs
from tui.postgres import commands
from tui.postgres.connection import environment
from tui.postgres.databases import databases
from tui.postgres.facts.facts import server_facts
from tui.postgres.programs import Program, dump_program, restore_program
from tui.process import Command, run

DUMP = Program(Path("/p/pg_dump"), "18.6", 18)
RESTORE = Program(Path("/p/pg_restore"), "18.6", 18)
NAMES = (HOSTILE, "dbname=postgres host=/nowhere")


def test_dump() -> None:
    made = commands.dump(
        DUMP,
        {"PGPASSWORD": "x"},
        "shop",
        file=Path("/b/a.dump"),
        snapshot="00000003-1",
        compress="gzip:6",
        jobs=4,
        schema_only=True,
        tables=(("public", 'a"b'),),
        role="backup",
    )
    assert made.argv == (
        *("/p/pg_dump", "-w", "--format=custom", "--dbname=shop", "--file=/b/a.dump"),
        *("--snapshot=00000003-1", "--compress=gzip:6", "--schema-only"),
        *('--table="public"."a""b"', "--strict-names", "--role=backup"),
    )
    assert '"$PGPASSWORD"' in made.shown and made.env == {"PGPASSWORD": "x"}
    parallel = commands.dump(DUMP, {}, "shop", format="directory", jobs=4, data_only=True, schemas=("s",))
    assert {"--jobs=4", "--data-only", '--schema="s"'} <= set(parallel.argv)


def test_globals_hold_no_passwords() -> None:
    made = commands.dump_globals(
        Program(Path("/p/pg_dumpall"), "18.6", 18), {}, "postgres", file=Path("/b/g.sql")
    )
    assert {"-w", "--globals-only", "--no-role-passwords", "--file=/b/g.sql"} < set(made.argv)


def test_restore() -> None:
    made = commands.restore(
        RESTORE,
        {},
        Path("-odd.dump"),
        "a=b",
        jobs=3,
        use_list=Path("/l"),
        sections=("data",),
        exit_on_error=True,
    )
    assert made.argv == (
        *("/p/pg_restore", "-w", "--dbname=dbname='a=b'", "--jobs=3", "--use-list=/l", "--section=data"),
        *("--verbose", "--exit-on-error", "./-odd.dump"),
    )
    assert "--jobs=3" not in commands.restore(RESTORE, {}, None, "x", jobs=3).argv
    assert commands.list_archive(RESTORE, Path("/a")).argv == ("/p/pg_restore", "--list", "/a")


def test_names_that_would_be_connection_strings() -> None:
    assert commands.dbname_argument("postgresql://nowhere/x") == "dbname='postgresql://nowhere/x'"
    assert commands.dbname_argument("a='\\") == "dbname='a=\\'\\\\'"
    assert commands.dbname_argument("-h it's") == "-h it's"


def test_hostile_databases_through_dump_and_restore(ground: Ground, tmp_path: Path) -> None:
    role = ground.role("worker", "SUPERUSER")
    major = server_facts(role).version_num // 10000
    dumper = dump_program("pg_dump", Programs(), role, major)
    restorer = restore_program(Programs(), role, major, dumper.major)
    env = environment(role)
    for number, name in enumerate(NAMES):
        databases.create(role, name)
        ground.sql("CREATE TABLE here AS SELECT 7 AS n", name)
        archive = tmp_path / f"{number}.dump"
        dumping = commands.dump(dumper, env, name, file=archive)
        done = run(dumping)
        assert done.code == 0, done.stderr
        assert ROLE_PASSWORD not in dumping.shown and ROLE_PASSWORD not in " ".join(dumping.argv)
        databases.drop(role, name)
        databases.create(role, name)
        done = run(commands.restore(restorer, env, archive, name, jobs=2))
        assert done.code == 0, done.stderr
        assert ground.sql("SELECT n FROM here", name) == [(7,)]
        assert run(commands.list_archive(restorer, archive)).code == 0
        assert run(commands.read_through(restorer, archive)).code == 0
        archive.write_bytes(archive.read_bytes()[:-40])
        assert run(commands.read_through(restorer, archive)).code != 0
    everyone = dump_program("pg_dumpall", Programs(), role, major)
    done = run(commands.dump_globals(everyone, env, NAMES[1]))
    assert done.code == 0, done.stderr
    assert b"CREATE ROLE worker" in done.stdout and b"SCRAM-SHA-256" not in done.stdout


def test_hostile_tables_match_themselves_alone(ground: Ground) -> None:
    names = ("a.b", "a*", "A", "a", 'q"', "x|y", "$t", "t\\", "(p)", "line\nbreak", "é?")
    for name in names:
        ground.sql(f"CREATE TABLE {commands.quoted(name)} (i int)")
    at = ground.endpoint
    major = server_facts(at).version_num // 10000
    dumper = dump_program("pg_dump", Programs(), at, major)
    restorer = restore_program(Programs(), at, major, dumper.major)
    for name in names:
        done = run(commands.dump(dumper, environment(at), ground.name, tables=(("public", name),)))
        assert done.code == 0, (name, done.stderr)
        listing = run(Command((str(restorer.path), "--list")), stdin=done.stdout).stdout.decode()
        tables = [line for line in listing.splitlines() if " TABLE public " in line]
        assert len(tables) == 1, (name, tables)
    done = run(commands.dump(dumper, environment(at), ground.name, tables=(("public", "nosuch"),)))
    assert done.code != 0


def test_a_wrong_password_ends_it_without_a_question(ground: Ground) -> None:
    role = ground.role("worker")
    major = server_facts(role).version_num // 10000
    dumper = dump_program("pg_dump", Programs(), role, major)
    env = {**environment(role), "PGPASSFILE": "/nonexistent"}
    del env["PGPASSWORD"]
    done = run(commands.dump(dumper, env, ground.name), timeout_s=30)
    assert done.code == 1 and "password" in done.stderr
