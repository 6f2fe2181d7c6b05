"""One item or phase of a job at work: what it costs, how far it is, how fast it goes."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

from tui.model.event import IndexAdvanced, Item, Phase

# Costs in bytes of compressed table data: what takes as long as loading that many. On the machine the
# design was measured on (two cores, 12 MB/s) an object without data takes some milliseconds; building
# an index costs a part of its table's load, checking a foreign key less. Rough: the pace corrects it.
_ANY_ITEM = 64 << 10
_BYTES_PER_S = 12e6
_UNKNOWN_TABLE = 1 << 20
_PER_ROW = 40
_INDEX_PART = 0.25
_FOREIGN_KEY_PART = 0.08
_SCAN_PART = 0.03

_WINDOW = timedelta(seconds=10)
_STALE = timedelta(seconds=20)

# Stages of pg_stat_progress_create_index for a btree, and which part of the build each one is.
_STAGES = (("scanning table", 0.0, 0.55), ("sorting", 0.55, 0.65), ("loading tuples", 0.65, 1.0))


def item_cost(item: Item) -> float:
    """Given an item, returns its cost in bytes of compressed table data."""
    if item.expected_s is not None:
        return item.expected_s * _BYTES_PER_S
    table = _table_cost(item)
    if item.phase is Phase.DATA and item.desc in ("TABLE DATA", "BLOBS"):
        return table + _ANY_ITEM
    if item.phase is Phase.INDEXES:
        return table * _INDEX_PART + _ANY_ITEM
    if item.phase is Phase.FOREIGN_KEYS:
        return table * _FOREIGN_KEY_PART + _ANY_ITEM
    if item.desc == "MATERIALIZED VIEW DATA":
        return _UNKNOWN_TABLE
    return (table * _SCAN_PART if item.desc == "CHECK CONSTRAINT" else 0) + _ANY_ITEM


def _table_cost(item: Item) -> float:
    if item.weight_bytes is not None:
        return item.weight_bytes
    if item.rows is not None:
        return item.rows * _PER_ROW
    return _UNKNOWN_TABLE


def stage_of(event: IndexAdvanced) -> tuple[str, float | None]:
    """Given a line of pg_stat_progress_create_index, returns its stage in a word and how much of the
    build is done, one number over all stages; None where the server doesn't tell."""
    part = _part(event)
    for name, low, high in _STAGES:
        if name in event.stage:
            return name.split(" ", 1)[0], low + (high - low) * (part or 0.0)
    # Other access methods have one stage, "building index", and count blocks.
    return event.stage.removeprefix("building index: ") or "building", part


def stage_percent(event: IndexAdvanced) -> str:
    """Given the same, returns `64 %` of the stage at work, or nothing where it doesn't tell."""
    part = _part(event)
    return "" if part is None else f"{part:.0%}".replace("%", " %")


def _part(event: IndexAdvanced) -> float | None:
    # Counters of an earlier stage stay in the view, so each stage has its own to look at.
    loading = "loading tuples" in event.stage
    done, total = (
        (event.tuples_done, event.tuples_total) if loading else (event.blocks_done, event.blocks_total)
    )
    if "sorting" in event.stage or total <= 0:
        return None
    return min(1.0, max(0.0, done / total))


class Pace:
    """How fast a counter rises, over the last ten seconds."""

    def __init__(self) -> None:
        self._seen: deque[tuple[datetime, int]] = deque()

    def add(self, at: datetime, value: int) -> None:
        """Notes that the counter stood at `value`. A value that falls begins anew."""
        if self._seen and value < self._seen[-1][1]:
            self._seen.clear()
        self._seen.append((at, value))
        while len(self._seen) > 2 and at - self._seen[1][0] >= _WINDOW:
            self._seen.popleft()

    def per_s(self, now: datetime) -> float | None:
        """The rate in units a second; None before two looks, or when the last one is long ago."""
        if len(self._seen) < 2 or now - self._seen[-1][0] > _STALE:
            return None
        (first_at, first), (last_at, last) = self._seen[0], self._seen[-1]
        seconds = (last_at - first_at).total_seconds()
        return (last - first) / seconds if seconds > 0 else None


