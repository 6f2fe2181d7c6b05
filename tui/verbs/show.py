"""`show`: what is inside a backup, read from where it lies."""

from __future__ import annotations

import argparse

from tui.model import codec
from tui.model.amounts import count, size
from tui.model.errors import ArchiveError
from tui.model.plan import Level
from tui.verbs.context import Context


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Prints the contents. Exit code 1 when the backup has a flaw that stops a restore."""
    from tui.operations.catalogue import describe, split_ref
    from tui.stores.open import open_store

    fleet, console = context.fleet(), context.console
    spec, key = split_ref(fleet, arguments.ref)
    described = describe(open_store(spec), key)
    backup, contents = described.backup, described.contents
    stops = [p for p in described.problems if p.level is Level.STOP]
    if contents is None:
        raise ArchiveError(
            stops[0].what if stops else f"{arguments.ref} can't be read as an archive.",
            mend=stops[0].mend if stops else "See what lies there: pgdr backups",
        )
    created = described.manifest.created_at if described.manifest else contents.created_at
    if console.json_wanted:
        console.json(
            {
                "ref": backup.ref,
                "database": contents.database,
                "created_at": codec.plain(created),
                "format": contents.format.value,
                "compression": contents.compression,
                "server_version": contents.server_version,
                "dump_version": contents.dump_version,
                "size_bytes": backup.size_bytes,
                "fetched_bytes": described.fetched_bytes,
                "has_manifest": described.manifest is not None,
                "tables": [codec.plain(t) for t in described.tables],
                "problems": [codec.plain(p) for p in described.problems],
            }
        )
    console.line(
        f"{backup.ref}  {contents.format.value}, {contents.compression}, from {contents.server_version}, "
        f"taken {created:%Y-%m-%d %H:%M} UTC, {'with a manifest' if described.manifest else 'no manifest'}"
    )
    console.table(
        ("table", "rows", "compressed"),
        [(f"{t.schema}.{t.name}", count(t.rows), size(t.compressed_bytes)) for t in described.tables],
    )
    console.narrate(f"Read {size(described.fetched_bytes)} of {size(backup.size_bytes)}.")
    for problem in described.problems:
        console.narrate(
            f"{problem.level.value}: {problem.what}" + (f" {problem.mend}" if problem.mend else "")
        )
    return 1 if stops else 0
