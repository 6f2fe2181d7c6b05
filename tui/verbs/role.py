"""`role`: the SQL that lets a role take backups of a database, and what its role lacks now."""

from __future__ import annotations

import argparse

from tui.verbs.context import Context, database_named

_NAME = "pgdr_backup"


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Prints the SQL on stdout, for psql; changes nothing. Exit code 1 when the role that is configured
    can't read everything."""
    from tui.places.open import open_place
    from tui.postgres.backup_role import role_facts, role_sql, role_sql_facts

    fleet, console = context.fleet(), context.console
    database = database_named(fleet, arguments.database)
    endpoint = open_place(database)
    facts = role_facts(endpoint, database.dbname, database.backup.role)
    name = arguments.name or database.backup.role or _NAME
    sql = role_sql(role_sql_facts(endpoint, database.dbname), database.dbname, name)
    if console.json_wanted:
        console.json(
            {
                "database": database.name,
                "role": facts.role,
                "complete": facts.complete,
                "missing": list(facts.missing()),
                "sql": sql,
            }
        )
    console.line(sql.rstrip("\n"))
    for sentence in facts.missing():
        console.narrate(f"✖ {sentence}")
    if facts.complete:
        console.narrate(f"✔ {facts.role}, which takes the backups of {database.name}, can read everything.")
    return 0 if facts.complete else 1
