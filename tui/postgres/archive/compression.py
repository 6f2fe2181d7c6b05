"""What a pg_dump can compress with. It is asked, since that is decided when it is built."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from tui.model.errors import ConfigError
from tui.postgres.programs import Program
from tui.process import Command, run

_WORDS_SINCE = 16  # before, --compress takes zlib's level alone
_LEVELS_ONLY = ("none", "gzip")
_ALL = (*_LEVELS_ONLY, "lz4", "zstd")
_ENDS = {"gzip": ".gz", "lz4": ".lz4", "zstd": ".zst"}


def compress_argument(program: Program, wanted: str | None) -> str | None:
    """Given pg_dump and a configuration's word ("zstd:3"; None: pg_dump's own choice), returns what its
    --compress takes, None for nothing.

    Raises ConfigError, saying what it offers, when this pg_dump can't compress so.
    """
    if wanted is None:
        return None
    method, _, level = wanted.partition(":")
    if method not in (offers := offered(program)):
        need = "Install PostgreSQL 16's client programs or newer ones, built with it"
        if program.major >= _WORDS_SINCE:
            need = "Install client programs that were built with it (those of PostgreSQL's own packages are)"
        raise ConfigError(
            f"pg_dump {program.version} can't compress with {method}; it offers {', '.join(offers)}.",
            mend=f"{need}, or choose another compression.",
        )
    if program.major >= _WORDS_SINCE:
        return wanted
    return "0" if method == "none" else level or "6"


def offered(program: Program) -> tuple[str, ...]:
    """The methods that this pg_dump offers, of none, gzip, lz4 and zstd."""
    if program.major < _WORDS_SINCE:
        return _LEVELS_ONLY
    return tuple(method for method in _ALL if _takes(program.path, program.path.stat().st_mtime_ns, method))


def plain_suffix(wanted: str | None) -> str:
    """What the key of plain SQL ends with when pg_dump compresses it: ".gz", or nothing."""
    return _ENDS.get((wanted or "none").partition(":")[0], "")


@cache
def _takes(
    path: Path, changed_ns: int, method: str
) -> bool:  # changed_ns: an upgraded program is asked again
    # It looks at --compress before it connects (pg_dump.c, main), and nothing listens in that directory.
    argv = (
        str(path),
        "-w",
        f"--compress={method}",
        "--format=custom",
        "--host=/nonexistent/pgdr",
        "--dbname=x",
    )
    return "compression" not in run(Command(argv), timeout_s=10).stderr
