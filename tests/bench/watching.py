"""What watching costs: `python -m tests.bench.watching [ROUNDS] [SCALE]`.

The same archive is restored into the same server by `pgdr restore` and by plain `pg_restore -j`, in turns,
each into a fresh database. Two ratios are printed: of the time in which pg_restore runs under the
supervisor's eyes to that of the plain one, which is what watching costs; and of the whole command, which
also plans, creates, gives rights and runs ANALYZE, to the plain one.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tests.bench.shapes import world_of
from tests.recovery.world import World
from tui.jobs.job import files_of
from tui.jobs.journal import read
from tui.model.event import ItemFinished, LogLine, Phase, PhaseBegan
from tui.postgres.connection import environment

SHAPE = "heavy indexes and foreign keys"
WORKERS = 2
AIM = 1.03


@dataclass(frozen=True)
class Taken:
    """Seconds of one restore: while pg_restore ran, of ANALYZE, and of all from the command to its end."""

    restoring: float
    analyzing: float
    whole: float


def by_pgdr(world: World, ref: str) -> Taken:
    """Restores with the program; its journal tells when pg_restore was started and had ended."""
    world.live.server.sql("CHECKPOINT")  # so that neither pays for what the other wrote
    began = time.monotonic()
    answer = world.answer("restore", ref, "--jobs", str(WORKERS))
    whole = time.monotonic() - began
    entries, _ = read(files_of(world.state, answer["job"]).journal)
    started = next(
        e.at
        for e in entries
        if isinstance(e.event, LogLine) and "pg_restore" in e.event.text.split("--dbname")[0]
    )
    analyzed = next(
        e.at for e in entries if isinstance(e.event, PhaseBegan) and e.event.phase is Phase.ANALYZE
    )
    finished = max(e.at for e in entries if isinstance(e.event, ItemFinished))
    world.live.server.sql(f'DROP DATABASE "{answer["target"]}"')
    return Taken(
        (min(analyzed, max(finished, started)) - started).total_seconds(),
        (entries[-1].at - analyzed).total_seconds(),
        whole,
    )


def plainly(world: World, ref: str) -> float:
    """Restores with pg_restore alone; returns the seconds it ran."""
    server = world.live.server
    server.sql("CREATE DATABASE plain TEMPLATE template0")
    server.sql("CHECKPOINT")
    archive = world.config.parent / "backups" / ref.partition(":")[2]
    argv = [str(server.bin_directory / "pg_restore"), "-w", "-j", str(WORKERS), "-d", "plain", str(archive)]
    began = time.monotonic()
    subprocess.run(argv, env=environment(server.endpoint), check=True, timeout=600)
    taken = time.monotonic() - began
    server.sql("DROP DATABASE plain")
    return taken


def spread(name: str, taken: Sequence[float]) -> str:
    """Given a name and seconds, returns their line."""
    return f"{name:34} {statistics.median(taken):6.2f} s   ({min(taken):.2f} to {max(taken):.2f})"


def main(rounds: int, scale: float) -> None:
    """Restores in turns, who goes first changing, and prints medians and ratios; one round warms up."""
    watched: list[Taken] = []
    plain: list[float] = []
    with world_of(SHAPE, scale) as (world, ref):
        for turn in range(rounds + 1):
            if turn % 2:
                watched.append(by_pgdr(world, ref))
                plain.append(plainly(world, ref))
            else:
                plain.append(plainly(world, ref))
                watched.append(by_pgdr(world, ref))
            print(f"round {turn}: pgdr {watched[-1].restoring:.2f} s, plain {plain[-1]:.2f} s", flush=True)
    watched, plain = watched[1:], plain[1:]
    print(spread("pg_restore alone", plain))
    print(spread("pg_restore under pgdr", [w.restoring for w in watched]))
    print(spread("ANALYZE by pgdr", [w.analyzing for w in watched]))
    print(spread("the whole command", [w.whole for w in watched]))
    least = min(w.restoring for w in watched) / min(plain)
    paired = statistics.median(w.restoring / p for w, p in zip(watched, plain, strict=True))
    whole = statistics.median(w.whole / p for w, p in zip(watched, plain, strict=True))
    print(f"watching: {paired:.3f} times in the median of pairs, {least:.3f} of the fastest; aim {AIM}")
    print(f"the whole command, with planning, creating and ANALYZE: {whole:.3f} times")


if __name__ == "__main__":
    given = sys.argv[1:]
    main(int(given[0]) if given else 5, float(given[1]) if len(given) > 1 else 1.0)
