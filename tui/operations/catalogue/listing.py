"""Which backups there are, page by page, from the stores' listings alone.

Only where a key doesn't tell is an archive's header read: of objects without a date in their name, and
once for each name that the fleet doesn't know, since a file may be called otherwise than its database.
"""

from __future__ import annotations

import queue
import re
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from itertools import islice
from pathlib import Path

from tui.model.amounts import plural
from tui.model.backup import ArchiveFormat, Backup, Contents, StoredObject, StoreProblem, Verification
from tui.model.errors import ArchiveError, PgdrError
from tui.model.fleet import Fleet, StoreSpec
from tui.operations.catalogue.directory import TOC, file_of
from tui.operations.catalogue.heads import MOST_LOOKED_AT, Header, Heads, Recent
from tui.operations.catalogue.names import (
    Told,
    beside,
    called_archive,
    cipher_of,
    component_told,
    may_be_archive,
    told,
)
from tui.operations.layers.layers import is_archive, is_encrypted, layers_of, opened
from tui.postgres.archive.archive import MAGIC, read_contents
from tui.postgres.archive.plain import is_dump, read_plain
from tui.stores.open import open_store
from tui.stores.store import ObjectMissing, Store

_READERS = 8  # of headers, in each store
_SHOWN_AT_ONCE = 50  # backups whose headers had to be read
_REMEMBERED = 4000  # of a store's last objects, for those that list in no order
_HEADER_BYTES = 4 << 10  # one read tells an archive from anything else
_PACKED_BYTES = 64 << 10  # of one that is compressed, with most of its table of contents
_UNPACKED_BYTES = 4 << 20
_SQL = re.compile(r"\.sql(?:\.(?:gz|zst|lz4|age|gpg))*\Z")


def listing(
    store: Store, database: str | None = None, known: Collection[str] = (), heads: Heads | None = None
) -> Iterator[tuple[Backup, ...]]:
    """Gives the backups of a store as its pages arrive, in the store's own order.

    With `database`, only those of that name on the server. `known` are the names that the fleet's
    databases have there; where a key tells another name, an archive's header decides. Should a store
    list in no order, a backup may come a second time with more known of it; the later one counts.
    `heads` keeps headers between listings and bounds how many are read; its owner closes it.
    Raises what Store.pages raises.
    """
    lister = _Lister(store, frozenset(known), heads or Heads(store.name, None))
    wanted = None if database is None else frozenset({database})
    with ThreadPoolExecutor(_READERS, "pgdr-headers") as readers:
        for page in store.pages():
            for ready in lister.page(page, readers):
                yield from _given(ready, wanted)
        for ready in lister.rest(readers):
            yield from _given(ready, wanted)


def backups(
    fleet: Fleet,
    database: str | None,
    on_page: Callable[[tuple[Backup, ...]], None],
    on_problem: Callable[[StoreProblem], None],
    state: Path | None = None,
) -> None:
    """Lists all stores of the fleet at once; returns when the slowest has ended.

    `database` is a name in the fleet or on the server, None for all. In the `state` directory headers
    are kept for the next time. Both callables are called in
    this thread, as pages and problems arrive: a store that fails keeps none of the others' back.
    """
    named = fleet.database(database) if database is not None else None
    wanted = None if database is None else frozenset({database, named.dbname if named else database})
    known = frozenset(d.dbname for d in fleet.databases)
    arrived: queue.SimpleQueue[tuple[Backup, ...] | StoreProblem | None] = queue.SimpleQueue()
    enough = threading.Event()

    def read(spec: StoreSpec) -> None:
        heads = Heads(spec.name, state)
        try:
            for page in listing(open_store(spec), None, known, heads):
                for kept in _given(page, wanted):
                    arrived.put(kept)
                if enough.is_set():
                    return
            if heads.unread:
                arrived.put(_not_looked_at(spec.name, heads.unread))
        except PgdrError as error:
            arrived.put(StoreProblem(spec.name, error.what, error.why, error.mend))
        except Exception as error:  # noqa: BLE001 - a thread that died unsaid would be an empty store
            arrived.put(StoreProblem(spec.name, f"It can't be read: {type(error).__name__}."))
        finally:
            heads.close()
            arrived.put(None)

    for spec in fleet.stores:
        # Daemons: who leaves the program doesn't wait for a store that hangs.
        threading.Thread(target=read, args=(spec,), name=f"pgdr-list-{spec.name}", daemon=True).start()
    left = len(fleet.stores)
    try:
        while left:
            found = arrived.get()
            if found is None:
                left -= 1
            elif isinstance(found, StoreProblem):
                on_problem(found)
            else:
                on_page(found)
    finally:
        enough.set()