class Work:
    """An item from waiting to done. Its `fraction` never goes back; None: not known."""

    __slots__ = (
        "bytes", "bytes_pace", "cost", "detail", "failed", "finished_at", "fraction", "item",
        "launched_at", "positioned", "rows", "rows_pace", "seen_at", "slot", "stage",
    )  # fmt: skip

    def __init__(self, item: Item) -> None:
        self.item = item
        self.cost = item_cost(item)
        self.launched_at: datetime | None = None
        self.finished_at: datetime | None = None
        self.slot = 0
        self.failed = False
        self.fraction: float | None = None
        self.seen_at: datetime | None = None  # when the server last told how far it is
        self.positioned = False  # its worker's place in the archive is known
        self.rows: int | None = None
        self.bytes = 0
        self.stage = ""
        self.detail = ""
        self.rows_pace: Pace | None = None  # made when first needed: most items never are
        self.bytes_pace: Pace | None = None

    @property
    def running(self) -> bool:
        """Launched and not finished."""
        return self.launched_at is not None and self.finished_at is None

    @property
    def rows_done(self) -> int | None:
        """Rows loaded. The server's view is gone before the last rows are seen, so what a finished
        table holds is what was expected of it; a COPY that failed has loaded none."""
        if self.failed:
            return 0
        if self.finished_at is not None:
            return self.item.rows if self.item.rows is not None else self.rows
        return self.rows

    def advance(self, at: datetime, fraction: float | None) -> None:
        """Takes a new fraction if it is further than the last one."""
        if fraction is not None:
            self.seen_at = at
            self.fraction = max(self.fraction or 0.0, min(1.0, fraction))

    def load(self, at: datetime, rows: int, size: int, bytes_per_weight: float) -> None:
        """A look at the table's COPY: rows and uncompressed bytes so far."""
        if self.rows_pace is None or self.bytes_pace is None:
            self.rows_pace, self.bytes_pace = Pace(), Pace()
        self.rows, self.bytes = max(self.rows or 0, rows), max(self.bytes, size)
        self.rows_pace.add(at, self.rows)
        self.bytes_pace.add(at, self.bytes)
        if self.item.rows:
            self.advance(at, self.rows / self.item.rows)
        elif self.item.weight_bytes and not self.positioned:
            self.advance(at, min(0.95, size / (self.item.weight_bytes * bytes_per_weight)))

    def read(self, at: datetime, size: int) -> None:
        """A look at how much of its compressed data has been read."""
        if self.item.weight_bytes:
            self.positioned = True
            self.advance(at, min(0.99, size / self.item.weight_bytes))

    def left_s(self, now: datetime) -> float | None:
        """Seconds until it is done, as far as its pace tells."""
        if not self.running or not self.fraction or self.launched_at is None:
            return None
        rate = self.rows_pace.per_s(now) if self.rows_pace else None
        if rate and self.item.rows and self.rows is not None:
            return max(0.0, self.item.rows - self.rows) / rate
        if self.fraction < 0.05:
            return None
        passed = (now - self.launched_at).total_seconds()
        return max(0.0, passed * (1 - self.fraction) / self.fraction)


class Stretch:
    """A phase that isn't told by items: a download, ANALYZE, a dump."""

    def __init__(self, phase: Phase, cost: float) -> None:
        self.phase = phase
        self.cost = cost
        self.began_at: datetime | None = None
        self.over = False
        self.done = 0
        self.total: int | None = None
        self.fraction = 0.0
        self.pace = Pace()

    @property
    def running(self) -> bool:
        """Begun and not over."""
        return self.began_at is not None and not self.over

    def move(self, at: datetime, done: int, total: int | None) -> None:
        """A look at its bytes."""
        self.done, self.total = done, total
        self.pace.add(at, done)
        if total:
            self.fraction = max(self.fraction, min(1.0, done / total))

    def left_s(self, now: datetime) -> float | None:
        """Seconds until its bytes are moved, at their pace."""
        rate = self.pace.per_s(now)
        if not rate or self.total is None:
            return None
        return max(0, self.total - self.done) / rate
