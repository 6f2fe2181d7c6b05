"""When a restore will be ready: what each item that is left takes, and how the workers share them.

An item's seconds come from earlier restores of the same database, else from a measured machine; either way
they are scaled by how this restore has kept to them so far, first over all, then by kind. The fraction of the
cost that is done would not do: while one worker loads the largest table the others may idle, and indexes wait
for their table.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from tui.model.event import Item, ItemsListed, Phase
from tui.postgres.progress.schedule import Task, makespan
from tui.postgres.progress.work import Stretch, Work

# Seconds on the machine of the measurements (two cores, PostgreSQL 18): of a row that is loaded, of a byte of
# its compressed data, of a table; of an index's or foreign key's row; of anything else.
_ROW_S, _BYTE_S, _TABLE_S = 0.25e-6, 2.6e-8, 0.008
_INDEX_ROW_S, _KEY_ROW_S = 0.4e-6, 0.15e-6
_ITEM_S = 0.002
_BYTES_A_ROW = 35  # of compressed data, where only one of the two is known
_CREATE_S, _CHECK_ROW_S, _FETCH_BYTE_S = 0.1, 5e-8, 4e-8

_LOCKING = frozenset({"CONSTRAINT", "FK CONSTRAINT", "CHECK CONSTRAINT"})  # ALTER TABLE

# ANALYZE looks at 30,000 rows of a table, which lie apart in a large one.
_ANALYZE_S, _ANALYZE_ROW_S, _ANALYZE_ROWS, _ANALYZE_FAR_S = 0.002, 0.6e-6, 30_000, 0.25

# What part of all that is expected has to be done before its pace is believed over the model: for what is of
# another kind, and for its own kind. Where earlier restores were learned from, it is known well how kinds
# compare, and a pace that differs is more often a passing one.
_DOUBT, _LEARNED_DOUBT, _OWN_DOUBT, _LEAST_DOUBT_S = 0.05, 0.4, 0.05, 0.3
_OWN_PACE_S = 1.5  # an item's own pace counts after so long
_ENOUGH = 0.02  # of the expected time has to pass before the forecast outweighs the first estimate


def expected_s(item: Item) -> float:
    """Given an item, returns how many seconds it is expected to take one worker."""
    if item.expected_s is not None:
        return item.expected_s
    rows, size = item.rows, item.weight_bytes
    if rows is None:
        rows = (size if size is not None else 1 << 20) // _BYTES_A_ROW
    if size is None:
        size = rows * _BYTES_A_ROW
    if item.phase is Phase.DATA and item.desc in ("TABLE DATA", "BLOBS", "MATERIALIZED VIEW DATA"):
        return rows * _ROW_S + size * _BYTE_S + _TABLE_S
    if item.phase is Phase.INDEXES:
        return rows * _INDEX_ROW_S + _ITEM_S
    if item.phase is Phase.FOREIGN_KEYS or item.desc == "CHECK CONSTRAINT":
        return rows * _KEY_ROW_S + _ITEM_S
    return _ITEM_S


def left_s(
    now: datetime,
    works: Collection[Work],
    stretches: Mapping[Phase, Stretch],
    listed: ItemsListed,
    workers: int,
) -> float:
    """Given a restore's items and phases as they stand, returns how many seconds it will still take."""
    base = {id(work): expected_s(work.item) for work in works}
    rates = _rates(works, base)
    tasks = [
        _task(now, work, base[id(work)] * rates[work.item.phase])
        for work in works
        if work.finished_at is None
    ]
    items = makespan(tasks, workers)
    # Phases without items have no pace of their own, and share the rest's only in part: ANALYZE computes
    # where a load writes.
    pace = (1 + rates[None]) / 2
    return items + sum(_stretch_left_s(now, s, works, listed, pace) for s in stretches.values())


