"""What is left of a restore after its schema, cut into tasks for one pg_restore each, and whose turn it is.

The same order that pg_restore keeps with several jobs: what an item depends on comes first, a post-data item
that depends on a table waits for its data, and what locks a table is done alone on it
(pg_backup_archiver.c: fix_dependencies, repoint_table_dependencies, identify_locking_dependencies,
has_lock_conflicts). Unlike it, small items share a process, and what the most work waits for comes first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from tui.model.backup import BlockOffset, Contents, TocEntry

# A process and its connection cost some 30 ms: small tables and small indexes share one.
_GROUP_BYTES = 8 << 20
_GROUP_ITEMS = 100
_SMALL_S, _BATCH_S = 0.5, 3.0

_POST_DATA = 4
_TABLES = frozenset({"TABLE", "FOREIGN TABLE"})


@dataclass(frozen=True, slots=True)
class Task:
    """Items for one pg_restore, in the archive's order; `blocks` are those that it is fed, one behind another
    in the archive, none for items that need only the table of contents."""

    ids: tuple[int, ...]
    blocks: tuple[BlockOffset, ...] = ()

    @property
    def loads(self) -> bool:
        """Whether it needs bytes of the archive's data."""
        return bool(self.blocks)


class Schedule:
    """The tasks that are left. One thread at a time."""

    def __init__(
        self,
        contents: Contents,
        ids: Collection[int],
        blocks: Mapping[int, BlockOffset],
        seconds: Mapping[int, float],
        workers: int,
    ) -> None:
        """`ids` are the items to be done, those of the schema excepted; `seconds` is what each is expected to
        take; `blocks` where the data of each lies."""
        entries = [e for e in contents.entries if e.dump_id in ids]
        self._place = {e.dump_id: place for place, e in enumerate(entries)}
        self._by_id = {e.dump_id: e for e in entries}
        self._seconds = seconds
        self._workers = workers
        self._needs = _needs(contents, self._by_id)
        self._locks = {e.dump_id: _locked(e, self._needs[e.dump_id]) for e in entries}
        self._path = self._paths()
        waits = {i for i in self._by_id if self._needs[i] & self._by_id.keys()}
        groups = _groups((blocks[i] for i in ids if i in blocks), waits)
        self._loads = [Task(tuple(b.dump_id for b in group), group) for group in groups]
        self._loads.sort(key=self._urgency)
        loaded = {i for task in self._loads for i in task.ids}
        self._waiting = {e.dump_id for e in entries if e.dump_id not in loaded}
        self._done: set[int] = set()
        self._running: list[Task] = []

    @property
    def running(self) -> bool:
        """Whether a task has been given and not been done."""
        return bool(self._running)

    @property
    def loads(self) -> tuple[Task, ...]:
        """The tasks that load data and have not begun, in the order in which they will."""
        return tuple(self._loads)

    def urgency(self, task: Task) -> float:
        """The seconds of work that wait for the most urgent of its items, itself among them."""
        return max(self._path[i] for i in task.ids)

    def next(self, is_here: Callable[[Task], bool] = lambda load: True) -> Task | None:
        """The task to begin now; None where there is none, or no worker is free for it.

        One load is counted as none: who waits for the line needs no processor. Others begin once their bytes
        are here, as `is_here` tells: where the line is the slower part, indexes are built meanwhile.
        """
        loading = sum(task.loads for task in self._running)
        busy = len(self._running) - min(1, loading)
        load = self._next_load()
        if load is not None and not loading:
            return self._begin(load)
        if busy >= self._workers:
            return None
        if load is not None and not is_here(load):
            load = None
        ready = [i for i in self._waiting if not self._needs[i] & self._left and self._is_free(i)]
        first = min(ready, key=lambda i: (-self._path[i], self._place[i]), default=None)
        if load is not None and (first is None or self.urgency(load) >= self._path[first]):
            return self._begin(load)
        return None if first is None else self._begin(self._batch(first))

    def done(self, task: Task) -> None:
        """A task has ended, however it did: what waited for it may begin."""
        self._running.remove(task)
        self._done.update(task.ids)

    def _next_load(self) -> Task | None:
        """Large objects wait until they have been made; tables are there since the schema."""
        left = self._left
        for task in self._loads:
            if not any(self._needs[i] & left for i in task.ids):
                return task
        return None

    def _begin(self, task: Task) -> Task:
        self._running.append(task)
        if task.loads:
            self._loads.remove(task)
        self._waiting.difference_update(task.ids)
        return task

    @property
    def _left(self) -> set[int]:
        return self._by_id.keys() - self._done

    def _is_free(self, item: int) -> bool:
        return not any(self._conflict(item, other) for task in self._running for other in task.ids)

    def _conflict(self, one: int, other: int) -> bool:
        return bool(
            self._locks[one] & (self._needs[other] | {other})
            or self._locks[other] & (self._needs[one] | {one})
        )

    def _batch(self, first: int) -> Task:
        """`first`, and with it other small ones that could begin now or once those before them are done."""
        taken, seconds = {first}, self._seconds.get(first, 0.0)
        if seconds <= _SMALL_S:
            left = self._left
            for item in sorted(self._waiting, key=self._place.__getitem__):
                own = self._seconds.get(item, 0.0)
                if item in taken or own > _SMALL_S or seconds + own > _BATCH_S or len(taken) >= _GROUP_ITEMS:
                    continue
                before = {i for i in taken if self._place[i] < self._place[item]}
                if not (self._needs[item] & left) - before and self._is_free(item):
                    taken.add(item)
                    seconds += own
        return Task(tuple(sorted(taken, key=self._place.__getitem__)))

    def _paths(self) -> dict[int, float]:
        """For each item, the seconds of the longest chain of items of which each waits for the one before."""
        after: dict[int, list[int]] = defaultdict(list)
        for item, needs in self._needs.items():
            for needed in needs:
                if needed in self._by_id:
                    after[needed].append(item)
        path: dict[int, float] = {}
        for item in sorted(self._place, key=self._place.__getitem__, reverse=True):
            # An archive's order has what is needed first; a damaged one may not, and gets no chain then.
            path[item] = self._seconds.get(item, 0.0) + max(
                (path.get(i, 0.0) for i in after[item]), default=0.0
            )
        return path

    def _urgency(self, task: Task) -> tuple[float, int]:
        return -self.urgency(task), self._place[task.ids[0]]


