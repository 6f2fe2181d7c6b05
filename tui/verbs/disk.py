"""`disk`: what fills the disks of a database's server and of this machine, as far as it can be seen."""

from __future__ import annotations

import argparse

from tui.model import codec
from tui.model.amounts import size
from tui.verbs.context import Context, database_named


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Exit codes: 0; 5 when the server can't be asked."""
    from tui.operations.disk import disk_use

    console, fleet = context.console, context.fleet()
    database = database_named(fleet, arguments.database)
    found = disk_use(fleet, context.state_directory(), database)
    if console.json_wanted:
        console.json([codec.plain(use) for use in found])
    console.table(
        ("what", "where", "size", "free"),
        [(use.what, use.where, size(use.used_bytes), size(use.free_bytes)) for use in found],
    )
    for use in found:
        if use.problem:
            console.narrate(f"pgdr: {use.what} {use.where}: {use.problem}")
    return 5 if any(use.problem for use in found) else 0
