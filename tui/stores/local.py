"""A directory that holds backups.

Keys come from listings and from people, so each is checked before it touches a file: none leads out of
the directory, by `..` or by a symbolic link. Links to directories are not followed in listings (they may
lead out or round in a circle); links to files are, when the file lies inside.
"""

from __future__ import annotations

import errno
import os
import stat as modes
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path

from tui.files import PRIVATE_DIRECTORY
from tui.model.backup import StoredObject
from tui.model.errors import PgdrError, Unreachable
from tui.model.fleet import LocalStore
from tui.model.text import clean
from tui.stores.download import TEMP_PREFIX, TEMP_SUFFIX, new_file, room_here
from tui.stores.problems import replaced
from tui.stores.store import (
    PAGE,
    Protection,
    StoreDenied,
    StoreFull,
    StoreMissing,
    check_new_key,
    is_inside,
    missing,
    refused,
    stopped,
)

_CHUNK = 1 << 20
_TRIES = 100  # to make a file in a folder that others, emptying it, take away again


class DirectoryStore:
    """A store in a directory of this machine (or mounted on it)."""

    def __init__(self, spec: LocalStore) -> None:
        """Given its configuration. Looks at nothing yet."""
        self.name = spec.name
        self.offsite = spec.offsite
        self._root = spec.path

    def pages(self, prefix: str = "") -> Iterator[tuple[StoredObject, ...]]:
        """Gives the files under the directory, in ascending order of their keys' bytes.

        Half-written files and what links lead out of the directory are left out. A subdirectory that
        may not be read raises StoreDenied, after everything else was given.
        """
        folder = prefix.rpartition("/")[0]
        if folder and not is_inside(folder):
            return
        with self._guard("read"):
            root = self._root.resolve()
            if not root.is_dir():
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(root))
            start = root / folder if folder else root
            if start.resolve() != start:  # links to directories are not followed
                return
        unread: list[OSError] = []
        page: list[StoredObject] = []
        for found in self._walk(root, start, f"{folder}/" if folder else "", prefix, unread):
            page.append(found)
            if len(page) == PAGE:
                yield tuple(page)
                page = []
        if page:
            yield tuple(page)
        if unread:
            with self._guard("read"):
                raise unread[0]

    def stat(self, key: str) -> StoredObject:
        """Returns the file's size and time."""
        with self._guard("read", key):
            return _stored(key, self._file(key).stat())

    def read(self, key: str, start: int, length: int) -> bytes:
        """Returns bytes of the file."""
        with self._guard("read", key), self._file(key).open("rb") as file:
            file.seek(start)
            return file.read(length)

    def stream(self, key: str, start: int, length: int, etag: str | None = None) -> Iterator[bytes]:
        """Gives bytes of the file, by a megabyte at most."""
        with self._guard("read", key):
            file = self._file(key).open("rb")
        with file:
            if etag is not None and _stored(key, os.fstat(file.fileno())).etag != etag:
                raise replaced(self.name, key)
            file.seek(start)
            while length > 0:
                with self._guard("read", key):
                    piece = file.read(min(_CHUNK, length))
                if not piece:
                    return
                length -= len(piece)
                yield piece

    def fetch(self, key: str, path: Path, advanced: Callable[[int], None], stop: Callable[[], bool]) -> None:
        """Copies the file to `path`."""
        with self._guard("read", key):
            source = self._file(key).open("rb")
            size = os.fstat(source.fileno()).st_size
        with source, new_file(path, size) as target:
            done = 0
            while True:
                with self._guard("read", key):
                    chunk = source.read(_CHUNK)
                if not chunk:
                    return
                if stop():
                    raise stopped(key)
                with room_here(path):
                    target.write(chunk)
                done += len(chunk)
                advanced(done)

    def write(self, key: str, chunks: Iterable[bytes]) -> StoredObject:
        """Writes to a temporary file beside its place, flushes it to disk and renames it."""
        check_new_key(key)
        with self._guard("written", key):
            # Never made here: a disk that isn't mounted would get its backups below its mount point, unseen
            if not _is_directory(self._root):
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(self._root))
            place = self._place(key)
            handle, name = _new_beside(place)
        file = os.fdopen(handle, "wb")
        try:
            for chunk in chunks:  # outside the guard: its errors aren't the store's
                with self._guard("written", key):
                    file.write(chunk)
            with self._guard("written", key):
                file.flush()
                os.fsync(file.fileno())
                file.close()
                Path(name).replace(place)
                _flush_directory(place.parent)
                return _stored(key, place.stat())
        except BaseException:
            with suppress(OSError):  # on a full disk closing fails too, for what is still to be written
                file.close()
            Path(name).unlink(missing_ok=True)
            raise

    def put(self, key: str, data: bytes) -> StoredObject:
        """Writes a small file, whole or not at all."""
        return self.write(key, (data,))

    def delete(self, key: str) -> None:
        """Removes the file, and the folders of its key that are empty then, as far as they are like those
        that this program makes: one that someone made for a group, say, stays."""
        with self._guard("written", key):
            place = self._place(key)
            try:
                place.unlink()
            except FileNotFoundError:
                return
        root = self._root.resolve()
        with suppress(OSError):  # ENOTEMPTY, most of the time
            for folder in place.resolve().parents:
                if folder == root or not folder.is_relative_to(root) or not _is_own(folder):
                    break
                folder.rmdir()

    def discard_unfinished(self, prefix: str, before: datetime) -> int:
        """Removes temporary files of this program in the directory in which keys of that beginning lie; they
        have no name of their own key, so all of them that are old enough."""
        removed = 0
        directory = self._place(prefix + "x").parent
        for path in directory.glob(f"{TEMP_PREFIX}*{TEMP_SUFFIX}") if directory.is_dir() else ():
            with suppress(OSError):
                status = path.lstat()
                if datetime.fromtimestamp(status.st_mtime, timezone.utc) < before:
                    path.unlink()
                    removed += 1
        return removed

    def path(self, key: str) -> Path | None:
        """The file itself. Raises like `stat`."""
        with self._guard("read", key):
            return self._file(key)

    def protection(self) -> Protection:
        """Nothing of it can be asked of a directory."""
        return Protection()

    def _walk(
        self, root: Path, folder: Path, above: str, prefix: str, unread: list[OSError]
    ) -> Iterator[StoredObject]:
        try:
            with os.scandir(folder) as found:
                entries = sorted(found, key=_order)
        except (FileNotFoundError, NotADirectoryError):
            return  # gone between its listing and now
        except OSError as error:
            if folder == root:
                with self._guard("read"):
                    raise
            if folder.name != "lost+found":  # a file system's own; no backups are in it
                unread.append(error)
            return
        for entry in entries:
            key = above + entry.name
            if not key.startswith(prefix):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from self._walk(root, Path(entry.path), f"{key}/", prefix, unread)
            elif not (entry.name.startswith(TEMP_PREFIX) and entry.name.endswith(TEMP_SUFFIX)):
                try:
                    if entry.is_symlink() and not Path(entry.path).resolve().is_relative_to(root):
                        continue
                    status = entry.stat()
                except (OSError, RuntimeError):
                    continue  # gone, or a link to nothing or to itself: not an object
                if modes.S_ISREG(status.st_mode):
                    yield _stored(key, status)

    def _file(self, key: str) -> Path:
        """The regular file of `key`, links followed, inside the directory. A pipe would hang its reader."""
        path = self._resolved(key, whole=True)
        if not modes.S_ISREG(path.stat().st_mode):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        return path

    def _place(self, key: str) -> Path:
        """Where `key` is or would be. Its last part is not followed: a link is replaced or removed itself."""
        return self._resolved(key, whole=False)

    def _resolved(self, key: str, *, whole: bool) -> Path:
        if not is_inside(key):
            raise refused(key, "it leads out of the store")
        root = self._root.resolve()
        path = root / key
        try:
            path = path.resolve() if whole else path.parent.resolve() / path.name
        except RuntimeError:  # a link that leads to itself (pathlib before 3.13)
            raise refused(key, "a symbolic link on its way leads to itself") from None
        if not path.is_relative_to(root):
            raise refused(key, "a symbolic link on its way leads out of the store")
        return path

    @contextmanager
    def _guard(self, verb: str, key: str | None = None) -> Iterator[None]:
        """Turns the system's errors into sentences; `verb` is what couldn't be done: read, written."""
        try:
            yield
        except OSError as error:
            raise self._explained(error, verb, key) from error

    def _explained(self, error: OSError, verb: str, key: str | None) -> PgdrError:
        here = clean(str(self._root))
        blocked = (errno.EISDIR, errno.ENOTDIR, errno.EEXIST)
        if verb == "written" and key is not None and error.errno in blocked:
            return refused(key, "a file or directory of another object is in its way")
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.EISDIR):
            if key is None or not _is_directory(self._root):
                return StoreMissing(
                    f"The directory of the store {self.name} is not there: {here}.",
                    mend="Is its disk mounted? If it is new, make it (mkdir); else correct the store's path.",
                )
            return missing(self.name, key)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return StoreFull(
                f"The store {self.name} is full: {clean(os.strerror(error.errno))}, at {here}.",
                mend="Make room there (pgdr prune --dry-run shows what may go), or use another store.",
            )
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            at = clean(str(error.filename)) if error.filename else here
            right = "read" if verb == "read" else "write"
            return StoreDenied(
                f"The store {self.name} can't be {verb}: {clean(os.strerror(error.errno))}, at {at}.",
                mend=f"Give the user that runs pgdr the right to {right} there.",
            )
        if error.errno in (errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ, errno.ELOOP) and key is not None:
            return refused(key, f"its file system says: {clean(error.strerror or str(error))}")
        return Unreachable(
            f"The store {self.name} can't be {verb}: {clean(error.strerror or str(error))}, at {here}.",
            mend="Look at the disk and the mount behind it.",
        )