def _needs(contents: Contents, left: Mapping[int, TocEntry]) -> dict[int, frozenset[int]]:
    """What each item that is left waits for: where a post-data item depends on a table, for its data."""
    data = {
        d: e.dump_id
        for e in contents.entries
        if e.desc == "TABLE DATA"
        for d in e.dependencies
    }  # fmt: skip
    tables = {e.dump_id for e in contents.entries if e.desc in _TABLES}
    found = {}
    for entry in left.values():
        on = set()
        for needed in entry.dependencies:
            table = needed in tables and entry.section == _POST_DATA
            on.add(data.get(needed, needed) if table else needed)
        found[entry.dump_id] = frozenset(on)
    return found


def _locked(entry: TocEntry, needs: frozenset[int]) -> frozenset[int]:
    """The items whose tables an item locks for itself: of an index none."""
    if entry.section != _POST_DATA or entry.desc in ("INDEX", "INDEX ATTACH"):
        return frozenset()
    return needs


def _groups(blocks: Iterable[BlockOffset], alone: Collection[int]) -> list[tuple[BlockOffset, ...]]:
    """Blocks that lie one behind another, small ones together; those of `alone`, which wait, singly."""
    groups: list[list[BlockOffset]] = []
    for block in sorted(blocks, key=lambda b: b.offset):
        last = groups[-1] if groups else None
        if (
            last is not None
            and not {last[-1].dump_id, block.dump_id} & set(alone)
            and last[-1].offset + last[-1].size_bytes == block.offset
            and len(last) < _GROUP_ITEMS
            and sum(b.size_bytes for b in last) + block.size_bytes <= _GROUP_BYTES
        ):
            last.append(block)
        else:
            groups.append([block])
    return [tuple(group) for group in groups]
