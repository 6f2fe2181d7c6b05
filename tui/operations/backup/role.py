"""The role that takes the backups of a database: what it lacks, and the SQL that gives it that."""

from __future__ import annotations

from tui.model.fleet import Database
from tui.places.open import open_place
from tui.postgres.backup_role import role_facts, role_sql, role_sql_facts

_NAME = "pgdr_backup"


def role_told(database: Database) -> str:
    """What the role of a database's backups lacks, and the SQL for one that lacks nothing, as one text.

    Raises as `connect` does.
    """
    endpoint = open_place(database)
    facts = role_facts(endpoint, database.dbname, database.backup.role)
    name = database.backup.role or _NAME
    sql = role_sql(role_sql_facts(endpoint, database.dbname), database.dbname, name)
    lacks = [f"-- lacks: {sentence}" for sentence in facts.missing()] or [
        f"-- {facts.role} can read everything."
    ]
    return "\n".join([*lacks, "", sql])