def ready(
    now: datetime,
    started_at: datetime | None,
    left: float | None,
    listed: ItemsListed | None,
) -> tuple[datetime | None, datetime | None]:
    """Given the forecast of what is left and what was estimated at first, returns the earliest and the latest
    moment at which a job will be ready; None where nothing is known yet.

    At the very beginning the estimate counts. The range narrows with what is left; where earlier restores
    were learned from, it begins half as wide.
    """
    if started_at is None or left is None:
        return None, None
    passed = max(0.0, (now - started_at).total_seconds())
    part = left / (passed + left) if passed + left > 0 else 0.0
    learned = listed is not None and listed.basis.startswith("learned")
    spread = 0.05 + (0.15 if learned else 0.3) * part
    low, high = left * (1 - spread), left * (1 + spread)
    if listed is not None and listed.low_s is not None and listed.high_s is not None:
        trust = min(1.0, (1 - part) / _ENOUGH)
        low = (1 - trust) * max(0.0, listed.low_s - passed) + trust * low
        high = (1 - trust) * max(0.0, listed.high_s - passed) + trust * high
    return now + timedelta(seconds=low), now + timedelta(seconds=max(low, high))


def _rates(works: Collection[Work], base: Mapping[int, float]) -> Mapping[Phase | None, float]:
    """How many seconds a second of the model takes here: over all (None), and for each phase of items."""
    taken: dict[Phase | None, float] = defaultdict(float)
    meant: dict[Phase | None, float] = defaultdict(float)
    for work in works:
        if work.launched_at is None or work.launched_at == work.finished_at or work.failed:
            continue  # not begun, or done by an earlier job
        fraction = 1.0 if work.finished_at is not None else work.fraction
        until = work.finished_at or work.seen_at
        if until is None or until <= work.launched_at or not fraction or fraction < 0.02:
            continue
        for phase in (None, work.item.phase):
            taken[phase] += (until - work.launched_at).total_seconds()
            meant[phase] += base[id(work)] * fraction
    learned = any(work.item.expected_s is not None for work in works)
    doubt = max(_LEAST_DOUBT_S, (_LEARNED_DOUBT if learned else _DOUBT) * sum(base.values()))
    overall = (taken[None] + doubt) / (meant[None] + doubt)
    rates: dict[Phase | None, float] = dict.fromkeys(Phase, overall)
    rates[None] = overall
    for phase, seconds in taken.items():
        if phase is not None:
            total = sum(base[id(work)] for work in works if work.item.phase is phase)
            doubt = max(_LEAST_DOUBT_S, _OWN_DOUBT * total)
            rates[phase] = (seconds + doubt * overall) / (meant[phase] + doubt)
    return rates


def _item_left_s(now: datetime, work: Work, meant: float) -> float:
    if work.launched_at is None:
        return meant
    passed = (now - work.launched_at).total_seconds()
    whole = meant
    if work.fraction and work.seen_at is not None and work.seen_at > work.launched_at:
        seen = (work.seen_at - work.launched_at).total_seconds()
        own = min(1.0, seen / _OWN_PACE_S) * min(1.0, work.fraction / 0.1)
        whole = own * seen / work.fraction + (1 - own) * meant
    return max(whole - passed, 0.05 * whole)


def _task(now: datetime, work: Work, meant: float) -> Task:
    item, running = work.item, work.launched_at is not None
    table = (item.schema or "", item.table or item.name)
    return Task(
        item.dump_id, item.phase, table, _item_left_s(now, work, meant), running, item.desc in _LOCKING
    )


def _stretch_left_s(
    now: datetime, stretch: Stretch, works: Collection[Work], listed: ItemsListed, pace: float
) -> float:
    if stretch.over:
        return 0.0
    known = listed.phase_s.get(stretch.phase.value)
    rows = [w.item.rows or 0 for w in works if w.item.desc == "TABLE DATA"]
    if stretch.phase is Phase.FETCH:
        left = stretch.left_s(now)
        return left if left is not None else (stretch.total or 0) * _FETCH_BYTE_S
    if known is not None:
        whole = known
    elif stretch.phase is Phase.ANALYZE:
        whole = sum(map(_analyze_s, rows))
    elif stretch.phase is Phase.CHECK:
        whole = _CREATE_S + sum(rows) * _CHECK_ROW_S
    else:
        whole = _CREATE_S
    whole *= pace
    if stretch.began_at is None:
        return whole
    return max(whole - (now - stretch.began_at).total_seconds(), 0.05 * whole)


def _analyze_s(rows: int) -> float:
    far = _ANALYZE_FAR_S * min(1.0, rows / 1e6) if rows > _ANALYZE_ROWS else 0.0
    return _ANALYZE_S + min(rows, _ANALYZE_ROWS) * _ANALYZE_ROW_S + far
