"""Where a restore needs disk, and whether there is enough: for the data, its WAL, the fetched archive."""

from __future__ import annotations

import shutil
from pathlib import Path

from tui.model.amounts import plural, size, sizes
from tui.model.backup import Layer, Manifest
from tui.model.facts import ServerFacts
from tui.model.plan import Finding, Level
from tui.model.text import clean
from tui.operations.layers.layers import COMPRESSIONS, is_encrypted
from tui.operations.plan.server import some
from tui.postgres.facts.restore import RestoreFacts

# A database on disk against its compressed archive, when no manifest says: 856 MB of 247 MB was measured,
# and archives of text compress better still.
_SWELLS = 6
_SORTING = 1.3  # building indexes sorts on disk, beside the database itself


def about_disk(
    facts: ServerFacts,
    more: RestoreFacts,
    manifest: Manifest | None,
    archive_bytes: int,
    tables: tuple[tuple[str, str], ...],
    *,
    staging: Path,
    staged_bytes: int | None,
    layers: tuple[Layer, ...] = (),
) -> list[Finding]:
    """Given the server, the backup, the chosen tables (none: all) and the directory in which an archive is
    staged (`staged_bytes` of it, None for not at all; `layers`: what it is packed in until then), returns a
    finding each for the data, the WAL and the staging."""
    data = int(_data_bytes(manifest, archive_bytes, tables) * _SORTING)
    wal = _wal_bytes(more, data)
    room = Path(facts.data_directory) if facts.data_directory and facts.free_bytes is not None else None
    apart = room is not None and _device(room / "pg_wal") not in (None, _device(room))
    there = data if apart else data + wal
    if room is not None and staged_bytes and _device(room) == _device(_existing(staging)):
        there += staged_bytes
    found = [
        _data(facts, data, there),
        _wal(more, wal, room / "pg_wal" if room is not None and apart else None),
    ]
    return found if staged_bytes is None else [*found, _staging(staging, staged_bytes, layers)]


def _data_bytes(manifest: Manifest | None, archive_bytes: int, tables: tuple[tuple[str, str], ...]) -> int:
    if manifest is None:
        return archive_bytes * _SWELLS
    if not tables:
        return manifest.database_bytes
    return sum(t.size_bytes for t in manifest.tables if (t.schema, t.name) in tables)


def _wal_bytes(more: RestoreFacts, data: int) -> int:
    """WAL is recycled once there is max_wal_size of it, unless a slot keeps all that the load writes."""
    return data if more.idle_slots else min(data, more.max_wal_bytes)


def _data(facts: ServerFacts, data: int, there: int) -> Finding:
    if facts.free_bytes is None:
        said = f"The data needs about {size(data)}; the server's free disk can't be seen from here."
        return Finding(Level.OK, "data disk", said)
    room, free = sizes(there, facts.free_bytes)
    besides = f" ({size(data)} of data)" if there > data else ""
    if facts.free_bytes < there:
        return Finding(
            Level.STOP,
            "data disk",
            f"About {room} are needed on the server's data disk{besides}, {free} are free.",
            f"Free {size(there - facts.free_bytes)} there (an unused database, old logs), or restore"
            " onto another server.",
        )
    return Finding(Level.OK, "data disk", f"About {room} needed on the data disk{besides}, {free} free.")


def _wal(more: RestoreFacts, wal: int, apart: Path | None) -> Finding:
    said = f"Up to {size(wal)} of WAL while it loads (max_wal_size is {size(more.max_wal_bytes)})"
    free = shutil.disk_usage(apart).free if apart is not None else None
    if free is not None and free < wal:
        return Finding(
            Level.STOP,
            "WAL disk",
            f"{said}; its disk has {size(free)} free.",
            f"Make room for {size(wal - free)} more in {clean(str(apart))}'s disk.",
        )
    if more.idle_slots:
        return Finding(
            Level.WARNING,
            "WAL disk",
            f"{plural(len(more.idle_slots), 'replication slot')} without a reader: all WAL of the load stays,"
            f" about {size(wal)}: {some(more.idle_slots)}.",
            "Start its reader again, or if nobody needs it: "
            f"SELECT pg_drop_replication_slot('{clean(more.idle_slots[0])}')",
        )
    return Finding(Level.OK, "WAL disk", f"{said}.")


def _staging(staging: Path, staged_bytes: int, layers: tuple[Layer, ...]) -> Finding:
    at = _existing(staging)
    free = shutil.disk_usage(at).free
    room, left = sizes(staged_bytes, free)
    compressed = any(layer in COMPRESSIONS for layer in layers)
    needed = f"at least {room}" if compressed else room  # nothing tells what it unpacks to
    done = "opened" if layers else "fetched"
    if free < staged_bytes:
        return Finding(
            Level.STOP,
            "staging disk",
            f"The archive ({needed}) is {done} to {clean(str(staging))} first, where {left} are free.",
            f"Free {size(staged_bytes - free)} there, or keep the state elsewhere: pgdr --state DIR",
        )
    said = f"The archive is {done} to {clean(str(staging))} first: {needed}, {left} free."
    if is_encrypted(layers):
        said += " It is in clear there, for this user alone, until the restore ends; then it is removed."
    return Finding(Level.OK, "staging disk", said)


def _existing(path: Path) -> Path:
    return next(p for p in (path, *path.absolute().parents) if p.exists())


def _device(path: Path) -> int | None:
    try:
        return path.stat().st_dev
    except OSError:
        return None
