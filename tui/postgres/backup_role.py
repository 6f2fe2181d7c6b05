"""The role that takes backups: whether it can read everything that pg_dump reads, and the SQL that makes one.

pg_dump needs CONNECT, USAGE on every schema, SELECT on every table, sequence and large object, and it fails,
rather than leave rows out, where a policy would hide rows: it sets row_security to off.
https://www.postgresql.org/docs/current/app-pgdump.html#PG-DUMP-NOTES, ddl-rowsecurity.html,
predefined-roles.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, LiteralString

from psycopg import sql

from tui.model.errors import PgdrError
from tui.model.fleet import Endpoint
from tui.model.text import clean
from tui.postgres.commands import quoted
from tui.postgres.connection import connect, failures

_READS_ALL_SINCE = 140000  # pg_read_all_data came with 14
_SET_SINCE = 160000  # a membership that inherits but can't SET ROLE came with 16
_NAMED = 5  # of what is missing, in a sentence

_ROLE = """
SELECT r.rolname::text, r.rolsuper, r.rolbypassrls,
       has_database_privilege(r.oid, current_database(), 'CONNECT'),
       pg_has_role(session_user, r.oid, {membership})
  FROM pg_roles r WHERE r.rolname = {role}
"""
_SCHEMAS = """
SELECT n.nspname::text, NULL FROM pg_namespace n
 WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_namespace'::regclass AND d.objid = n.oid
                      AND d.deptype = 'e')
   AND NOT has_schema_privilege({role}, n.oid, 'USAGE') ORDER BY 1
"""
# pg_dump locks partitioned tables too. What an extension brought along is the extension's.
_RELATIONS = """
SELECT n.nspname::text, c.relname::text, c.relkind = 'S',
       CASE c.relkind WHEN 'S' THEN has_sequence_privilege({role}, c.oid, 'SELECT')
                      ELSE has_table_privilege({role}, c.oid, 'SELECT') END,
       c.relrowsecurity AND (c.relforcerowsecurity OR NOT pg_has_role({role}, c.relowner, 'USAGE'))
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'S') AND c.relpersistence <> 't'
   AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                      AND d.deptype = 'e')
 ORDER BY 1, 2
"""
_HIDES_ROWS = """
SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE c.relrowsecurity AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_')
"""
_LARGE_OBJECTS = """
SELECT count(*) FROM pg_largeobject_metadata m
 WHERE NOT pg_has_role({role}, m.lomowner, 'USAGE')
   AND NOT EXISTS (SELECT FROM aclexplode(m.lomacl) a WHERE a.privilege_type = 'SELECT'
                      AND (a.grantee = 0 OR pg_has_role({role}, a.grantee, 'USAGE')))
"""
_OWNERS = """
SELECT DISTINCT n.nspname::text, pg_get_userbyid(c.relowner)::text
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'S') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
 ORDER BY 1, 2