def _not_looked_at(store: str, number: int) -> StoreProblem:
    return StoreProblem(
        store,
        f"{plural(number, 'object')} whose names tell no backup were not looked into.",
        f"A listing looks into {MOST_LOOKED_AT:,} objects at most; archives among the others are not shown "
        "unless their names end as archives' do.",
        "Give the store a prefix that holds backups alone.",
        is_note=True,
    )


def newest(found: Iterable[Backup]) -> Backup | None:
    """The backup that was taken last, None of none."""
    return max(found, key=lambda b: (b.sort_time, b.ref), default=None)


def _given(page: tuple[Backup, ...], wanted: frozenset[str] | None) -> Iterator[tuple[Backup, ...]]:
    kept = page if wanted is None else tuple(b for b in page if b.database in wanted)
    if kept:
        yield kept


class _Lister:
    """Joins archives with what lies beside them while a store's pages go past.

    In a listing in order, everything beside an archive follows it at once, maybe on the next page: the
    last archives of a page wait for that.
    """

    def __init__(self, store: Store, known: frozenset[str], heads: Heads) -> None:
        self._store = store
        self._known = known
        self._heads = heads
        # Directory archives: their bytes so far, and their tables of contents
        self._sums: Recent[str, int] = Recent(_REMEMBERED)
        self._tocs: Recent[str, StoredObject] = Recent(_REMEMBERED)
        # Of a listing in order nothing is needed again after the next page; the rest is for others.
        self._with_manifest: Recent[str, str | None] = Recent(_REMEMBERED)
        self._verified: Recent[str, Verification] = Recent(_REMEMBERED)
        self._waiting: list[StoredObject] = []
        self._given: Recent[str, Backup] = Recent(_REMEMBERED)
        self._databases: dict[str, str] = {}  # by the name that keys tell, from a header

    def page(
        self, page: tuple[StoredObject, ...], readers: ThreadPoolExecutor
    ) -> Iterator[tuple[Backup, ...]]:
        """Given a store's page, gives the backups that are complete by now, those that need no look first."""
        touched = set()
        for found in page:
            if (inside := file_of(found.key)) is not None:
                touched.add(inside[0])
                self._file(found, *inside)
                continue
            belongs = beside(found.key)
            if belongs is None:
                self._waiting.append(found)
                continue
            touched.add(belongs.key)
            if belongs.is_manifest:
                self._with_manifest[belongs.key] = found.etag
            if (new := belongs.verification) is not None:
                old = self._verified.get(belongs.key)
                if old is None or new.at >= old.at:
                    self._verified[belongs.key] = new
        last = _order(page[-1].key)
        ready = [found for found in self._waiting if _order(found.key + "/") <= last]  # "/" follows "."
        self._waiting = [found for found in self._waiting if _order(found.key + "/") > last]
        again = [self._joined(self._resized(self._given[key])) for key in touched if key in self._given]
        yield tuple(again)
        yield from self._backups(ready, readers)

    def _file(self, found: StoredObject, directory: str, name: str) -> None:
        """A file of a directory archive, which is one backup as soon as its table of contents is seen; in
        order that is the last of its files."""
        self._sums[directory] = self._sums.get(directory, 0) + found.size_bytes
        if name == TOC:
            if directory in self._tocs:  # opened in place, say: both are there, and it is one backup
                self._waiting = [waiting for waiting in self._waiting if waiting.key != directory]
            self._tocs[directory] = found
            self._waiting.append(replace(found, key=directory, size_bytes=self._sums[directory]))

    def _resized(self, backup: Backup) -> Backup:
        size = self._sums.get(backup.key) if backup.format is ArchiveFormat.DIRECTORY else None
        return backup if size is None else replace(backup, size_bytes=size)

    def rest(self, readers: ThreadPoolExecutor) -> Iterator[tuple[Backup, ...]]:
        """The backups that waited, when there are no more pages."""
        ready, self._waiting = self._waiting, []
        return self._backups(ready, readers)

    def _backups(
        self, ready: list[StoredObject], readers: ThreadPoolExecutor
    ) -> Iterator[tuple[Backup, ...]]:
        components = [found for found in ready if component_told(found.key)]
        ready = [found for found in ready if component_told(found.key) is None]
        names = {found.key: self._told(found.key) for found in ready}
        self._ask_headers_for_names(ready, names, readers)
        unsaid = [
            f for f in ready if names[f.key] is None and may_be_archive(f.key) and f.size_bytes > len(MAGIC)
        ]
        said = [f for f in ready if names[f.key] is not None]
        yield self._gave(
            [
                *(self._joined(self._component(found)) for found in components),
                *(self._joined(self._backup(found, names[found.key], None)) for found in said),
            ]
        )
        looked = zip(unsaid, readers.map(self._header, unsaid), strict=True)
        while some := list(islice(looked, _SHOWN_AT_ONCE)):
            yield self._gave(
                [self._joined(self._backup(found, None, head)) for found, head in some if head is not None]
            )

    def _told(self, key: str) -> Told | None:
        """As `told`; a directory needs no ending."""
        return told(key) or (told(f"{key}.dir") if key in self._tocs else None)

    def _gave(self, made: list[Backup]) -> tuple[Backup, ...]:
        for backup in made:
            self._given[backup.key] = backup
        return tuple(made)

    def _ask_headers_for_names(
        self, ready: list[StoredObject], names: dict[str, Told | None], readers: ThreadPoolExecutor
    ) -> None:
        """Finds the database behind each name that the fleet doesn't know, in its first archive's header."""
        if not self._known:
            return
        first: dict[str, StoredObject] = {}
        for found in ready:
            says = names[found.key]
            if says is not None and says.database not in self._known and says.database not in self._databases:
                first.setdefault(says.database, found)
        for name, head in zip(first, readers.map(self._header, first.values()), strict=True):
            if head is not None and head.contents is not None:
                self._databases[name] = head.contents.database or name

    def _backup(self, found: StoredObject, says: Told | None, head: Header | None) -> Backup:
        contents = head.contents if head else None
        database = contents.database if contents else None
        at = contents.created_at if contents else None
        if says is not None:
            database, at = self._databases.get(says.database, says.database), taken_at(found, says)
        return Backup(
            store=self._store.name,
            key=found.key,
            size_bytes=found.size_bytes,
            modified_at=found.modified_at,
            database=database,
            created_at=at,
            etag=found.etag,
            format=_format(contents, found.key, found.key in self._tocs),
            encryption=cipher_of(self._tocs.get(found.key, found).key),
        )

    def _component(self, found: StoredObject) -> Backup:
        told_of = component_told(found.key)
        return Backup(
            store=self._store.name,
            key=found.key,
            size_bytes=found.size_bytes,
            modified_at=found.modified_at,
            created_at=told_of[1] if told_of else None,
            etag=found.etag,
            component=told_of[0] if told_of else None,
            encryption=cipher_of(found.key),
        )

    def _joined(self, backup: Backup) -> Backup:
        return replace(
            backup,
            has_manifest=backup.key in self._with_manifest,
            manifest_etag=self._with_manifest.get(backup.key),
            verification=self._verified.get(backup.key),
        )

    def _header(self, found: StoredObject) -> Header | None:
        """As `_look`; one that can't be read is listed all the same where it is called an archive."""
        try:
            return self._heads.of(found, self._look)
        except PgdrError:
            return Header(None) if called_archive(found.key) else None

    def _look(self, found: StoredObject) -> Header | None:
        """The header of an object that is an archive, None of one that isn't or is gone."""
        try:
            toc = self._tocs.get(found.key)
            found = toc or found
            head = self._store.read(found.key, 0, min(_HEADER_BYTES, found.size_bytes))
            layers = layers_of(found.key, head)
            if is_encrypted(layers):
                return Header(None) if toc is not None or called_archive(found.key) else None

            def read(start: int, length: int) -> bytes:
                return self._store.read(found.key, start, length)

            try:
                if layers:
                    return _unpacked(self._store, found)
                if is_dump(head):
                    return Header(read_plain((head,), found.modified_at, whole=False).contents)
                return Header(read_contents(read, found.size_bytes)) if is_archive(head) else None
            except ArchiveError:
                return Header(None)  # damaged, but a backup: looking inside says what is wrong
        except ObjectMissing:
            return None


