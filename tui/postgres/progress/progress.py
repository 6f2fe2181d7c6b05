"""Folds a job's journal into the picture that a pane shows of it.

The same entries always give the same picture: the app, a second engineer's app and a test replay the
same file and see the same. A picture costs as much as it has lines; an event costs the same always.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime

from tui.model.event import (
    ArchivePosition,
    BytesMoved,
    CancelAsked,
    CheckDone,
    Entry,
    ErrorSeen,
    IndexAdvanced,
    ItemFinished,
    ItemLaunched,
    ItemsDone,
    ItemsListed,
    JobEnded,
    JobKind,
    JobStarted,
    JobState,
    LoadAdvanced,
    LogLine,
    Phase,
    PhaseBegan,
    StatementSeen,
    Told,
)
from tui.model.incident import Sent
from tui.model.progress import PhaseLine, Progress, WorkerLine
from tui.model.text import clean
from tui.model.verdict import Check, RestoreError
from tui.postgres.progress import text as words
from tui.postgres.progress.forecast import left_s, ready
from tui.postgres.progress.lines import duration, index_line, stretch_line, table_line, worker_line
from tui.postgres.progress.work import Stretch, Work, stage_of, stage_percent

_LOG_LINES = 200
_ORDER = {phase: place for place, phase in enumerate(Phase)}
_BUILT = frozenset({"INDEX", "CONSTRAINT"})
_NOTED = frozenset({Phase.DATA, Phase.INDEXES, Phase.FOREIGN_KEYS})  # whose ends the log tells

# Costs of what isn't told by items, in bytes of compressed table data (see progress_work).
_SMALL = 1 << 20
_FETCH_PART = 0.3
_ANALYZE_PART = 0.03
_CHECK_PART = 0.1
_UNCOMPRESSED = 4.0  # bytes of COPY text in a compressed byte, until this restore has taught better


class Fold:
    """A job's picture, one entry after another."""

    def __init__(self, log_lines: int | None = _LOG_LINES) -> None:
        """`log_lines`: so many of the log's last lines are kept; None: all, until they are taken."""
        self._started: JobStarted | None = None
        self._started_at: datetime | None = None
        self._updated_at: datetime | None = None
        self._ended: JobEnded | None = None
        self._ended_at: datetime | None = None
        self._listed: ItemsListed | None = None
        self._work: dict[int, Work] = {}
        self._loads: dict[tuple[str, str], Work] = {}
        self._builds: dict[tuple[str, str], Work] = {}
        self._builds_on: dict[tuple[str, str], list[Work]] = {}
        self._stretches: dict[Phase, Stretch] = {}
        self._running: dict[int, Work] = {}
        self._counts: dict[Phase, list[int]] = {}  # done, total
        self._costs: dict[Phase, list[float]] = {}  # done, total
        self._fraction = 0.0
        self._taught = [0.0, 0.0]  # uncompressed and compressed bytes of the tables that are done
        self._statement: StatementSeen | None = None
        self._errors: list[RestoreError] = []
        self._checks: list[Check] = []
        self._told: list[Sent] = []
        self._log: deque[str] = deque(maxlen=log_lines)

    def add(self, entry: Entry) -> None:
        """Takes the next entry of the journal. What doesn't fit what came before is left aside."""
        at, event = entry.at, entry.event
        self._updated_at = at
        match event:
            case JobStarted():
                self._start(at, event)
            case ItemsListed():
                self._list(event)
            case PhaseBegan():
                self._begin(at, event.phase)
            case BytesMoved():
                self._move(at, event)
            case ItemLaunched():
                self._launch(at, event.dump_id)
            case ItemFinished():
                self._finish(at, event.dump_id)
            case ItemsDone():
                self._take_over(at, event)
            case LoadAdvanced():
                self._load(at, event)
            case ArchivePosition():
                self._read(at, event)
            case IndexAdvanced():
                self._build(at, event)
            case StatementSeen():
                self._see(event)
            case LogLine():
                self._say(at, clean(event.text))
            case ErrorSeen():
                self._fail(at, event.error)
            case CheckDone():
                self._checks.append(event.check)
            case Told():
                self._told.append(event.sent)
                self._say(at, words.told_channel(event.sent))
            case CancelAsked():
                kept = "kept" if event.keep else "dropped"
                self._say(at, f"{clean(event.operator)} asked to stop; what was restored is {kept}")
            case JobEnded():
                self._end(at, event)
        self._advance()

    # ----------------------------------------------------------------------------------- events

    def _start(self, at: datetime, event: JobStarted) -> None:
        self._started, self._started_at = event, at
        if event.kind is JobKind.BACKUP:
            expected = {Phase.DUMP: 2.0 * _SMALL, Phase.STORE: 1.0 * _SMALL}
        elif event.kind is JobKind.COPY:
            expected = {Phase.STORE: 1.0 * _SMALL}
        else:
            expected = {Phase.CREATE: 2.0 * _SMALL, Phase.ANALYZE: 1.0 * _SMALL}
            if event.kind in (JobKind.VERIFY, JobKind.DRILL):
                expected[Phase.CHECK] = 1.0 * _SMALL
        for phase, cost in expected.items():
            self._stretch(phase, cost)

    def _list(self, event: ItemsListed) -> None:
        if self._listed is not None:
            return
        self._listed = event
        data = 0.0
        for item in event.items:
            work = Work(item)
            self._work[item.dump_id] = work
            counts, costs = self._sums(item.phase)
            counts[1] += 1
            costs[1] += work.cost
            key = (item.schema or "", item.name)
            if item.phase is Phase.DATA:
                data += work.cost
            if item.desc == "TABLE DATA":
                self._loads[key] = work
            elif item.desc in _BUILT:
                self._builds[key] = work
                self._builds_on.setdefault((item.schema or "", item.table or ""), []).append(work)
        for phase, part in ((Phase.ANALYZE, _ANALYZE_PART), (Phase.CHECK, _CHECK_PART)):
            if phase in self._stretches:
                self._cost(self._stretches[phase], data * part + _SMALL)

    def _begin(self, at: datetime, phase: Phase) -> None:
        if phase not in words.STRETCHES:  # told by its items
            return
        stretch = self._stretch(phase, _SMALL)
        if stretch.began_at is not None:
            return
        # Rows are counted while pg_dump writes; everything else ends when the next begins.
        self._end_stretches(keep=Phase.DUMP if phase is Phase.COUNT else None)
        stretch.began_at = at
        self._statement = None
        self._say(at, words.STRETCHES[phase])

    def _move(self, at: datetime, event: BytesMoved) -> None:
        self._begin(at, event.phase)
        stretch = self._stretches.get(event.phase)
        if stretch is None:
            return
        before = stretch.fraction
        stretch.move(at, event.done, event.total)
        if event.phase is Phase.FETCH and event.total and stretch.cost == _SMALL:
            self._cost(stretch, event.total * _FETCH_PART + _SMALL)
        if not stretch.over:
            self._sums(event.phase)[1][0] += (stretch.fraction - before) * stretch.cost

    def _launch(self, at: datetime, dump_id: int) -> None:
        work = self._work.get(dump_id)
        if work is None or work.launched_at is not None:
            return
        self._end_stretches(keep=None)
        work.launched_at = at
        taken = {other.slot for other in self._running.values()}
        work.slot = next(slot for slot in range(1, len(taken) + 2) if slot not in taken)
        self._running[dump_id] = work
        self._say(at, words.launched(work.item))

    def _finish(self, at: datetime, dump_id: int) -> None:
        work = self._work.get(dump_id)
        if work is None or work.finished_at is not None:
            return
        work.launched_at = work.launched_at or at
        work.finished_at = at
        self._running.pop(dump_id, None)
        counts, costs = self._sums(work.item.phase)
        counts[0] += 1
        costs[0] += work.cost * (1 - (work.fraction or 0.0))
        work.fraction = 1.0
        if work.bytes and work.item.weight_bytes and not work.failed:
            self._taught[0] += work.bytes
            self._taught[1] += work.item.weight_bytes
        if work.item.phase in _NOTED or work.failed:
            seconds = (at - work.launched_at).total_seconds()
            self._say(at, words.finished(work.item, seconds, work.rows_done, work.failed))

    def _take_over(self, at: datetime, event: ItemsDone) -> None:
        """What an earlier job has done counts as done, but tells nothing of this one's pace."""
        for dump_id in event.ids:
            work = self._work.get(dump_id)
            if work is None or work.finished_at is not None:
                continue
            work.launched_at = work.finished_at = at
            work.fraction = 1.0
            counts, costs = self._sums(work.item.phase)
            counts[0] += 1
            costs[0] += work.cost
        self._say(at, f"{len(event.ids)} items are done since {clean(event.job)}")

    def _load(self, at: datetime, event: LoadAdvanced) -> None:
        work = self._loads.get((event.schema, event.table))
        if work is None or work.finished_at is not None:
            return
        enough = self._taught[1] > _SMALL
        before = work.fraction or 0.0
        work.load(
            at,
            event.rows,
            event.bytes,
            self._taught[0] / self._taught[1] if enough else _UNCOMPRESSED,
        )
        work.detail = words.rows_of(work.rows, work.item.rows)
        self._sums(work.item.phase)[1][0] += ((work.fraction or 0.0) - before) * work.cost

    def _read(self, at: datetime, event: ArchivePosition) -> None:
        work = self._work.get(event.dump_id)
        if work is not None and work.running:
            before = work.fraction or 0.0
            work.read(at, event.bytes)
            self._sums(work.item.phase)[1][0] += ((work.fraction or 0.0) - before) * work.cost

    def _build(self, at: datetime, event: IndexAdvanced) -> None:
        work = self._builds.get((event.schema, event.index))
        if work is None or not work.running:  # a plain CREATE INDEX has no name in the view until it is done
            on = self._builds_on.get((event.schema, event.table), ())
            work = next((w for w in on if w.running), None)
        if work is None:
            return
        before = work.fraction or 0.0
        work.stage, fraction = stage_of(event)
        work.advance(at, fraction)
        work.detail = f"{work.stage} {stage_percent(event)}".rstrip()
        self._sums(work.item.phase)[1][0] += ((work.fraction or 0.0) - before) * work.cost

    def _see(self, event: StatementSeen) -> None:
        self._statement = event
        waits = f"waits for {clean(event.wait, 40)}" if event.wait else ""
        for work in self._running.values():
            item = work.item
            named = event.name is not None and item.name == event.name
            if item.desc not in _BUILT and (named or (event.table is not None and item.table == event.table)):
                work.detail = waits

    def _fail(self, at: datetime, error: RestoreError) -> None:
        self._errors.append(error)
        if not error.harmless and error.dump_id in self._work:
            self._work[error.dump_id].failed = True
        self._say(at, words.told(error))

    def _end(self, at: datetime, event: JobEnded) -> None:
        self._ended, self._ended_at = event, at
        if event.state is JobState.DONE:
            self._end_stretches(keep=None)
        ending = f": {clean(event.message)}" if event.message else ""
        verdict = f", {event.verdict.value}" if event.verdict else ""
        self._say(at, f"{event.state.value}{verdict}{ending}")

    # ------------------------------------------------------------------------------------- sums

    def _say(self, at: datetime, text: str) -> None:
        self._log.append(words.log_line(at, text))

    def _sums(self, phase: Phase) -> tuple[list[int], list[float]]:
        return self._counts.setdefault(phase, [0, 0]), self._costs.setdefault(phase, [0.0, 0.0])

    def _stretch(self, phase: Phase, cost: float) -> Stretch:
        if phase not in self._stretches:
            self._stretches[phase] = Stretch(phase, 0.0)
            self._cost(self._stretches[phase], cost)
        return self._stretches[phase]

    def _cost(self, stretch: Stretch, cost: float) -> None:
        costs = self._sums(stretch.phase)[1]
        costs[0] += (cost - stretch.cost) * (1.0 if stretch.over else stretch.fraction)
        costs[1] += cost - stretch.cost
        stretch.cost = cost

    def _end_stretches(self, keep: Phase | None) -> None:
        for stretch in self._stretches.values():
            if stretch.running and stretch.phase is not keep:
                stretch.over = True
                self._sums(stretch.phase)[1][0] += (1 - stretch.fraction) * stretch.cost
                stretch.fraction = 1.0

    def _advance(self) -> None:
        done = sum(costs[0] for costs in self._costs.values())
        total = sum(costs[1] for costs in self._costs.values())
        if total > 0:
            self._fraction = max(self._fraction, min(0.999, done / total))
        if self._ended is not None and self._ended.state is JobState.DONE:
            self._fraction = 1.0

    # ---------------------------------------------------------------------------------- picture

    @property
    def ended(self) -> bool:
        """Whether the job has said how it ended."""
        return self._ended is not None

    def take_log(self) -> tuple[str, ...]:
        """Returns the log's lines since they were taken last, as far as they were kept."""
        taken = tuple(self._log)
        self._log.clear()
        return taken

    def picture(self, now: datetime) -> Progress:
        """The job as it stands at `now` (aware), from what was added so far."""
        started, ended = self._started, self._ended
        low, high = (None, None) if ended else ready(now, self._started_at, self._left_s(now), self._listed)
        tables = tuple(table_line(w) for w in self._loads.values())
        keys = self._counts.get(Phase.FOREIGN_KEYS, [0, 0])
        until = self._ended_at or now
        fetch = self._stretches.get(Phase.FETCH)
        loaded = [t.rows_done for t in tables if t.rows_done is not None]
        return Progress(
            job=started.job if started else "",
            kind=started.kind if started else JobKind.RESTORE,
            state=ended.state if ended else JobState.RUNNING,
            database=started.database if started else "",
            ref=started.ref if started else None,
            target=started.target if started else None,
            operator=started.operator if started else "",
            host=started.host if started else "",
            started_at=self._started_at,
            updated_at=self._updated_at,
            ended_at=self._ended_at,
            rto_s=started.rto_s if started else None,
            fraction=self._fraction,
            ready_low=low,
            ready_high=high,
            basis=self._listed.basis if self._listed else "",
            bytes_per_s=self._bytes_per_s(now),
            phases=tuple(self._phase(p) for p in sorted(self._costs, key=_ORDER.__getitem__)),
            workers=() if ended else tuple(self._workers(now)),
            tables=tables,
            indexes=tuple(index_line(w) for w in self._builds.values()),
            foreign_keys_done=keys[0],
            foreign_keys_total=keys[1],
            items_done=sum(1 for w in self._work.values() if w.finished_at is not None),
            items_total=len(self._work),
            errors=tuple(self._errors),
            checks=tuple(self._checks),
            log=tuple(self._log),
            verdict=ended.verdict if ended else None,
            message=ended.message if ended else None,
            mend=ended.mend if ended else None,
            duration_s=duration(ended, self._started_at, until),
            rows=ended.rows if ended and ended.rows is not None else (sum(loaded) if loaded else None),
            fetched_bytes=ended.fetched_bytes
            if ended and ended.fetched_bytes is not None
            else (fetch.done if fetch else None),
            made_ref=ended.ref if ended else None,
            unreachable=ended.unreachable if ended else False,
            told=tuple(self._told),
            refused=ended.refused if ended else False,
        )

    def _left_s(self, now: datetime) -> float | None:
        if self._listed is None:
            return None
        workers = self._started.workers if self._started else 1
        return left_s(now, self._work.values(), self._stretches, self._listed, workers)

    def _bytes_per_s(self, now: datetime) -> float | None:
        if self._ended is not None:
            return None
        paces = [w.bytes_pace for w in self._running.values() if w.bytes_pace]
        paces += [s.pace for s in self._stretches.values() if s.running]
        rates = [rate for pace in paces if (rate := pace.per_s(now)) is not None]
        return sum(rates) if rates else None

    def _phase(self, phase: Phase) -> PhaseLine:
        counts, costs = self._sums(phase)
        stretch = self._stretches.get(phase)
        if stretch is not None:
            state = "done" if stretch.over else "running" if stretch.running else "waiting"
            made = len(self._checks) if phase is Phase.CHECK else 0
            return PhaseLine(phase, state, made, made, stretch.fraction)
        done, total = counts
        begun = done > 0 or any(w.item.phase is phase for w in self._running.values())
        state = "done" if done == total else "running" if begun else "waiting"
        # Items that weigh nothing are counted instead
        share = costs[0] / costs[1] if costs[1] else done / total if total else 0.0
        fraction = 1.0 if done == total else min(0.999, share)
        return PhaseLine(phase, state, done, total, fraction)

    def _workers(self, now: datetime) -> list[WorkerLine]:
        lines = [worker_line(w, now) for w in sorted(self._running.values(), key=lambda w: w.slot)]
        taken = {line.slot for line in lines}
        for stretch in self._stretches.values():
            if stretch.running:
                slot = next(n for n in range(1, len(taken) + 2) if n not in taken)
                taken.add(slot)
                lines.append(stretch_line(stretch, slot, now, self._statement, self._started))
        return lines
