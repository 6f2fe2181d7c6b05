"""Plain SQL that reaches for more than its own database, that loses its session, or is encoded otherwise."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import pytest

from tests.formats.conftest import Packed, dump, plan
from tui.model.backup import Verdict
from tui.model.errors import ArchiveError
from tui.model.event import ErrorSeen, Event
from tui.model.plan import Level
from tui.postgres.archive.plain import read_plain
from tui.postgres.archive.script import Odd, Statement, parts

KEY = "shop-20261121-010210.sql"
LOSE = b"SELECT pg_terminate_backend(pg_backend_pid());\n"


@pytest.fixture(scope="module")
def sql(module_packed: Packed) -> bytes:
    """The world as plain SQL."""
    live, path = module_packed.world.live, module_packed.dumped / "sql"
    dump(live.server, live.name, path, ["-Fp"])
    return path.read_bytes()


def odd(text: bytes) -> tuple[str, ...]:
    return read_plain([text], datetime(2026, 11, 21, tzinfo=timezone.utc)).odd


@pytest.mark.parametrize(
    "statement",
    [
        b"DROP DATABASE live;",
        b"/* x */ DROP DATABASE live;",
        b"/* /* */ */drop/**/database live;",
        b";  -- x\n\talter\n--\n database live RENAME TO other;",
        b"CREATE DATABASE live;",
        b"ALTER SYSTEM SET fsync = off;",
        b"DROP ROLE app;",
        b"ALTER USER app PASSWORD 'x';",
        b"DROP TABLESPACE fast;",
    ],
)
def test_what_reaches_for_the_server_is_odd_however_it_is_written(statement: bytes) -> None:
    assert odd(b"SELECT 1;\n" + statement + b"\n")
    assert not odd(b"COMMENT ON TABLE t IS '\n" + statement + b"\n';\n")


def test_what_only_sounds_so_is_not() -> None:
    assert not odd(
        b"CREATE USER MAPPING FOR ann SERVER other;\nDROP USER MAPPING FOR ann SERVER other;\n"
        b"ALTER TABLE database ADD role text;\nCREATE TABLE public.system (role text);\n"
        b'DROP TABLE "database";\nCREATE FUNCTION role() RETURNS int RETURN 1;\nCREATE ROLES;\n'
    )


@pytest.mark.parametrize("store", ["local", "offsite"])
def test_another_database_is_not_dropped_by_one_that_is_restored(
    packed: Packed, sql: bytes, store: str
) -> None:
    live = packed.world.live
    other = f"{live.name}_other"
    live.server.sql(f'CREATE DATABASE "{other}"')
    evil = f'/* x */ DROP DATABASE "{other}" WITH (FORCE);\nCREATE TABLE'.encode()
    ref = packed.put(store, KEY, sql.replace(b"CREATE TABLE", evil, 1))
    if store == "local":
        assert any(f.level is Level.STOP and "DROP DATABASE" in f.what for f in plan(packed, ref).findings)
    with pytest.raises(ArchiveError, match="DROP DATABASE") as caught:
        packed.restore(ref)
    assert caught.value.mend
    assert packed.world.databases() == {live.name, other}


def test_nobody_is_sent_to_psql_with_a_command_for_it(packed: Packed, sql: bytes) -> None:
    ref = packed.put("local", KEY, sql.replace(b"CREATE TABLE", b"\\! touch x\nCREATE TABLE", 1))
    planned = plan(packed, ref)
    (stop,) = [f for f in planned.findings if f.level is Level.STOP]
    assert stop.mend is not None and "psql" not in stop.mend
    assert planned.commands == ()
    unseen = plan(packed, packed.put("offsite", KEY, sql))
    assert unseen.commands and any("psql by hand" in (f.mend or "") for f in unseen.findings)


@pytest.mark.parametrize("where", ["between", "in the rows"])
def test_a_session_that_is_lost_is_a_failed_restore(packed: Packed, sql: bytes, where: str) -> None:
    if where == "between":
        text = sql.replace(b"COPY public.users", LOSE + b"COPY public.users", 1)
    else:
        body = b"BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END"
        made = b"CREATE FUNCTION public.lose() RETURNS trigger LANGUAGE plpgsql AS $$" + body + b"$$;\n"
        made += b"CREATE TRIGGER lose BEFORE INSERT ON public.users FOR EACH ROW"
        made += b" EXECUTE FUNCTION public.lose();\n"
        text = sql.replace(b"COPY public.users", made + b"COPY public.users", 1)
    done = packed.restore(packed.put("local", KEY, text))
    assert done.verdict is Verdict.FAILED
    assert "TABLE DATA public.users" in (done.errors[0].entry or "")
    assert "without finishing TABLE DATA users" in done.errors[-1].message


@pytest.mark.parametrize("encoding", ["SJIS", "GB18030"])
def test_an_encoding_with_backslashes_in_its_letters(packed: Packed, encoding: str) -> None:
    """The second byte of some letters is a backslash there, which ends or escapes nothing."""
    live, path = packed.world.live, packed.dumped / "letters"
    packed.world.sql(
        "CREATE TABLE letters (a text DEFAULT E'\u30bd\\\\''x', b text);"
        "COMMENT ON TABLE letters IS E'\u8868\\\\\u30bd';"
        "INSERT INTO letters VALUES ('\u30bd', E'\u8868\\\\')"
    )
    read = (
        "SELECT a, b, obj_description('letters'::regclass), pg_get_expr(adbin, adrelid)"
        " FROM letters, pg_attrdef WHERE adrelid = 'letters'::regclass"
    )
    try:
        truth = live.server.sql(read, live.name)
        for number, how in enumerate(([], ["--inserts"])):
            dump(live.server, live.name, path, ["-Fp", "-E", encoding, "-t", "letters", *how])
            done = packed.restore(packed.put("local", f"{number}.sql", path.read_bytes()), f"made{number}")
            assert (done.verdict, done.errors) == (Verdict.CLEAN, ())
            assert live.server.sql(read, f"{live.name}_made{number}") == truth
    finally:
        packed.world.sql("DROP TABLE letters")


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
@pytest.mark.parametrize(
    "value",
    [
        rb"'a;b', 'it''s;', ''", rb"E'\';', e'\\'", rb"'\', 1", rb"N'x;', B'1;', x'f;', U&'\0041;'",
        b"-1, - 2, --;'\n 3, 4 / 2 /* ; ' /* */ ' */", b"$$;'$$, $a$ ;$$ $a$", b'"a;""b", a$b, $1',
        b"f((1), ';', (2, ('(', ')')))", rb"E'a'" + b"\n" + rb"  '\';'", b"'\n;\n--\n', 1e5, 1.5, \xe9\xa9",
        b"date'2026;', a&b, NULL, true",
    ],
)  # fmt: skip
def test_an_insert_ends_where_it_ends(value: bytes, size: int) -> None:
    text = b"INSERT INTO public.t (a, b) VALUES (" + value + b"),\n\t(" + value + b");\nSELECT 2;\n"
    found = list(parts(text[at : at + size] for at in range(0, len(text), size)))
    assert not [part for part in found if isinstance(part, Odd)]
    statements = [part.text for part in found if isinstance(part, Statement)]
    assert len(statements) == 2 and statements[1] == b"SELECT 2;"
    assert statements[0].startswith(b"INSERT ") and statements[0].endswith(b");")


def test_strings_of_old_dumps_are_escaped() -> None:
    text = b"SET %sstandard_conforming_strings = off;\nINSERT INTO t VALUES ('a\\';b');\nSELECT 2;\n"
    for said in (b"", b"SESSION "):
        assert len(list(parts([text % said]))) == 3


def test_what_is_never_committed_is_a_failed_restore(packed: Packed) -> None:
    made = b"CREATE TABLE seeds (n int);\nINSERT INTO seeds VALUES (1);\n"
    for number, (text, verdict) in enumerate(
        ((b"BEGIN;\n" + made, Verdict.FAILED), (b"BEGIN;\n" + made + b"COMMIT;\n", Verdict.CLEAN))
    ):
        assert packed.restore(packed.put("local", f"{number}.sql", text), str(number)).verdict is verdict
    assert packed.world.count("seeds", f"{packed.world.live.name}_1") == 1


def test_a_table_that_is_not_there_is_told_a_few_times_not_for_each_row(
    packed: Packed, tmp_path: Path
) -> None:
    live = packed.world.live
    dump(live.server, live.name, tmp_path / "sql", ["-Fp", "--inserts"])
    text = (tmp_path / "sql").read_bytes()
    text = text.replace(b"CREATE TABLE public.wallets (", b"CREATE TABLE public.wallets (at geometry,")
    seen: list[Event] = []
    done = packed.restore(packed.put("local", KEY, text), report=seen.append)
    assert done.verdict is Verdict.FAILED
    errors = [error for error in done.errors if error.entry and "TABLE DATA public.wallets" in error.entry]
    assert 1 < len(errors) < 50 and not any(error.harmless for error in errors)
    assert [e.error for e in seen if isinstance(e, ErrorSeen)] == list(done.errors)
    assert sum("580 more errors like these" in error.message for error in errors) == 1
    assert packed.world.count("users", f"{live.name}_restored") == 400
