"""A job's journal: events as lines of JSON, appended by one writer, read by anyone at any time."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from tui.files import PRIVATE_FILE, NotWritten
from tui.model import codec
from tui.model.event import Entry, ErrorSeen, Event, JobEnded, JobStarted

# After these the file is flushed to the disk, so that they outlive a crash of the machine. A flush for
# every event would cost milliseconds each; a crash of the supervisor alone loses none of them anyway.
_FLUSHED = (JobStarted, ErrorSeen, JobEnded)


class Journal:
    """The writing end. One line is one write, so a reader sees whole lines, the last one excepted."""

    def __init__(self, path: Path, now: Callable[[], datetime]) -> None:
        self._now = now
        self._path = path
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, PRIVATE_FILE)
        self._turn = threading.Lock()

    def append(self, event: Event) -> None:
        """Writes one event down with the time. Safe to call from several threads.

        Raises NotWritten, of a full disk for instance; nothing of the line is left then.
        """
        # A key may be no UTF-8 (half surrogates stand for its bytes): escaped, it is JSON all the same.
        line = codec.entry_line(Entry(self._now(), event)).encode("utf-8", "backslashreplace")
        with self._turn:
            begin = os.fstat(self._handle).st_size
            try:
                while line:
                    line = line[os.write(self._handle, line) :]
                if isinstance(event, _FLUSHED):
                    os.fsync(self._handle)
            except OSError as error:
                os.ftruncate(self._handle, begin)  # half a line would take the next one with it
                raise NotWritten(self._path, error) from error

    def close(self) -> None:
        """No more events."""
        os.close(self._handle)


def read(path: Path, offset: int = 0, portion: int = -1) -> tuple[list[Entry], int]:
    """Given a journal and a byte offset, returns the entries after it and the offset behind them; of about
    `portion` bytes, where that is given.

    A last line that isn't whole yet is left for the next read; a line that can't be understood (torn by
    a crash, or of a newer program) is passed over. A journal that doesn't exist yet is empty.
    """
    try:
        with path.open("rb") as file:
            file.seek(offset)
            data = file.read(portion)
            while portion > 0 and b"\n" not in data and (more := file.read(portion)):
                data += more  # what is going to be done stands on one line, however much that is
    except FileNotFoundError:
        return [], offset
    whole = data.rfind(b"\n") + 1
    entries = []
    for line in data[:whole].splitlines():
        try:
            entries.append(codec.entry_of(line.decode()))
        except (ValueError, RecursionError):
            continue
    return entries, offset + whole
