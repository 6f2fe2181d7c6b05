"""The rule "at least one copy off-site" per database, and how the off-site stores keep what they hold."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tui.model.backup import Backup, StoreProblem
from tui.model.errors import PgdrError
from tui.model.fleet import Database, Fleet, StoreSpec
from tui.model.offsite import offsite_words
from tui.model.plan import Finding, Level
from tui.model.text import clean
from tui.operations.catalogue.good import backups_of
from tui.operations.catalogue.heads import Heads
from tui.operations.catalogue.listing import listing
from tui.stores.open import open_store
from tui.stores.store import Protection, Quality

_AT_ONCE = 8


def offsite_copy(
    fleet: Fleet, database: Database, backups: Iterable[Backup], problems: Iterable[StoreProblem]
) -> bool | None:
    """Given what the stores hold and which couldn't be read, returns whether a backup of `database` lies in
    an off-site store; None where an off-site store that may have one couldn't be read."""
    offsite = {store.name for store in fleet.stores if store.offsite}
    if any(backup.store in offsite for backup in backups_of(database, backups)):
        return True
    own = set(database.backup.stores) or {store.name for store in fleet.stores}
    unread = {problem.store for problem in problems if not problem.is_note}
    return None if offsite & own & unread else False


def offsite_copies(fleet: Fleet, state: Path | None) -> dict[str, bool | None]:
    """Lists the off-site stores, each only until every database was met in it; returns `offsite_copy` of
    each database by its name. In `state` headers are kept for the next time."""
    found: list[Backup] = []
    problems: list[StoreProblem] = []
    known = frozenset(database.dbname for database in fleet.databases)

    def look(spec: StoreSpec) -> None:
        left = {d.dbname for d in fleet.databases if spec.name in (d.backup.stores or (spec.name,))}
        heads = Heads(spec.name, state)
        try:
            for page in listing(open_store(spec), None, known, heads) if left else ():
                for backup in page:
                    if backup.database in left:
                        left.discard(backup.database)
                        found.append(backup)
                if not left:
                    return
        except PgdrError as error:
            problems.append(StoreProblem(spec.name, error.what, error.why, error.mend))
        finally:
            heads.close()

    stores = [store for store in fleet.stores if store.offsite]
    if stores and known:
        with ThreadPoolExecutor(min(_AT_ONCE, len(stores)), "pgdr-offsite") as pool:
            for done in [pool.submit(look, store) for store in stores]:
                done.result()
    return {d.name: offsite_copy(fleet, d, found, problems) for d in fleet.databases}


def rule(fleet: Fleet, database: Database, kept: bool | None) -> Finding:
    """Given what `offsite_copy` says, returns the rule as kept (OK), unknown or broken (WARNING)."""
    about = f"databases.{clean(database.name)}"
    if kept:
        return Finding(Level.OK, about, offsite_words(kept), None)
    if kept is None:
        return Finding(Level.WARNING, about, offsite_words(kept), None)
    named = [s for s in fleet.stores if s.offsite and s.name in (database.backup.stores or (s.name,))]
    if named:
        to = named[0].name
        mend = f"Take one there: pgdr backup {database.name} --store {to}; or pgdr copy REF {to}"
    else:
        mend = "Name an off-site store in its backup.stores."
    return Finding(Level.WARNING, about, offsite_words(kept), mend)


def protections(fleet: Fleet) -> tuple[Finding, ...]:
    """Asks every off-site store how it keeps what it holds; a store that doesn't answer says nothing here,
    for that is another check's to tell. OK what is good or can't be asked, WARNING what is not good."""
    stores = [store for store in fleet.stores if store.offsite]
    if not stores:
        return ()
    with ThreadPoolExecutor(min(_AT_ONCE, len(stores)), "pgdr-ask") as pool:
        return tuple(finding for findings in pool.map(_asked, stores) for finding in findings)


def _asked(spec: StoreSpec) -> tuple[Finding, ...]:
    try:
        return judged(spec.name, open_store(spec).protection())
    except PgdrError:
        return ()


def judged(store: str, found: Protection) -> tuple[Finding, ...]:
    """Given what a store says of itself, returns a sentence for each quality."""
    about = f"stores.{clean(store)}"
    ways = (
        _good(found.encrypted, "encrypted at rest", "Turn on its default encryption."),
        _good(found.versioned, "versioned", "Turn on versioning: what is deleted could be had back."),
        _good(found.locked, "locked against deletion", "Give it object lock with a default retention."),
        _bad(found.thinned, "a lifecycle rule of its own"),
    )
    return tuple(Finding(level, about, what, mend) for level, what, mend in ways)


def _good(quality: Quality | None, word: str, mend: str) -> tuple[Level, str, str | None]:
    if quality is None:
        return Level.OK, f"Whether it is {word} cannot be asked.", None
    detail = f" ({quality.detail})" if quality.detail else ""
    if quality.has:
        return Level.OK, f"It is {word}{detail}.", None
    return Level.WARNING, f"It is not {word}{detail}.", mend


def _bad(quality: Quality | None, word: str) -> tuple[Level, str, str | None]:
    if quality is None:
        return Level.OK, f"Whether it is thinned by {word} cannot be asked.", None
    if not quality.has:
        return Level.OK, f"It isn't thinned by {word}.", None
    return (
        Level.WARNING,
        f"It is thinned by {word}: {quality.detail or 'objects are deleted'}.",
        "See that it doesn't take away what the retention of the databases keeps.",
    )
