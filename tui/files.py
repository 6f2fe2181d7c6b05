"""Files that are written whole or not at all, private to their owner."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

PRIVATE_FILE = 0o600
PRIVATE_DIRECTORY = 0o700


def private_directory(path: Path) -> Path:
    """Makes `path` and those of its parents that are missing, for their owner only; returns it.

    What is there already keeps its mode. (mkdir's own `parents` would leave the parents open to all.)
    """
    for directory in (*reversed(path.parents), path):
        directory.mkdir(exist_ok=True, mode=PRIVATE_DIRECTORY)
    return path


def write_whole(path: Path, data: bytes | str, mode: int = PRIVATE_FILE) -> None:
    """Puts `data` at `path` so that a reader, or a crash at any moment, sees the old file or the new one.

    Costs one flush to disk of the file and one of its directory.
    """
    content = data.encode() if isinstance(data, str) else data
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _flush_directory(path.parent)


def _flush_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
