"""pg_dump's stream on its way into the stores: looked at, maybe encrypted, hashed, and handed to each."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tui.model.backup import BlockOffset, StoredFile
from tui.model.errors import ArchiveError, PgdrError
from tui.model.event import BytesMoved, LogLine, Phase
from tui.operations.backup.dump import Dump
from tui.operations.backup.fan import Fan
from tui.operations.layers.encryption import encrypted
from tui.operations.report import Report
from tui.postgres.archive.archive import BlockScanner, CutShort
from tui.process import Command
from tui.stores.store import Store

_LOOK_EVERY_S = 0.3


@dataclass(frozen=True, slots=True)
class Streamed:
    """What goes into the stores: bytes and hash as stored; where the data blocks lie and the hash of what is
    before them (of an encrypted archive, and of plain SQL, none); the files of the directory format."""

    size_bytes: int
    sha256: str
    blocks: tuple[BlockOffset, ...] = ()
    toc_sha256: str | None = None
    files: tuple[StoredFile, ...] = ()


class Stream:
    """One dump on its way into several stores, in a thread of its own. To be used in a `with`: unless
    `finish` was reached in it, its end leaves nothing in the stores."""

    def __init__(
        self,
        command: Command,
        stores: Sequence[Store],
        key: str,
        report: Report,
        *,
        scanned: bool,
        recipients: tuple[str, ...] = (),
        gnupg_home: Path | None = None,
    ) -> None:
        """Starts `command`, which writes the backup to stdout. `scanned` looks for data blocks: for custom
        archives."""
        self._report = report
        self._scanner = BlockScanner() if scanned else None
        self._recipients = recipients
        self._home = gnupg_home
        self._key = key
        self._size = 0
        self._digest = hashlib.sha256()
        self._failure: BaseException | None = None
        self._dump = Dump(command, report)
        self._fan = Fan(stores, key)
        self.failed = self._fan.failed
        self._thread = threading.Thread(target=self._pump, name="pgdr-dump", daemon=True)
        self._thread.start()

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self._fan.abandon()
        self._dump.end()
        self._thread.join()

    def heed(self) -> None:
        """Tells how far it is. Raises what has made it fail: pg_dump's error, or the stores' when all have
        failed."""
        if self._failure is not None:
            raise self._failure
        self._report(BytesMoved(Phase.DUMP, self._size, None))

    def wait(self, heed: Callable[[], None]) -> None:
        """Waits until pg_dump has ended well and all went to the stores, whose objects don't appear yet.

        `heed` is called meanwhile; what it raises ends it. Raises what has made it fail.
        """
        while self._thread.is_alive():
            heed()
            self._thread.join(_LOOK_EVERY_S)
        self.heed()

    def made(self, heed: Callable[[], None]) -> Streamed:
        """What went to the stores. Raises CutShort when the archive isn't whole."""
        size, sha256 = self._size, self._digest.hexdigest()
        if self._scanner is None:
            return Streamed(size, sha256)
        blocks = self._scanner.close()
        if self._recipients:
            return Streamed(size, sha256)  # they lie elsewhere in what is stored
        return Streamed(size, sha256, blocks, self._scanner.toc_sha256)

    def finish(self, heed: Callable[[], None]) -> list[Store]:
        """Lets the objects appear; returns the stores that have theirs: see Fan.finish."""
        done = self._fan.finish(heed)
        self.failed = self._fan.failed
        return done

    def take_away(self, store: Store) -> None:
        """Removes the archive from a store."""
        try:
            store.delete(self._key)
        except PgdrError:
            return  # the store that fails to store may fail to delete; its manifest is gone, or never was

    def _pump(self) -> None:
        try:
            chunks: Iterable[bytes] = self._scan(self._dump.chunks())
            if self._recipients:
                chunks = encrypted(chunks, self._recipients, self._home)
            for chunk in chunks:
                self._digest.update(chunk)
                self._fan.feed(chunk)
                self._size += len(chunk)
        except BaseException as error:  # noqa: BLE001 - raised again by heed(): a thread's own end is seen by nobody
            self._failure = error

    def _scan(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            if self._scanner is not None:
                try:
                    self._scanner.feed(chunk)
                except CutShort:
                    raise
                except ArchiveError as error:
                    # Of a pg_dump newer than this program: the backup is as good, only its sizes stay unknown
                    self._report(LogLine(f"The archive's blocks are not noted: {error.what}"))
                    self._scanner = None
            yield chunk
