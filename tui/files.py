"""Files that are written whole or not at all, private to their owner."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from tui.model.errors import PgdrError
from tui.model.text import clean

PRIVATE_FILE = 0o600
PRIVATE_DIRECTORY = 0o700


class NotWritten(PgdrError, OSError):
    """A file of this program's own could not be written. An OSError too, for those who look at its errno."""

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(
            f"{clean(str(path))} could not be written.",
            f"{clean(error.strerror or type(error).__name__)}.",
            "Make room there or see to the rights, then try again; or keep the state elsewhere: --state DIR.",
        )
        self.errno, self.strerror, self.filename = error.errno, error.strerror, str(path)


def private_directory(path: Path) -> Path:
    """Makes `path` and those of its parents that are missing, for their owner only; returns it.

    What is there already keeps its mode. (mkdir's own `parents` would leave the parents open to all.)
    Raises NotWritten.
    """
    for directory in (*reversed(path.parents), path):
        try:
            directory.mkdir(exist_ok=True, mode=PRIVATE_DIRECTORY)
        except OSError as error:
            raise NotWritten(directory, error) from error
    return path


def write_whole(path: Path, data: bytes | str, mode: int = PRIVATE_FILE) -> None:
    """Puts `data` at `path` so that a reader, or a crash at any moment, sees the old file or the new one.

    Costs one flush to disk of the file and one of its directory. Raises NotWritten; the old file stays then.
    """
    try:
        _write_whole(path, data, mode)
    except OSError as error:
        raise NotWritten(path, error) from error


def write_new(path: Path, data: bytes | str, mode: int = PRIVATE_FILE) -> None:
    """Like `write_whole`, but where anything is at `path` already, that stays: FileExistsError."""
    try:
        _write_whole(path, data, mode, put=_put_new)
    except FileExistsError:
        raise
    except OSError as error:
        raise NotWritten(path, error) from error


def _put_new(made: Path, path: Path) -> None:
    path.hardlink_to(made)  # unlike a rename it fails where there is something
    made.unlink()


def _write_whole(
    path: Path, data: bytes | str, mode: int, put: Callable[[Path, Path], object] = Path.replace
) -> None:
    # Names of files that are no UTF-8 hold half surrogates: they are written as the bytes they stand for.
    content = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(mode)
        put(Path(name), path)
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
