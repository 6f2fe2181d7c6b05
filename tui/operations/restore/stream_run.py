"""A restore that reads its archive as it loads: each table's bytes go from the store into a pg_restore of its
own, on stdin behind the table of contents; nothing is staged but that.

On a pipe pg_restore reads an archive forwards and skips what isn't asked for (pg_backup_custom.c,
_PrintTocData): header, table of contents and one block are an archive to it, with `-L` naming that item.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from tui.files import private_directory, write_whole
from tui.model.backup import ArchiveFormat, BlockOffset, Contents, Manifest
from tui.model.errors import ArchiveError
from tui.model.event import Item, LogLine, Phase
from tui.model.text import clean
from tui.model.verdict import ErrorClass, RestoreError
from tui.operations.report import Report, Stop, Stopped
from tui.operations.restore.at_work import AtWork
from tui.operations.restore.run import account_for
from tui.operations.restore.stream_line import Line
from tui.operations.restore.stream_tasks import Schedule, Task
from tui.postgres.archive.archive import data_blocks
from tui.postgres.archive.items import is_main_pass, use_list
from tui.postgres.archive.output import RestoreOutput
from tui.postgres.progress.forecast import expected_s
from tui.postgres.progress.watch import Watcher
from tui.process import Command
from tui.stores.store import Store

_LOOK_EVERY_S = 0.05
_WATCH_EVERY_S = 1.0
_EXPECTED = 8  # tasks whose bytes may be read before they begin

# Given the file with the table of contents (None: it comes on stdin), the list of items and the workers.
CommandFor = Callable[[Path | None, Path, int], Command]


@dataclass(frozen=True, slots=True)
class Source:
    """A stored archive: how to read it, what is in it, where its data blocks lie, the hash of what is before
    them where that is known."""

    read: Callable[[int, int], bytes]
    contents: Contents
    blocks: Mapping[int, BlockOffset]
    toc_sha256: str | None = None


def streamed(
    store: Store,
    key: str,
    contents: Contents,
    archive_bytes: int,
    manifest: Manifest | None,
    ids: Collection[int],
) -> Mapping[int, BlockOffset] | None:
    """Given a stored archive and the items to be restored of it, returns where each one's block lies, by dump
    id, when it is better read as it loads; None when it is better read from a file.

    It is when it isn't on this machine. It can't be where not all blocks are known, or where a manifest has a
    hash of the whole but none of its parts: then only the whole can be checked.
    """
    if contents.format is not ArchiveFormat.CUSTOM or contents.layers or store.path(key) is not None:
        return None
    data = [e for e in contents.entries if e.has_data and e.dump_id in ids]
    blocks = data_blocks(contents, archive_bytes, manifest.blocks if manifest else ())
    if any(e.dump_id not in blocks for e in data):
        return None
    if manifest is not None and any(blocks[e.dump_id].sha256 is None for e in data):
        return None
    return blocks


class StreamRun:
    """The pg_restores of one such restore, one after another and beside one another."""

    def __init__(
        self,
        source: Source,
        todo: tuple[Item, ...],
        done: Collection[int],
        *,
        staging: Path,
        workers: int,
        command_for: CommandFor,
        report: Report,
        stop: Stop,
    ) -> None:
        self.code = 0
        self._source = source
        self._ids = tuple(item.dump_id for item in todo if item.dump_id not in done)
        self._staging = private_directory(staging)
        self._workers = workers
        self._command_for = command_for
        self._report = report
        self._stop = stop
        self._finished: set[int] = set()
        self._errors: list[RestoreError] = []
        self._lists = 0
        self._at_work: dict[Task, AtWork] = {}
        self._looked_at = 0.0
        self._line = Line(source.read)
        head = _whole(source.read, source.contents.toc_bytes)
        if source.toc_sha256 not in (None, hashlib.sha256(head).hexdigest()):
            raise _damaged("Its table of contents is not the one that was backed up.")
        self._head = head
        self._toc = staging / "toc.dump"
        write_whole(self._toc, head)
        self._stages(todo)

    @property
    def fetched_bytes(self) -> int:
        """How many bytes of the archive have been read."""
        return self._line.fetched + len(self._head)

    def _stages(self, todo: tuple[Item, ...]) -> None:
        wanted = frozenset(self._ids)
        main = {e.dump_id for e in self._source.contents.entries if is_main_pass(e)}
        schema = {item.dump_id for item in todo if item.phase is Phase.SCHEMA} & wanted
        self._schema = self._ordered(schema)
        self._late = self._ordered(wanted - schema - main)
        seconds = {item.dump_id: expected_s(item) for item in todo}
        between = (wanted & main) - schema
        blocks = {i: block for i, block in self._source.blocks.items() if i in between}
        self._schedule = Schedule(self._source.contents, between, blocks, seconds, self._workers)

    def _ordered(self, ids: Collection[int]) -> tuple[int, ...]:
        return tuple(e.dump_id for e in self._source.contents.entries if e.dump_id in ids)

    def watch(self, watcher: Watcher) -> None:
        """Returns when all is done, or nothing more can be. Raises Stopped after stopping it, and what went
        wrong with reading the archive."""
        try:
            self._expect()  # the line is free while the tables are made
            self._alone(self._schema, watcher, 1)
            while self._usable:
                self._begin_tasks()
                if not self._at_work:
                    break
                self._look(watcher)
            if self._usable:
                self._alone(self._late, watcher, self._workers)
        finally:
            self._line.close()
            watcher.close()
            for at_work in self._at_work.values():
                at_work.end()

    def account_for(self) -> list[RestoreError]:
        """Every item must have been finished: see restore_run.account_for."""
        return account_for(
            self._source.contents, self._ids, self._finished, self._errors, self.code, self._report
        )

    @property
    def _usable(self) -> bool:
        """Whether going on makes sense: pg_restore itself stops when its connection is lost."""
        lost = any(e.error_class is ErrorClass.CONNECTION_LOST for e in self._errors)
        return self.code in (0, 1) and not lost

    def _alone(self, ids: tuple[int, ...], watcher: Watcher, workers: int) -> None:
        """What needs only the table of contents, before or after everything else."""
        if ids:
            self._start(Task(ids), workers)
            while self._at_work:
                self._look(watcher, scheduled=False)

    def _begin_tasks(self) -> None:
        while (task := self._schedule.next(lambda load: self._line.is_ahead(*_range(load)))) is not None:
            self._start(task, 1)
            self._expect()

    def _expect(self) -> None:
        """Lets the line read what the next tasks will be fed."""
        for task in islice(self._schedule.loads, _EXPECTED):
            begin, length = _range(task)
            self._line.expect(begin, length, self._schedule.urgency(task))

    def _start(self, task: Task, workers: int) -> None:
        self._lists += 1
        use = self._staging / f"use-{self._lists}.list"
        write_whole(use, use_list(self._source.contents, task.ids))
        command = self._command_for(None if task.loads else self._toc, use, workers)
        if self._lists <= 3:
            self._report(LogLine(clean(command.shown)))  # all others look alike
        chunks = self._fed(task) if task.loads else None
        output = RestoreOutput(self._source.contents, task.ids)
        self._at_work[task] = AtWork(command, output, self._report, chunks)

    def _look(self, watcher: Watcher, *, scheduled: bool = True) -> None:
        for task, at_work in tuple(self._at_work.items()):
            if at_work.wait(0):
                del self._at_work[task]
                at_work.end()
                self._take(at_work)
                if scheduled:
                    self._schedule.done(task)
        if self._stop():
            raise Stopped
        now = time.monotonic()
        if now - self._looked_at >= _WATCH_EVERY_S:
            self._looked_at = now
            for event in watcher.poll():
                self._report(event)
        elif self._at_work:
            next(iter(self._at_work.values())).wait(_LOOK_EVERY_S)

    def _take(self, at_work: AtWork) -> None:
        self._finished |= at_work.finished
        self._errors += at_work.errors
        if at_work.code:
            self.code = at_work.code if self.code in (0, 1) else self.code

    def _fed(self, task: Task) -> Iterator[bytes]:
        """The table of contents, then the task's blocks as they arrive, the last bytes of each only when its
        hash has been found right: a COPY whose end never comes loads nothing."""
        begin, length = _range(task)
        pieces = self._line.bytes_of(begin, length, self._schedule.urgency(task))

        def given() -> Iterator[bytes]:
            yield self._head
            yield from checked(pieces, task.blocks)

        return given()


def _range(task: Task) -> tuple[int, int]:
    first, last = task.blocks[0], task.blocks[-1]
    return first.offset, last.offset + last.size_bytes - first.offset


def checked(pieces: Iterator[bytes], blocks: tuple[BlockOffset, ...]) -> Iterator[bytes]:
    """Given the bytes of blocks that lie one behind another, gives them on in order, the last piece of each
    block only once its hash has been compared. Raises ArchiveError when it is another."""
    rest = b""
    for block in blocks:
        digest, left = hashlib.sha256(), block.size_bytes
        while left:
            piece = rest or next(pieces)
            piece, rest = piece[:left], piece[left:]
            left -= len(piece)
            if block.sha256 is not None:
                digest.update(piece)
                if not left and digest.hexdigest() != block.sha256:
                    where = f"{block.size_bytes} bytes from {block.offset} on"
                    raise _damaged(f"{where} are not those that were backed up.")
            yield piece


def _damaged(why: str) -> ArchiveError:
    return ArchiveError(
        "The archive is damaged, or was replaced by another one.",
        why,
        "Restore the same backup from another store, or another backup.",
    )


def _whole(read: Callable[[int, int], bytes], length: int) -> bytes:
    got = b""
    while len(got) < length and (more := read(len(got), length - len(got))):
        got += more
    return got
