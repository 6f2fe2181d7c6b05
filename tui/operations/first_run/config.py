"""A first configuration of what was chosen: put together, and each part of it tried."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from tui.config.load import load_text
from tui.config.starter import starter_text
from tui.model.errors import PgdrError
from tui.model.fleet import BackupPolicy, Database, Endpoint, Fleet, LocalStore, S3Store, StoreSpec
from tui.model.text import clean
from tui.operations.first_run.look import look_into
from tui.postgres.connection import connect, failures, where

_AT_ONCE = 8
_PAGES = 2
_ANSWERS_S = 5


@dataclass(frozen=True, slots=True)
class Checked:
    """One part of a configuration that was tried: what, what came of it, and what to do where it failed."""

    what: str
    works: bool
    told: str
    mend: str | None = None


def first_fleet(path: Path, databases: Iterable[tuple[Endpoint, str]], stores: Iterable[StoreSpec]) -> Fleet:
    """Given where the configuration is to be, (server, database's name there) pairs and stores, returns them
    as a fleet, each with a name of its own.

    Backups are found again by their database's name: where two databases have the same one, only the first
    is given the stores.
    """
    kept = _named_stores(list(stores))
    names = tuple(store.name for store in kept)
    made: list[Database] = []
    for endpoint, dbname in databases:
        twin = any(database.dbname == dbname for database in made)
        name = _free(dbname, {database.name for database in made}, f"{dbname}-{_slug(where(endpoint))}")
        policy = BackupPolicy(stores=() if twin else names)
        made.append(Database(name=name, dbname=dbname, service=name, endpoint=endpoint, backup=policy))
    stem = path.stem if path.stem.strip() and path.stem.isprintable() else "pgdr"
    return Fleet(name=stem, source=path, databases=tuple(made), stores=kept)


def first_text(fleet: Fleet) -> str:
    """Given a fleet, returns its configuration with hints for going on by hand.

    Raises ConfigError, with every problem, where it could not be read again.
    """
    text = starter_text(fleet)
    load_text(text, fleet.source or Path("pgdr.toml").absolute())
    return text


def check(fleet: Fleet, on_checked: Callable[[Checked], None]) -> None:
    """Connects to every database and lists every store, side by side; hands over what came of each, from
    several threads, and returns when all are done."""
    with ThreadPoolExecutor(_AT_ONCE, "pgdr-check") as pool:
        parts: list[Callable[[], Checked]] = [partial(_database, one) for one in fleet.databases]
        parts += [partial(_store, one) for one in fleet.stores]
        for done in [pool.submit(lambda part=part: on_checked(part())) for part in parts]:  # type: ignore[misc]
            done.result()


def _database(database: Database) -> Checked:
    at = f"{clean(database.name)} on {where(database.endpoint)}"
    try:
        quick = replace(database.endpoint, connect_timeout_s=_ANSWERS_S)
        with (
            connect(quick, database.dbname, statement_timeout_s=_ANSWERS_S) as connection,
            failures(f"{at} was not to be asked."),
        ):
            version = connection.info.parameter_status("server_version") or "of an unknown version"
            connection.execute("SELECT 1")
    except PgdrError as error:
        return Checked(at, False, " ".join(part for part in (error.what, error.why) if part), error.mend)
    return Checked(at, True, f"answers, PostgreSQL {clean(version, 40)}")


def _store(store: StoreSpec) -> Checked:
    at = f"store {clean(store.name)}"
    try:
        return Checked(at, True, f"can be read: {look_into(store, _PAGES).words}")
    except PgdrError as error:
        return Checked(at, False, " ".join(part for part in (error.what, error.why) if part), error.mend)


def _named_stores(stores: Sequence[StoreSpec]) -> tuple[StoreSpec, ...]:
    """Called `local` and `offsite` while there is one of each, else after their directory or bucket."""
    made: list[StoreSpec] = []
    for store in stores:
        alone = [other.name for other in stores].count(store.name) == 1
        own = store.path.name if isinstance(store, LocalStore) else _bucket(store)
        taken = {other.name for other in made}
        name = store.name if alone else _free(_slug(own) or store.name, taken, f"{store.name}-{_slug(own)}")
        made.append(replace(store, name=name))
    return tuple(made)


def _bucket(store: StoreSpec) -> str:
    return store.bucket if isinstance(store, S3Store) else getattr(store, "container", store.name)


def _free(name: str, taken: Iterable[str], other: str) -> str:
    """The name, or where it is taken the other one, with a number where that is too."""
    used = set(taken)
    if name not in used:
        return name
    number, found = 2, other
    while found in used:
        found, number = f"{other}-{number}", number + 1
    return found


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-.")
