"""The file that a download makes on this machine: private, and there only when it is complete."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from tui.files import PRIVATE_DIRECTORY, PRIVATE_FILE
from tui.model.amounts import sizes
from tui.model.errors import PgdrError
from tui.model.text import clean
from tui.stores.store import StoreFull

TEMP_PREFIX = ".pgdr-"
TEMP_SUFFIX = ".partial"
_MORE_ROOM = "Make room, or point --state to a disk that has some."


@contextmanager
def new_file(path: Path, size_bytes: int) -> Iterator[IO[bytes]]:
    """Gives a file that takes `path`'s place, flushed and private, when the block ends well, and that is
    gone when it doesn't.

    Raises StoreFull before a byte is moved when `size_bytes` don't fit, PgdrError when it can't be made.
    """
    with room_here(path):
        path.parent.mkdir(parents=True, exist_ok=True, mode=PRIVATE_DIRECTORY)
        free = shutil.disk_usage(path.parent).free
        if free < size_bytes:
            needed, there = sizes(size_bytes, free)
            raise StoreFull(
                f"The disk here is too small for this download: {needed} are needed, "
                f"{there} are free, at {clean(str(path.parent))}.",
                mend=_MORE_ROOM,
            )
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=TEMP_PREFIX, suffix=TEMP_SUFFIX)
    file = os.fdopen(handle, "wb")
    try:
        yield file
        with room_here(path):
            file.flush()
            os.fsync(file.fileno())
            file.close()
            Path(name).chmod(PRIVATE_FILE)
            Path(name).replace(path)
    except BaseException:
        with suppress(OSError):  # on a full disk closing fails too, for what is still to be written
            file.close()
        Path(name).unlink(missing_ok=True)
        raise


@contextmanager
def room_here(path: Path) -> Iterator[None]:
    """Turns the errors of writing a downloaded file into sentences about this machine's disk."""
    try:
        yield
    except OSError as error:
        reason = clean(error.strerror or str(error))
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StoreFull(
                f"The disk here is full: {reason}, at {clean(str(path.parent))}.",
                mend=_MORE_ROOM,
            ) from error
        raise PgdrError(f"The download can't be written here: {reason}, at {clean(str(path))}.") from error
