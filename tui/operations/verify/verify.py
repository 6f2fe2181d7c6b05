"""Asking a database whether it is right: a restored one against its manifest, a live one for damage."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tui.model.backup import Manifest
from tui.model.errors import ArchiveError
from tui.model.fleet import Database, Fleet
from tui.model.text import clean
from tui.model.verdict import Check
from tui.operations.catalogue.catalogue import read_manifest, split_ref
from tui.operations.catalogue.directory import place
from tui.operations.report import Stop, Stopped
from tui.places.open import open_place
from tui.postgres.checks import checks as server_checks
from tui.postgres.facts import facts as server
from tui.stores.open import open_store
from tui.stores.store import ObjectMissing

_CHUNK = 1 << 20
_BY_HAND = "Nothing tells how many rows there should be: compare the key tables with what you know."


def check_restored(
    fleet: Fleet,
    database: Database,
    target: str,
    ref: str | None,
    on_check: Callable[[Check], None],
    *,
    tables: tuple[str, ...] = (),
) -> tuple[Check, ...]:
    """Given a restored database's name on the server and the backup it was made from (None: asked without a
    manifest), returns every check with what was expected and what was found; each goes to `on_check` as it is
    made. With `tables` ("schema.name") only those were restored."""
    if ref is None:
        return server_checks.run_checks(open_place(database), target, database, None, on_check)
    spec, key = split_ref(fleet, ref)
    try:
        manifest = read_manifest(open_store(spec), key)
    except ArchiveError as error:
        found = clean(f"{error.what} {error.why or ''}".strip(), 300)
        unread = Check("The manifest can be read", False, "yes", found, _BY_HAND)
        on_check(unread)
        asked = server_checks.run_checks(open_place(database), target, database, None, on_check)
        return (unread, *asked)
    only = tuple((s, n) if dot else ("public", s) for s, dot, n in (t.partition(".") for t in tables))
    endpoint = open_place(database)
    if only:
        database = _only(database, only)
    return server_checks.run_checks(endpoint, target, database, manifest, on_check, tables=only)


def _only(database: Database, tables: tuple[tuple[str, str], ...]) -> Database:
    """A database of which only these tables were restored: nothing else of it can be asked about, and the
    fleet's own questions may be about any."""
    names = {name for schema, table in tables for name in (table, f"{schema}.{table}")}
    return replace(
        database,
        key_tables=tuple(t for t in database.key_tables if t in names),
        freshness=tuple(c for c in database.freshness if c.rpartition(".")[0] in names),
        schemas=(),
        checks=(),
    )


def check_archive(fleet: Fleet, ref: str, stop: Stop) -> Check | None:
    """Whether an archive that lies on this machine is the one that was written; None where nothing tells.

    One from elsewhere was compared when it was fetched. Reads all of it. Raises Stopped when `stop` says so.
    """
    spec, key = split_ref(fleet, ref)
    store = open_store(spec)
    try:
        path = place(store, key)
        manifest = read_manifest(store, key) if path is not None else None
    except (ArchiveError, ObjectMissing):
        return None  # told by its own check
    if path is None or manifest is None or not manifest.sha256:
        return None

    def sha256(file: Path) -> str:
        digest = hashlib.sha256()
        with file.open("rb") as opened:
            while chunk := opened.read(_CHUNK):
                if stop():
                    raise Stopped
                digest.update(chunk)
        return digest.hexdigest()

    if path.is_dir():  # as DirectoryDump.made has it: the hash of the lines "hash  name"
        named = sorted((f.name, path / f.name) for f in manifest.files)
        lines = (f"{sha256(file) if file.is_file() else 'missing'}  {name}\n" for name, file in named)
        found = hashlib.sha256("".join(lines).encode()).hexdigest()
    else:
        found = sha256(path)
    same = found == manifest.sha256
    mend = "It is damaged where it lies, or its manifest is: use another copy, or another backup."
    expected = f"sha256 {clean(manifest.sha256, 16)}"
    name = "The archive is the one that was written"
    return Check(name, same, expected, f"sha256 {clean(found, 16)}", None if same else mend)


def live_checks(database: Database, manifest: Manifest | None) -> tuple[Check, ...]:
    """The fleet's own questions, the structure and the columns, asked of the live database.

    Row counts and sequences are left out: a live database moves on.
    """
    return server_checks.structure_checks(open_place(database), database.dbname, database, manifest)


def count_tables(
    database: Database, tables: tuple[tuple[str, str], ...]
) -> dict[tuple[str, str], int | None]:
    """Exact rows of tables (schema, name) of the live database, None for one that isn't there."""
    return server.count_tables(open_place(database), database.dbname, tables)
