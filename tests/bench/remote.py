"""Restoring from a bucket, beside fetching it first: `python -m tests.bench.remote [ROUNDS] [--scale S]`.

The archive lies in a bucket of an S3 server on this machine whose line is limited (to 20, 50 and 100 MB/s,
and not at all). In turns: `pgdr restore` of it, and `aws s3 cp` to a file followed by `pg_restore -j` of that
file into the same server. Time is taken from the command to the end of the last item, ANALYZE not included;
the ratios are of medians. `--aws DIR` is a directory with the aws program; without it one is installed for
the run.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.shapes import filled
from tests.recovery.world import World, make_world
from tests.servers import fresh_database, place, server
from tui.config.secrets import reveal
from tui.demo.account import server_account
from tui.demo.binaries import reachable_bin
from tui.demo.objects import ObjectServer
from tui.jobs.job import files_of
from tui.jobs.journal import read
from tui.model.event import ItemFinished
from tui.model.fleet import S3Store
from tui.postgres.connection import environment

WORKERS = 2
AIM = 0.75
LIMITS = ("20", "50", "100", "")


@contextmanager
def limited(directory: Path, limit: str) -> Iterator[S3Store]:
    """The bucket, behind a line of so many MB/s (none: as fast as it goes)."""
    os.environ["RCLONE_ETAG_HASH"] = ""  # else it reads and hashes the whole object for each range
    os.environ["RCLONE_BWLIMIT"] = f"{int(limit) * 1_000_000}B" if limit else "off"
    with ObjectServer(directory) as objects:
        objects.start()
        yield objects.store("offsite", "backups")


def by_pgdr(world: World, ref: str) -> float:
    """Seconds until the last item is restored, from the command on."""
    world.live.server.sql("CHECKPOINT")
    began = time.time()
    answer = world.answer("restore", ref, "--jobs", str(WORKERS))
    entries, _ = read(files_of(world.state, answer["job"]).journal)
    ended = max(e.at for e in entries if isinstance(e.event, ItemFinished))
    assert answer["verdict"] == "clean"
    world.live.server.sql(f'DROP DATABASE "{answer["target"]}"')
    return ended.timestamp() - began


def fetched_first(world: World, store: S3Store, key: str, aws: Path, directory: Path) -> tuple[float, float]:
    """Seconds of `aws s3 cp`, and of both it and `pg_restore -j`."""
    server = world.live.server
    server.sql("CREATE DATABASE plain TEMPLATE template0")
    server.sql("CHECKPOINT")
    assert store.access_key and store.secret_key and store.endpoint_url
    env = {
        **os.environ,
        "AWS_ACCESS_KEY_ID": reveal(store.access_key),
        "AWS_SECRET_ACCESS_KEY": reveal(store.secret_key),
        "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",
        "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_required",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    file = directory / "fetched.dump"
    began = time.monotonic()
    subprocess.run(
        [
            str(aws),
            "--endpoint-url",
            store.endpoint_url,
            "s3",
            "cp",
            "--quiet",
            f"s3://backups/{key}",
            str(file),
        ],
        env=env,
        check=True,
    )
    fetched = time.monotonic() - began
    argv = [str(server.bin_directory / "pg_restore"), "-w", "-j", str(WORKERS), "-d", "plain", str(file)]
    subprocess.run(argv, env=environment(server.endpoint), check=True, timeout=900)
    taken = time.monotonic() - began
    file.unlink()
    server.sql("DROP DATABASE plain")
    return fetched, taken


def main(rounds: int, scale: float, shapes: list[str], limits: list[str], aws: Path) -> None:
    """Measures each shape at each limit and prints a line for each."""
    for shape in shapes:
        with (
            server("bench", reachable_bin(server_account())) as made,
            fresh_database(made) as fresh,
            place() as directory,
        ):
            with limited(directory, "") as store:
                world = make_world(fresh, directory, offsite=store)
                world.sql("DROP VIEW rich; DROP TABLE orders, wallets, users CASCADE")
                world.sql(filled(shape, scale))
                ref = next(r for r in world.back_up().refs if r.startswith("offsite:"))
            key = ref.partition(":")[2]
            size = next(directory.rglob(f"backups/{key}")).stat().st_size
            print(
                f"{shape}: {size / 1e6:.0f} MB; aim {AIM} where fetching takes as long as loading", flush=True
            )
            for limit in limits:
                with limited(directory, limit) as store:
                    text = world.config.read_text()
                    old = next(line for line in text.splitlines() if line.startswith("endpoint_url"))
                    world.config.write_text(text.replace(old, f'endpoint_url = "{store.endpoint_url}"'))
                    ours, theirs, fetches = [], [], []
                    for turn in range(rounds):
                        for who in (("ours", "theirs"), ("theirs", "ours"))[turn % 2]:
                            if who == "ours":
                                ours.append(by_pgdr(world, ref))
                            else:
                                fetched, whole = fetched_first(world, store, key, aws, directory)
                                fetches.append(fetched)
                                theirs.append(whole)
                    mine, other, fetch = map(statistics.median, (ours, theirs, fetches))
                    at = f"{limit} MB/s" if limit else "unlimited"
                    print(
                        f"  {at:>10}: pgdr {mine:6.1f} s, fetched first"
                        f" {other:6.1f} s (of that {fetch:.1f} s fetching): {mine / other:.2f} times",
                        flush=True,
                    )


def _aws(given: Path | None, scratch: Path) -> Path:
    if given is not None:
        return given / "aws"
    subprocess.run([sys.executable, "-m", "venv", str(scratch / "aws")], check=True)
    subprocess.run([str(scratch / "aws/bin/pip"), "install", "-q", "awscli"], check=True)
    return scratch / "aws/bin/aws"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rounds", type=int, nargs="?", default=3)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--shape", action="append", help="one of tests.bench.shapes (repeatable)")
    parser.add_argument("--limit", action="append", help="MB/s, empty for none (repeatable)")
    parser.add_argument("--aws", type=Path)
    said = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        main(
            said.rounds,
            said.scale,
            said.shape or ["heavy indexes and foreign keys", "one huge table"],
            said.limit if said.limit is not None else list(LIMITS),
            _aws(said.aws, Path(scratch)),
        )
