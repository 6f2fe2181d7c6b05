"""The picture of a restore that goes on with an interrupted one."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from tui.model.event import (
    Entry,
    Event,
    Item,
    ItemFinished,
    ItemLaunched,
    ItemsDone,
    ItemsListed,
    JobKind,
    JobStarted,
    Phase,
)
from tui.postgres.progress.progress import Fold

BEGAN = datetime(2026, 11, 21, 3, 10, tzinfo=timezone.utc)
ITEMS = tuple(
    Item(n, "TABLE DATA", "public", f"t{n}", Phase.DATA, weight_bytes=100 << 20, rows=1000) for n in range(10)
)


def test_what_an_earlier_job_has_done_is_done_and_no_pace() -> None:
    fold = Fold()
    started = JobStarted("restore-b", JobKind.RESTORE, "shop", "local:x", "shop_restored", "ann", "db1", 1)
    listed = ItemsListed(ITEMS, 100.0, 200.0)
    events: tuple[tuple[float, Event], ...] = (
        (0, started),
        (0, listed),
        (1, ItemsDone(tuple(range(5)), "restore-a")),
        (1, ItemLaunched(5)),
        (61, ItemFinished(5)),
        (61, ItemLaunched(6)),
    )
    for after, event in events:
        fold.add(Entry(BEGAN + timedelta(seconds=after), event))
    now = BEGAN + timedelta(seconds=61)
    picture = fold.picture(now)
    assert (picture.items_done, picture.items_total) == (6, 10)
    assert [t.state for t in picture.tables] == ["done"] * 6 + ["loading"] + ["waiting"] * 3
    assert 0.5 < picture.fraction < 0.7
    assert any("done since restore-a" in line for line in picture.log)
    # A table took a minute, four are left: the five that were done at once don't count
    assert picture.ready_low is not None and picture.ready_high is not None
    assert picture.ready_high - now > timedelta(minutes=2)
