"""Small records kept between runs, as TOML in the state directory: timings, drills, what was last seen.

    timings/DATABASE.toml   how long restores took, the newest last
    drills/DATABASE.toml    rehearsals and what they measured
    seen/DATABASE.toml      a database's tables when it was last up
    swaps/DATABASE.toml     the swaps that were carried out, the newest last

A record that can't be read (cut short, of another program) counts as none: it is never needed to recover.
Only that of swaps is needed, to take one back: it is an error there, and never written over.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import tomli_w

from tui.files import private_directory, write_whole
from tui.model import codec
from tui.model.backup import Verdict
from tui.model.errors import PgdrError
from tui.model.facts import TableFacts
from tui.model.incident import Swap
from tui.model.text import clean, stamp

T = TypeVar("T")

_KEPT = 50


@dataclass(frozen=True, slots=True)
class Timing:
    """How long one whole restore took, in seconds, from an archive of so many bytes with so many workers:
    all of it, each phase, and the longest items (see learn.py)."""

    at: datetime
    archive_bytes: int
    workers: int
    fetch_s: float
    restore_s: float
    phases: dict[str, float] = field(default_factory=dict)
    items: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Drill:
    """One rehearsal: when, how long until usable, how old the data was, and how it was judged; of a whole
    recovery ("recovery"), of a single table ("table") or of all databases in one go ("full"). `found` is
    what was wrong, in sentences; `incident` the one in which a person went through it, None without one."""

    at: datetime
    rto_s: float
    rpo_s: float | None
    verdict: Verdict
    kind: str = "recovery"
    ref: str | None = None
    operator: str | None = None
    job: str | None = None
    found: tuple[str, ...] = ()
    incident: str | None = None
    rto_target_s: float | None = None  # what was promised then; None: the database's own
    rpo_target_s: float | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """A database when it was last up."""

    at: datetime
    tables: tuple[TableFacts, ...]


@dataclass(frozen=True, slots=True)
class _Timings:
    timings: tuple[Timing, ...] = ()


@dataclass(frozen=True, slots=True)
class _Drills:
    drills: tuple[Drill, ...] = ()


@dataclass(frozen=True, slots=True)
class _Swaps:
    swaps: tuple[Swap, ...] = ()


def timings(state: Path, database: str) -> tuple[Timing, ...]:
    """The restores of `database` (its name in the fleet), oldest first."""
    found = _load(state, "timings", database, _Timings)
    return found.timings if found else ()


def add_timing(state: Path, database: str, timing: Timing) -> None:
    """Remembers one more restore; the oldest are forgotten."""
    _save(state, "timings", database, _Timings((*timings(state, database), timing)[-_KEPT:]))


def drills(state: Path, database: str) -> tuple[Drill, ...]:
    """The rehearsals of `database`, oldest first."""
    found = _load(state, "drills", database, _Drills)
    return found.drills if found else ()


def add_drill(state: Path, database: str, drill: Drill) -> None:
    """Remembers one more rehearsal."""
    _save(state, "drills", database, _Drills((*drills(state, database), drill)[-_KEPT:]))


def last_drill(state: Path, database: str) -> Drill | None:
    """The newest rehearsal of a whole recovery of `database`, None when there was none."""
    return next((d for d in reversed(drills(state, database)) if d.kind != "table"), None)


def last_seen(state: Path, database: str) -> Seen | None:
    """`database` when it was last up, or None."""
    return _load(state, "seen", database, Seen)


def remember_seen(state: Path, database: str, seen: Seen) -> None:
    """Remembers what `database` looks like, for the day when it can't be asked."""
    _save(state, "seen", database, seen)


def swaps(state: Path, database: str) -> tuple[Swap, ...]:
    """The swaps of `database`, oldest first. Raises PgdrError when their record can't be read."""
    path = _path(state, "swaps", database)
    found = _load(state, "swaps", database, _Swaps)
    if found is None and path.exists():
        raise PgdrError(
            f"The record of the swaps of {clean(database)} can't be read.",
            f"It is {clean(str(path))}.",
            "The database that was live before is still on the server, its name ends in _before_ and a time: "
            "rename it by hand.",
        )
    return found.swaps if found else ()


def set_aside_swaps(state: Path, database: str, moment: datetime) -> None:
    """Keeps a record that can't be read under another name, so that a new one can be begun."""
    path = _path(state, "swaps", database)
    path.replace(path.with_name(f"{path.name}.unreadable.{stamp(moment)}"))


def save_swaps(state: Path, database: str, kept: tuple[Swap, ...]) -> None:
    """Writes down all swaps of `database`."""
    _save(state, "swaps", database, _Swaps(kept[-_KEPT:]))


def _path(state: Path, kind: str, database: str) -> Path:
    # A database's name can hold any character; percent-encoded it is one plain file name.
    return private_directory(state / kind) / f"{quote(database, safe='')[:200]}.toml"


def _load(state: Path, kind: str, database: str, cls: type[T]) -> T | None:
    try:
        return codec.build(tomllib.loads(_path(state, kind, database).read_text()), cls)
    except (OSError, ValueError, RecursionError):
        return None


def _save(state: Path, kind: str, database: str, value: object) -> None:
    write_whole(_path(state, kind, database), tomli_w.dumps(codec.without_none(codec.plain(value))))