def _order(entry: os.DirEntry[str]) -> bytes:
    """With "/" behind a directory's name, the order within each folder is the order of whole keys."""
    return os.fsencode(entry.name) + (b"/" if entry.is_dir(follow_symlinks=False) else b"")


def _stored(key: str, status: os.stat_result) -> StoredObject:
    return StoredObject(
        key=key,
        size_bytes=status.st_size,
        modified_at=datetime.fromtimestamp(status.st_mtime, timezone.utc),
        etag=f"{status.st_mtime_ns:x}-{status.st_size:x}",
    )


def _is_directory(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def _flush_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _make_private(folder: Path) -> None:
    """Makes a folder and those above it that aren't there, each for its owner alone."""
    if not folder.is_dir():
        _make_private(folder.parent)
        folder.mkdir(exist_ok=True, mode=PRIVATE_DIRECTORY)


def _is_own(folder: Path) -> bool:
    status = folder.lstat()
    return status.st_mode & 0o777 == PRIVATE_DIRECTORY and status.st_uid == os.geteuid()


def _new_beside(place: Path) -> tuple[int, str]:
    """A temporary file in the directory of `place`, which is made. Who deletes there may take an empty one
    away again at the same moment."""
    left = _TRIES
    while True:
        try:
            _make_private(place.parent)
            return tempfile.mkstemp(dir=place.parent, prefix=TEMP_PREFIX, suffix=TEMP_SUFFIX)
        except (FileNotFoundError, FileExistsError):  # the second: gone between mkdir's call and its look
            left -= 1
            if not left:
                raise
