"""`compare`: how the tables of a restored database differ from the live ones."""

from __future__ import annotations

import argparse

from tui.verbs.context import Context, database_named
from tui.verbs.differences import compare_code, compared, document, merge_hint


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Exit codes: 0 the same, 3 they differ, 1 a table could not be compared."""
    console = context.console
    database = database_named(context.fleet(), arguments.database)
    differences = compared(context, database, arguments.restored, arguments.table)
    if console.json_wanted:
        console.json(
            {
                "database": database.name,
                "restored": arguments.restored,
                "tables": [document(d) for d in differences],
            }
        )
    merge_hint(context, database, arguments.restored, differences)
    return compare_code(differences)
