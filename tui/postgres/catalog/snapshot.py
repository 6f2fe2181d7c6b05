"""What is true in the very snapshot that pg_dump writes down.

https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-SNAPSHOT-SYNCHRONIZATION
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from types import TracebackType

from psycopg import IsolationLevel, sql

from tui.model.backup import ObjectRights, SequenceState, TableState
from tui.model.errors import PgdrError
from tui.model.fleet import Endpoint
from tui.model.text import clean
from tui.postgres.catalog import catalog
from tui.postgres.catalog import rights as catalog_rights
from tui.postgres.connection import APPLICATION, Connection, connect, failures
from tui.postgres.facts.counting import Counted, TableName, count_all, require
from tui.postgres.facts.facts import system_identifier

_DATABASE = """
SELECT current_setting('server_version'), pg_database_size(d.oid), pg_encoding_to_char(d.encoding),
       d.datcollate, d.datctype, pg_get_userbyid(d.datdba), coalesce(d.datacl::text[], '{}'),
       coalesce((SELECT setconfig FROM pg_db_role_setting WHERE setdatabase = d.oid AND setrole = 0), '{}'),
       (SELECT coalesce(jsonb_object_agg(rolname, to_jsonb(setconfig)), '{}')
          FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole WHERE setdatabase = d.oid),
       d.datconnlimit
  FROM pg_database d WHERE d.datname = current_database()
"""


@dataclass(frozen=True, slots=True)
class SnapshotFacts:
    """What a manifest says of the database, under the manifest's own names."""

    server_version: str
    system_identifier: str | None  # None where the role may not ask
    database_bytes: int
    encoding: str
    collate: str
    ctype: str
    owner: str
    acl: tuple[str, ...]
    settings: tuple[str, ...]
    tables: tuple[TableState, ...]  # by schema and name
    sequences: tuple[SequenceState, ...]
    extensions: dict[str, str]
    roles: tuple[str, ...]
    indexes: int
    constraints: int
    rights: tuple[ObjectRights, ...]
    large_objects: int
    populated: tuple[str, ...]
    disabled_triggers: tuple[str, ...]
    collation_versions: dict[str, str]
    role_settings: dict[str, tuple[str, ...]]
    connection_limit: int


class Snapshot:
    """A snapshot of a database, held for as long as the `with` block lasts. `id` is for pg_dump --snapshot.

    `role` is taken on after connecting, as by pg_dump's --role. While it is held, VACUUM keeps what has
    died since. Entering raises as `connect` does.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        dbname: str,
        *,
        workers: int = 2,
        application: str = APPLICATION,
        role: str | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._dbname = dbname
        self._workers = workers
        self._application = application
        self._role = role
        self._open = ExitStack()
        self._connection: Connection | None = None
        self._sequences: tuple[SequenceState, ...] = ()
        self.id = ""

    def __enter__(self) -> Snapshot:
        with ExitStack() as opening:
            connection = opening.enter_context(self._transaction())
            with failures(f'No snapshot of "{clean(self._dbname)}" could be taken.'):
                self._take_role(connection)
                self.id = str(connection.execute("SELECT pg_export_snapshot()").fetchall()[0][0])
                # Sequences know no snapshot. Read before pg_dump does, theirs can't be behind these.
                self._sequences = catalog.sequences(connection, catalog.sequence_names(connection))
            self._connection = connection
            self._open = opening.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection = None
        with failures(f'The snapshot of "{clean(self._dbname)}" was lost.'):
            self._open.__exit__(kind, error, trace)  # with an error a connection that broke is no second one

    def facts(
        self,
        on_table: Callable[[TableState], None] = lambda _: None,
        on_wait: Callable[[], None] = lambda: None,
        *,
        only: tuple[TableName, ...] | None = None,
    ) -> SnapshotFacts:
        """Reads the catalog and counts every table (with `only`, those) in the snapshot, two at a time,
        the biggest first. `on_table` is called for each as it is counted and `on_wait` about twice a second;
        what they raise ends it.

        Raises PgdrError when a table can't be counted: a manifest never guesses.
        """
        if self._connection is None:
            raise PgdrError("The snapshot isn't held any more.")
        with failures(f'"{clean(self._dbname)}" could not be read.'):
            found = self._catalog(self._connection)
            if only is not None:
                tables = tuple(t for t in found.tables if (t.schema, t.name) in set(only))
                found = replace(found, tables=tables)
            return replace(found, tables=self._counted(found.tables, on_table, on_wait))

    def _catalog(self, connection: Connection) -> SnapshotFacts:
        identifier = system_identifier(connection)
        row = connection.execute(_DATABASE).fetchall()[0]
        indexes, constraints = catalog.index_and_constraint_counts(connection)
        return SnapshotFacts(
            server_version=row[0].split()[0],
            system_identifier=identifier,
            database_bytes=row[1],
            encoding=row[2],
            collate=row[3],
            ctype=row[4],
            owner=row[5],
            acl=tuple(row[6]),
            settings=tuple(row[7]),
            tables=catalog.tables(connection),
            sequences=self._sequences,
            extensions=catalog.extensions(connection),
            roles=catalog.roles(connection),
            indexes=indexes,
            constraints=constraints,
            rights=catalog_rights.rights(connection),
            large_objects=catalog.large_objects(connection),
            populated=catalog.materialized_views(connection, populated=True),
            disabled_triggers=catalog.disabled_triggers(connection),
            collation_versions=catalog.collation_versions(connection),
            role_settings={role: tuple(settings) for role, settings in row[8].items()},
            connection_limit=row[9],
        )

    def _counted(
        self,
        tables: tuple[TableState, ...],
        on_table: Callable[[TableState], None],
        on_wait: Callable[[], None],
    ) -> tuple[TableState, ...]:
        states = {(t.schema, t.name): t for t in tables}

        def on_count(table: TableName, counted: Counted) -> None:
            found = require(table, counted)
            states[table] = replace(states[table], rows=found.rows, size_bytes=found.size_bytes)
            on_table(states[table])

        with ExitStack() as stack:
            workers = [
                stack.enter_context(self._transaction()) for _ in range(min(self._workers, len(tables)))
            ]
            for worker in workers:
                worker.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(self.id)))
            for worker in workers:
                self._take_role(worker)
                # As pg_dump does: a policy that hides rows is an error, not a smaller count.
                worker.execute("SET LOCAL row_security = off")
            count_all(workers, list(states), on_count, on_wait)
        return tuple(sorted(states.values(), key=lambda t: (t.schema, t.name)))

    def _take_role(self, connection: Connection) -> None:
        """What pg_dump's --role does: the role that may read isn't always the one that logs in."""
        if self._role is not None:
            connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(self._role)))

    def _transaction(self) -> Connection:
        connection = connect(self._endpoint, self._dbname, application=self._application, autocommit=False)
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        connection.deferrable = False
        return connection
