"""Learning from a restore how long the next one of the same database will take, item by item."""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace

from tui.model.event import Event, Item, ItemFinished, ItemLaunched, ItemsListed, Phase, PhaseBegan
from tui.operations.records import Timing
from tui.operations.report import Report

_NAMED = 300  # the longest items are remembered by name, the others by the average of their kind
_NEWEST = 3


class Taken:
    """Passes a restore's events on and notes how long each item and phase took."""

    def __init__(self, report: Report, clock: Callable[[], float] = time.monotonic) -> None:
        self._report = report
        self._clock = clock
        self._items: dict[int, Item] = {}
        self._launched: dict[int, float] = {}
        self._took: dict[int, float] = {}
        self._phases: dict[str, float] = defaultdict(float)
        self._phase: tuple[str, float] | None = None

    def __call__(self, event: Event) -> None:
        """Notes an event and passes it on."""
        moment = self._clock()
        match event:
            case ItemsListed():
                self._items = {item.dump_id: item for item in event.items}
            case PhaseBegan():
                self._end_phase(moment)
                self._phase = (event.phase.value, moment)
            case ItemLaunched():
                self._end_phase(moment)
                self._launched[event.dump_id] = moment
            case ItemFinished() if event.dump_id in self._launched:
                self._took[event.dump_id] = moment - self._launched[event.dump_id]
        self._report(event)

    def phases(self) -> dict[str, float]:
        """Seconds of each phase so far; of those told by items, of all their items together."""
        self._end_phase(self._clock())
        found = defaultdict(float, self._phases)
        for dump_id, seconds in self._took.items():
            if dump_id in self._items:
                found[self._items[dump_id].phase.value] += seconds
        return {name: round(seconds, 3) for name, seconds in found.items()}

    def items(self) -> dict[str, float]:
        """Seconds of the longest items by name, and by kind the average of the others."""
        longest = sorted(self._took.items(), key=lambda pair: -pair[1])
        known = [(self._items[dump_id], seconds) for dump_id, seconds in longest if dump_id in self._items]
        named = {_name(item): round(seconds, 3) for item, seconds in known[:_NAMED]}
        others: dict[str, list[float]] = defaultdict(list)
        for item, seconds in known[_NAMED:]:
            others[item.desc].append(seconds)
        return named | {desc: round(statistics.mean(all_), 6) for desc, all_ in others.items()}

    def _end_phase(self, moment: float) -> None:
        if self._phase is not None:
            name, began = self._phase
            self._phases[name] += moment - began
            self._phase = None


def expecting(items: tuple[Item, ...], archive_bytes: int, learned: Sequence[Timing]) -> tuple[Item, ...]:
    """Given what a restore will do, its archive's size and earlier restores, returns the same with the
    seconds that each item is expected to take, where they tell; as the archive grew, so do they."""
    usable = _usable(learned)
    if not usable:
        return items
    return tuple(replace(item, expected_s=_expected(item, archive_bytes, usable)) for item in items)


def phase_seconds(archive_bytes: int, learned: Sequence[Timing]) -> dict[str, float]:
    """Given an archive's size and earlier restores, returns the seconds expected of phases without items."""
    found: dict[str, list[float]] = defaultdict(list)
    for timing in _usable(learned):
        for phase in (Phase.CREATE, Phase.ANALYZE):
            if phase.value in timing.phases:
                found[phase.value].append(timing.phases[phase.value] * archive_bytes / timing.archive_bytes)
    return {name: statistics.median(seconds) for name, seconds in found.items()}


def _usable(learned: Sequence[Timing]) -> list[Timing]:
    return [t for t in learned if t.items and t.archive_bytes > 0][-_NEWEST:]


def _expected(item: Item, archive_bytes: int, usable: list[Timing]) -> float | None:
    seconds = []
    for timing in usable:
        took = timing.items.get(_name(item), timing.items.get(item.desc))
        if took is not None:
            seconds.append(took * archive_bytes / timing.archive_bytes)
    return statistics.median(seconds) if seconds else None


def _name(item: Item) -> str:
    return f"{item.desc} {item.schema or ''}.{item.name}"
