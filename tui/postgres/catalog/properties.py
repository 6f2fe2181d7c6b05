"""What belongs to a database itself and isn't restored with its contents: who may, and its settings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import psycopg
from psycopg import sql

from tui.model.backup import Contents
from tui.model.errors import PgdrError
from tui.model.fleet import Endpoint
from tui.model.text import clean
from tui.postgres.connection import connect, sentence

_PRIVILEGES = {"C": "CREATE", "T": "TEMPORARY", "c": "CONNECT"}

# Settings that hold a list of names, each of which has to be quoted by itself; the same as in
# variable_is_guc_list_quote() of pg_dump's dumputils.c.
_LISTS = frozenset(
    {
        "local_preload_libraries",
        "search_path",
        "session_preload_libraries",
        "shared_preload_libraries",
        "temp_tablespaces",
        "unix_socket_directories",
    }
)


def left_out(settings: Iterable[str]) -> tuple[str, ...]:
    """Given a backed-up database's settings, returns those that a restored one isn't given: read-only by
    default is how a database is frozen in an incident, and a backup may have been taken meanwhile. The
    restored one would refuse its application's writes as soon as it is in place."""
    return tuple(s for s in settings if s.partition("=")[0].lower() == "default_transaction_read_only")


def told_by_archive(contents: Contents) -> tuple[str, ...]:
    """Given an archive, returns the statements in it that give the database its settings and rights, which
    `pg_restore --create` alone carries out, one line each; without those of `left_out`.

    pg_dump puts them into entries of their own (pg_dump.c, dumpDatabase and dumpDatabaseConfig).
    """
    entries = [
        entry
        for entry in contents.entries
        if entry.desc == "DATABASE PROPERTIES"
        or (entry.desc in ("ACL", "SECURITY LABEL") and entry.name.startswith("DATABASE "))
    ]
    lines = [line.strip() for entry in entries for line in entry.definition.splitlines()]
    return tuple(line for line in lines if line and "default_transaction_read_only" not in line.lower())


def apply_properties(
    endpoint: Endpoint,
    name: str,
    acl: Iterable[str],
    settings: Iterable[str],
    role_settings: Mapping[str, Iterable[str]] | None = None,
    connection_limit: int | None = None,
) -> None:
    """Given a database's rights as PostgreSQL writes them (`role=CTc/owner`), its settings (`name=value`),
    those of roles within it and its limit of connections, gives them to the database `name`, but for those
    of `left_out`. No rights means PostgreSQL's default ones: nothing is changed then.

    All are tried; raises PgdrError at the end naming those that could not be set, and as `connect` does.
    """
    problems: list[str] = []
    with connect(endpoint) as connection:
        for about, statement in _statements(name, acl, settings, role_settings, connection_limit):
            try:
                connection.execute(statement)
            except psycopg.Error as error:
                problems.append(f"{about}: {sentence(error)}")
                if connection.closed:
                    break
    if problems:
        raise PgdrError(
            f'Not every right and setting of "{clean(name)}" could be set.',
            "; ".join(problems),
            "Set them by hand: GRANT … ON DATABASE, ALTER DATABASE … SET, ALTER ROLE … IN DATABASE … SET.",
        )


def property_texts(
    name: str,
    acl: Iterable[str],
    settings: Iterable[str],
    role_settings: Mapping[str, Iterable[str]] | None = None,
    connection_limit: int | None = None,
) -> tuple[str, ...]:
    """Given the same, returns the statements as SQL that a person can run."""
    every = _statements(name, acl, settings, role_settings, connection_limit)
    return tuple(statement.as_string(None) for _, statement in every)


def _statements(
    name: str,
    acl: Iterable[str],
    settings: Iterable[str],
    role_settings: Mapping[str, Iterable[str]] | None,
    connection_limit: int | None,
) -> list[tuple[str, sql.Composed]]:
    target = sql.Identifier(name)
    made = [*_grants(target, tuple(acl)), *_settings(sql.SQL("DATABASE {}").format(target), settings)]
    for role, own in (role_settings or {}).items():
        whose = sql.SQL("ROLE {} IN DATABASE {}").format(sql.Identifier(role), target)
        made += [(f"{clean(role)}: {about}", statement) for about, statement in _settings(whose, own)]
    if connection_limit is not None and connection_limit >= 0:
        limit = sql.SQL("ALTER DATABASE {} CONNECTION LIMIT {}").format(target, sql.Literal(connection_limit))
        made.append(("connection limit", limit))
    return made


def _grants(target: sql.Identifier, acl: tuple[str, ...]) -> list[tuple[str, sql.Composed]]:
    if not acl:
        return []
    # By default PUBLIC may connect; what the list holds replaces that.
    statements = [("rights", sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(target))]
    for item in acl:
        grantee, letters = parse_acl(item)
        to = sql.Identifier(grantee) if grantee else sql.SQL("PUBLIC")
        for letter, star in re.findall(r"([A-Za-z])(\*?)", letters):
            if letter in _PRIVILEGES:
                text = f"GRANT {_PRIVILEGES[letter]} ON DATABASE {{}} TO {{}}"
                text += " WITH GRANT OPTION" if star else ""
                statements.append((clean(item), sql.SQL(text).format(target, to)))
    return statements


def parse_acl(item: str) -> tuple[str, str]:
    """Given an aclitem's text, returns the grantee's name ("" for PUBLIC) and the letters of its rights.

    https://www.postgresql.org/docs/current/ddl-priv.html
    """
    match = re.fullmatch(
        r'(?P<name>(?:"(?:[^"]|"")*"|[^"=])*)=(?P<letters>[A-Za-z*]*)(?:/.*)?', item, re.DOTALL
    )
    if match is None:
        raise PgdrError(f"{clean(item)} is no right as PostgreSQL writes it.")
    name = match["name"]
    if name.startswith('"'):
        name = name[1:-1].replace('""', '"')
    return name, match["letters"]


def _settings(whose: sql.Composed, settings: Iterable[str]) -> list[tuple[str, sql.Composed]]:
    statements = []
    settings = tuple(settings)
    for setting in (s for s in settings if s not in left_out(settings)):
        variable, _, value = setting.partition("=")
        values = _names(value) if variable.lower() in _LISTS else [value]
        # A variable of an extension has a dot, between two names.
        words = sql.SQL(".").join(sql.Identifier(part) for part in variable.split("."))
        statements.append(
            (
                clean(variable),
                sql.SQL("ALTER {} SET {} TO {}").format(
                    whose, words, sql.SQL(", ").join(sql.Literal(part) for part in values or [""])
                ),
            )
        )
    return statements


def _names(value: str) -> list[str]:
    found = re.findall(r'\s*(?:"((?:[^"]|"")*)"|([^,"\s][^,]*))\s*(?:,|$)', value)
    return [quoted.replace('""', '"') or plain.strip() for quoted, plain in found]
