"""A server's data as the sample made it, kept beside it: what every later start begins with.

A copy of the data directory (80 MB at scale 1, a fraction of a second; where the file system can share
blocks, cp does) is quicker than any repair, whatever was done to the databases, and costs its size in disk.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from tui.demo.server import Server
from tui.model.errors import PgdrError
from tui.model.text import clean
from tui.process import Command, run

COPY_S = 600.0


def pristine(server: Server) -> Path:
    """Where the copy lies."""
    return server.directory / "pristine"


def keep(server: Server) -> None:
    """Makes the copy; the server must be stopped."""
    _copy(server.data, pristine(server))


def reset(server: Server) -> None:
    """Puts the copy in place of the data; the server must be stopped. Raises PgdrError without a copy."""
    _copy(pristine(server), server.data)
    shutil.rmtree(lost(server), ignore_errors=True)


def lost(server: Server) -> Path:
    """Where a disaster puts the data of an instance that is lost."""
    return server.directory / "lost"


def _copy(source: Path, target: Path) -> None:
    making = target.with_name(f"{target.name}.new")
    shutil.rmtree(making, ignore_errors=True)
    # cp keeps owners and modes, which the server insists on, and is the quickest there is.
    done = run(Command(("cp", "-a", str(source), str(making))), timeout_s=COPY_S)
    if done.code != 0:
        raise PgdrError(f"{source} could not be copied.", clean(done.stderr.strip(), 300))
    if target.exists():
        shutil.rmtree(target)
    making.rename(target)
