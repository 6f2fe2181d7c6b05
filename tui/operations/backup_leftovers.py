"""What backups that were killed have left in a store: known by its name, never listed, and removed here.

A stream that was cut leaves a temporary file in a local store (other stores' unfinished uploads are unseen,
and theirs to end), and an upload in the directory format files without their table of contents.
"""

from __future__ import annotations

import contextlib
import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path

from tui.model.errors import PgdrError
from tui.model.event import LogLine
from tui.model.fleet import Fleet, LocalStore
from tui.model.text import clean
from tui.operations.backup_directory import TOC
from tui.operations.catalogue_names import COMPONENTS, MANIFEST, key_prefix
from tui.operations.report import Report
from tui.stores.download import TEMP_PREFIX, TEMP_SUFFIX
from tui.stores.store import Store

_OLD = timedelta(days=1)  # no backup takes so long; what is younger may be at work
_IN_DIRECTORY = re.compile(r"(?P<backup>\d{8}-\d{6}\.dir)/(?P<file>[^/]+)", re.DOTALL)


def sweep(
    fleet: Fleet, stores: Sequence[Store], dbname: str, now: datetime, report: Report, *, directories: bool
) -> None:
    """Removes from each store what a killed backup has left more than a day ago, and tells each in the log.

    With `directories`, also the half backups of the database `dbname` in the directory format, which costs a
    listing of its keys. What can't be looked at or removed stays, unsaid: the backup itself tells.
    """
    for store in stores:
        spec = fleet.store(store.name)
        if isinstance(spec, LocalStore):
            _sweep_files(spec.path, now, report)
        if directories:
            with contextlib.suppress(PgdrError):
                _sweep_directories(store, dbname, now, report)


def _sweep_files(root: Path, now: datetime, report: Report) -> None:
    pattern = f"{TEMP_PREFIX}*{TEMP_SUFFIX}"
    # Where pgdr writes: not in what else may lie in the store's directory
    for places in (root.glob(pattern), (root / COMPONENTS).glob(pattern), root.glob(f"*.dir/{pattern}")):
        for path in places:
            with contextlib.suppress(OSError):
                status = path.lstat()
                if now - datetime.fromtimestamp(status.st_mtime, timezone.utc) > _OLD:
                    path.unlink()
                    report(LogLine(f"What a killed backup had left was removed: {clean(str(path))}"))


def _sweep_directories(store: Store, dbname: str, now: datetime, report: Report) -> None:
    prefix = key_prefix(dbname)
    files: dict[str, list[tuple[str, datetime]]] = defaultdict(list)
    complete = set()
    for page in store.pages(prefix):
        for found in page:
            rest = found.key.removeprefix(prefix)
            inside = _IN_DIRECTORY.fullmatch(rest)
            if inside is not None:
                files[inside["backup"]].append((inside["file"], found.modified_at))
            complete.add(rest.removesuffix(MANIFEST))
    for backup, parts in files.items():
        names = [name for name, _ in parts]
        # One with a manifest was whole once: what has happened to it is for a person to see
        if TOC in names or backup in complete or now - max(at for _, at in parts) <= _OLD:
            continue
        for name in names:
            store.delete(f"{prefix}{backup}/{name}")
        left = clean(f"{store.name}:{prefix}{backup}")
        report(LogLine(f"What a killed backup had left was removed: {left}"))
