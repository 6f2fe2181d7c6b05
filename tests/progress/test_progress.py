"""Journals in, pictures out."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.model.backup import Verdict
from tui.model.codec import entry_line, entry_of
from tui.model.event import (
    BytesMoved,
    CheckDone,
    Entry,
    ErrorSeen,
    Event,
    IndexAdvanced,
    Item,
    ItemFinished,
    ItemLaunched,
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
)
from tui.model.progress import Progress
from tui.model.verdict import Check, ErrorClass, RestoreError
from tui.postgres.progress.progress import Fold

T0 = datetime(2026, 11, 21, 3, 10, tzinfo=timezone.utc)
MB = 1_000_000

ITEMS = (
    Item(1, "TABLE", "public", "trades", Phase.SCHEMA),
    Item(2, "TABLE DATA", "public", "trades", Phase.DATA, None, 200 * MB, 12_000_000),
    Item(3, "TABLE DATA", "public", "users", Phase.DATA, None, 10 * MB, None),
    Item(4, "SEQUENCE SET", "public", "users_id_seq", Phase.DATA),
    Item(5, "INDEX", "public", "trades_at_idx", Phase.INDEXES, "trades", 200 * MB, 12_000_000),
    Item(6, "CONSTRAINT", "public", "users_pkey", Phase.INDEXES, "users", 10 * MB),
    Item(7, "FK CONSTRAINT", "public", "trades_user_fkey", Phase.FOREIGN_KEYS, "trades", 200 * MB),
    Item(8, "TRIGGER", "public", "trades t", Phase.FINISH),
)


def started(kind: JobKind = JobKind.RESTORE) -> JobStarted:
    return JobStarted("j1", kind, "db", "offsite:k", "db_restore", "ann", "bastion", 42, 2, 1800.0)


def fold(*events: tuple[float, Event]) -> Fold:
    made = Fold()
    for at, event in events:
        made.add(Entry(T0 + timedelta(seconds=at), event))
    return made


def picture(at: float, *events: tuple[float, Event]) -> Progress:
    return fold(*events).picture(T0 + timedelta(seconds=at))


BEGUN: tuple[tuple[float, Event], ...] = (
    (0, started()),
    (0, ItemsListed(ITEMS, 60.0, 120.0, "learned from 4 restores")),
    (1, PhaseBegan(Phase.CREATE)),
    (2, ItemLaunched(1)),
    (2, ItemFinished(1)),
    (2, ItemLaunched(2)),
    (2, ItemLaunched(3)),
)


def test_an_empty_journal_is_a_picture_too() -> None:
    seen = Fold().picture(T0)
    assert (seen.state, seen.fraction, seen.ready_low, seen.workers) == (JobState.RUNNING, 0.0, None, ())


def test_who_and_what() -> None:
    seen = picture(1, *BEGUN[:2])
    assert (seen.job, seen.kind, seen.database, seen.ref) == ("j1", JobKind.RESTORE, "db", "offsite:k")
    assert (seen.target, seen.operator, seen.host, seen.rto_s) == ("db_restore", "ann", "bastion", 1800.0)
    assert (seen.started_at, seen.basis, seen.items_total) == (T0, "learned from 4 restores", 8)


def test_before_anything_moves_the_estimate_counts() -> None:
    seen = picture(0, *BEGUN[:2])
    assert seen.ready_low == T0 + timedelta(seconds=60)
    assert seen.ready_high == T0 + timedelta(seconds=120)
    without = picture(5, (0, started()))
    assert (without.ready_low, without.ready_high) == (None, None)


def test_a_table_at_work() -> None:
    seen = picture(
        12,
        *BEGUN,
        (8, LoadAdvanced("public", "trades", 3_000_000, 400 * MB)),
        (12, LoadAdvanced("public", "trades", 6_000_000, 800 * MB)),
    )
    worker = seen.workers[0]
    assert (worker.slot, worker.activity, worker.what) == (1, "loading", "public.trades")
    assert worker.detail == "6.0M of 12.0M rows"
    assert worker.fraction == 0.5
    assert worker.rows_per_s == 750_000
    assert worker.bytes_per_s == 100 * MB
    assert worker.left_s == 8.0
    assert worker.running_s == 10.0
    assert seen.bytes_per_s == 100 * MB
    trades = next(t for t in seen.tables if t.name == "trades")
    assert (trades.state, trades.rows_done, trades.rows_expected) == ("loading", 6_000_000, 12_000_000)
    data = next(p for p in seen.phases if p.phase is Phase.DATA)
    assert (data.state, data.done, data.total) == ("running", 0, 3)
    assert 0.4 < data.fraction < 0.5


def test_a_table_without_expected_rows_is_told_by_its_bytes() -> None:
    seen = picture(6, *BEGUN, (6, LoadAdvanced("public", "users", 1000, 20 * MB)))
    assert seen.workers[1].fraction == 0.5  # 20 MB of about 40 MB that 10 MB unpack to
    assert seen.workers[1].detail == "1,000 rows"
    beyond = picture(6, *BEGUN, (6, LoadAdvanced("public", "users", 1000, 900 * MB)))
    assert beyond.workers[1].fraction == 0.95


def test_what_is_finished_holds_what_was_expected() -> None:
    seen = picture(
        9, *BEGUN, (8, LoadAdvanced("public", "trades", 11_000_000, 900 * MB)), (9, ItemFinished(2))
    )
    trades = next(t for t in seen.tables if t.name == "trades")
    assert (trades.state, trades.rows_done) == ("done", 12_000_000)
    assert "03:10:09 finished TABLE DATA public.trades (12,000,000 rows, 7.0s)" in seen.log


def test_a_late_look_changes_nothing_that_is_done() -> None:
    done = (*BEGUN, (9.0, ItemFinished(2)))
    assert picture(9, *done).tables == picture(9, *done, (9, LoadAdvanced("public", "trades", 5, 5))).tables


def test_workers_take_the_lowest_free_place() -> None:
    events = fold(*BEGUN)
    assert [(w.slot, w.what) for w in events.picture(T0).workers] == [
        (1, "public.trades"),
        (2, "public.users"),
    ]
    for event in (ItemFinished(2), ItemLaunched(5)):
        events.add(Entry(T0, event))
    assert [(w.slot, w.what) for w in events.picture(T0).workers] == [
        (1, "public.trades_at_idx"),
        (2, "public.users"),
    ]


def index(stage: str, blocks: int = 0, tuples: int = 0, name: str = "") -> IndexAdvanced:
    return IndexAdvanced("public", "trades", name, stage, blocks, 100, tuples, 100)


@pytest.mark.parametrize("name", ["trades_at_idx", ""])  # a plain CREATE INDEX has no name in the view
def test_stages_of_an_index_are_one_way_forward(name: str) -> None:
    events = fold(*BEGUN, (5, ItemLaunched(5)))
    fractions, details = [], []
    for event in (
        index("initializing", name=name),
        index("building index: scanning table", 20, name=name),
        index("building index: scanning table", 90, name=name),
        index("building index: sorting live tuples", 100, name=name),
        index("building index: loading tuples in tree", 100, 10, name=name),
        index("building index: loading tuples in tree", 100, 95, name=name),
    ):
        events.add(Entry(T0, event))
        line = next(i for i in events.picture(T0).indexes if i.name == "trades_at_idx")
        fractions.append(line.fraction or 0.0)
        details.append(next(w.detail for w in events.picture(T0).workers if w.activity == "indexing"))
    assert fractions == sorted(fractions)
    assert 0.9 < fractions[-1] < 1
    assert details[1:] == ["scanning 20 %", "scanning 90 %", "sorting", "loading 10 %", "loading 95 %"]
    assert line.state == "building"


def test_errors_mark_what_failed() -> None:
    bad = RestoreError("2 TABLE DATA public.trades", 2, "COPY failed", ErrorClass.DATA, False, "m", "d")
    fine = RestoreError("3 TABLE DATA public.users", 3, "role", ErrorClass.ROLE_MISSING, True, "m", "d")
    seen = picture(
        9, *BEGUN, (8, ErrorSeen(bad)), (8, ErrorSeen(fine)), (9, ItemFinished(2)), (9, ItemFinished(3))
    )
    assert [(t.name, t.state, t.rows_done) for t in seen.tables] == [
        ("trades", "failed", 0),
        ("users", "done", None),
    ]
    assert seen.errors == (bad, fine)
    assert "03:10:08 error: COPY failed [2 TABLE DATA public.trades]" in seen.log
    assert "03:10:08 explained: role [3 TABLE DATA public.users]" in seen.log


def test_foreign_keys_have_only_their_statement() -> None:
    seen = picture(
        30,
        *BEGUN,
        *((20.0, e) for n in (2, 3) for e in (ItemFinished(n),)),
        (20, ItemLaunched(7)),
        (25, StatementSeen("public", "trades", "trades_user_fkey", 5.0, "Lock")),
    )
    (worker,) = seen.workers
    assert (worker.activity, worker.fraction, worker.left_s, worker.running_s) == (
        "foreign key",
        None,
        None,
        10.0,
    )
    assert worker.detail == "waits for Lock"
    assert (seen.foreign_keys_done, seen.foreign_keys_total) == (0, 1)


def test_a_download_counts_and_is_shown() -> None:
    events = (*BEGUN[:2], (1.0, PhaseBegan(Phase.FETCH)), (2.0, BytesMoved(Phase.FETCH, 0, 210 * MB)))
    seen = picture(4, *events, (4, BytesMoved(Phase.FETCH, 105 * MB, 210 * MB)))
    (worker,) = seen.workers
    assert (worker.activity, worker.what, worker.detail) == ("fetching", "offsite:k", "105 MB of 210 MB")
    assert (worker.fraction, worker.bytes_per_s, worker.left_s) == (0.5, 52.5 * MB, 2.0)
    assert 0.02 < seen.fraction < 0.2
    assert seen.fetched_bytes == 105 * MB
    assert [p.phase for p in seen.phases][:2] == [Phase.FETCH, Phase.CREATE]


def whole() -> list[tuple[float, Event]]:
    events: list[tuple[float, Event]] = [*BEGUN[:2], (1, PhaseBegan(Phase.FETCH))]
    events += [(1 + n, BytesMoved(Phase.FETCH, n * 21 * MB, 210 * MB)) for n in range(11)]
    events += [(12, PhaseBegan(Phase.CREATE)), (13, ItemLaunched(1)), (13, ItemFinished(1))]
    events += [(13, ItemLaunched(2)), (13, ItemLaunched(3))]
    events += [(14 + n, LoadAdvanced("public", "trades", n * MB, n * 60 * MB)) for n in range(12)]
    events += [(26, ItemFinished(3)), (27, ItemFinished(2)), (27, ItemLaunched(4)), (27, ItemFinished(4))]
    events += [
        (28, ItemLaunched(5)),
        (28, index("building index: scanning table", 50)),
        (30, ItemFinished(5)),
    ]
    events += [(30 + n, e) for n in (6, 7, 8) for e in (ItemLaunched(n), ItemFinished(n))]
    events += [(39, PhaseBegan(Phase.ANALYZE)), (40, PhaseBegan(Phase.CHECK))]
    events += [(40, CheckDone(Check("rows", True, "1", "1")))]
    return events


def test_a_whole_restore_goes_forward_and_ends_at_one() -> None:
    events, made, fractions = whole(), Fold(), []
    for at, event in events:
        made.add(Entry(T0 + timedelta(seconds=at), event))
        seen = made.picture(T0 + timedelta(seconds=at))
        fractions.append(seen.fraction)
        if seen.ready_low is not None and seen.ready_high is not None:
            assert T0 + timedelta(seconds=at) <= seen.ready_low <= seen.ready_high
    assert fractions == sorted(fractions)
    assert 0.9 < fractions[-1] < 1.0
    end = JobEnded(JobState.DONE, Verdict.CLEAN, 41.5, rows=12_000_000, items=8, fetched_bytes=210 * MB)
    made.add(Entry(T0 + timedelta(seconds=41), end))
    seen = made.picture(T0 + timedelta(hours=9))
    assert (seen.fraction, seen.state, seen.verdict, seen.duration_s) == (
        1.0,
        JobState.DONE,
        Verdict.CLEAN,
        41.5,
    )
    assert (seen.ready_low, seen.workers, seen.bytes_per_s, seen.rows) == (None, (), None, 12_000_000)
    assert all(p.state == "done" and p.fraction == 1.0 for p in seen.phases)
    assert [(p.phase, p.done, p.total) for p in seen.phases if p.phase is Phase.CHECK] == [
        (Phase.CHECK, 1, 1)
    ]
    assert (seen.items_done, seen.items_total) == (8, 8)


def test_late_in_the_job_the_pace_counts() -> None:
    made = fold(*whole()[:26])
    now = T0 + timedelta(seconds=24)
    seen = made.picture(now)
    assert seen.fraction > 0.4
    assert seen.ready_low is not None and seen.ready_high is not None
    low, high = ((moment - T0).total_seconds() for moment in (seen.ready_low, seen.ready_high))
    assert abs((low + high) / 2 - 41) < 0.15 * 41  # when it ends
    assert high - low < 10


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.CANCELLED])
def test_what_did_not_end_well_is_never_all_done(state: JobState) -> None:
    end = JobEnded(state, None, 9.0, "The disk is full.", "Free space.")
    seen = picture(9, *BEGUN, (9, end))
    assert seen.fraction < 1
    assert (seen.state, seen.message, seen.mend) == (state, "The disk is full.", "Free space.")
    assert seen.ended_at == T0 + timedelta(seconds=9)


def test_a_backup() -> None:
    begun: tuple[tuple[float, Event], ...] = (
        (0, started(JobKind.BACKUP)),
        (1, PhaseBegan(Phase.DUMP)),
        (2, BytesMoved(Phase.DUMP, 0, None)),
        (4, BytesMoved(Phase.DUMP, 50 * MB, None)),
    )
    seen = picture(4, *begun)
    assert [(p.phase, p.state) for p in seen.phases] == [(Phase.DUMP, "running"), (Phase.STORE, "waiting")]
    assert seen.workers[0].detail == "50 MB"
    assert seen.workers[0].fraction is None
    assert seen.bytes_per_s == 25 * MB
    counting = picture(5, *begun, (5, PhaseBegan(Phase.COUNT)))
    assert [w.activity for w in counting.workers] == ["dumping", "counting"]
    storing = picture(8, *begun, (6, PhaseBegan(Phase.STORE)), (8, BytesMoved(Phase.STORE, 25 * MB, 50 * MB)))
    assert 0.6 < storing.fraction < 0.95
    done = picture(9, *begun, (9, JobEnded(JobState.DONE, Verdict.CLEAN, 9.0, ref="offsite:new")))
    assert (done.fraction, done.made_ref) == (1.0, "offsite:new")


def test_events_that_do_not_fit_are_left_aside() -> None:
    odd: Iterable[Event] = (
        ItemFinished(99), ItemLaunched(98), LoadAdvanced("x", "y", 1, 1), index("sorting", name="nope"),
        StatementSeen(None, None, None, 1.0, None), ItemFinished(5), ItemFinished(5), ItemLaunched(5),
    )  # fmt: skip
    seen = picture(9, *BEGUN, *((5.0, event) for event in odd))
    assert seen.items_done == 2
    assert [w.slot for w in seen.workers] == [1, 2]


def test_the_log_is_short_clean_and_has_times() -> None:
    seen = picture(9, *BEGUN, *((5.0, LogLine(f"line {n}\x1b")) for n in range(500)))
    assert len(seen.log) == 200
    assert seen.log[-1] == "03:10:05 line 499\\x1b"


def test_a_journal_read_back_gives_the_same_picture() -> None:
    entries = [Entry(T0 + timedelta(seconds=at), event) for at, event in whole()]
    first, second = Fold(), Fold()
    for entry in entries:
        first.add(entry)
        first.picture(entry.at)  # looking must not change what is seen
        second.add(entry_of(entry_line(entry)))
    assert first.picture(T0) == second.picture(T0)


TABLES = st.sampled_from(["trades", "users"])
STAGES = st.sampled_from(["", "building index", "building index: scanning table", "loading tuples in tree"])
MANY = st.integers(0, 10**12)

EVENTS = st.one_of(
    st.builds(ItemLaunched, st.integers(0, 9)),
    st.builds(ItemFinished, st.integers(0, 9)),
    st.builds(PhaseBegan, st.sampled_from(Phase)),
    st.builds(BytesMoved, st.sampled_from(Phase), MANY, st.none() | MANY),
    st.builds(LoadAdvanced, st.just("public"), TABLES, MANY, MANY),
    st.builds(
        IndexAdvanced, st.just("public"), TABLES, st.sampled_from(["", "users_pkey"]), STAGES,
        MANY, MANY, MANY, MANY,
    ),
)  # fmt: skip


@given(st.lists(EVENTS, max_size=60), st.sampled_from(JobKind), st.integers(0, 60))
@settings(max_examples=200, deadline=None)
def test_whatever_comes_the_fraction_goes_forward(events: list[Event], kind: JobKind, listed_at: int) -> None:
    made, last = fold((0, started(kind))), 0.0
    events.insert(min(listed_at, len(events)), ItemsListed(ITEMS, 60.0, 120.0))
    for second, event in enumerate(events):
        now = T0 + timedelta(seconds=second)
        made.add(Entry(now, event))
        seen = made.picture(now)
        assert last <= seen.fraction < 1
        assert all(0 <= p.fraction <= 1 for p in seen.phases)
        assert len({w.slot for w in seen.workers}) == len(seen.workers)
        if seen.ready_low is not None and seen.ready_high is not None:
            assert now <= seen.ready_low <= seen.ready_high
        last = seen.fraction


def test_thousands_of_items_are_folded_in_time_that_grows_with_them_only() -> None:
    items = tuple(Item(n, "TABLE DATA", "s", f"t{n}", Phase.DATA, None, n) for n in range(1, 5001))
    made = fold((0, started()), (0, ItemsListed(items)))
    for item in items:
        made.add(Entry(T0, ItemLaunched(item.dump_id)))
        made.add(Entry(T0, ItemFinished(item.dump_id)))
    seen = made.picture(T0)
    assert (seen.items_done, len(seen.tables), seen.phases[1].state) == (5000, 5000, "done")


def test_a_phase_beside_an_item_has_a_place_of_its_own() -> None:
    seen = picture(9, *BEGUN, (9, ItemFinished(2)), (9, PhaseBegan(Phase.ANALYZE)))
    assert [(w.slot, w.activity) for w in seen.workers] == [(2, "loading"), (1, "analyzing")]
