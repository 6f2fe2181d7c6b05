"""When it will be ready: workers that share, indexes that wait, what was learned, old journals."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from tui.model.codec import entry_line, entry_of
from tui.model.event import (
    Entry,
    Event,
    Item,
    ItemFinished,
    ItemLaunched,
    ItemsListed,
    JobKind,
    JobStarted,
    LoadAdvanced,
    Phase,
    PhaseBegan,
)
from tui.operations.plan import learn
from tui.operations.plan.learn import Taken, expecting, phase_seconds
from tui.operations.records import Timing, add_timing, timings
from tui.postgres.progress.progress import Fold

T0 = datetime(2026, 11, 21, 3, 10, tzinfo=timezone.utc)


def data(number: int, table: str, seconds: float | None = None, rows: int = 1000) -> Item:
    return Item(number, "TABLE DATA", "public", table, Phase.DATA, None, rows * 30, rows, seconds)


def index(number: int, table: str, seconds: float | None = None, phase: Phase = Phase.INDEXES) -> Item:
    return Item(number, "INDEX", "public", f"i{number}", phase, table, 30_000, 1000, seconds)


def left(items: tuple[Item, ...], *events: tuple[float, Event], at: float = 0.0, workers: int = 2) -> float:
    """Seconds until the middle of the range in which it will be ready, without what isn't told by items."""
    made = Fold()
    start = JobStarted("j", JobKind.RESTORE, "db", "s:k", "t", "ann", "here", 1, workers)
    listed = ItemsListed(items, phase_s={"create": 0.0, "analyze": 0.0})
    told: tuple[tuple[float, Event], ...] = ((0.0, start), (0.0, listed), *events)
    for moment, event in told:
        made.add(Entry(T0 + timedelta(seconds=moment), event))
    now = T0 + timedelta(seconds=at)
    seen = made.picture(now)
    assert seen.ready_low is not None and seen.ready_high is not None
    return ((seen.ready_low - now) + (seen.ready_high - now)).total_seconds() / 2


def test_workers_share_what_may_be_done_at_once() -> None:
    items = tuple(data(n, f"t{n}", 10.0) for n in range(4))
    assert left(items, workers=1) == pytest.approx(40, 0.01)
    assert left(items, workers=2) == pytest.approx(20, 0.01)
    assert left(items, workers=9) == pytest.approx(10, 0.01)


def test_indexes_wait_for_their_table_and_foreign_keys_for_the_indexes() -> None:
    items = (
        data(1, "big", 30.0), data(2, "small", 2.0), index(3, "big", 8.0), index(4, "big", 6.0),
        index(5, "small", 1.0), index(6, "big", 5.0, Phase.FOREIGN_KEYS),
    )  # fmt: skip
    assert left(items) == pytest.approx(30 + 8 + 5, 0.01)


def test_what_locks_its_table_is_done_alone_on_it() -> None:
    keys = tuple(
        Item(n, "FK CONSTRAINT", "public", f"k{n}", Phase.FOREIGN_KEYS, "big", None, None, 5.0)
        for n in range(3)
    )
    assert left(keys) == pytest.approx(15, 0.01)
    other = Item(9, "FK CONSTRAINT", "public", "k", Phase.FOREIGN_KEYS, "small", None, None, 5.0)
    assert left((*keys, other)) == pytest.approx(15, 0.01)


def test_a_slower_machine_makes_all_of_it_slower() -> None:
    items = (data(1, "a", 10.0), data(2, "b", 10.0), index(3, "a", 10.0))
    twice = left(items, (0, ItemLaunched(1)), (20, ItemFinished(1)), at=20, workers=1)
    assert 30 < twice < 40


def test_a_running_tables_own_pace_counts() -> None:
    items = (data(1, "a", 10.0, rows=1000),)
    half = (0, ItemLaunched(1)), (30, LoadAdvanced("public", "a", 500, 1))
    assert left(items, *half, at=30) == pytest.approx(30, 0.05)
    assert left(items, *half, at=40) == pytest.approx(20, 0.05)


def test_without_learning_the_model_tells_more_for_what_is_larger() -> None:
    small, large = (left((data(1, "a", rows=n), index(2, "a"))) for n in (1000, 10_000_000))
    assert 0 < small < 1 and 10 < large < 100


def timing(seconds: dict[str, float], archive_bytes: int = 100) -> Timing:
    return Timing(T0, archive_bytes, 2, 0.0, 9.0, {"analyze": 2.0, "data": 7.0}, seconds)


def test_what_was_learned_is_expected_and_grows_with_the_archive() -> None:
    items = (data(1, "a"), data(2, "b"), index(3, "a"))
    learned = (timing({"TABLE DATA public.a": 7.0, "TABLE DATA": 0.5}),)
    assert [i.expected_s for i in expecting(items, 200, learned)] == [14.0, 1.0, None]
    assert phase_seconds(200, learned) == {"analyze": 4.0}
    assert expecting(items, 200, ()) == items
    assert expecting(items, 200, (Timing(T0, 100, 2, 0.0, 9.0),)) == items


def test_noting_how_long_it_took(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(learn, "_NAMED", 1)
    told: list[Event] = []
    taken = Taken(told.append, lambda: clock[0])
    items = (data(1, "a"), data(2, "b"), data(3, "c"))
    events: tuple[tuple[float, Event], ...] = (
        (0, ItemsListed(items)), (0, PhaseBegan(Phase.CREATE)), (1, ItemLaunched(1)), (1, ItemLaunched(2)),
        (3, ItemFinished(2)), (9, ItemFinished(1)), (9, ItemLaunched(3)), (13, ItemFinished(3)),
        (13, ItemFinished(99)), (13, PhaseBegan(Phase.ANALYZE)),
    )  # fmt: skip
    for moment, event in events:
        clock[0] = moment
        taken(event)
    clock[0] = 15
    assert told == [event for _, event in events]
    assert taken.items() == {"TABLE DATA public.a": 8.0, "TABLE DATA": 3.0}
    assert taken.phases() == {"create": 1.0, "data": 14.0, "analyze": 2.0}


def test_records_keep_it_and_old_ones_are_read(tmp_path: Path) -> None:
    kept = timing({'TABLE DATA public."we.ird" = x': 7.0})
    add_timing(tmp_path, "shop", kept)
    assert timings(tmp_path, "shop") == (kept,)
    (tmp_path / "timings" / "old.toml").write_text(
        "[[timings]]\nat = 2026-11-21T03:10:00Z\n"
        "archive_bytes = 5\nworkers = 2\nfetch_s = 0.0\nrestore_s = 9.0\n"
    )
    assert timings(tmp_path, "old") == (Timing(T0, 5, 2, 0.0, 9.0),)


def test_a_journal_from_before_is_read() -> None:
    line = json.loads(entry_line(Entry(T0, ItemsListed((data(1, "a"),)))))
    del line["event"]["phase_s"], line["event"]["items"][0]["expected_s"]
    assert entry_of(json.dumps(line)) == Entry(T0, ItemsListed((data(1, "a"),)))
