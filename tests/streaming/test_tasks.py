"""Whose turn it is: on real archives, with any number of workers, and in whatever order tasks end."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.archive.rich import Rich
from tui.model.backup import TocEntry
from tui.model.event import Phase
from tui.operations.restore.stream_tasks import Schedule, Task
from tui.postgres.archive.archive import data_blocks
from tui.postgres.archive.items import is_main_pass, items
from tui.postgres.progress.forecast import expected_s


def played(rich: Rich, workers: int, seed: int, slow: float = 1.0) -> tuple[list[Task], set[int]]:
    """Every task of an archive in the order in which it began, and the ids that there were."""
    contents, size = rich.contents, rich.custom.stat().st_size
    todo = items(contents, size, None)
    main = {e.dump_id for e in contents.entries if is_main_pass(e)}
    ids = {i.dump_id for i in todo if i.phase is not Phase.SCHEMA} & main
    seconds = {i.dump_id: expected_s(i) * slow for i in todo}
    schedule = Schedule(contents, ids, data_blocks(contents, size), seconds, workers)
    chance = random.Random(seed)
    running: list[Task] = []
    begun: list[Task] = []
    while True:
        while (task := schedule.next()) is not None:
            _fits(rich, task, running, begun, ids)
            running.append(task)
            begun.append(task)
            assert len(running) <= workers + 1
        if not running:
            return begun, ids
        ended = running.pop(chance.randrange(len(running)))
        schedule.done(ended)


def _fits(rich: Rich, task: Task, running: list[Task], begun: list[Task], ids: set[int]) -> None:
    by_id: dict[int, TocEntry] = {e.dump_id: e for e in rich.contents.entries}
    done = {i for t in begun if t not in running for i in t.ids}
    for place, item in enumerate(task.ids):
        for needed in by_id[item].dependencies:
            if needed in ids:
                assert needed in done or needed in task.ids[:place], by_id[item]
    for other in running:
        for item in task.ids:
            assert not (_locks(by_id, item) & _uses(by_id, other.ids))
            assert not (_uses(by_id, (item,)) & {t for i in other.ids for t in _locks(by_id, i)})


def _uses(by_id: dict[int, TocEntry], ids: tuple[int, ...]) -> set[int]:
    """The tables, by dump id, that items work on."""
    return {d for i in ids for d in by_id[i].dependencies if d in by_id and by_id[d].desc == "TABLE"}


def _locks(by_id: dict[int, TocEntry], item: int) -> set[int]:
    entry = by_id[item]
    free = entry.section != 4 or entry.desc in ("INDEX", "INDEX ATTACH")
    return set() if free else _uses(by_id, (item,))


@given(workers=st.integers(1, 6), seed=st.integers(0, 1000), slow=st.sampled_from([1.0, 1e4]))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_everything_is_done_once_and_in_an_order_that_works(
    rich18: Rich, rich15: Rich, workers: int, seed: int, slow: float
) -> None:
    for rich in (rich18, rich15):
        begun, ids = played(rich, workers, seed, slow)
        done = [i for task in begun for i in task.ids]
        assert sorted(done) == sorted(ids) and len(set(done)) == len(done)


def test_small_items_share_a_process(rich18: Rich) -> None:
    begun, ids = played(rich18, 2, 1)
    assert len(begun) < len(ids) / 4


@pytest.mark.parametrize("workers", [1, 4])
def test_loading_begins_first(rich18: Rich, workers: int) -> None:
    begun, _ = played(rich18, workers, 3, 1e4)
    assert begun[0].loads