def _format(contents: Contents | None, key: str, directory: bool) -> ArchiveFormat | None:
    if contents is not None or directory:
        return ArchiveFormat.DIRECTORY if directory else contents.format if contents else None
    return ArchiveFormat.PLAIN if _SQL.search(key) else None  # an archive of that name is a rare mistake


def _unpacked(store: Store, found: StoredObject) -> Header | None:
    """The header of a compressed file that is an archive inside, by its first bytes; None of any other."""
    head = store.read(found.key, 0, _PACKED_BYTES)
    inside = bytearray()
    with suppress(ArchiveError):  # it ends in the middle of what is compressed
        for piece in opened((head,), layers_of(found.key, head), None):
            inside += piece
            if len(inside) >= _UNPACKED_BYTES:
                break
    head = bytes(inside[:_HEADER_BYTES])
    if is_dump(head):
        return Header(read_plain((head,), found.modified_at, whole=False).contents)
    if not is_archive(head):
        return None
    return Header(read_contents(lambda start, length: bytes(inside[start : start + length]), 1 << 62))


def taken_at(found: StoredObject, says: Told) -> datetime:
    """When an archive was taken. Where its key tells only the day, its file's time tells more, as long
    as it is of that day (a copy made later isn't); else the day's beginning, so that it isn't taken
    for younger than it is."""
    if not says.to_the_second and found.modified_at.date() == says.at.date():
        return found.modified_at
    return says.at


def _order(key: str) -> bytes:
    # Local names that aren't UTF-8 hold surrogates.
    return key.encode("utf-8", "surrogateescape")
