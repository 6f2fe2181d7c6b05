"""Which user runs the servers, and which places that user can reach.

PostgreSQL refuses to run as root. Root's demo therefore runs its servers as `postgres` where that user
exists, else as `nobody`; anyone else runs them as themselves.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from tui.model.errors import PgdrError

ROOTS_PLACE = Path("/var/tmp/pgdr-demo-root")  # noqa: S108 - its owner and mode are checked before use


@dataclass(frozen=True, slots=True)
class Account:
    """A user of the machine."""

    name: str
    uid: int
    gid: int


def server_account() -> Account | None:
    """The user to run servers as, or None for the one we are. Raises PgdrError when root finds nobody."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise PgdrError(
        "PostgreSQL cannot run as root, and this machine has neither a user postgres nor a user nobody.",
        mend="Run the demo as an ordinary user.",
    )


def passable(path: Path, account: Account | None) -> bool:
    """Whether `account` can enter `path` and every directory above it, judged by owner, group and mode.

    A path that doesn't exist yet is judged by its nearest directory that does.
    """
    path = path.resolve()
    while not path.exists():
        path = path.parent
    return all(_allowed(part, account, execute=True) for part in (path, *path.parents) if part.is_dir())


def readable(path: Path, account: Account | None) -> bool:
    """Whether `account` can read the file `path` (and come to it)."""
    path = path.resolve()
    return passable(path.parent, account) and _allowed(path, account, execute=False)


def _allowed(path: Path, account: Account | None, *, execute: bool) -> bool:
    if account is None:
        return os.access(path, os.X_OK if execute else os.R_OK)
    found = path.stat()
    bit = stat.S_IXOTH if execute else stat.S_IROTH
    if found.st_uid == account.uid:
        bit = bit << 6
    elif found.st_gid == account.gid:
        bit = bit << 3
    return bool(found.st_mode & bit)


def roots_place() -> Path:
    """Root's own place that other users can pass through but not write to; made when missing.

    Raises PgdrError when something else sits at its name: anyone may create files beside it, so what is
    found there is trusted only when it is a real directory of root's that nobody else can change.
    """
    ROOTS_PLACE.mkdir(mode=0o711, exist_ok=True)
    found = ROOTS_PLACE.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise PgdrError(
            f"{ROOTS_PLACE} is not a directory of root's own.",
            mend="Remove it, or give another place with --dir.",
        )
    return ROOTS_PLACE


def servers_place(directory: Path, account: Account | None) -> Path:
    """Where the servers of the demo in `directory` keep their data: beneath it when `account` can reach
    it, else beneath root's own place. Nothing that exists has its permissions changed.

    Raises PgdrError when neither can be reached.
    """
    directory = directory.resolve()
    if passable(directory, account):
        return directory / "servers"
    elsewhere = roots_place()
    if not passable(elsewhere, account):
        who = account.name if account else "this user"
        raise PgdrError(
            f"Neither {directory} nor {elsewhere} can be entered by {who}, who runs the servers.",
            mend="Give a place that can be entered with --dir.",
        )
    return elsewhere / ("servers-" + hashlib.sha256(os.fsencode(directory)).hexdigest()[:12])
