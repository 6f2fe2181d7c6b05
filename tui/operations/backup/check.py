"""What `check` asks about backups: whether the role can take them, and whether the key at hand opens them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tui.model.backup import ArchiveFormat, Backup
from tui.model.errors import ArchiveError, PgdrError, Problem
from tui.model.fleet import Database, Fleet, LocalStore
from tui.model.text import clean
from tui.operations.catalogue.catalogue import backups, newest, read_manifest
from tui.operations.catalogue.directory import TOC, files_of
from tui.operations.catalogue.names import cipher_of
from tui.operations.layers.encryption import NoKey, check_recipients, decrypted
from tui.places.open import open_place
from tui.postgres.backup_role import role_facts
from tui.stores.open import open_store
from tui.stores.store import Store

_ASKED_AT_ONCE = 8
_HEAD_BYTES = 256 << 10  # age authenticates by 64 KiB
_PIECE = 64 << 10


def roles_lack(fleet: Fleet) -> list[Problem]:
    """A problem for each database whose backups the configured role can't take whole. Databases that can't be
    reached are others' to tell."""

    def ask(database: Database) -> Problem | None:
        try:
            facts = role_facts(open_place(database), database.dbname, database.backup.role)
        except PgdrError:
            return None
        if facts.complete:
            return None
        where = f"{fleet.source}: databases.{clean(database.name)}.backup"
        mend = f"The SQL for a role that can: pgdr role {clean(database.name)}"
        return Problem(where, " ".join(facts.missing()), mend)

    if not fleet.databases:
        return []
    with ThreadPoolExecutor(_ASKED_AT_ONCE) as pool:
        return [problem for problem in pool.map(ask, fleet.databases) if problem]


def recipients_fail(fleet: Fleet) -> list[Problem]:
    """A problem for each database and component whose backups can't be encrypted as it is configured."""
    wanted = [(f"databases.{clean(d.name)}.backup", d.backup.encrypt_to) for d in fleet.databases]
    wanted += [(f"components.{clean(c.name)}", c.encrypt_to) for c in fleet.components]
    found = []
    for where, recipients in wanted:
        try:
            if recipients:
                check_recipients(recipients, fleet.encryption.gnupg_home)
        except PgdrError as error:
            found.append(Problem(f"{fleet.source}: {where}.encrypt_to", error.what, error.mend))
    return found


def keys_beside(fleet: Fleet) -> list[Problem]:
    """A problem for each key that lies in a store: who has the backups has the key then."""
    own = fleet.encryption
    keys = {
        "age_identity": own.age_identity.file if own.age_identity else None,
        "gnupg_home": own.gnupg_home,
        "gpg_passphrase": own.gpg_passphrase.file if own.gpg_passphrase else None,
    }
    found = []
    for name, path in keys.items():
        for store in fleet.stores:
            if path is not None and isinstance(store, LocalStore) and _inside(path, store.path):
                found.append(
                    Problem(
                        f"{fleet.source}: encryption.{name}",
                        f"The key lies in the store {clean(store.name)}, beside what it opens.",
                        "Move it where no backup lies, and keep a copy apart from this machine.",
                    )
                )
    return found


def keys_open(fleet: Fleet) -> list[Problem]:
    """Tries the keys at hand on the newest encrypted backup of each database, by its first bytes; a problem
    for each that they don't open. Stores that can't be read are others' to tell."""
    encrypts = any(d.backup.encrypt_to for d in fleet.databases)
    own = fleet.encryption
    if not (encrypts or own.age_identity or own.gnupg_home or own.gpg_passphrase):
        return []  # a listing of every store would cost more than it could tell
    found: list[Backup] = []
    backups(fleet, None, found.extend, lambda _: None)
    problems = []
    for database in fleet.databases:
        last = newest(b for b in found if b.database == database.dbname and b.encryption)
        spec = fleet.store(last.store) if last else None
        if last is None or spec is None:
            continue
        try:
            opens(open_store(spec), last, fleet)
        except PgdrError as error:
            said = " ".join(part for part in (error.what, error.why) if part)
            where = f"{fleet.source}: databases.{clean(database.name)}.backup"
            problems.append(Problem(where, f"{clean(last.ref)}: {said}", error.mend))
    return problems


def opens(store: Store, backup: Backup, fleet: Fleet) -> None:
    """Returns when a key at hand opens the encrypted backup, of which a part is read.

    Raises NoKey, naming whom it is encrypted for where its manifest tells, ArchiveError when it is damaged,
    ConfigError when the key can't be read, and as the store does.
    """
    key, kind, size = backup.key, backup.encryption or cipher_of(backup.key), backup.size_bytes
    if backup.format is ArchiveFormat.DIRECTORY and (toc := files_of(store, key).get(TOC)) is not None:
        key, kind, size = toc.key, cipher_of(toc.key), toc.size_bytes
    head = store.read(key, 0, min(_HEAD_BYTES, size))
    pieces = (head[start : start + _PIECE] for start in range(0, len(head), _PIECE))
    opened = decrypted(pieces, kind or "", fleet)
    try:
        next(opened, None)
    except NoKey as error:
        raise NoKey(error.what, _wanted(store, backup.key) or error.why, error.mend) from None
    finally:
        _close(opened)


def _wanted(store: Store, key: str) -> str | None:
    try:
        manifest = read_manifest(store, key)
    except (ArchiveError, PgdrError):
        return None
    if manifest is None or not manifest.recipients:
        return None
    return f"It is encrypted for {', '.join(clean(r, 80) for r in manifest.recipients)}."


def _close(opened: Iterator[bytes]) -> None:
    close = getattr(opened, "close", None)  # a generator's: ends what stands behind it
    if close is not None:
        close()


def _inside(path: Path, directory: Path) -> bool:
    try:
        return path.resolve().is_relative_to(directory.resolve())
    except (OSError, RuntimeError):
        return False
