"""Asking a restored database whether it is what was backed up, and whether it is fit to be used.

A check never raises: what goes wrong in it is its answer. `passed` is None where there is nothing to judge
it by.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace

import psycopg
from psycopg import sql

from tui.model.backup import Manifest
from tui.model.errors import PgdrError
from tui.model.fleet import Database, Endpoint, SqlCheck
from tui.model.text import clean
from tui.model.verdict import Check
from tui.postgres.checks import contents as check_contents
from tui.postgres.checks import rights as check_rights
from tui.postgres.checks import rows as check_rows
from tui.postgres.checks import sequences as check_sequences
from tui.postgres.checks import structure as check_structure
from tui.postgres.checks.asking import Answer, Asking
from tui.postgres.connection import APPLICATION, connect, failures
from tui.postgres.facts.counting import TableName

OnCheck = Callable[[Check], None]

OWN_QUESTION_S = 60.0
_LIVE_QUESTION_S = 30.0

_TO_ANALYZE = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'm') AND c.relpersistence <> 't'
   AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
 ORDER BY c.relpages DESC, 1, 2
"""


def run_checks(
    endpoint: Endpoint,
    dbname: str,
    database: Database,
    manifest: Manifest | None,
    on_check: OnCheck = lambda _: None,
    *,
    tables: tuple[TableName, ...] = (),
    limit_s: float = OWN_QUESTION_S,
) -> tuple[Check, ...]:
    """Given a restored database's name on the server, what the fleet says of it and its backup's manifest,
    returns every check; each goes to `on_check` as it is made.

    With `tables` (schema, name) only those were restored: what concerns all of the database is left out.
    A question of the fleet's own is given `limit_s` seconds; one that takes longer is told as not answered.
    Reads every table to its end, two at a time. Raises nothing for the server's sake.
    """
    if tables and manifest is not None:
        kept = tuple(t for t in manifest.tables if (t.schema, t.name) in set(tables))
        manifest = replace(manifest, tables=kept, sequences=(), selection="tables")
    return _run(endpoint, dbname, database, manifest, on_check, live=False, limit_s=limit_s)


def structure_checks(
    endpoint: Endpoint,
    dbname: str,
    database: Database,
    manifest: Manifest | None,
    on_check: OnCheck = lambda _: None,
    *,
    limit_s: float = OWN_QUESTION_S,
) -> tuple[Check, ...]:
    """The checks that hold for a live database too, which has moved on since its backup: tables, columns,
    indexes, constraints, extensions, sequences against their columns, and the fleet's own questions.

    None of them takes longer than `limit_s` seconds; one that would is told as not answered.
    """
    return _run(endpoint, dbname, database, manifest, on_check, live=True, limit_s=limit_s)


def _run(
    endpoint: Endpoint,
    dbname: str,
    database: Database,
    manifest: Manifest | None,
    on_check: OnCheck,
    *,
    live: bool,
    limit_s: float = OWN_QUESTION_S,
) -> tuple[Check, ...]:
    made: list[Check] = []

    def tell(check: Check) -> None:
        made.append(check)
        on_check(check)

    with ExitStack() as stack:
        limit = min(limit_s, _LIVE_QUESTION_S) if live else None
        try:
            first, *others = (
                stack.enter_context(connect(endpoint, dbname, statement_timeout_s=limit))
                for _ in range(1 if live else 2)
            )
        except PgdrError as error:
            why = " ".join(part for part in (error.what, error.why) if part)
            tell(Check("connection", False, f'a session in "{clean(dbname)}"', why, error.mend))
            return tuple(made)
        asking = Asking(first, database, manifest, tell)
        check_structure.ask_all(asking)
        if not live:
            check_rows.ask_all(asking, others)
            check_sequences.against_manifest(asking)
            check_rows.freshness(asking)
            check_contents.ask_all(asking)
            check_rights.against_manifest(asking)
            check_rights.application_role(asking, endpoint, dbname)
        check_sequences.against_columns(asking)
        for check in database.checks:
            asking.ask(check.name, check.expect, lambda check=check: _own(asking, check, limit_s))  # type: ignore[misc]
    return tuple(made)


def own_question(endpoint: Endpoint, dbname: str, check: SqlCheck, *, timeout_s: float) -> Check:
    """Asks one question of the fleet's own of a database on the server, by itself; what goes wrong is its
    answer."""
    made: list[Check] = []
    asked = Database(name=dbname, dbname=dbname, service="")
    try:
        with connect(endpoint, dbname) as connection:
            asking = Asking(connection, asked, None, made.append)
            asking.ask(check.name, check.expect, lambda: _own(asking, check, timeout_s))
    except PgdrError as error:
        why = " ".join(part for part in (error.what, error.why) if part)
        return Check(clean(check.name, 120), False, clean(check.expect, 300), clean(why, 300), error.mend)
    return made[0]


def _own(asking: Asking, check: SqlCheck, timeout_s: float = OWN_QUESTION_S) -> Answer:
    """Asks the fleet's own question in a transaction that can't write, with the role's own search path."""
    connection = asking.connection
    connection.execute("BEGIN READ ONLY")
    try:
        connection.execute("SELECT set_config('statement_timeout', %s, true)", (f"{timeout_s:g}s",))
        connection.execute("SET LOCAL search_path TO DEFAULT")
        result = connection.execute(check.sql.encode()).pgresult
        if result is None or result.ntuples == 0 or result.nfields == 0:
            found = "no row"
        else:
            # As the server writes it: true is t, and a number has the digits that it has there.
            value = result.get_value(0, 0)
            found = "NULL" if value is None else value.decode("utf-8", "replace")
    finally:
        if not connection.closed:
            connection.execute("ROLLBACK")
    return Answer(found == check.expect, found)


def analyze(
    endpoint: Endpoint,
    dbname: str,
    on_table: Callable[[TableName], None] = lambda _: None,
    *,
    application: str = APPLICATION,
) -> int:
    """Gives the planner its statistics, table by table, biggest first; returns how many tables there were.

    `on_table` is called before each. A table that the role may not analyze, or that is gone, is passed over.
    Raises as `connect` does, and ServerDown when the connection breaks.
    """
    with (
        connect(endpoint, dbname, application=application) as connection,
        failures(f'"{clean(dbname)}" could not be analyzed.'),
    ):
        names = [(row[0], row[1]) for row in connection.execute(_TO_ANALYZE).fetchall()]
        for name in names:
            on_table(name)
            try:
                connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(*name)))
            except (psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedTable):
                continue
    return len(names)
