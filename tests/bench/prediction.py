"""How well the end of a restore is predicted: `python -m tests.bench.prediction [SCALE] [JOURNALS]`.

Three databases of different character are each restored twice onto a disposable server: the first time
nothing is known of them, the second time the first one was learned from. Each journal is replayed to 10, 20,
50 and 80 % of the time that the restore took, and the end that a pane shows at that moment (the middle of
its range) is compared with the true one. With JOURNALS (a directory) the journals are kept there.
"""

from __future__ import annotations

import shutil
import sys
from datetime import timedelta
from pathlib import Path

from tests.bench.shapes import SHAPES, world_of
from tui.jobs.job import files_of
from tui.jobs.journal import read
from tui.model.event import Entry
from tui.postgres.progress.progress import Fold

PARTS = (0.1, 0.2, 0.5, 0.8)
AIM = 0.15  # from 20 % on


def predicted(entries: list[Entry], part: float) -> float | None:
    """Given a whole journal, returns the seconds predicted in all when `part` of the true time had passed."""
    began, ended = entries[0].at, entries[-1].at
    moment = began + (ended - began) * part
    fold = Fold()
    for entry in entries:
        if entry.at <= moment:
            fold.add(entry)
    picture = fold.picture(moment)
    if picture.ready_low is None or picture.ready_high is None:
        return None
    middle = picture.ready_low + (picture.ready_high - picture.ready_low) / 2
    return (middle - began) / timedelta(seconds=1)


def line(name: str, entries: list[Entry]) -> tuple[str, bool]:
    """Given a run's name and journal, returns its line and whether the aim was reached."""
    true_s = (entries[-1].at - entries[0].at).total_seconds()
    cells, reached = [], True
    for part in PARTS:
        said = predicted(entries, part)
        off = None if said is None else said / true_s - 1
        reached &= part < 0.2 or (off is not None and abs(off) <= AIM)
        cells.append("      –      " if said is None or off is None else f"{said:6.1f} {off:+6.0%}")
    return f"{name:42} {true_s:6.1f} s  " + "  ".join(cells), reached


def main(scale: float, keep: Path | None) -> int:
    """Restores each database twice and prints a line for each; returns how many missed the aim."""
    head = "  ".join(f"{f'at {part:.0%}':>13}" for part in PARTS)
    print(f"{'':42} {'true':>8}  {head}")
    missed = 0
    for shape in SHAPES:
        with world_of(shape, scale) as (world, ref):
            for number, time in enumerate(("first time", "second time"), 1):
                answer = world.answer("restore", ref)
                journal = files_of(world.state, answer["job"]).journal
                if keep is not None:
                    keep.mkdir(parents=True, exist_ok=True)
                    shutil.copy(journal, keep / f"{shape.replace(' ', '-')}-{number}.jsonl")
                said, reached = line(f"{shape}, {time}", read(journal)[0])
                print(said + ("" if reached else "  missed"), flush=True)
                missed += not reached
                world.live.server.sql(f'DROP DATABASE "{answer["target"]}"')
    print(f"aim: within {AIM:.0%} from 20 % on; {missed} of {2 * len(SHAPES)} missed it")
    return missed


if __name__ == "__main__":
    given = sys.argv[1:]
    sys.exit(main(float(given[0]) if given else 1.0, Path(given[1]) if len(given) > 1 else None) > 0)
