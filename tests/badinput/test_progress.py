"""A picture of a job, whatever its items weigh."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone

import pytest

from tui.model.event import Entry, Item, ItemsListed, JobKind, JobStarted, Phase
from tui.postgres.progress.progress import Fold

NOW = datetime(2026, 11, 21, 3, 10, tzinfo=timezone.utc)


@pytest.mark.parametrize("weight", [0, None, 1])
@pytest.mark.parametrize("desc", ["TABLE DATA", "INDEX", "TABLE"])
def test_items_without_weight_have_a_share(weight: int | None, desc: str) -> None:
    fold = Fold()
    fold.add(Entry(NOW, JobStarted("j", JobKind.RESTORE, "shop", "s:k", "t", "ann", "h", 1)))
    one = Item(1, desc, "public", "t", Phase.DATA, weight_bytes=weight, rows=0)
    fold.add(Entry(NOW, ItemsListed((one, replace(one, dump_id=2)), 0.0, 0.0, "learned from 1 restore")))
    assert 0.0 <= fold.picture(NOW).fraction <= 1.0
