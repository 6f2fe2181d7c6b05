"""What is known of the backups in a store, for their retention: by the listing and by their manifests."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tui.model import codec
from tui.model.backup import Backup, StoredObject, Verdict
from tui.model.text import clean
from tui.operations.catalogue.catalogue import MANIFEST
from tui.operations.catalogue.heads import Heads
from tui.operations.catalogue.names import component_told
from tui.operations.catalogue.names import told as told_by
from tui.operations.retention.retention import Known
from tui.stores.store import ObjectMissing, Store

_READERS = 8
_LONGEST = 64 << 20  # a manifest of 100,000 tables has some 20 MB


@dataclass(frozen=True, slots=True)
class _Told:
    """What a manifest of a database's or a component's backup tells of the whole."""

    size_bytes: int
    database: str | None = None
    component: str | None = None
    selection: str = "full"
    format: str = "custom"


def known_of(
    store: Store, backups: Iterable[Backup], needed: Mapping[str, str], heads: Heads | None = None
) -> list[Known]:
    """Given backups of one database or component in a store, and by their refs who needs them, returns what
    is known of each. Costs a request for each that has a manifest, but for those that `heads` has kept.

    Raises Unreachable when the store can't be asked.
    """
    with ThreadPoolExecutor(_READERS, "pgdr-manifests") as pool:
        return list(pool.map(lambda backup: _known(store, backup, needed.get(backup.ref), heads), backups))


def _known(store: Store, backup: Backup, needed: str | None, heads: Heads | None) -> Known:
    size, fault, foreign = backup.size_bytes, None, None
    verified = backup.verification is not None and backup.verification.verdict is not Verdict.FAILED
    told = _manifest(store, backup, heads) if backup.has_manifest else None
    if backup.verification is not None and not verified:
        fault = "It failed its last verification."
    elif told is None and not verified:
        fault = (
            "Its manifest can't be understood, so nothing tells whether it is complete."
            if backup.has_manifest
            else "It has no manifest: it wasn't finished, or another program made it."
        )
    elif told is not None:
        size = told.size_bytes
        fault = _incomplete(backup, told)
        foreign = _of_another(backup, told)
    if not backup.has_manifest and told_by(backup.key) is None and component_told(backup.key) is None:
        foreign = "Not removed: neither its name nor a manifest says that it was taken on a schedule."
    return Known(backup.ref, backup.created_at, size, backup.verification, fault, needed, foreign)


def _manifest(store: Store, backup: Backup, heads: Heads | None) -> _Told | None:
    key = backup.key + MANIFEST

    def look() -> _Told | None:
        data = store.read(key, 0, _LONGEST + 1)
        try:
            return codec.build(json.loads(data), _Told) if len(data) <= _LONGEST else None
        except (ValueError, RecursionError):  # no JSON, other fields
            return None

    try:
        if heads is None:
            return look()
        found = StoredObject(key, backup.size_bytes, backup.modified_at, backup.manifest_etag)
        return heads.beside(found, _Told, look)
    except ObjectMissing:  # gone meanwhile
        return None


def _incomplete(backup: Backup, told: _Told) -> str | None:
    # One in the directory format has many objects; its table of contents, written last, is what is listed.
    if told.format != "directory" and told.size_bytes != backup.size_bytes:
        return f"It isn't whole: {backup.size_bytes:,} bytes are there, {told.size_bytes:,} were written."
    if told.selection != "full":
        return f"It holds a part of the database only ({clean(told.selection, 40)})."
    return None


def _of_another(backup: Backup, told: _Told) -> str | None:
    listed, said = backup.database or backup.component, told.database or told.component
    if said is not None and said != listed:
        return f"Not removed: its manifest is of {clean(said, 80)}, its name of {clean(listed or '?', 80)}."
    return None
