"""How long a restore's workers need for what is left, each taking the next item that may begin.

Data goes first, by its size; a table's indexes wait for its data, its foreign keys for its indexes; what
locks a table is done alone on it; items of the schema are done by one worker, before all others
(pg_backup_archiver.c, restore_toc_entries_parallel, has_lock_conflicts).
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from tui.model.event import Phase

_PLAYED = 500  # the longest tasks are played through; many small ones fill whatever gap these leave


@dataclass(frozen=True, slots=True)
class Task:
    """One item that isn't done: how long it still takes, whether a worker has it already, and whether it
    locks its table: then nothing else of that table is done beside it."""

    number: int
    phase: Phase
    table: tuple[str, str]
    seconds: float
    running: bool
    locks: bool = False


def makespan(tasks: list[Task], workers: int) -> float:
    """Given what is left, returns the seconds until the last of it is done."""
    alone = sum(t.seconds for t in tasks if t.phase is Phase.SCHEMA)
    shared = [t for t in tasks if t.phase is not Phase.SCHEMA]
    least = sum(t.seconds for t in shared) / max(1, workers)
    longest = heapq.nlargest(_PLAYED, shared, key=lambda t: t.seconds)
    return alone + max(least, _Play(longest).length(max(1, workers)))


class _Play:
    """Tasks, those that may begin, and those that wait for another of their table."""

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._open: dict[tuple[Phase, tuple[str, str]], int] = defaultdict(int)
        self._waiting: dict[tuple[str, str], list[Task]] = defaultdict(list)
        self._ready: list[tuple[bool, float, int, Task]] = []
        self._busy: list[tuple[float, int, Task]] = []
        self._at: dict[tuple[str, str], list[Task]] = defaultdict(list)  # at work on a table
        every = list(tasks)
        for task in every:
            self._open[task.phase, task.table] += 1
        for task in every:
            if task.running:
                self._begin(task, 0.0)
            else:
                self._add(task)

    def length(self, workers: int) -> float:
        """The seconds until all are done."""
        clock = 0.0
        while self._busy or self._ready:
            passed_over = []
            while self._ready and len(self._busy) < workers:
                first = heapq.heappop(self._ready)
                if self._locked_out(first[-1]):
                    passed_over.append(first)
                else:
                    self._begin(first[-1], clock)
            for later in passed_over:
                heapq.heappush(self._ready, later)
            clock, _, done = heapq.heappop(self._busy)
            self._at[done.table].remove(done)
            self._open[done.phase, done.table] -= 1
            for task in self._waiting.pop(done.table, ()):
                self._add(task)
        return clock

    def _begin(self, task: Task, clock: float) -> None:
        self._at[task.table].append(task)
        heapq.heappush(self._busy, (clock + task.seconds, task.number, task))

    def _locked_out(self, task: Task) -> bool:
        others = self._at[task.table]
        return bool(others) and (task.locks or any(other.locks for other in others))

    def _add(self, task: Task) -> None:
        if self._must_wait(task):
            self._waiting[task.table].append(task)
        else:
            data = task.phase is Phase.DATA
            heapq.heappush(self._ready, (not data, -task.seconds if data else 0.0, task.number, task))

    def _must_wait(self, task: Task) -> bool:
        data, indexes = self._open[Phase.DATA, task.table], self._open[Phase.INDEXES, task.table]
        if task.phase is Phase.INDEXES:
            return data > 0
        return task.phase is Phase.FOREIGN_KEYS and data + indexes > 0
