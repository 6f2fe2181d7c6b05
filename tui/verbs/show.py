"""`show`: what is inside a backup, read from where it lies."""

from __future__ import annotations

import argparse

from tui.model import codec
from tui.model.amounts import count, minute, size
from tui.model.errors import ArchiveError
from tui.model.plan import Level
from tui.verbs.context import Context


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Prints the contents. Exit code 1 when the backup has a flaw that stops a restore."""
    from tui.operations.catalogue.catalogue import describe, split_ref
    from tui.stores.open import open_store

    fleet, console = context.fleet(), context.console
    spec, key = split_ref(fleet, arguments.ref)
    described = describe(open_store(spec), key, fleet)
    backup, contents = described.backup, described.contents
    stops = [p for p in described.problems if p.level is Level.STOP]
    manifest = described.manifest
    cipher = backup.encryption
    if contents is None and cipher is None:
        raise ArchiveError(
            stops[0].what if stops else f"{arguments.ref} can't be read as an archive.",
            mend=stops[0].mend if stops else "See what lies there: pgdr backups",
        )
    created = manifest.created_at if manifest else contents.created_at if contents else backup.created_at
    form = contents.format.value if contents else manifest.format.value if manifest else None
    compression = contents.compression if contents else manifest.compression if manifest else None
    version = contents.server_version if contents else manifest.server_version if manifest else None
    dump_version = contents.dump_version if contents else manifest.dump_version if manifest else None
    if console.json_wanted:
        console.json(
            {
                "ref": backup.ref,
                "database": contents.database if contents else backup.database,
                "created_at": codec.plain(created) if created else None,
                "format": form,
                "compression": compression,
                "encryption": cipher,
                "server_version": version,
                "dump_version": dump_version,
                "size_bytes": backup.size_bytes,
                "fetched_bytes": described.fetched_bytes,
                "has_manifest": manifest is not None,
                "tables": [codec.plain(t) for t in described.tables],
                "problems": [codec.plain(p) for p in described.problems],
            }
        )
    parts = (form, compression, f"encrypted with {cipher}" if cipher else None, f"from {version or '?'}")
    console.line(
        f"{backup.ref}  {', '.join(part for part in parts if part)}, "
        f"taken {minute(created)} UTC, {'with a manifest' if manifest else 'no manifest'}"
    )
    console.table(
        ("table", "rows", "compressed"),
        [(f"{t.schema}.{t.name}", count(t.rows), size(t.compressed_bytes)) for t in described.tables],
    )
    read, whole = described.fetched_bytes, backup.size_bytes
    console.narrate(f"Read {size(read)} of {size(whole)}." if read < whole else f"Read {size(read)}.")
    for problem in described.problems:
        console.narrate(
            f"{problem.level.value}: {problem.what}" + (f" {problem.mend}" if problem.mend else "")
        )
    return 1 if stops else 0
