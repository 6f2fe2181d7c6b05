"""The real rooms, loaded when the first of them is asked: the first screen waits for none of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tui.screens.rooms import Rooms

if TYPE_CHECKING:
    from tui.model.fleet import Fleet


def rooms_of(fleet: Fleet, state: Path, now: Callable[[], datetime], operator: str = "unknown") -> Rooms:
    """Given the fleet, the state directory, a clock and who is at work, returns the real operations."""

    @cache
    def real() -> Rooms:
        from tui.screens.wiring import real_rooms

        return real_rooms(fleet, state, now, operator)

    return Rooms(
        look=lambda on_facts: real().look(on_facts),
        schema=lambda database: real().schema(database),
        last_seen=lambda database: real().last_seen(database),
        last_drill=lambda database: real().last_drill(database),
        backups=lambda store, on_page, on_problem: real().backups(store, on_page, on_problem),
        describe=lambda backup: real().describe(backup),
        of_database=lambda database, backups: real().of_database(database, backups),
        newest_that_counts=lambda database, own, on_problem: real().newest_that_counts(
            database, own, on_problem
        ),
        jobs=lambda: real().jobs(),
        incidents=lambda: real().incidents(),
        report=lambda incident: real().report(incident),
        verify=lambda database, ref: real().verify(database, ref),
        copy_to=lambda database, ref, store: real().copy_to(database, ref, store),
        back_up=lambda database: real().back_up(database),
        kept=lambda database: real().kept(database),
        drop_kept=lambda database, name: real().drop_kept(database, name),
        drills=lambda: real().drills(),
        duties=lambda on_problem: real().duties(on_problem),
        newest_good=lambda database: real().newest_good(database),
        paused=lambda: real().paused(),
        pausing=lambda database: real().pausing(database),
        retention=lambda: real().retention(),
        prune=lambda plan, told_of: real().prune(plan, told_of),
        may_go=lambda database: real().may_go(database),
    )