"""

Name = tuple[str, str | None]  # schema, and a relation in it


@dataclass(frozen=True, slots=True)
class RoleFacts:
    """What a role may read of a database, and what it may not: each tuple names what is missing. `exists`,
    `taken` (whether who logs in may act as it) and `connects` are True where there is nothing to mend."""

    role: str
    exists: bool = True
    taken: bool = True
    connects: bool = True
    schemas: tuple[Name, ...] = ()
    tables: tuple[Name, ...] = ()
    sequences: tuple[Name, ...] = ()
    hiding: tuple[Name, ...] = ()  # tables whose policies hide rows from it
    large_objects: int = 0

    @property
    def complete(self) -> bool:
        """Whether it can dump everything."""
        return not self.missing()

    def missing(self) -> tuple[str, ...]:
        """A sentence for each kind of thing that it lacks."""
        role = clean(self.role)
        if not self.exists:
            return (f"The role {role} does not exist.",)
        found = []
        if not self.taken:
            found.append(f"Who logs in may not act as {role} (SET ROLE).")
        if not self.connects:
            found.append(f"{role} lacks CONNECT on the database.")
        if self.schemas:
            found.append(f"{role} lacks USAGE on {_some(self.schemas, 'schema')}.")
        if self.tables:
            found.append(f"{role} lacks SELECT on {_some(self.tables, 'table')}.")
        if self.sequences:
            found.append(f"{role} lacks SELECT on {_some(self.sequences, 'sequence')}.")
        if self.hiding:
            found.append(
                f"Policies hide rows of {_some(self.hiding, 'table')} from {role}: pg_dump fails on them."
            )
        if self.large_objects:
            found.append(f"{role} lacks SELECT on {self.large_objects} large objects.")
        return tuple(found)


@dataclass(frozen=True, slots=True)
class RoleSql:
    """What the SQL for a backup role has to know of a database."""

    version_num: int
    owners: tuple[tuple[str, str], ...]  # schema, and an owner of tables or sequences in it
    hides_rows: bool
    large_objects: int


def role_facts(endpoint: Endpoint, dbname: str, role: str | None) -> RoleFacts:
    """Given the role that pg_dump takes on (None: the one that logs in), returns what it may and may not
    read. Raises as `connect` does."""
    with (
        connect(endpoint, dbname) as connection,
        failures(f'The rights in "{clean(dbname)}" can\'t be read.'),
    ):
        name = role or str(connection.execute("SELECT session_user::text").fetchall()[0][0])
        version = connection.info.server_version
        membership = "SET" if version >= _SET_SINCE else "MEMBER"

        def asked(query: LiteralString) -> list[tuple[Any, ...]]:
            text = sql.SQL(query).format(role=sql.Literal(name), membership=sql.Literal(membership))
            return connection.execute(text).fetchall()

        rows = asked(_ROLE)
        if not rows:
            return RoleFacts(name, exists=False)
        _, superuser, bypasses, connects, taken = rows[0]
        if superuser:
            return RoleFacts(name, taken=taken)
        relations = asked(_RELATIONS)
        unread = [(schema, table, sequence) for schema, table, sequence, may, _ in relations if not may]
        return RoleFacts(
            role=name,
            taken=taken,
            connects=connects,
            schemas=tuple((row[0], row[1]) for row in asked(_SCHEMAS)),
            tables=tuple((schema, table) for schema, table, sequence in unread if not sequence),
            sequences=tuple((schema, table) for schema, table, sequence in unread if sequence),
            hiding=tuple((r[0], r[1]) for r in relations if r[4] and not bypasses),
            large_objects=int(asked(_LARGE_OBJECTS)[0][0]),
        )


def role_sql_facts(endpoint: Endpoint, dbname: str) -> RoleSql:
    """Given a database, returns what `role_sql` has to know. Raises as `connect` does."""
    with connect(endpoint, dbname) as connection, failures(f'"{clean(dbname)}" can\'t be read.'):
        return RoleSql(
            version_num=connection.info.server_version,
            owners=tuple((row[0], row[1]) for row in connection.execute(_OWNERS).fetchall()),
            hides_rows=bool(connection.execute(_HIDES_ROWS).fetchall()[0][0]),
            large_objects=int(
                connection.execute("SELECT count(*) FROM pg_largeobject_metadata").fetchall()[0][0]
            ),
        )


def role_sql(facts: RoleSql, dbname: str, role: str) -> str:
    """The SQL, for psql and a superuser, that makes `role` and lets it read everything in the database; no
    password in it. Run again it does no harm.

    Raises PgdrError for a name that psql's \\password can't take.
    """
    if clean(role) != role:
        raise PgdrError(
            f"“{clean(role)}” is no name for a role that people type.", mend="Choose another: --name"
        )
    name = quoted(role)
    literal = "'" + role.replace("'", "''") + "'"
    create = f"CREATE ROLE {name} LOGIN".replace("'", "''")
    lines = [
        f"-- Lets the role {role} take backups of {clean(dbname)}. For psql, as a superuser:",
        f"SELECT '{create}' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {literal}) \\gexec",  # noqa: S608 - printed, quoted
        f"\\password {name}",
        f"GRANT CONNECT ON DATABASE {quoted(dbname)} TO {name};",
    ]
    if facts.version_num >= _READS_ALL_SINCE:
        lines.append(f"GRANT pg_read_all_data TO {name};")
    else:
        lines += _granted(facts, name)
    if facts.hides_rows:
        lines.append("-- Policies hide rows of some tables; pg_dump fails on them without this:")
        lines.append(f"ALTER ROLE {name} BYPASSRLS;")
    if facts.large_objects:
        lines.append(f"-- There are {facts.large_objects} large objects, each with rights of its own:")
        lines.append(
            f"SELECT format('GRANT SELECT ON LARGE OBJECT %s TO %I', oid, {literal})"  # noqa: S608
            " FROM pg_largeobject_metadata \\gexec"
        )
    return "\n".join(lines) + "\n"


def _granted(facts: RoleSql, name: str) -> list[str]:
    lines = [
        "-- This server is older than PostgreSQL 14, which has pg_read_all_data: schema by schema, and for"
    ]
    lines.append("-- what each owner will make. Run it again when there is a new schema or owner.")
    for schema in dict.fromkeys(schema for schema, _ in facts.owners):
        lines.append(f"GRANT USAGE ON SCHEMA {quoted(schema)} TO {name};")
        lines.append(f"GRANT SELECT ON ALL TABLES IN SCHEMA {quoted(schema)} TO {name};")
        lines.append(f"GRANT SELECT ON ALL SEQUENCES IN SCHEMA {quoted(schema)} TO {name};")
    for schema, owner in facts.owners:
        for kind in ("TABLES", "SEQUENCES"):
            lines.append(
                f"ALTER DEFAULT PRIVILEGES FOR ROLE {quoted(owner)} IN SCHEMA {quoted(schema)}"
                f" GRANT SELECT ON {kind} TO {name};"
            )
    return lines


def _some(names: tuple[Name, ...], kind: str) -> str:
    shown = ", ".join(clean(".".join(part for part in name if part), 80) for name in names[:_NAMED])
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"the {kind}{'s' if len(names) > 1 else ''} {shown}{more}"
