"""Real pg_restore, provoked; and what its workers write when they write at once."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import pytest

from tests.archive.rich import Rich, program, restore
from tests.servers import FreshDatabase, fresh_database
from tui.model.backup import Verdict
from tui.model.event import Entry, ErrorSeen, Event, ItemFinished, ItemLaunched, ItemsListed, LogLine
from tui.model.verdict import ErrorClass, RestoreError
from tui.postgres.archive.items import items, restored
from tui.postgres.archive.output import RestoreOutput
from tui.postgres.progress.progress import Fold
from tui.postgres.troubles.errors import verdict

JOBS = pytest.mark.parametrize("jobs", ["-j1", "-j2"])


def errors(events: list[Event]) -> list[RestoreError]:
    return [e.error for e in events if isinstance(e, ErrorSeen)]


def unfinished(rich: Rich, events: list[Event]) -> list[str]:
    done = {e.dump_id for e in events if isinstance(e, ItemFinished)}
    return [e.name for e in restored(rich.contents) if e.dump_id not in done]


def found(seen: list[RestoreError]) -> set[tuple[str, ErrorClass]]:
    return {((e.entry or "").partition(" ")[2], e.error_class) for e in seen}


@JOBS
def test_missing_roles_are_explained(rich: Rich, tmp_path: Path, jobs: str) -> None:
    with fresh_database(rich.server) as source, fresh_database(rich.server) as target:
        source.sql(
            "CREATE ROLE gone_owner; CREATE ROLE gone_reader; CREATE TABLE t (id int PRIMARY KEY);"
            "ALTER TABLE t OWNER TO gone_owner; GRANT SELECT ON t TO gone_reader; INSERT INTO t VALUES (1)"
        )
        archive = tmp_path / "roles.dump"
        program(rich.server, "pg_dump", "-Fc", "-f", str(archive), dbname=source.name)
        source.sql("DROP TABLE t; DROP ROLE gone_owner; DROP ROLE gone_reader")
        events, code, text = restore(rich.server, target.name, archive, jobs)
    seen = errors(events)
    assert code == 1
    assert ("TABLE public.t", ErrorClass.ROLE_MISSING) in found(seen), text
    owner, acl = (next(e for e in seen if f" {d} " in f" {e.entry} ") for d in ("TABLE public.t", "ACL"))
    assert owner.harmless
    assert "gone_owner" in owner.meaning
    assert "CREATE ROLE" in owner.mend
    # The owner's own rights stand in the same command as the reader's, and go with them.
    assert acl.error_class is ErrorClass.ROLE_MISSING
    assert len(seen) == text.count("could not execute query: ERROR:")


@JOBS
def test_each_error_of_a_target_that_was_not_empty(rich: Rich, target: FreshDatabase, jobs: str) -> None:
    target.sql(
        "CREATE SCHEMA app; CREATE TABLE app.users (id int PRIMARY KEY, name text, m text, h text);"
        "INSERT INTO app.users VALUES (1); CREATE TABLE app.orders (id text)"
    )
    events, code, text = restore(rich.server, target.name, rich.custom, jobs)
    seen = errors(events)
    assert code == 1
    assert {
        ("SCHEMA app", ErrorClass.ALREADY_EXISTS),
        ("TABLE app.users", ErrorClass.ALREADY_EXISTS),
        ("TABLE DATA app.users", ErrorClass.DATA),
        ("TABLE DATA app.orders", ErrorClass.DEPENDENCY),
        ("INDEX app.orders_user", ErrorClass.DEPENDENCY),
        ("CONSTRAINT app.users users_pkey", ErrorClass.ALREADY_EXISTS),
        ("FK CONSTRAINT app.orders orders_user_id_fkey", ErrorClass.DEPENDENCY),
        ("SEQUENCE SET app.orders_id_seq", ErrorClass.DEPENDENCY),
    } <= found(seen)
    said = text.count("could not execute query: ERROR:") + text.count("COPY failed for table")
    assert len(seen) == said
    assert all(e.dump_id is not None and e.meaning and e.mend for e in seen)
    assert not unfinished(rich, events)
    duplicate = next(e for e in seen if e.error_class is ErrorClass.DATA)
    assert "DETAIL:  Key (id)=(1) already exists." in duplicate.message
    assert verdict(seen, code) is Verdict.FAILED


@JOBS
def test_a_truncated_archive(rich: Rich, target: FreshDatabase, tmp_path: Path, jobs: str) -> None:
    cut = tmp_path / "cut.dump"
    cut.write_bytes(rich.custom.read_bytes()[: rich.contents.toc_bytes + 30_000])
    events, code, text = restore(rich.server, target.name, cut, jobs)
    assert code == 1
    archive = [e for e in errors(events) if e.error_class is ErrorClass.ARCHIVE]
    assert archive, text
    assert not any(e.harmless for e in archive)
    assert "orders" in unfinished(rich, events)
    assert verdict(errors(events), code, len(unfinished(rich, events))) is Verdict.FAILED


def test_a_cut_in_the_only_worker_is_tied_to_its_table(
    rich: Rich, target: FreshDatabase, tmp_path: Path
) -> None:
    cut = tmp_path / "cut.dump"
    cut.write_bytes(rich.custom.read_bytes()[: rich.contents.toc_bytes + 30_000])
    events, _, _ = restore(rich.server, target.name, cut)
    assert [(e.entry or "").partition(" ")[2] for e in errors(events)] == ["TABLE DATA app.orders"]


def test_a_newer_client_explains_its_settings(rich18: Rich, db15: FreshDatabase, tmp_path: Path) -> None:
    with fresh_database(rich18.server) as source:
        source.sql("CREATE TABLE t AS SELECT 1 AS id")
        archive = tmp_path / "t.dump"
        program(rich18.server, "pg_dump", "-Fc", "--no-owner", "-f", str(archive), dbname=source.name)
    host = ["-h", str(db15.server.endpoint.host), "-p", str(db15.server.port), "-U", db15.server.user]
    for jobs in ("-j1", "-j2"):
        events, code, text = restore(
            rich18.server,
            db15.name,
            archive,
            jobs,
            *host,
            "--clean",
            "--if-exists",
            passfile=db15.server.passfile,
        )
        seen = errors(events)
        assert seen, text
        assert {e.error_class for e in seen} == {ErrorClass.SETTING_UNKNOWN}
        assert verdict(seen, code) is Verdict.EXPLAINED
    assert db15.sql("SELECT id FROM t") == "1"


@JOBS
def test_a_user_without_rights(rich: Rich, target: FreshDatabase, jobs: str) -> None:
    target.sql("CREATE ROLE poor LOGIN PASSWORD 'poor'; REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    passfile = rich.server.passfile
    kept = passfile.read_text()
    passfile.write_text(f"{kept}127.0.0.1:*:*:poor:poor\n")
    try:
        events, code, text = restore(rich.server, target.name, rich.custom, jobs, "-U", "poor")
    finally:
        passfile.write_text(kept)
    seen = errors(events)
    assert ("SCHEMA app", ErrorClass.PERMISSION) in found(seen), text
    assert ErrorClass.DEPENDENCY in {e.error_class for e in seen}
    assert verdict(seen, code) is Verdict.FAILED
    assert not [e for e in seen if e.harmless and e.error_class is not ErrorClass.ROLE_MISSING]


def test_no_server_and_no_database(rich: Rich) -> None:
    for arguments, kind in (
        (["-p", "1"], ErrorClass.CONNECTION_LOST),
        (["-d", "nowhere"], ErrorClass.CONNECTION_LOST),
    ):
        events, code, _ = restore(rich.server, "postgres", rich.custom, *arguments)
        assert code == 1
        assert [e.error_class for e in errors(events)] == [kind]
        assert not [e for e in events if isinstance(e, ItemLaunched)]


def test_rows_that_do_not_fit(rich: Rich, target: FreshDatabase, tmp_path: Path) -> None:
    with fresh_database(rich.server) as source:
        source.sql("CREATE TABLE t (id int, v text); INSERT INTO t VALUES (7, 'role \"x\" does not exist')")
        archive = tmp_path / "t.dump"
        program(rich.server, "pg_dump", "-Fc", "-a", "-f", str(archive), dbname=source.name)
    target.sql("CREATE TABLE t (id int CHECK (id > 10), v text)")
    events, code, _ = restore(rich.server, target.name, archive)
    (error,) = errors(events)
    assert (error.error_class, error.harmless) == (ErrorClass.DATA, False)
    assert verdict(errors(events), code) is Verdict.FAILED


@JOBS
def test_a_real_restore_folds_to_its_end(rich: Rich, target: FreshDatabase, jobs: str) -> None:
    events, _, _ = restore(rich.server, target.name, rich.custom, jobs)
    moment = datetime(2026, 11, 21, 3, 10, tzinfo=timezone.utc)
    fold, last, most = Fold(), 0.0, 0
    fold.add(Entry(moment, ItemsListed(items(rich.contents, rich.custom.stat().st_size, None))))
    for event in events:
        fold.add(Entry(moment, event))
        seen = fold.picture(moment)
        assert last <= seen.fraction < 1
        last, most = seen.fraction, max(most, *(w.slot for w in seen.workers), 0)
    assert most == int(jobs[-1])
    assert seen.items_done == seen.items_total > 80
    assert all(p.state == "done" for p in seen.phases)
    assert {t.state for t in seen.tables} == {i.state for i in seen.indexes} == {"done"}


def feed(rich: Rich, text: str, code: int | None = None) -> list[Event]:
    output = RestoreOutput(rich.contents)
    return [e for line in text.splitlines() for e in output.feed(line)] + output.close(code)


def number(rich: Rich, desc: str, name: str) -> int:
    return next(e.dump_id for e in rich.contents.entries if (e.desc, e.name) == (desc, name))


def test_pieces_of_two_lines_that_were_written_at_once(rich18: Rich) -> None:
    index, data = number(rich18, "INDEX", "orders_user"), number(rich18, "TABLE DATA", "users")
    events = feed(
        rich18,
        "pg_restore: entering main parallel loop\n"
        f"pg_restore: pg_restore:launching item {index} INDEX orders_user\n"
        f" launching item {data} TABLE DATA users\n"
        f"pg_restore:pg_restore:  finished item {data} TABLE DATA users\n"
        f"from TOC entry {index}; 1259 16637 INDEX orders_user postgres\n"
        f'pg_restore: error: pg_restore: creating INDEX "app.orders_user"\n'
        'could not execute query: ERROR:  column "user_id" does not exist\n'
        "Command was: CREATE INDEX orders_user ON app.orders USING btree (user_id);\n\n\n"
        f"pg_restore: finished item {index} INDEX orders_user\n",
    )
    assert [e for e in events if not isinstance(e, (LogLine, ErrorSeen))] == [
        ItemLaunched(index), ItemLaunched(data), ItemFinished(data), ItemFinished(index),
    ]  # fmt: skip
    (error,) = errors(events)
    assert error.dump_id == index
    assert error.message.startswith("could not execute query")


def test_a_second_error_of_an_entry_is_not_named_again(rich18: Rich) -> None:
    table, schema = number(rich18, "TABLE", "users"), number(rich18, "SCHEMA", "app")
    events = feed(
        rich18,
        "pg_restore: while PROCESSING TOC:\n"
        f"pg_restore: from TOC entry {schema}; 2615 1 SCHEMA app rich_owner\n"
        f"pg_restore: from TOC entry {table}; 1259 1 TABLE users rich_owner\n"
        'pg_restore: error: could not execute query: ERROR:  role "rich_owner" does not exist\n'
        "Command was: ALTER TABLE app.users OWNER TO rich_owner;\n\n"
        'pg_restore: error: could not execute query: ERROR:  schema "app" already exists\n'
        "Command was: CREATE SCHEMA app;\n\n\n"
        'pg_restore: error: could not execute query: ERROR:  role "rich_owner" does not exist\n'
        "Command was: ALTER SCHEMA app OWNER TO rich_owner;\n\n"
        "pg_restore: warning: errors ignored on restore: 3\n",
        1,
    )
    assert [e.dump_id for e in errors(events)] == [table, schema, schema]


def test_text_in_a_function_is_no_message(rich18: Rich) -> None:
    liar = number(rich18, "FUNCTION", "liar()")
    definition = next(e.definition for e in rich18.contents.entries if e.dump_id == liar)
    events = feed(
        rich18,
        f"pg_restore: from TOC entry {liar}; 1255 1 FUNCTION liar() postgres\n"
        'pg_restore: error: could not execute query: ERROR:  schema "app" does not exist\n'
        f"Command was: {definition}\n\n"
        "pg_restore: warning: errors ignored on restore: 1\n",
        1,
    )
    assert len(errors(events)) == 1
    assert not [e for e in events if isinstance(e, (ItemLaunched, ItemFinished))]


@JOBS
def test_a_name_that_looks_like_an_error_is_a_name(rich: Rich, target: FreshDatabase, jobs: str) -> None:
    events, code, text = restore(rich.server, target.name, rich.custom, jobs, "--clean", "--if-exists")
    assert text.count("\npg_restore: error: a table can be called like this") > 1
    assert (code, errors(events)) == (0, [])


def test_killed_alone_at_work_its_item_is_not_finished(rich18: Rich) -> None:
    text = 'pg_restore: creating SCHEMA "app"\npg_restore: creating EXTENSION "hstore"\n'
    finished = [e for e in feed(rich18, text, -15) if isinstance(e, ItemFinished)]
    assert finished == [ItemFinished(number(rich18, "SCHEMA", "app"))]
    assert len([e for e in feed(rich18, text, 0) if isinstance(e, ItemFinished)]) == 2


def test_log_lines_are_clean(rich18: Rich) -> None:
    events = feed(rich18, "pg_restore: NOTICE:  \x1b[31mred\n")
    assert events == [LogLine("NOTICE:  \\x1b[31mred")]


@pytest.mark.parametrize(
    "pieces",
    [
        "pg_restore:pg_restore: finished item 1 X y\n error: {error}",
        "pg_restore: error: pg_restore: error: something else\n{error}",
        'pg_restore: pg_restore: error: {error}\ncreating INDEX "app.orders_user"\n',
        'pg_restore:pg_restore: creating INDEX "x"\n pg_restore: creating INDEX "y"\nerror: {error}',
    ],
)
def test_no_error_is_lost_between_the_pieces(rich18: Rich, pieces: str) -> None:
    said = 'could not execute query: ERROR:  relation "app.x" does not exist\nCommand was: SELECT 1;\n\n'
    seen = errors(feed(rich18, pieces.format(error=said), 1))
    assert [e.message for e in seen if e.message.startswith("could not")] == [said.strip()]
