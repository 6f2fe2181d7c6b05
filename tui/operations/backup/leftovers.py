"""What backups that were killed have left in a store: known by its name, never listed, and removed here.

A stream that was cut leaves an upload that never became an object (in a local store a temporary file), and
one in the directory format files without their table of contents.
"""

from __future__ import annotations

import contextlib
import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from tui.model.amounts import plural
from tui.model.errors import PgdrError
from tui.model.event import LogLine
from tui.model.text import clean
from tui.operations.catalogue.directory import TOCS
from tui.operations.catalogue.names import COMPONENTS, MANIFEST, key_prefix
from tui.operations.report import Report
from tui.stores.store import Store

_OLD = timedelta(days=1)  # no backup takes so long; what is younger may be at work
_IN_DIRECTORY = re.compile(r"(?P<backup>\d{8}-\d{6}\.dir(?:\.age|\.gpg)?)/(?P<file>[^/]+)", re.DOTALL)


def sweep(stores: Sequence[Store], dbname: str, now: datetime, report: Report, *, directories: bool) -> None:
    """Removes from each store what a killed backup has left more than a day ago, and tells each in the log.

    With `directories`, also the half backups of the database `dbname` in the directory format, which costs a
    listing of its keys. What can't be looked at or removed stays, unsaid: the backup itself tells.
    """
    for store in stores:
        removed = 0
        # Where pgdr writes: not in what else may lie in the store
        for prefix in (key_prefix(dbname), COMPONENTS):
            with contextlib.suppress(PgdrError):
                removed += store.discard_unfinished(prefix, now - _OLD)
        if removed:
            many = plural(removed, "unfinished upload")
            report(LogLine(f"What killed backups had left in {store.name} was removed: {many}."))
        if directories:
            with contextlib.suppress(PgdrError):
                _sweep_directories(store, dbname, now, report)


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
        whole = backup in complete or any(toc in names for toc in TOCS)
        if whole or now - max(at for _, at in parts) <= _OLD:
            continue
        with contextlib.suppress(PgdrError):  # not every server of S3's language tells of uploads
            store.discard_unfinished(f"{prefix}{backup}/", now - _OLD)
        for name in names:
            store.delete(f"{prefix}{backup}/{name}")
        left = clean(f"{store.name}:{prefix}{backup}")
        report(LogLine(f"What a killed backup had left was removed: {left}"))
