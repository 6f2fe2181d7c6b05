"""Whose turn it is: on real archives, with any number of workers, and in whatever order tasks end."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.archive.rich import Rich
from tui.model.backup import BlockOffset, TocEntry
from tui.model.event import Phase
from tui.operations.restore.stream_tasks import Schedule, Task
from tui.postgres.archive.archive import data_blocks
from tui.postgres.archive.items import is_main_pass, items
from tui.postgres.progress.forecast import expected_s


def played(
    rich: Rich, workers: int, seed: int, slow: float = 1.0, here: float = 1.0
) -> tuple[list[Task], set[int]]:
    """Every task of an archive in the order in which it began, and the ids that there were. `here` is how
    often a load's bytes have come before it is asked for."""
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
        while (task := schedule.next(lambda load: chance.random() < here)) is not None:
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


@given(
    workers=st.integers(1, 6),
    seed=st.integers(0, 1000),
    slow=st.sampled_from([1.0, 1e4]),
    here=st.sampled_from([0.0, 0.5, 1.0]),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_everything_is_done_once_and_in_an_order_that_works(
    rich18: Rich, rich15: Rich, workers: int, seed: int, slow: float, here: float
) -> None:
    for rich in (rich18, rich15):
        begun, ids = played(rich, workers, seed, slow, here)
        done = [i for task in begun for i in task.ids]
        assert sorted(done) == sorted(ids) and len(set(done)) == len(done)


def test_while_the_line_is_slow_indexes_are_built(rich18: Rich) -> None:
    """Two large tables with an index each: the second's bytes have not come when the first is loaded."""
    some = next(e for e in rich18.contents.entries if e.desc == "TABLE")
    entries = tuple(
        replace(
            some, dump_id=number, desc=desc, name=name, section=section, dependencies=needs,
            has_data=desc == "TABLE DATA",
        )
        for number, desc, name, section, needs in (
            (1, "TABLE", "a", 2, ()),
            (2, "TABLE", "b", 2, ()),
            (3, "TABLE DATA", "a", 3, (1,)),
            (4, "TABLE DATA", "b", 3, (2,)),
            (5, "INDEX", "a_idx", 4, (1,)),
            (6, "INDEX", "b_idx", 4, (2,)),
        )
    )  # fmt: skip
    blocks = {3: BlockOffset(3, 100, 50 << 20), 4: BlockOffset(4, 100 + (50 << 20), 50 << 20)}

    def third(is_here: bool) -> tuple[int, ...]:
        """What begins beside the second load, once the first one is done."""
        contents = replace(rich18.contents, entries=entries)
        schedule = Schedule(contents, (3, 4, 5, 6), blocks, {3: 9.0, 4: 9.0, 5: 1.0, 6: 1.0}, workers=1)
        first = schedule.next(lambda load: is_here)
        assert first is not None and first.loads
        second = schedule.next(lambda load: is_here)
        assert (second is not None) is is_here  # it would only wait for the line beside the first
        schedule.done(first)
        begun = schedule.next(lambda load: is_here)
        assert begun is not None
        return begun.ids

    assert third(is_here=True) == (5,)
    assert third(is_here=False) == (4,)  # one load is always under way: it takes what comes


def test_small_items_share_a_process(rich18: Rich) -> None:
    begun, ids = played(rich18, 2, 1)
    assert len(begun) < len(ids) / 4


@pytest.mark.parametrize("workers", [1, 4])
def test_loading_begins_first(rich18: Rich, workers: int) -> None:
    begun, _ = played(rich18, workers, 3, 1e4)
    assert begun[0].loads
