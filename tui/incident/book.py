"""The book of incidents: each one a TOML file in the state directory, written whole after every change."""

from __future__ import annotations

import fcntl
import os
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import tomli_w

from tui.files import PRIVATE_FILE, private_directory, write_whole
from tui.model import codec
from tui.model.errors import PgdrError, UsageError
from tui.model.incident import Incident, TimelineEntry
from tui.model.text import clean


class Book:
    """The incidents of one state directory."""

    def __init__(self, state: Path) -> None:
        self._directory = private_directory(state / "incidents")

    def declare(self, database: str, operator: str, now: datetime, *, drill: bool = False) -> Incident:
        """Begins an incident for `database` (its name in the fleet), with the next free number; a `drill` is
        one that is only rehearsed."""
        while True:
            number = max((int(p.stem) for p in self._files()), default=0) + 1
            try:
                # O_EXCL: two engineers who declare at the same instant get two numbers
                os.close(os.open(self._path(str(number)), os.O_CREAT | os.O_EXCL, PRIVATE_FILE))
            except FileExistsError:
                continue
            what = "DRILL begun" if drill else "Incident declared"
            declared = TimelineEntry(now, operator, "decision", f"{what} for {clean(database)}.")
            incident = Incident(str(number), database, operator, now, timeline=(declared,), drill=drill)
            self.save(incident)
            return incident

    def save(self, incident: Incident) -> None:
        """Writes the incident as it is now."""
        text = tomli_w.dumps(codec.without_none(codec.plain(incident)), multiline_strings=False)
        write_whole(self._path(incident.id), text)

    def change(self, incident_id: str, how: Callable[[Incident], Incident]) -> Incident:
        """Given an id and how the incident changes, writes down the change of what is on disk now and returns
        it. Nobody else, in this process or another, changes it in between.

        Raises as `load` does, and what `how` raises; then nothing is changed.
        """
        with self._alone_with(incident_id):
            before = self.load(incident_id)
            after = how(before)
            if after is not before:
                self.save(after)
            return after

    @contextmanager
    def _alone_with(self, incident_id: str) -> Iterator[None]:
        # A file of its own: the incident's is replaced by each change, and a lock on it with it.
        handle = os.open(self._directory / f"{incident_id}.lock", os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def load(self, incident_id: str) -> Incident:
        """The incident with that id. UsageError when there is none, PgdrError when it can't be read."""
        path = self._path(incident_id)
        if not incident_id.isdecimal() or not path.is_file():
            known = ", ".join(i.id for i in self.all()[:5])
            raise UsageError(
                f"There is no incident {clean(incident_id, 40)}.",
                mend=f"The newest: {known}." if known else "None has been declared yet.",
            )
        try:
            return codec.build(tomllib.loads(path.read_text("utf-8", "surrogateescape")), Incident)
        except (OSError, ValueError, RecursionError) as error:
            raise PgdrError(
                f"Incident {incident_id} can't be read.",
                clean(str(error), 200),
                f"Look at {path}; the jobs and databases it speaks of are untouched.",
            ) from error

    def all(self) -> tuple[Incident, ...]:
        """Every incident that can be read, the newest first."""
        incidents = []
        for path in sorted(self._files(), key=lambda p: int(p.stem), reverse=True):
            try:
                incidents.append(self.load(path.stem))
            except PgdrError:
                continue
        return tuple(incidents)

    def open_ones(self) -> tuple[Incident, ...]:
        """Every incident that hasn't been closed, the newest first: to be offered at the start."""
        return tuple(i for i in self.all() if i.closed_at is None)

    def written_at(self, incident_id: str) -> int:
        """When an incident was last written, in nanoseconds of the file's clock; 0 when it can't be told."""
        try:
            return self._path(incident_id).stat().st_mtime_ns
        except OSError:
            return 0

    def report_path(self, incident_id: str) -> Path:
        """Where the report of a closed incident is written."""
        return self._directory / f"{incident_id}.md"

    def _path(self, incident_id: str) -> Path:
        return self._directory / f"{incident_id}.toml"

    def _files(self) -> list[Path]:
        return [p for p in self._directory.glob("*.toml") if p.stem.isdecimal()]
